"""The commands that look after key files: `keys`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from verify_service.cli.command import group, on_logs, service_with
from verify_service.cli.telling import Report, report, say
from verify_service.record_log.log import LogId

if TYPE_CHECKING:
    from collections.abc import Iterable

    from verify_service.cli.command import Add
    from verify_service.wiring import Service


def list_keys(service: Service) -> Report:
    """Say which keys each log has or had, and what each signs."""
    service.check_schema()
    document, said = [], []
    for log in service.log_ids():
        keys = service.log_keys(log)
        policy = keys.policy()
        for key in policy.logs:
            term, path = policy.term(key), keys.path(key)
            began = "from the beginning" if term.after is None else f"after {term.after.size} entries"
            since = "" if term.after is None else f", {term.after.moment}"
            ended = "" if term.until is None else f"; retired at {term.until.size} entries, {term.until.moment}"
            kept = "" if term.until is not None or path.exists() else f"; ITS FILE {path} IS MISSING"
            said.append(f"{log} {key.key_id.hex()}: signs {began}{since}{ended}{kept}")
            document.append(
                {
                    "log": str(log),
                    "vkey": key.vkey,
                    "file": str(path),
                    "file_is_there": path.exists(),
                    "after": None if term.after is None else vars(term.after),
                    "until": None if term.until is None else vars(term.until),
                }
            )
    return Report({"keys": document}, said)


def rotate(service: Service, logs: Iterable[LogId]) -> Report:
    """Give each log a second key, which signs beside the first from here on."""
    service.check_schema()
    document, said = [], []
    for log in logs:
        old, new = service.rotate_key(log).signers
        path = service.log_keys(log).path(new.key)
        document.append({"log": str(log), "old": old.key.vkey, "new": new.key.vkey, "file": str(path)})
        said += [
            f"{log} is signed with {old.key_id.hex()} and {new.key_id.hex()} from here on. Back up {path} now.",
            new.key.vkey,
        ]
    last = "Give the new keys to every witness and hand out `verify-service trust-policy` anew; then `keys retire`."
    return Report({"rotated": document}, [*said, last])


def retire(service: Service, logs: Iterable[LogId]) -> Report:
    """Let the newer of each log's two keys sign alone from here on."""
    service.check_schema()
    document, said = [], []
    for log in logs:
        (new,) = service.retire_key(log).signers
        keys = service.log_keys(log)
        known = keys.policy().logs
        old = known[known.index(new.key) - 1]
        document.append({"log": str(log), "retired": old.vkey, "new": new.key.vkey, "file": str(keys.path(old))})
        said.append(
            f"{log} is signed with {new.key_id.hex()} alone from here on; {old.key_id.hex()} is retired. Destroy "
            f"{keys.path(old)} and its copies."
        )
    last = "Hand out `verify-service trust-policy` anew, and have every witness retire the old key."
    return Report({"retired": document}, [*said, last])


def _generate(given: argparse.Namespace) -> int:
    service = service_with("VERIFY_DEPARTMENTS", "VERIFY_LOG_HOST")
    made = service.generate_keys()
    said = [f"Made {path}: back it up where the database is not." for path in made] or [
        "Every key file is there already."
    ]
    return report(given.json, {"made": [str(path) for path in made]}, *said)


def _rotate(given: argparse.Namespace) -> int:
    return say(given.json, rotate(service_with("VERIFY_DEPARTMENTS", "VERIFY_LOG_HOST"), given.log))


def _retire(given: argparse.Namespace) -> int:
    return say(given.json, retire(service_with("VERIFY_DEPARTMENTS", "VERIFY_LOG_HOST"), given.log))


def _log(text: str) -> LogId:
    department, slash, name = text.partition("/")
    if not (department and slash and name):
        raise argparse.ArgumentTypeError(f"{text!r} is no log: write it as `keys list` does, such as LAPD/records")
    return LogId(department, name)


def add_to(add: Add, commands: Any) -> None:
    """Add the commands."""
    keys = group(commands, "keys", "look after key files")
    add("generate", _generate, "make the key files that are missing", keys)
    add("list", on_logs(list_keys), "say which keys each log has or had, and what each signs", keys)
    for name, run, what in (
        ("rotate", _rotate, "make a second key of a log, which signs beside the first from here on"),
        ("retire", _retire, "let the newer of a log's two keys sign alone from here on"),
    ):
        add(name, run, what, keys).add_argument("log", metavar="LOG", nargs="+", type=_log, help="such as LAPD/records")
