"""Check receipts, checkpoints and whole logs, with nothing of the service at hand.

It needs no database and no web framework, and no network unless a log is named by its URL. The exit code names the
fault.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from verify_service.clock import rfc3339
from verify_service.errors import EvidenceFault, LogAltered, LogIncomplete, LogInconsistent
from verify_service.record_log.merkle import Peaks, check_consistency, consistency_path
from verify_service.record_log.receipt import Receipt, verify_receipt
from verify_service.record_log.served_log import LogFolder, ServedLog
from verify_service.record_log.tiles import TILE_WIDTH
from verify_service.record_log.tree_check import Reached, check_log
from verify_service.record_log.trust import NO_QUORUM, TrustPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from verify_service.record_log.checkpoint import Checkpoint
    from verify_service.record_log.served_log import LogFiles
    from verify_service.record_log.trust import Accepted

    # What a check found: a JSON document, and a sentence for people.
    Found = tuple[dict[str, object], str]

FAULTS = """exit codes:
  0   it is proved
  2   the command line is wrong, or a file cannot be read
  10  the receipt or checkpoint is not well formed
  11  the policy does not name the log
  12  a signature is missing or does not verify
  13  the record is not what the log holds there
  14  too few witnesses have cosigned
  15  the policy file is not well formed
  16  two checkpoints of one log cannot both be true
  17  a file that the log has to serve is missing
  18  what the log serves is not the tree that it signed
  130 stopped with Ctrl-C"""
INTERRUPTED = 130
UNWITNESSED = "No witness was asked for, so this does not show that the log told everyone the same."
PROGRESS_EVERY = 64 * TILE_WIDTH


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    given = _parser().parse_args(arguments)
    check: Callable[[argparse.Namespace], Found] = given.check
    try:
        document, sentence = check(given)
    except EvidenceFault as fault:
        _report(given.json, {"ok": False, "fault": fault.code, "detail": fault.detail}, f"NOT PROVED: {fault.detail}")
        return fault.exit_code
    except (OSError, UnicodeDecodeError) as error:
        print(f"receiptctl: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("receiptctl: stopped before it was done.", file=sys.stderr)
        return INTERRUPTED
    _report(given.json, {"ok": True, **document}, sentence)
    return 0


def _verify(given: argparse.Namespace) -> Found:
    receipt, policy, record = _text(given.receipt), _policy(given), given.record.read_bytes()
    accepted = verify_receipt(receipt, record, policy)
    checkpoint, index = accepted.checkpoint, Receipt.parse(receipt).index
    sentence = (
        f"Proved: {given.record} is entry {index} of the log {checkpoint.origin}, which had {checkpoint.size} entries "
        f"when it signed. {_words(accepted, policy)}"
    )
    return {"log": checkpoint.origin, "index": index, "size": checkpoint.size, **_witnesses(accepted)}, sentence


def _consistency(given: argparse.Namespace) -> Found:
    policy = _policy(given)
    old, accepted = policy.accept(_text(given.old)).checkpoint, policy.accept(_text(given.new))
    new = accepted.checkpoint
    if old.origin != new.origin:
        raise LogInconsistent(f"{given.old} is of the log {old.origin}, {given.new} of {new.origin}.")
    path = _path(given, policy, old, new) if 0 < old.size < new.size else []
    check_consistency(old.size, old.root, new.size, new.root, path)
    sentence = (
        f"Proved: the {old.size} entries of {given.old} are the beginning of the {new.size} of {given.new}, and the "
        f"log {new.origin} signed both. {_words(accepted, policy)}"
    )
    return {"log": new.origin, "old": old.size, "new": new.size, **_witnesses(accepted)}, sentence


def _log(given: argparse.Namespace) -> Found:
    policy = _policy(given)
    before = Reached.parse(_text(given.resume)) if given.resume and given.resume.exists() else None

    def reached(now: Reached) -> None:
        done, whole = now.compared[0], now.seen[0]
        last = done + TILE_WIDTH > whole
        if last or done % PROGRESS_EVERY == 0:
            if given.resume:
                _keep(given.resume, now)
            if sys.stderr.isatty():
                print(f"\r{done}/{whole} entries", end="\n" if last else "", file=sys.stderr)

    accepted = check_log(ServedLog(_files(given.log)), policy, before, reached)
    checkpoint = accepted.checkpoint
    sentence = (
        f"Proved: the {checkpoint.size} entries and every tile in {given.log} are the log {checkpoint.origin} as it "
        f"signed it. {_words(accepted, policy)}"
    )
    return {"log": checkpoint.origin, "size": checkpoint.size, **_witnesses(accepted)}, sentence


def _path(given: argparse.Namespace, policy: TrustPolicy, old: Checkpoint, new: Checkpoint) -> list[bytes]:
    """Return the consistency proof that the log's tiles make."""
    served = ServedLog(_files(given.log))
    published = policy.accept_signed(served.checkpoint()).checkpoint
    if published.size < new.size:
        raise LogIncomplete(
            f"{given.log} is published as far as {published.size} entries, not yet to the {new.size} of {given.new}."
        )
    subtree = served.tree(published.size).subtree
    if Peaks.of(new.size, subtree).root != new.root:
        raise LogAltered(f"The tiles in {given.log} are not those of {given.new}: they were altered, or are another's.")
    return consistency_path(old.size, new.size, subtree)


def _files(place: str) -> LogFiles:
    if place.startswith(("https://", "http://")):
        # Here alone the network is reached for; a check of files must not depend on it.
        from verify_service.record_log.log_url import LogUrl  # noqa: PLC0415

        return LogUrl(place)
    folder = Path(place)
    if not folder.is_dir():
        raise NotADirectoryError(f"{place} is neither a folder nor an http address")
    return LogFolder(folder)


def _policy(given: argparse.Namespace) -> TrustPolicy:
    return TrustPolicy.parse(_text(given.policy))


def _witnesses(accepted: Accepted) -> dict[str, object]:
    return {"witnesses": {name: rfc3339(moment) for name, moment in sorted(accepted.cosigned.items())}}


def _words(accepted: Accepted, policy: TrustPolicy) -> str:
    if policy.quorum == NO_QUORUM:
        return UNWITNESSED
    seen = [f"{name} ({rfc3339(moment)})" for name, moment in sorted(accepted.cosigned.items())]
    return f"Witnesses had seen it: {', '.join(seen)}."


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "receiptctl", description=__doc__, epilog=FAULTS, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, check: Callable[[argparse.Namespace], Found], what: str) -> argparse.ArgumentParser:
        command = commands.add_parser(
            name, help=what, description=what, epilog=FAULTS, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        command.set_defaults(check=check)
        command.add_argument(
            "--policy", type=Path, required=True, metavar="FILE", help="the logs and witnesses that you trust"
        )
        command.add_argument("--json", action="store_true", help="print one JSON document")
        return command

    verify = add("verify", _verify, "check that a log holds a record")
    verify.add_argument("receipt", type=Path, metavar="RECEIPT", help="the receipt, a .tlog-proof file")
    verify.add_argument("--record", type=Path, required=True, metavar="FILE", help="the record's exact bytes")
    consistency = add("consistency", _consistency, "check that a log only grew between two checkpoints")
    consistency.add_argument("old", type=Path, metavar="OLD", help="the earlier checkpoint's file")
    consistency.add_argument("new", type=Path, metavar="NEW", help="the later checkpoint's file")
    consistency.add_argument("--log", required=True, metavar="DIR|URL", help="where the log's tiles are")
    log = add("log", _log, "check a whole log: every bundle, tile, level, root and signature")
    log.add_argument("log", metavar="DIR|URL", help="where the log is")
    log.add_argument("--resume", type=Path, metavar="FILE", help="keep how far it came in FILE, and go on from there")
    return parser


def _text(path: Path) -> str:
    # Bytes decide: no line end may be translated on the way.
    return path.read_bytes().decode()


def _keep(path: Path, reached: Reached) -> None:
    half = path.with_name(path.name + ".part")
    half.write_text(reached.text(), "utf-8")
    half.replace(path)


def _report(as_json: bool, document: dict[str, object], sentence: str) -> None:
    print(json.dumps(document) if as_json else sentence)


if __name__ == "__main__":
    sys.exit(main())
