"""Run the service under granian: worker processes that each make the app and answer with threads of their own."""

from __future__ import annotations

import errno
import logging
import logging.config
import multiprocessing
import os
import signal
import socket
import threading
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels

from verify_service.errors import ConfigurationError, ServiceError
from verify_service.parent import wait_until_gone

if TYPE_CHECKING:
    from multiprocessing.synchronize import Event

logger = logging.getLogger(__name__)

STOP_SECONDS = 30
# Diagnostics go to standard error, since commands print their results on standard output. Requests are not listed:
# the address of a requester's page is the code that opens it.
DIAGNOSTICS: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "stream": "ext://sys.stderr"}},
    "root": {"level": "INFO", "handlers": ["stderr"]},
    "loggers": {name: {"level": "WARNING"} for name in ("granian.access", "alembic")},
}
REASONS = {
    errno.EADDRINUSE: "is taken by another program: set VERIFY_BIND to another port, or stop what listens there",
    errno.EACCES: "is not for this user to take: set VERIFY_BIND to a port above 1023",
    errno.EADDRNOTAVAIL: "is not an address of this machine: set VERIFY_BIND to one that is",
}


def serve(target: str, *, host: str, port: int, workers: int, threads: int) -> None:
    """Serve until this process is told to stop; ``target`` names a function that makes the app, ``module:function``.

    Every worker makes an app of its own. Raises ConfigurationError where the address cannot be had, and SystemExit
    where a worker cannot make its app, or does not stay up.
    """
    check_free(host, port)
    failed = multiprocessing.Event()
    logging.config.dictConfig(DIAGNOSTICS)
    logger.info("Listening at http://%s:%s with %s workers of %s threads", host, port, workers, threads)
    Granian(
        target,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=threads,
        http=HTTPModes.http1,
        websockets=False,
        # One crash must not end the service; workers that crash at once still do.
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_SECONDS,
        log_dictconfig=DIAGNOSTICS,
        # Its warnings are of any number of threads but its own.
        log_level=LogLevels.error,
    ).serve(target_loader=partial(_make_app, parent=os.getpid(), failed=failed))
    if failed.is_set():
        raise SystemExit(1)


def _make_app(target: str, parent: int, failed: Event) -> Any:
    """Make the app of a worker, which ends in good order where its parent was killed.

    Where it cannot be made the whole service ends: granian would try again and again, and say each time why not.
    """
    # Until granian sets its own, a worker has its parent's handler, which would swallow the word to stop.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    module, _, function = target.partition(":")
    try:
        return getattr(import_module(module), function)()
    except ServiceError as error:
        logger.critical(error.diagnosis)
    except Exception:
        logger.critical("The app cannot be made.", exc_info=True)
    failed.set()
    os.kill(parent, signal.SIGTERM)
    raise SystemExit(1)


def _end_with(parent: int) -> None:
    wait_until_gone(parent)
    os.kill(os.getpid(), signal.SIGTERM)


def check_free(host: str, port: int) -> None:
    """Raise ConfigurationError unless the address can be listened on.

    Granian's workers share a port by SO_REUSEPORT, so a second service would start on the same one and take every
    other request.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        reason = REASONS.get(
            error.errno or 0, f"cannot be listened on ({os.strerror(error.errno or 0)}): set VERIFY_BIND to another"
        )
        raise ConfigurationError(f"Port {port} on {host} {reason}.") from error
