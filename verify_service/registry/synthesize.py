"""Make a whole synthetic registry in a folder: trust root, agencies with keys, profiles and blinded rosters."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

from verify_service.clock import rfc3339
from verify_service.errors import ConfigurationError
from verify_service.registry.blinding import KEY_BYTES, BlindingKey, blinding_key_file
from verify_service.registry.known_identifiers import known_identifiers, known_identifiers_file
from verify_service.registry.publish import AGENCY_KEYS, KEYS, Publisher
from verify_service.registry.roster import RosterHeader, blinded_lines
from verify_service.registry.signing_keys import OWNER_ONLY_FOLDER, SigningKeys, write_private
from verify_service.registry.synthetic_agency import MOST_AGENCIES, MOST_ENTRIES, SyntheticAgency, synthetic_agencies
from verify_service.registry.synthetic_entries import synthetic_entries

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime, timedelta
    from pathlib import Path

ENTRIES = 136_815
EPOCH = 1
# The first agencies with rosters have every kind and standing among them.
KNOWN_AGENCIES = 6
# These number their badges in five digits each, so one number can stand in both rosters.
SHARING = ("DHS-ICE", "DHS-CBP")

README = """This registry is synthetic. Its agencies exist, but nothing else here is theirs: every key, number and
identifier was made up for demonstrations and tests, and none of them proves anything about a person.

- `metadata/` and `targets/` are what a publisher serves; `metadata/1.root.json` is the root to pin.
- `known-identifiers.json` names some identifiers in clear, to try look-ups with.
- `private/` holds all private keys, so that the files can be signed anew. Never serve it. A real trust authority
  keeps these keys apart from each other, in hardware, and most of them offline.
"""


@dataclass(frozen=True)
class Wish:
    """What registry to make; ``stale_agency`` is one whose role expires ``stale_after`` its publication."""

    agencies: int = MOST_AGENCIES
    entries: int = ENTRIES
    seed: int = 1
    stale_agency: str | None = None
    stale_after: timedelta | None = None


def synthesize(
    folder: Path,
    wish: Wish,
    at: datetime,
    random_bytes: Callable[[int], bytes],
    progress: Callable[[str, int, int], None] = lambda *_: None,
) -> dict[str, Any]:
    """Make the registry in a folder that has none, and return a JSON document that describes it.

    What stands in it follows from ``wish.seed`` and ``at``, every key from ``random_bytes``. Raises
    ConfigurationError where the wish cannot be met.
    """
    agencies = synthetic_agencies(wish.agencies, wish.entries, at, _drawn(wish, "agencies"))
    _require_possible(folder, wish, agencies)
    private = folder / "private"
    private.mkdir(mode=OWNER_ONLY_FOLDER, parents=True)
    (folder / "README.md").write_text(README)
    (private / "README.md").write_text(README)
    keys = SigningKeys(private / "keys")
    for role, (count, _) in KEYS.items():
        keys.make(role, count, random_bytes)
    for agency in agencies:
        keys.make(agency.profile.agency, AGENCY_KEYS, random_bytes)
    publisher = Publisher(folder, keys, at)
    publisher.root()
    publisher.targets(agency.profile for agency in agencies)
    blinding_keys: list[BlindingKey] = []
    known: list[dict[str, Any]] = []
    for done, agency in enumerate(agencies):
        progress(agency.profile.agency, done, len(agencies))
        key = BlindingKey(agency.profile.agency, EPOCH, random_bytes(KEY_BYTES))
        found = _publish(publisher, agency, key, wish, at)
        if agency.coverage:
            blinding_keys.append(key)
            named = len(blinding_keys) <= KNOWN_AGENCIES or agency.profile.agency == wish.stale_agency
            known += found if named else []
    publisher.snapshot()
    publisher.timestamp()
    progress("", len(agencies), len(agencies))
    write_private(private / "blinding-keys.json", blinding_key_file(blinding_keys))
    (folder / "known-identifiers.json").write_bytes(known_identifiers_file(known))
    return _report(folder, agencies, at)


def _publish(
    publisher: Publisher, agency: SyntheticAgency, key: BlindingKey, wish: Wish, at: datetime
) -> Sequence[dict[str, Any]]:
    """Publish an agency's role, with its roster where it has one, and return what of it may be known."""
    code = agency.profile.agency
    lifetime = wish.stale_after if code == wish.stale_agency else None
    if not agency.coverage:
        publisher.agency(code, None, lifetime)
        return []
    source = _drawn(wish, code)
    shared = f"{_drawn(wish, 'shared').randrange(10**5):05d}" if code in SHARING else None
    entries = synthetic_entries(agency, at, source, shared)
    header = RosterHeader(
        agency=code,
        seq=1,
        epoch=key.epoch,
        key_id=key.key_id,
        count=len(entries),
        prev_sha256=None,
        coverage=agency.coverage,
        issued_at=at,
        synthetic=True,
    )
    publisher.agency(code, b"".join([header.line(), *blinded_lines(key, entries, source.randbytes)]), lifetime)
    return known_identifiers(agency, entries, shared, source)


def _drawn(wish: Wish, purpose: str) -> Random:
    """Return a source of made-up content; nothing drawn from it is a secret."""
    return Random(f"{wish.seed}/{purpose}")  # noqa: S311 - So its docstring says.  # nosec B311


def _require_possible(folder: Path, wish: Wish, agencies: Sequence[SyntheticAgency]) -> None:
    if (folder / "metadata").exists() or (folder / "private").exists():
        raise ConfigurationError(f"There is a registry in {folder} already: name an empty folder.")
    if not 1 <= wish.agencies <= MOST_AGENCIES:
        raise ConfigurationError(f"There are 1 to {MOST_AGENCIES} sample agencies.")
    if wish.entries < 0 or wish.entries != sum(agency.entries for agency in agencies):
        most = MOST_ENTRIES * sum(1 for agency in agencies if agency.coverage)
        raise ConfigurationError(f"The rosters of these agencies can have 0 to {most} entries together.")
    if (wish.stale_agency is None) != (wish.stale_after is None):
        raise ConfigurationError("An agency that goes stale and the time until it does are named together.")
    if wish.stale_agency is not None and wish.stale_agency not in {agency.profile.agency for agency in agencies}:
        raise ConfigurationError(f"{wish.stale_agency} is not among the sample agencies.")


def _report(folder: Path, agencies: Sequence[SyntheticAgency], at: datetime) -> dict[str, Any]:
    levels = [agency.profile.level for agency in agencies]
    return {
        "folder": str(folder),
        "synthetic": True,
        "agencies": len(agencies),
        "levels": {str(level): levels.count(level) for level in sorted(set(levels))},
        "rosters": sum(1 for agency in agencies if agency.coverage),
        "entries": sum(agency.entries for agency in agencies),
        "made_at": rfc3339(at),
        "root": str(folder / "metadata" / "1.root.json"),
    }
