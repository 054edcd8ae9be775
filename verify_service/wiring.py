"""Put the service together from its settings: the one file that names implementations."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from verify_service import keyring
from verify_service.access.deny import DenyList
from verify_service.access.event import AccessEvents
from verify_service.access.legal_holds import HeldCases
from verify_service.access.reading import Reading
from verify_service.access.refusals import Refusals
from verify_service.access.requester_code import RequesterCodes
from verify_service.access.roster_decision import DecisionRecord
from verify_service.access.trail import Trail
from verify_service.clock import SystemClock
from verify_service.devissuer.issuer import DevelopmentIssuer
from verify_service.devissuer.key import signing_key
from verify_service.errors import ConfigurationError
from verify_service.evidence.case_export import Sources
from verify_service.evidence.exporting import Exporting
from verify_service.evidence.retention import Retention
from verify_service.log_disclosure import LogDisclosure
from verify_service.log_keeping import random_bytes
from verify_service.record_log.log import RECORDS, LogId
from verify_service.record_log.logs import Logs
from verify_service.record_log.public_log import PublicLog
from verify_service.record_log.record_log import RecordLog
from verify_service.registry.blinding import parse_blinding_key_file
from verify_service.registry.hold import Holds
from verify_service.registry.ingest import Ingest
from verify_service.registry.keyring import Keyring
from verify_service.registry.registry import Registry
from verify_service.storage import schema
from verify_service.storage.audit_store import AuditTables
from verify_service.storage.backup import back_up
from verify_service.storage.blinding_key_store import BlindingKeyStore
from verify_service.storage.case_reader import CaseTables
from verify_service.storage.case_store import CaseStore
from verify_service.storage.cosignature_store import CosignatureTables
from verify_service.storage.database import Database
from verify_service.storage.deny_store import DenyTables
from verify_service.storage.expunge_store import ExpungeTables
from verify_service.storage.log_store import LogTables
from verify_service.storage.proof_store import ProofTables
from verify_service.storage.rebuild import Rebuild
from verify_service.storage.registry_store import RegistryStore
from verify_service.storage.rewrap import Rewrapping
from verify_service.vault import Vault
from verify_service.verification.desk import Desk
from verify_service.verification.destruction import Destroyer
from verify_service.verification.expunge import Expunging
from verify_service.verification.projection import CaseProjection
from verify_service.web.access_token import Audience
from verify_service.web.auth import Authenticator
from verify_service.web.backend import Backend
from verify_service.web.dpop import Nonces
from verify_service.web.issuer_keys import IssuerKeys
from verify_service.web.spent_proofs import SpentProofs
from verify_service.web.step_up import StepUp

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from verify_service.settings import Settings

TOKEN_LIFETIME = timedelta(hours=8)


@dataclass(frozen=True)
class Service(LogDisclosure):
    """The parts of one process, each made when it is first asked for."""

    settings: Settings
    clock: SystemClock = field(default_factory=SystemClock)

    @cached_property
    def database(self) -> Database:
        """The database; whether it has this release's schema is asked by ``check_schema``."""
        return Database(self.settings.database_url)

    @cached_property
    def vault_file(self) -> keyring.VaultFile:
        """The file with the vault's keys."""
        return keyring.VaultFile(self.settings.keys)

    @cached_property
    def vault(self) -> Vault:
        """The vault with the keys of every department."""
        return Vault(self.vault_file, random_bytes)

    @cached_property
    def cases(self) -> CaseStore:
        """The read models."""
        return CaseStore(self.vault)

    @cached_property
    def log_store(self) -> LogTables:
        """The logs' tables."""
        return LogTables(self.database, self.cases)

    @cached_property
    def case_reader(self) -> CaseTables:
        """The read models, for reading."""
        return CaseTables(self.database, self.cases)

    @cached_property
    def expunge_orders(self) -> ExpungeTables:
        """The orders to expunge."""
        return ExpungeTables(self.database, self.vault)

    @cached_property
    def issuer_keys(self) -> IssuerKeys:
        """The keys that sign access tokens."""
        chosen = self.settings
        return IssuerKeys(chosen.issuer, self.clock, stale_for=timedelta(hours=chosen.issuer_stale_hours))

    @cached_property
    def denials(self) -> DenyTables:
        """Who is locked out."""
        return DenyTables(self.database)

    @cached_property
    def cosignatures(self) -> CosignatureTables:
        """What witnesses signed."""
        return CosignatureTables(self.database)

    @cached_property
    def destroyer(self) -> Destroyer:
        """What destroys by order, and again after a restore."""
        return Destroyer(self.expunge_orders, self.tombstones, self.logs, self.clock)

    @cached_property
    def registry_store(self) -> RegistryStore:
        """The registry's tables."""
        return RegistryStore(self.database)

    @cached_property
    def blinding_keys(self) -> Keyring:
        """The agencies' blinding keys."""
        return Keyring(BlindingKeyStore(self.database), self.vault)

    @cached_property
    def registry(self) -> Registry:
        """The registry that claims are checked against."""
        return Registry(self.registry_store, self.blinding_keys)

    @cached_property
    def logs(self) -> Logs:
        """Every department's logs."""
        return Logs([self._log(log) for log in self.log_ids()], self.log_store)

    @cached_property
    def desk(self) -> Desk:
        """The desk."""
        zone = self.settings.timezone
        return Desk(self.registry, self.logs, self.vault, self.case_reader, self.clock, random_bytes, zone)

    def check_schema(self) -> None:
        """Raise DatabaseVersionMismatch or StorageUnavailable unless the database can be used."""
        schema.check(self.database)

    def upgrade(self) -> list[LogId]:
        """Bring the database to this release and create the logs that are missing; return those."""
        schema.upgrade(self.database)
        return self.create_logs()

    def back_up(self, path: Path) -> None:
        """Copy the database to a new file; raise ConfigurationError where that cannot be."""
        back_up(self.database, path)

    def ingest(self, department: str) -> Ingest:
        """Return a department's ingest; raise ConfigurationError where the registry is not named whole."""
        chosen = self.settings
        if not chosen.registry or chosen.registry_root is None:
            raise ConfigurationError("Set VERIFY_REGISTRY and VERIFY_REGISTRY_ROOT: the registry and its pinned root.")
        offered = chosen.blinding_keys
        return Ingest(
            department,
            chosen.registry,
            chosen.registry_root.read_bytes(),
            chosen.home / "ingest" / department,
            self.registry_store,
            self.blinding_keys,
            self.clock,
            offered=() if offered is None else parse_blinding_key_file(offered.read_bytes()),
        )

    def holds(self) -> Holds:
        """Return the rosters that wait for a decision."""
        return Holds(self.settings.departments, self.registry_store)

    def rewrapping(self, department: str) -> Rewrapping:
        """What is sealed of a department, to be put under another key."""
        return Rewrapping(self.database, self.vault, department)

    def decision_record(self) -> DecisionRecord:
        """Return where decisions about rosters are put on record."""
        return DecisionRecord(self.access_events, random_bytes)

    def rebuild(self, department: str, progress: Callable[[int, int], None]) -> int:
        """Make a department's read models anew from its records; return the number of subjects."""
        return Rebuild(self.database, self.cases, self.vault).run(LogId(department, RECORDS), progress)

    def retention(self, department: str, years: int) -> Retention:
        """Return a department's retention of so many years; raise ConfigurationError where they are too few."""
        return Retention(department, self.case_reader, self.expunge_orders, self.destroyer, self.clock, years)

    @cached_property
    def access_events(self) -> AccessEvents:
        """What writes the access logs."""
        return AccessEvents(self.logs, self.vault, self.clock)

    def exporting(self) -> Exporting:
        """Return what hands out exports."""
        sources = Sources(self.logs, self.case_reader, self.registry_store, self.policy, self.settings.timezone)
        return Exporting(sources, self.access_events, self.clock, random_bytes)

    def backend(self) -> Backend:
        """Return what the web room uses."""
        chosen = self.settings
        departments = frozenset(chosen.departments)
        audience = Audience(
            chosen.issuer, chosen.audience, departments, bearer=chosen.development, claims=chosen.claims
        )
        proofs = ProofTables(self.database)
        spent = {department: SpentProofs(department, proofs) for department in departments}
        denied = {department: DenyList(department, self.denials) for department in departments}
        authenticator = Authenticator(audience, self.issuer_keys, Nonces(self.vault), spent, denied, self.clock)
        reading = Reading(self.case_reader, self.logs, self.access_events)
        return Backend(
            authenticator=authenticator,
            vault=self.vault,
            clock=self.clock,
            random_bytes=random_bytes,
            readiness={"database": self.check_schema, "logs": self.check_logs, "tokens": authenticator.check_ready},
            synthetic=self._synthetic,
            zone=chosen.timezone,
            publish_at=chosen.publish_at,
            contact=chosen.contact,
            public_url=chosen.public_url,
            step_up=StepUp(chosen.step_up_acr, timedelta(minutes=chosen.step_up_minutes)),
            access_events=self.access_events,
            refusals=Refusals(self.access_events, self.clock),
            trail=Trail(self.case_reader, self.logs, self.access_events, self.vault),
            desk=self.desk,
            reading=reading,
            expunging=Expunging(self.expunge_orders, self.destroyer, reading.find, self.clock, random_bytes),
            exporting=self.exporting(),
            requester_codes=RequesterCodes(reading, self.access_events, random_bytes),
            held_cases=HeldCases(self.case_reader, self.access_events),
            holds=self.holds(),
            decision_record=self.decision_record(),
            case_reader=self.case_reader,
            registry=self.registry,
            logs=self.logs,
            public_logs={log: PublicLog(log, self.log_store) for log in self.log_ids() if log.series == RECORDS},
        )

    def token(
        self,
        role: str,
        *,
        department: str | None = None,
        serial: str | None = None,
        lifetime: timedelta = TOKEN_LIFETIME,
    ) -> str:
        """Return an access token of the development issuer; raise ConfigurationError where that is not in use."""
        chosen = self.settings
        if not chosen.development:
            raise ConfigurationError("Tokens come from your identity provider: VERIFY_ISSUER is not `development`.")
        issuer = DevelopmentIssuer(chosen.issuer, signing_key(chosen.home), random_bytes)
        department = department or chosen.departments[0]
        return issuer.issue_token(role, department, chosen.audience, self.clock.now(), lifetime=lifetime, serial=serial)

    def audit_source(self) -> AuditTables:
        """Return the database as an audit reads it."""
        policies = {log: self.log_keys(log).policy() for log in self.log_ids()}
        return AuditTables(self.database, self.cases, self.registry_store, self.vault, policies)

    def _synthetic(self) -> bool:
        editions = (self.registry.edition(department) for department in self.settings.departments)
        return any(edition.synthetic for edition in editions if edition is not None)

    def _log(self, log: LogId) -> RecordLog:
        return RecordLog(
            log,
            self.log_store,
            self.log_keys(log),
            self.vault,
            self.high_water(log),
            CaseProjection(),
            self.clock,
            random_bytes,
        )
