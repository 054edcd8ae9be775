"""Be the child process of the development issuer: HOME PORT PARENT; say ``ready`` or what is wrong, and serve."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from verify_service.clock import SystemClock
from verify_service.devissuer.app import create_app
from verify_service.devissuer.issuer import DevelopmentIssuer
from verify_service.devissuer.key import DIRECTORY, signing_key
from verify_service.devissuer.serving import LOOPBACK, READY, listen, serve_while
from verify_service.devissuer.token_desk import TokenDesk, clients_in
from verify_service.errors import ServiceError


def _say(words: str) -> None:
    """Tell the parent, which reads until the output is closed."""
    sys.stdout.write(words)
    sys.stdout.close()
    os.close(1)


def main(arguments: list[str]) -> int:
    """Serve until the parent is gone."""
    home, port, parent = Path(arguments[0]), int(arguments[1]), int(arguments[2])
    try:
        issuer = DevelopmentIssuer(f"http://{LOOPBACK}:{port}", signing_key(home), os.urandom)  # noqa: TID251 - This process is its own wiring.
        desk = TokenDesk(issuer, clients_in(home / DIRECTORY), SystemClock())
        server = listen(create_app(issuer, desk), port)
    except ServiceError as error:
        _say(error.diagnosis)
        return 1
    _say(READY)
    serve_while(parent, server)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
