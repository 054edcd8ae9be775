"""Run a witness, on a host of its own with a key of its own: `witnessctl serve | add-log | retire-key | status`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from verify_service.clock import rfc3339
from verify_service.errors import ServiceError
from verify_service.record_log.cosignature import utc
from verify_service.signing import NoteKey
from verify_service.witness.key import make_key
from verify_service.witness.ledger import Ledger
from verify_service.witness.serving import cosigner, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Command = Callable[[argparse.Namespace], None]

CODES = "exit codes: 0 fine, 2 usage, 3 it could not run (the text says why)"
CANNOT_RUN = 3
SECRET_BYTES = 32


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    given = _parser().parse_args(arguments)
    run: Command = given.run
    try:
        run(given)
    except ServiceError as error:
        print(f"witnessctl: {error.diagnosis}", file=sys.stderr)
        return CANNOT_RUN
    except OSError as error:
        print(f"witnessctl: a file or port cannot be used: {error}", file=sys.stderr)
        return CANNOT_RUN
    return 0


def _serve(given: argparse.Namespace) -> None:
    host, port = given.bind
    serve(given.home, host, port, monitored=given.monitored)


def _add_log(given: argparse.Namespace) -> None:
    key = NoteKey.parse(given.vkey)
    # A command stands alone: nothing wires it, so it takes the machine's randomness itself.
    make_key(given.home, os.urandom(SECRET_BYTES))  # noqa: TID251
    ledger = Ledger(given.home)
    ledger.create(given.name)
    ledger.add_log(key)
    own = cosigner(given.home).key.vkey
    _report(given.json, {"watches": key.name, "vkey": own}, f"Watches {key.name}. This witness's key is\n{own}")


def _retire_key(given: argparse.Namespace) -> None:
    key = NoteKey.parse(given.vkey)
    Ledger(given.home).retire_key(key)
    retired = key.key_id.hex()
    _report(given.json, {"retired": key.vkey}, f"Accepts {retired} for {key.name} no longer.")


def _status(given: argparse.Namespace) -> None:
    ledger = Ledger(given.home)
    logs = {
        origin: {
            "size": kept.size,
            "cosigned_at": rfc3339(utc(kept.seconds)) if kept.seconds else "never",
            "keys": " ".join(key.key_id.hex() for key in ledger.keys(origin)),
        }
        for origin, kept in ledger.logs().items()
    }
    own = cosigner(given.home).key.vkey
    said = [
        f"{origin}: {kept['size']} entries, cosigned {kept['cosigned_at']}, key {kept['keys']}"
        for origin, kept in logs.items()
    ]
    _report(given.json, {"vkey": own, "logs": logs}, "\n".join([own, *said]))


def _report(as_json: bool, document: dict[str, object], sentence: str) -> None:
    print(json.dumps(document, ensure_ascii=False) if as_json else sentence)


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return str(ip_address(host.removeprefix("[").removesuffix("]"))), int(port)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("witnessctl", description=__doc__, epilog=CODES)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: Command, what: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=what, description=what, epilog=CODES)
        command.set_defaults(run=run)
        command.add_argument(
            "--home", type=Path, required=True, metavar="DIR", help="where the witness's key and ledger lie"
        )
        return command

    serving = add("serve", _serve, "serve the witness protocol")
    serving.add_argument(
        "--bind", type=_address, default=("127.0.0.1", 8090), metavar="ADDRESS:PORT", help="default 127.0.0.1:8090"
    )
    serving.add_argument(
        "--monitored",
        action="store_true",
        help="serve the newest checkpoints to anybody; never for a log whose heads are not public",
    )
    adding = add("add-log", _add_log, "watch a log, or accept one more key of it; the first makes the witness's key")
    adding.add_argument("vkey", metavar="VKEY", help="the log's key, as its policy file has it")
    adding.add_argument("--name", required=True, help="the witness's own name, such as witness.example.gov/ig")
    adding.add_argument("--json", action="store_true", help="print one JSON document")
    retiring = add("retire-key", _retire_key, "accept a key of a log no longer, once it has another")
    retiring.add_argument("vkey", metavar="VKEY", help="the log's key that was retired")
    retiring.add_argument("--json", action="store_true", help="print one JSON document")
    add("status", _status, "say which logs are watched and what was cosigned last").add_argument(
        "--json", action="store_true", help="print one JSON document"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
