"""The commands that change the key under which everything of a department is sealed: `vault`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from verify_service.cli.command import group, of_department
from verify_service.cli.telling import Report, counting, quiet, say
from verify_service.errors import ConfigurationError
from verify_service.log_keeping import random_bytes

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from verify_service.cli.command import Add
    from verify_service.wiring import Service

# By then no process seals under a key that is not in use any more, unless its host's file was not changed.
SECONDS_BEFORE_DROP = 60
NEW_KEY = "make a key to seal under, which is not used yet"
USE_KEY = "seal under a key from now on; the service need not be restarted"
REWRAP = "put what is sealed already under the key in use, while the service goes on"
KEEP_FOR_BACKUPS = (
    "Backups made before this open with it alone: keep a copy of the file as it was for as long as you keep them, "
    "apart from them, and destroy it with the last."
)
DROP_KEY = "take a key under which nothing is sealed any more out of the file"


def status(service: Service, department: str) -> Report:
    """Say which envelope keys a department has, and how much is sealed under each."""
    service.check_schema()
    keys, counted = _keys(service, department), service.rewrapping(department).count()
    found = {key_id: counted.pop(key_id, 0) for key_id in keys.envelope}
    said = [
        f"{key_id}: {rows} rows{', in use' if key_id == keys.active else ''}." for key_id, rows in found.items()
    ] + [f"{key_id}: {rows} rows, and the key is not here: restore the file." for key_id, rows in counted.items()]
    return Report({"in_use": keys.active, "rows": found, "missing": counted}, said, failed=bool(counted))


def new_key(service: Service, department: str) -> Report:
    """Make another envelope key."""
    key_id = service.vault_file.add(department, random_bytes)
    said = [
        f"Made {key_id} of {department} in {service.vault_file.path}; nothing is sealed under it yet.",
        f"Back the file up and copy it to every host of the service. On each, `verify-service vault use-key {key_id}`.",
    ]
    return Report({"made": key_id, "file": str(service.vault_file.path)}, said)


def use_key(service: Service, department: str, key_id: str) -> Report:
    """Make an envelope key the one in use."""
    service.vault_file.use(department, key_id)
    said = [
        f"From the next second on {department} seals under {key_id} on this host.",
        "When that is so on every host, `verify-service vault rewrap`.",
    ]
    return Report({"in_use": key_id}, said)


def rewrap(service: Service, department: str, progress: Callable[[int, int], None]) -> Report:
    """Put every row under the envelope key in use."""
    service.check_schema()
    rewrapping, in_use = service.rewrapping(department), service.vault.active(department)
    done = rewrapping.run(progress)
    left = sum(rows for key_id, rows in rewrapping.count().items() if key_id != in_use)
    said = [f"{done} rows of {department} are now under {in_use}."]
    said += [f"{left} rows are not, since they were being written: run it again."] if left else []
    return Report({"rewrapped": done, "left": left, "in_use": in_use}, said, failed=left > 0)


def drop_key(service: Service, department: str, key_id: str) -> Report:
    """Take an envelope key out of the file; raise ConfigurationError where something may still need it."""
    service.check_schema()
    rows = service.rewrapping(department).count().get(key_id, 0)
    if rows:
        raise ConfigurationError(f"{rows} rows are sealed under {key_id}: run `verify-service vault rewrap` first.")
    wait = SECONDS_BEFORE_DROP - (service.clock.now().timestamp() - service.vault_file.changed_at())
    if wait > 0:
        raise ConfigurationError(
            f"The key file was changed less than {SECONDS_BEFORE_DROP} seconds ago, and a request that began before "
            f"may still seal under {key_id}: run this again in {int(wait) + 1} seconds."
        )
    service.vault_file.drop(department, key_id)
    said = [
        f"{key_id} of {department} is no longer in {service.vault_file.path}. Copy the file to every host.",
        KEEP_FOR_BACKUPS,
    ]
    return Report({"dropped": key_id}, said)


def _keys(service: Service, department: str) -> Any:
    keys = service.vault_file.keys()
    if department not in keys:
        raise ConfigurationError(f"{service.vault_file.path} has no keys of department {department}: check the name.")
    return keys[department]


def _on_key(do: Callable[[Service, str, str], Report]) -> Callable[[argparse.Namespace], int]:
    return lambda given: say(given.json, do(*of_department(given), given.key))


def _rewrap(given: argparse.Namespace) -> int:
    return say(given.json, rewrap(*of_department(given), counting if sys.stderr.isatty() else quiet))


def add_to(add: Add, commands: Any) -> None:
    """Add the commands."""
    vault = group(commands, "vault", "change the key under which everything of a department is sealed")
    made = (
        add("status", lambda given: say(given.json, status(*of_department(given))), status.__doc__, vault),
        add("new-key", lambda given: say(given.json, new_key(*of_department(given))), NEW_KEY, vault),
        add("use-key", _on_key(use_key), USE_KEY, vault),
        add("rewrap", _rewrap, REWRAP, vault),
        add("drop-key", _on_key(drop_key), DROP_KEY, vault),
    )
    for command in made:
        command.add_argument("--department")
    for command in (made[2], made[4]):
        command.add_argument("key", metavar="KEY", help="such as k2")
