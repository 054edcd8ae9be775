"""Fill a deployment's logs with a long history: many officers at once, through the desk, as it is used."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import count

from tests.deployment import DEVELOPMENT, build
from tests.memory import in_a_new_program
from tests.registries import SampleRegistry
from tests.street import caller
from verify_service.access.event import AccessEvents
from verify_service.clock import SystemClock
from verify_service.record_log.append import RetryKey
from verify_service.verification.claim import Agent, Claim, GivenIdentifier
from verify_service.verification.event import Moments, Reporter
from verify_service.verification.fact import Interrupted
from verify_service.wiring import random_bytes

OFFICERS = 32


def filled(home, url, records):
    """Fill a new deployment's records log to this many entries, publish it, and return the settings it is found by.

    Every incident leaves records of its opening, of two agents, of the statements for who asked and of an
    interruption, and an access event.
    """
    return in_a_new_program(_fill, home, url, records)


def _fill(home, url, records):
    sample = SampleRegistry(home / "registry", SystemClock())
    chosen = {"VERIFY_DEPARTMENTS": "LAPD", "VERIFY_DATABASE_URL": url}
    service = build(home, sample, **chosen)
    number = sample.known("DHS-ICE").value
    with ThreadPoolExecutor(OFFICERS) as pool:
        shifts = [pool.submit(Officer(service, number, place).work, records) for place in range(OFFICERS)]
        for shift in shifts:
            shift.result()
    service.logs.records("LAPD").publish()
    service.database.dispose()
    return {"VERIFY_HOME": str(home), **DEVELOPMENT, **chosen}


class Officer:
    """One officer on a shift."""

    def __init__(self, service, number, place):
        self.service = service
        self.place = place
        self.identifier = GivenIdentifier("badge", number)
        self.caller = caller(serial=f"{38000 + place}")
        self.access = AccessEvents(service.logs, service.vault, service.clock)

    def work(self, records):
        for scene in count():
            incident = f"26{self.place:03}{scene:07}"
            self._submit(incident, identification="presented", identifier=self.identifier)
            case, _ = self._submit(incident, identification="declined")
            followed = self._record(self.service.desk.follow_up, case, Interrupted("left_scene"))
            self.access.read(self.caller, "readVerification", f"verification:{case.id}", "1", None)
            if followed[1] >= records:
                return

    def _submit(self, incident, **more):
        claim = Claim(
            agent_label="Agent 2",
            requested_by="bystander",
            agent=Agent(claimed_agency="DHS-ICE", face_covered=True),
            incident_number=incident,
            **more,
        )
        return self._record(self.service.desk.verify, claim)

    def _record(self, ask, *what):
        """Return the case as it then stands, and how long the log is."""
        answers = []

        def render(answer):
            answers.append(answer)
            return b"{}"

        by = Reporter(self.caller, Moments(received_at=self.service.clock.now()))
        appended = ask(*what, by, RetryKey(random_bytes(32), bytes(32)), render)
        return answers[-1].case, appended.placed[-1].index + 1
