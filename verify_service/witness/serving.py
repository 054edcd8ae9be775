"""Serve a witness under granian, in one process with a few threads."""

from __future__ import annotations

import logging
import logging.config
from functools import partial
from typing import TYPE_CHECKING, Any

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels

from verify_service.clock import SystemClock
from verify_service.record_log.cosignature import Cosigner
from verify_service.witness.app import WitnessApp
from verify_service.witness.key import read_key
from verify_service.witness.ledger import Ledger
from verify_service.witness.witness import Witness

if TYPE_CHECKING:
    from pathlib import Path

THREADS = 4
DIAGNOSTICS: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "stream": "ext://sys.stderr"}},
    "root": {"level": "INFO", "handlers": ["stderr"]},
    "loggers": {"granian.access": {"level": "WARNING"}},
}
logger = logging.getLogger(__name__)


def cosigner(home: Path) -> Cosigner:
    """Return the key of the witness whose files lie here, under its name."""
    return Cosigner(Ledger(home).name(), read_key(home))


def serve(home: Path, host: str, port: int, *, monitored: bool) -> None:
    """Serve until told to stop; raise ConfigurationError where the witness has no key or ledger."""
    name = cosigner(home).name
    logging.config.dictConfig(DIAGNOSTICS)
    logger.info("Witness %s listens at http://%s:%s", name, host, port)
    Granian(
        "witness",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        blocking_threads=THREADS,
        http=HTTPModes.http1,
        websockets=False,
        respawn_failed_workers=True,
        log_dictconfig=DIAGNOSTICS,
        log_level=LogLevels.error,
    ).serve(target_loader=partial(_make_app, home=home, monitored=monitored))


def _make_app(_: str, home: Path, *, monitored: bool) -> WitnessApp:
    return WitnessApp(Witness(Ledger(home), cosigner(home), SystemClock()), monitored=monitored)
