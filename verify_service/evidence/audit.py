"""Re-read everything and compare: each log whole, the read models, the outcomes and the registry that was quoted."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from verify_service.evidence.activations import ActivationAudit
from verify_service.evidence.audit_report import AuditReport
from verify_service.evidence.trails import TrailAudit
from verify_service.record_log.absence import EXPUNGED, destroys_whole
from verify_service.record_log.audit import Fault, LogAudit
from verify_service.record_log.log import RECORDS
from verify_service.record_log.record import Record
from verify_service.vault import SealBroken
from verify_service.verification.case import Case, case_document, facts_of
from verify_service.verification.incident import Incident, incident_document
from verify_service.verification.outcome import outcome_table
from verify_service.verification.projection import CaseProjection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from verify_service.record_log.audit import LogSnapshot, ReadRecord
    from verify_service.record_log.high_water import Mark
    from verify_service.record_log.log import LogId
    from verify_service.record_log.record import Logged
    from verify_service.record_log.trust import TrustPolicy
    from verify_service.vault import Vault
    from verify_service.verification.outcome import Facts, OutcomeTable

# States kept open while the log is read; an older one is folded anew from its records when it is needed.
OPEN_STATES = 2_000
PROGRESS_EVERY = 10_000
STATEMENT = "statement"


@dataclass(frozen=True)
class ReadModel:
    """A subject as the read models have it; ``columns_agree`` says whether what is searched by fits the state.

    ``state`` is None where it cannot be opened.
    """

    ref: str
    seq: int
    state: Any
    columns_agree: bool


class AuditMoment(Protocol):
    """The database at one moment."""

    def logs(self) -> Sequence[tuple[LogSnapshot, TrustPolicy]]:
        """Return every log with the keys to check it by, each after the one that it goes on for."""

    def earlier(self, department: str, subject: str, seq: int) -> list[Logged]:
        """Return a subject's records before ``seq``, for folding its state anew."""

    def read_models(self, department: str) -> Iterator[ReadModel]:
        """Yield every verification, incident and statement link."""

    def events(self, department: str, log: str) -> Iterator[tuple[int, str, str]]:
        """Yield (index, kind, received_at) of the event read model by index."""

    def trail(self, department: str, log: str) -> Iterator[tuple[bytes, int, int]]:
        """Yield (about, cursor, index) of every row by which events of an access log are found."""

    def activations(self, department: str) -> Iterator[tuple[bytes, str]]:
        """Yield (code, until) of every operation code that is or was active."""

    def registry_faults(self, department: str) -> Iterator[str]:
        """Yield a sentence for each kept registry file, roster or edition that is not what its digest says."""

    def registry_digests(self, department: str) -> set[str]:
        """Return the digests of every registry file and roster that is kept."""


class AuditSource(Protocol):
    """Where an audit reads."""

    def moment(self) -> AbstractContextManager[AuditMoment]:
        """Hold one moment of the database."""


def audit(
    source: AuditSource,
    vault: Vault,
    marks: Mapping[LogId, Mark | None],
    progress: Callable[[int, int], None] = lambda *_: None,
) -> AuditReport:
    """Audit every log and what is made from it; ``marks`` are this host's high-water marks."""
    faults: list[Fault] = []
    with source.moment() as moment:
        logs = moment.logs()
        whole, done = sum(snapshot.head.size for snapshot, _ in logs), 0
        models: dict[str, _Models] = {}
        activations: dict[str, ActivationAudit] = {}
        series: dict[tuple[str, str], list[LogAudit]] = {}
        for snapshot, policy in logs:
            log = snapshot.log
            model = models.setdefault(log.department, _Models(moment, log.department))
            active = activations.setdefault(log.department, ActivationAudit(log.department, vault))
            passed = series.setdefault((log.department, log.series), [])
            one = LogAudit(snapshot, vault, policy, marks.get(log), passed[-1] if passed else None)
            passed.append(one)
            events = model.following(snapshot)
            trail = TrailAudit(log, snapshot.head.before, vault)
            for read in one.records():
                for compared in (events, model, active, trail):
                    compared.take(read)
                done += 1
                if done % PROGRESS_EVERY == 0:
                    progress(done, whole)
            faults += [*one.faults, *events.finish(), *trail.finish(moment.trail(log.department, log.name))]
        for passed in series.values():
            faults += [fault for place, one in enumerate(passed) for fault in one.missing(passed[place + 1 :])]
        for department, model in models.items():
            faults += model.finish()
            faults += activations[department].finish(moment.activations(department))
        progress(whole, whole)
    sizes = {snapshot.log: snapshot.head.size for snapshot, _ in logs}
    promised = {str(log): None if (mark := marks.get(log)) is None else mark.size for log in sizes}
    records = sum(size for log, size in sizes.items() if log.series == RECORDS)
    return AuditReport(records, {str(log): size for log, size in sizes.items()}, promised, faults)


class _Events:
    """Compares the event read model of one log with its records, side by side."""

    def __init__(self, log: str, rows: Iterator[tuple[int, str, str]]) -> None:
        self._log = log
        self._rows = rows
        self._row = next(rows, None)
        self._faults: list[Fault] = []

    def take(self, read: ReadRecord) -> None:
        logged = read.placed.logged
        if not isinstance(logged, Record) or logged.subject is None:
            return
        self._pass_over(read.index)
        if self._row != (read.index, logged.kind, logged.received_at):
            self._faults.append(Fault(self._log, read.index, "the event read model is not what the record says"))
        if self._row is not None and self._row[0] == read.index:
            self._row = next(self._rows, None)

    def finish(self) -> list[Fault]:
        self._pass_over(None)
        return self._faults[:100]

    def _pass_over(self, index: int | None) -> None:
        """Pass over the rows before an index, all of them where it is None: no record that opens has them."""
        while self._row is not None and (index is None or self._row[0] < index):
            sentence = "the event read model has a row that no record that opens has"
            self._faults.append(Fault(self._log, self._row[0], sentence))
            self._row = next(self._rows, None)


class _Models:
    """Folds a department's records into states and compares them with the read models at the end."""

    def __init__(self, moment: AuditMoment, department: str) -> None:
        self._moment = moment
        self._department = department
        self._projection = CaseProjection()
        self._open: OrderedDict[str, tuple[int, Any]] = OrderedDict()
        self._closed: dict[str, tuple[int, bytes]] = {}
        self._broken: set[str] = set()
        self._quoted: set[str] = set()
        self._decided: dict[tuple[str, Facts], str] = {}
        self._faults: list[Fault] = []

    def following(self, snapshot: LogSnapshot) -> _Events:
        return _Events(str(snapshot.log), self._moment.events(self._department, snapshot.log.name))

    def take(self, read: ReadRecord) -> None:
        logged = read.placed.logged
        subject, seq = logged.subject, logged.seq or 0
        if subject is None or subject in self._broken:
            return
        if isinstance(logged, Record) and logged.kind == EXPUNGED and destroys_whole(logged):
            # Nothing of it may be left among the read models.
            self._open.pop(subject, None)
            self._closed.pop(subject, None)
            return
        try:
            state = self._projection.fold(self._state(subject, seq), logged)
        except (SealBroken, LookupError, TypeError, ValueError):
            # What is wrong with an earlier record of this subject has its own fault already.
            self._fault("the record does not fit the earlier ones of its subject", read.index)
            self._broken.add(subject)
            self._open.pop(subject, None)
            return
        self._open[subject] = (seq + 1, state)
        self._open.move_to_end(subject)
        if isinstance(logged, Record) and isinstance(state, Case):
            self._replay(read.index, logged, state)
        if len(self._open) > OPEN_STATES:
            self._close(*self._open.popitem(last=False))

    def finish(self) -> list[Fault]:
        while self._open:
            self._close(*self._open.popitem())
        for model in self._moment.read_models(self._department):
            if model.ref in self._broken:
                self._closed.pop(model.ref, None)
                continue
            known = self._closed.pop(model.ref, None)
            if known is None and not (model.ref.startswith(STATEMENT) and model.seq == 0):
                self._fault(f"the read model has {model.ref}, which no record has")
            elif known is not None and known != (model.seq, _digest(model.state)):
                self._fault(f"the read model of {model.ref} is not what its records add up to")
            elif not model.columns_agree:
                self._fault(f"what {model.ref} is searched by is not what it says")
        for ref in self._closed:
            self._fault(f"the read model lacks {ref}")
        for digest in sorted(self._quoted - self._moment.registry_digests(self._department)):
            self._fault(f"a record quotes the registry file {digest}, which is not kept")
        for sentence in self._moment.registry_faults(self._department):
            self._fault(sentence)
        return self._faults

    def _state(self, subject: str, seq: int) -> Any:
        known = self._open.get(subject)
        if known is not None or seq == 0:
            return known[1] if known else None
        state = None
        for earlier in self._moment.earlier(self._department, subject, seq):
            state = self._projection.fold(state, earlier)
        return state

    def _close(self, subject: str, known: tuple[int, Any]) -> None:
        seq, state = known
        self._closed[subject] = (seq, _digest(state))

    def _replay(self, index: int, record: Record, case: Case) -> None:
        """Decide anew by the table that the record names, and note what it quotes of the registry."""
        table = (record.rules or {}).get("outcome_table", {})
        try:
            known = outcome_table(str(table.get("version")))
        except FileNotFoundError:
            self._fault(f"the record names outcome table {table.get('version')}, which does not ship", index)
            return
        replayed = self._decide(known, facts_of(case))
        if known.sha256 != table["sha256"]:
            self._fault("the record names an outcome table of other bytes", index)
        elif replayed != record.outcome_after:
            self._fault(f"the events give {replayed}, the record says {record.outcome_after}", index)
        if record.kind == "submitted":
            for check in case.checks:
                files = [check["profile_sha256"], check["roster_sha256"]]
                files += [file["sha256"] for file in (check["metadata"] or {}).values() if file]
                self._quoted.update(digest for digest in files if digest)

    def _decide(self, table: OutcomeTable, facts: Facts) -> str:
        """Decide each finite set of facts once."""
        known = self._decided.get((table.version, facts))
        if known is None:
            known = self._decided[table.version, facts] = table.decide(facts).outcome
        return known

    def _fault(self, sentence: str, where: int | None = None) -> None:
        self._faults.append(Fault(f"{self._department}/{RECORDS}", where, sentence))


def _digest(state: Any) -> bytes:
    if isinstance(state, Case):
        state = case_document(state)
    elif isinstance(state, Incident):
        state = incident_document(state)
    return hashlib.sha256(orjson.dumps(state, option=orjson.OPT_SORT_KEYS)).digest()[:16]
