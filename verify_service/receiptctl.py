"""Check a receipt offline: `receiptctl verify RECEIPT --record FILE --policy FILE`.

It needs no database, no web framework and no network; the exit code names the fault.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from verify_service.errors import EvidenceFault
from verify_service.record_log.receipt import Receipt, verify_receipt
from verify_service.record_log.trust import TrustPolicy

if TYPE_CHECKING:
    from collections.abc import Sequence

FAULTS = """exit codes:
  0   the receipt proves the record
  2   the command line is wrong, or a file cannot be read
  10  the receipt is not well formed
  11  the policy does not name the receipt's log
  12  a signature is missing or does not verify
  13  the record is not what the log holds there
  14  too few witnesses have cosigned
  15  the policy file is not well formed"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    given = _parser().parse_args(arguments)
    try:
        receipt, policy = _text(given.receipt), _text(given.policy)
        record = given.record.read_bytes()
    except (OSError, UnicodeDecodeError) as error:
        print(f"receiptctl: {error}", file=sys.stderr)
        return 2
    try:
        checkpoint = verify_receipt(receipt, record, TrustPolicy.parse(policy))
    except EvidenceFault as fault:
        _report(given.json, {"ok": False, "fault": fault.code, "detail": fault.detail}, f"NOT PROVED: {fault.detail}")
        return fault.exit_code
    index = Receipt.parse(receipt).index
    _report(
        given.json,
        {"ok": True, "log": checkpoint.origin, "index": index, "size": checkpoint.size},
        f"Proved: {given.record} is entry {index} of the log {checkpoint.origin}, which had {checkpoint.size} entries "
        "when it signed. No witness was asked for, so this does not show that the log told everyone the same.",
    )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "receiptctl", description=__doc__, epilog=FAULTS, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    verify = commands.add_parser("verify", help="check that a log holds a record")
    verify.add_argument("receipt", type=Path, metavar="RECEIPT", help="the receipt, a .tlog-proof file")
    verify.add_argument("--record", type=Path, required=True, metavar="FILE", help="the record's exact bytes")
    verify.add_argument("--policy", type=Path, required=True, metavar="FILE", help="the logs you trust")
    verify.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


def _text(path: Path) -> str:
    # Bytes decide: no line end may be translated on the way.
    return path.read_bytes().decode()


def _report(as_json: bool, document: dict[str, object], sentence: str) -> None:
    print(json.dumps(document) if as_json else sentence)


if __name__ == "__main__":
    sys.exit(main())
