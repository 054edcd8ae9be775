"""Put all that is on record of a verification into one zip that proves itself: for a court, counsel, the public."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from verify_service.clock import rfc3339
from verify_service.errors import Expunged, NotFound
from verify_service.evidence.cover import cover
from verify_service.evidence.registry_evidence import export_registry_evidence
from verify_service.evidence.withheld import withheld
from verify_service.record_log.record import Record, parse_record
from verify_service.signing import sha256_hex
from verify_service.verification.case import Case, facts_of, followed, opened
from verify_service.verification.checklist import CHECKLISTS
from verify_service.verification.outcome import OUTCOME_TABLES, outcome_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from verify_service.access.reading import CaseReader
    from verify_service.evidence.registry_evidence import SignedFiles
    from verify_service.record_log.logs import Logs
    from verify_service.record_log.record import SealedField
    from verify_service.record_log.trust import TrustPolicy

EVIDENCE, DISCOVERY, PUBLIC_RECORDS = "evidence", "discovery", "public-records"
FORMS = (EVIDENCE, DISCOVERY, PUBLIC_RECORDS)
DECLARATIONS = ("custodian-federal.md", "custodian-california.md")
MARKED_BY_COUNSEL = ("responsive", "privilege", "redact", "remarks")


@dataclass(frozen=True)
class Sources:
    """Where everything comes from."""

    logs: Logs
    reader: CaseReader
    signed: SignedFiles
    policy: Callable[[], TrustPolicy]
    zone: ZoneInfo


@dataclass(frozen=True)
class _Event:
    """One event as exported; ``name`` is its files' without their endings."""

    name: str
    record: Record
    content: bytes
    fields: dict[str, SealedField]
    receipt: str


@dataclass(frozen=True)
class CaseExport:
    """One verification's export: its zip, and the manifest that is in it."""

    verification: str
    manifest: Mapping[str, Any]
    content: bytes


def export_case(sources: Sources, department: str, verification: str, form: str, at: datetime) -> CaseExport:
    """Return a verification's export.

    Raises NotFound for an unknown verification, Expunged for one that was destroyed, and what the receipts and the
    registry's evidence raise.
    """
    case = _case(sources, department, verification)
    own = list(_events(sources, department, f"verification:{verification}", "verification"))
    scene = list(_events(sources, department, f"incident:{case.incident}", "incident"))
    contents = _contents(sources, case, own, scene, form, at)
    if form == DISCOVERY:
        contents["index.csv"] = _index(contents)
    manifest = {
        "form": form,
        "department": department,
        "verification": verification,
        "made_at": rfc3339(at),
        "files": {
            name: {"sha256": sha256_hex(content), "bytes": len(content)} for name, content in sorted(contents.items())
        },
    }
    return CaseExport(verification, manifest, zipped({**contents, "manifest.json": _json(manifest)}, at))


def zipped(contents: Mapping[str, bytes], at: datetime) -> bytes:
    """Return files by name as a zip."""
    written = io.BytesIO()
    with ZipFile(written, "w") as archive:
        for name, content in sorted(contents.items()):
            archive.writestr(ZipInfo(name, at.timetuple()[:6]), content, ZIP_DEFLATED)
    return written.getvalue()


def _contents(
    sources: Sources, case: Case, own: Sequence[_Event], scene: Sequence[_Event], form: str, at: datetime
) -> dict[str, bytes]:
    events = [*own, *scene]
    number = sources.reader.subject(own[0].record.department, f"incident:{case.incident}").state.number
    told = [{"name": e.name, "kind": e.record.kind, "received_at": e.record.received_at} for e in events]
    contents = {
        "README.md": _text(f"{form}.md"),
        "cover.html": cover(case, number, told, form, at, sources.zone),
        "policy.txt": sources.policy().text().encode(),
        "replay.json": _json(list(_replayed(own))),
        **_rules(events),
    }
    for event in events:
        contents[f"{event.name}.json"] = event.content
        contents[f"{event.name}.tlog-proof"] = event.receipt.encode()
    if form == PUBLIC_RECORDS:
        places = [{"file": f"{e.name}.json", **place} for e in events for place in withheld(e.content, e.fields)]
        return contents | {"withheld.json": _json(places)}
    contents |= {f"{e.name}.fields.json": _json([_opened(f) for f in e.fields.values()]) for e in events if e.fields}
    contents |= {f"declarations/{name}": _text(name) for name in DECLARATIONS}
    return contents | dict(_registry(sources, own[0]))


def _case(sources: Sources, department: str, verification: str) -> Case:
    ref = f"verification:{verification}"
    case: Case | None = sources.reader.subject(department, ref).state
    if case is not None:
        return case
    if sources.reader.events(department, ref):
        raise Expunged("This verification was destroyed by order: there is nothing left to export.")
    raise NotFound("There is no such verification here.")


def _events(sources: Sources, department: str, ref: str, folder: str) -> Iterator[_Event]:
    for place in sources.reader.events(department, ref):
        log = sources.logs.named(department, place.log)
        content, fields = log.record(place.index)
        record = parse_record(content)
        if isinstance(record, Record):
            yield _Event(f"{folder}/{place.seq}", record, content, fields, log.receipt(place.index))


def _replayed(events: Sequence[_Event]) -> Iterator[dict[str, Any]]:
    """Yield the outcome after each event, by the table that its record names and by nothing but the events."""
    case: Case | None = None
    for event in events:
        case = opened(event.record) if case is None else followed(case, event.record)
        named = (event.record.rules or {})["outcome_table"]
        table, facts = outcome_table(named["version"]), facts_of(case)
        decision = table.decide(facts)
        yield {
            "event": event.name,
            "kind": event.record.kind,
            "outcome_table": named,
            "facts": {name: value for name, value in vars(facts).items() if value},
            "row": decision.row,
            "outcome": decision.outcome,
            "recorded": event.record.outcome_after,
            "agrees": decision.outcome == event.record.outcome_after and table.sha256 == named["sha256"],
        }


def _rules(events: Sequence[_Event]) -> dict[str, bytes]:
    """Return the tables and checklists that the records name."""
    folders = {"outcome_table": OUTCOME_TABLES, "checklist": CHECKLISTS}
    named = {(rule, (event.record.rules or {})[rule]["version"]) for event in events for rule in folders}
    return {
        f"rules/{rule}-{version}.json": folders[rule].joinpath(f"{version}.json").read_bytes()
        for rule, version in sorted(named)
    }


def _registry(sources: Sources, submitted: _Event) -> Iterator[tuple[str, bytes]]:
    checks = submitted.record.facts["computed"]["checks"]
    if not any(check["metadata"] for check in checks):
        return
    with TemporaryDirectory() as folder:
        whole = Path(folder) / "registry"
        export_registry_evidence(submitted.content, sources.signed, whole)
        for file in sorted(whole.rglob("*")):
            if file.is_file():
                yield f"registry/{file.relative_to(whole)}", file.read_bytes()


def _index(contents: dict[str, bytes]) -> bytes:
    """List every file for counsel to mark."""
    written = io.StringIO()
    rows = csv.writer(written)
    rows.writerow(("file", "sha256", *MARKED_BY_COUNSEL))
    rows.writerows((name, sha256_hex(contents[name]), *("",) * len(MARKED_BY_COUNSEL)) for name in sorted(contents))
    return written.getvalue().encode()


def _opened(field: SealedField) -> dict[str, Any]:
    return {"digest": field.digest, "salt": field.salt.hex(), "value": field.value}


def _text(name: str) -> bytes:
    return files(__package__).joinpath("texts", name).read_bytes()


def _json(document: Any) -> bytes:
    return json.dumps(document, indent=1, ensure_ascii=False).encode() + b"\n"
