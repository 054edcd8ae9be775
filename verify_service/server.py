"""Run the service: the command that starts it, and the app that each of its workers makes."""

from __future__ import annotations

import gc
import threading
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING

from verify_service import settings
from verify_service.devissuer import serving as devissuer
from verify_service.web import serving
from verify_service.web.app import create_app
from verify_service.wiring import Service

if TYPE_CHECKING:
    from flask import Flask

    from verify_service.settings import Settings

APPLICATION = "verify_service.server:application"
GARBAGE_THRESHOLDS = (50_000, 20, 50)


def serve(chosen: Settings) -> None:
    """Serve until told to stop, with the development issuer beside it where that was asked for."""
    service = Service(chosen)
    service.check_schema()
    service.check_before_serving()
    service.sightings.check()
    service.database.dispose()
    issuer = devissuer.running(chosen.home, chosen.devissuer_port) if chosen.development else nullcontext()
    with issuer:
        serving.serve(
            APPLICATION, host=chosen.bind.host, port=chosen.bind.port, workers=chosen.workers, threads=chosen.threads
        )


def application() -> Flask:
    """Make the app that a worker serves, from its environment; the publication goes on beside it."""
    service = Service(settings.from_environment())
    service.check_schema()
    service.check_before_serving()
    # What stands now stays; requests leave no cycles worth looking for every few hundred allocations.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    for publication in service.publications():
        threading.Thread(target=publication.run_daily, args=(time.sleep,), name="publication", daemon=True).start()
    keys = service.issuer_keys
    threading.Thread(target=keys.keep_fresh, args=(time.sleep,), name="issuer-keys", daemon=True).start()
    witnessing = service.witnessing()
    if witnessing is not None:
        lock = service.settings.home / "witnessing.lock"
        threading.Thread(target=witnessing.run, args=(lock, time.sleep), name="witnessing", daemon=True).start()
    return create_app(service.backend())
