"""Know what of a deployment's logs goes outside: to the public, to checkers and to witnesses."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from verify_service.errors import NotAllowed
from verify_service.log_keeping import LogKeeping
from verify_service.record_log.log import RECORDS
from verify_service.record_log.public_log import PublicLog
from verify_service.record_log.publication import DailyPublication
from verify_service.record_log.sightings import Sightings
from verify_service.record_log.trust import TrustPolicy
from verify_service.record_log.witness_call import WitnessHttp
from verify_service.record_log.witnessing import Witnessing, witness_policy

if TYPE_CHECKING:
    from verify_service.record_log.witnessing import CosignatureStore


class LogDisclosure(LogKeeping):
    """The part of a service that publishes its logs and has them witnessed."""

    @property
    def cosignatures(self) -> CosignatureStore:
        """Where cosignatures are kept."""
        raise NotImplementedError

    def policy(self, *, access: bool = False) -> TrustPolicy:
        """Return what a checker's policy file says: this deployment's records logs (and access logs), its witnesses."""
        each = [self.log_keys(log).policy() for log in self.log_ids() if access or log.series == RECORDS]
        keys = tuple(key for one in each for key in one.logs)
        terms = {key: term for one in each for key, term in one.terms.items()}
        return replace(self.witnesses, logs=keys, terms=terms)

    @cached_property
    def witnesses(self) -> TrustPolicy:
        """The witnesses and their quorum, none of either where no file names them."""
        path = self.settings.witnesses
        return TrustPolicy() if path is None else witness_policy(path.read_bytes())

    @cached_property
    def sightings(self) -> Sightings:
        """What the witnesses have seen of the logs."""
        return Sightings(list(self.log_ids()), self.log_store, self.cosignatures, self.witnesses, WitnessHttp())

    def witnessing(self) -> Witnessing | None:
        """Return what has the logs witnessed, None where there are no witnesses."""
        if not self.witnesses.witnesses:
            return None
        logs = list(self.log_ids())
        return Witnessing(logs, self.log_store, self.cosignatures, self.witnesses, WitnessHttp(), self.clock)

    def publications(self) -> list[DailyPublication]:
        """Return the daily publication of each department's records."""
        chosen = self.settings
        return [
            DailyPublication(
                self.logs.records(department), chosen.publish_at, chosen.timezone, self.clock, self.sightings.check
            )
            for department in chosen.departments
        ]

    def public_log(self, department: str, name: str | None = None) -> PublicLog:
        """Return the published part of a department's records, of its newest log unless another is named."""
        log = self.logs.records(department) if name is None else self.logs.named(department, name)
        if log.log.series != RECORDS:
            raise NotAllowed(f"The log {log.log} is never public.")
        return PublicLog(log.log, self.log_store)
