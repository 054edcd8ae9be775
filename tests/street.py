"""Stand at a scene with everything real but the database: registry, desk, log and clock."""

from __future__ import annotations

import json
from zoneinfo import ZoneInfo

from tests.fakes.clock import SetClock
from tests.fakes.keys import OneKey, sealed_vault, seeded_bytes, signer
from tests.fakes.log_store import MemoryLogs
from tests.fakes.registry import MemoryRegistry
from tests.registries import Station
from verify_service.caller import Caller
from verify_service.clock import rfc3339
from verify_service.record_log.append import RetryKey
from verify_service.record_log.checkpoint import Checkpoint
from verify_service.record_log.high_water import HighWater
from verify_service.record_log.log import ACCESS, RECORDS, LogId, StoredCheckpoint
from verify_service.record_log.logs import Logs
from verify_service.record_log.merkle import Peaks
from verify_service.record_log.record import parse_record
from verify_service.record_log.record_log import RecordLog
from verify_service.verification.claim import Agent, Claim, GivenIdentifier, PhotoCredential
from verify_service.verification.desk import Desk
from verify_service.verification.event import Moments, Reporter
from verify_service.verification.fact import PhotoCompared
from verify_service.verification.projection import CaseProjection

ZONE = ZoneInfo("America/Los_Angeles")
ICE, CBP = "DHS-ICE", "DHS-CBP"


def caller(role="officer", serial="38211", command="CENTRAL", department="LAPD", scopes=()):
    return Caller(
        issuer="https://id.example",
        subject=serial,
        serial=serial,
        department=department,
        command=command,
        role=role,
        scopes=frozenset(scopes),
        client_id="phone",
    )


def memory_logs(folder, clock):
    store, logs = MemoryLogs(), []
    for name in (RECORDS, ACCESS):
        log, key = LogId("LAPD", name), signer(f"logs.example/log/LAPD/{name}")
        note = Checkpoint(key.name, 0, Peaks().root).sign(key)
        store.create(log, key.name, StoredCheckpoint(0, note, rfc3339(clock.now())))
        mark = HighWater(folder / f"{name}.mark")
        mark.create(Peaks())
        logs.append(RecordLog(log, store, OneKey(key), sealed_vault(), mark, CaseProjection(), clock, seeded_bytes(4)))
    return Logs(logs, store), store


class Street:
    """An officer and a dispatcher with a desk; answers are the domain's own, not JSON."""

    def __init__(self, folder, sample=None, clock=None):
        self.clock = clock or (sample.clock if sample else SetClock())
        self.logs, self.store = memory_logs(folder, self.clock)
        self.sample = sample
        self.registry_store = MemoryRegistry()
        if sample is not None:
            self.station = Station(sample, self.registry_store, self.registry_store, folder / "ingest")
            self.station.ingest()
            self.registry = self.station.registry
        else:
            from verify_service.registry.keyring import Keyring  # noqa: PLC0415
            from verify_service.registry.registry import Registry  # noqa: PLC0415

            self.registry = Registry(self.registry_store, Keyring(self.registry_store, sealed_vault()))
        self.random_bytes = seeded_bytes(6)
        self.desk = Desk(self.registry, self.logs, sealed_vault(), self.store, self.clock, self.random_bytes, ZONE)
        self.answers = []
        self.words = None

    def by(self, who=None, relayed_by=None):
        return Reporter(who or caller(), Moments(received_at=self.clock.now()), relayed_by)

    def key(self):
        return RetryKey(self.random_bytes(32), bytes(32))

    def _render(self, answer):
        self.answers.append(answer)
        return b"{}"

    def submit(self, agency=ICE, value=None, kind="badge", *, identification=None, photo=None, who=None, **more):
        identification = identification or ("presented" if value is not None else "declined")
        claim = Claim(
            agent_label=more.pop("agent_label", "Agent 2"),
            requested_by=more.pop("requested_by", "person_subject_to_enforcement"),
            agent=Agent(claimed_agency=agency, home_agency=more.pop("home_agency", None), face_covered=True),
            identification=identification,
            incident_number=more.pop("incident_number", "261124001234"),
            identifier=None if value is None else GivenIdentifier(kind, value),
            photo_credential=photo,
            **more,
        )
        self.desk.verify(claim, self.by(who), self.key(), self._render)
        return self.answers[-1]

    def follow(self, fact, who=None, relayed_by=None):
        case = self.answers[-1].case
        self.desk.follow_up(case, fact, self.by(who, relayed_by), self.key(), self._render)
        return self.answers[-1]

    def compare(self, result="matches"):
        matches = True if result == "matches" else None
        return self.follow(PhotoCompared(PhotoCredential(result, face_seen=True, credential_number_matches=matches)))

    def issue_words(self, agency=None):
        case = self.answers[-1].case

        def render(answer, issued):
            self.answers.append(answer)
            self.words = issued
            return b"{}"

        dispatcher = caller("dispatcher", "52104")
        self.desk.issue_words(case, agency, self.by(dispatcher), self.key(), render)
        return self.words

    def activate(self, agency, code):
        """Let an agency activate one of its operation codes."""
        by = self.by(caller("partner", agency))
        self.desk.activate(GivenIdentifier("op_code", code), by, self.key(), lambda *_: b"{}")

    def records(self):
        """Every record of the log, as written."""
        log = self.logs.records("LAPD")
        size = self.store.head(log.log).size
        return [parse_record(log.record(index)[0]) for index in range(size)]

    def documents(self):
        log = self.logs.records("LAPD")
        return [json.loads(log.record(index)[0]) for index in range(self.store.head(log.log).size)]
