"""Set the stage: a fresh state directory with keys, a synthetic signed registry and a database, and a server on it."""

from __future__ import annotations

import http.client
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from verify_service import settings, settings_file
from verify_service.clock import SystemClock
from verify_service.demo.encounter import STALE_AGENCY, STALE_SECONDS
from verify_service.errors import ConfigurationError
from verify_service.log_keeping import random_bytes
from verify_service.registry.synthesize import Wish, synthesize
from verify_service.web.serving import check_free
from verify_service.wiring import Service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from verify_service.settings import Settings

MARKER = "made-by-verify-service-demo"
START_SECONDS = 60
STOP_SECONDS = 20
NO_NEEDS: frozenset[str] = frozenset()


def prepare(*, rosters: bool, say: Callable[[str], None]) -> None:
    """Make everything anew; raise ConfigurationError where the state directory is not a demo's, or a port is taken."""
    chosen = settings.from_environment(NO_NEEDS)
    check_free(*chosen.bind)
    check_free("127.0.0.1", chosen.devissuer_port)
    _clear(chosen.home)
    registry = chosen.home / "registry"
    say("Making a synthetic signed registry …")
    wish = Wish(stale_agency=STALE_AGENCY, stale_after=timedelta(seconds=STALE_SECONDS)) if rosters else Wish(entries=0)
    synthesize(registry, wish, SystemClock().now(), random_bytes)
    settings_file.write(
        chosen.home,
        {
            "VERIFY_DEPARTMENTS": "LAPD",
            "VERIFY_LOG_HOST": "demo.verify-service.example",
            "VERIFY_ISSUER": "development",
            "VERIFY_AUDIENCE": "verify-service-demo",
            "VERIFY_REGISTRY": str(registry),
            "VERIFY_REGISTRY_ROOT": str(registry / "metadata" / "1.root.json"),
            "VERIFY_BLINDING_KEYS": str(registry / "private" / "blinding-keys.json"),
        },
    )
    service = Service(settings.from_environment())
    service.generate_keys()
    service.upgrade()
    for department in service.settings.departments:
        report = service.ingest(department).run()
        entries = sum(count for _, count in report.loaded)
        say(f"Ingested {len(report.edition.agencies)} agencies and {entries} identifiers, every signature checked.")
    service.database.dispose()


@contextmanager
def serving(chosen: Settings, say: Callable[[str], None]) -> Iterator[None]:
    """Serve from a process of its own until the block ends."""
    command = [sys.executable, "-m", "verify_service.cli", "serve"]
    # In a session of its own: Ctrl-C reaches the demo alone, which then ends the server once.
    with subprocess.Popen(  # noqa: S603 - It is this program.  # nosec B603
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True
    ) as server:
        try:
            _wait_until_ready(chosen, server)
            say(f"Serving on http://{chosen.bind.host}:{chosen.bind.port}")
            yield
        finally:
            server.terminate()
            try:
                server.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                server.kill()


def _clear(home: Path) -> None:
    """Empty the state directory of an earlier demo, and nobody else's."""
    if home.exists() and any(home.iterdir()) and not (home / MARKER).exists():
        raise ConfigurationError(
            f"{home} holds something that no demo made, and a demo starts anew: set VERIFY_HOME to an empty directory."
        )
    if home.exists():
        shutil.rmtree(home)
    home.mkdir(mode=0o700, parents=True)
    (home / MARKER).touch()


def _wait_until_ready(chosen: Settings, server: subprocess.Popen[bytes]) -> None:
    begun = time.monotonic()
    while time.monotonic() - begun < START_SECONDS:
        if server.poll() is not None:
            raise ConfigurationError("The server ended before it answered; its diagnostics above say why.")
        connection = http.client.HTTPConnection(*chosen.bind, timeout=1)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == http.client.OK:
                return
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(0.1)
    raise ConfigurationError(f"The server did not become ready within {START_SECONDS} s.")
