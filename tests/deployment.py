"""A whole deployment in a folder: settings, keys, database, an ingested sample registry, and a clock that is set."""

from __future__ import annotations

import json
import shutil

from tests.fakes.clock import SetClock
from verify_service.clock import uuid7
from verify_service.settings import parse
from verify_service.web.app import create_app
from verify_service.wiring import Service, random_bytes

AUDIENCE = "https://verify.example.gov"
DEVELOPMENT = {
    "VERIFY_DEPARTMENTS": "LAPD,SFPD",
    "VERIFY_LOG_HOST": "logs.example",
    "VERIFY_ISSUER": "development",
    "VERIFY_AUDIENCE": AUDIENCE,
}


def settings_for(home, sample, **more):
    registry = {
        "VERIFY_REGISTRY": str(sample.folder),
        "VERIFY_REGISTRY_ROOT": str(sample.folder / "metadata/1.root.json"),
        "VERIFY_BLINDING_KEYS": str(sample.folder / "private/blinding-keys.json"),
    }
    return parse({"VERIFY_HOME": str(home), **DEVELOPMENT, **registry, **more}, needs=(), cores=1)


def build(home, sample, **more):
    """Make a deployment as an operator does: keys, database, registry."""
    service = Service(settings_for(home, sample, **more), sample.clock)
    service.generate_keys()
    service.upgrade()
    for department in service.settings.departments:
        service.ingest(department).run()
    return service


class Deployment:
    """One test's own copy of a deployment, asked as its callers ask it."""

    def __init__(self, service, issuer):
        self.service = service
        self.clock = service.clock
        self.issuer = issuer
        self.client = create_app(service.backend()).test_client()
        self.tokens = {}

    def bearer(self, role="officer", **options):
        asked = (role, *sorted(options.items()))
        if asked not in self.tokens:
            department = options.pop("department", "LAPD")
            self.tokens[asked] = self.issuer.issue_token(role, department, AUDIENCE, self.clock.now(), **options)
        return {"Authorization": f"Bearer {self.tokens[asked]}"}

    def get(self, path, role="officer", headers=None, **options):
        return self.client.get(path, headers={**self.bearer(role, **options), **(headers or {})})

    def post(self, path, body, role="officer", key=None, **options):
        key = key or uuid7(self.clock.now(), random_bytes)
        headers = {**self.bearer(role, **options), "Idempotency-Key": key}
        return self.client.post(path, json=body, headers=headers)

    def submit(self, agency="DHS-ICE", value=None, role="officer", **more):
        options = {name: more.pop(name) for name in ("serial", "command", "key", "department") if name in more}
        return self.post("/v1/verifications", claim(agency, value, **more), role, **options)

    def follow(self, verification, kind, role="officer", **part):
        options = {name: part.pop(name) for name in ("serial", "command", "key") if name in part}
        path = f"/v1/verifications/{verification['id']}/events"
        return self.post(path, {"kind": kind, **part}, role, **options)

    def enter(self, number="261124001234", role="dispatcher", **options):
        return self.post(f"/v1/incidents/{number}/events", {"kind": "officer_assigned"}, role, **options)

    def accesses(self, department="LAPD"):
        """Return every record of a department's access log."""
        log = self.service.logs.access(department)
        return [json.loads(log.record(index)[0]) for index in range(self.service.log_store.head(log.log).size)]


def claim(agency="DHS-ICE", value=None, **more):
    body = {
        "incident_number": "261124001234",
        "agent_label": "Agent 2",
        "requested_by": "person_subject_to_enforcement",
        "agent": {"claimed_agency": agency, "face_covered": True},
        "identification": "declined" if value is None else "presented",
    }
    if value is not None:
        body["identifier"] = {"kind": more.pop("kind", "badge"), "value": value}
    return {**body, **more}


def copied(source, home):
    shutil.copytree(source, home)
    return home


def loaded(response):
    return json.loads(response.get_data())


__all__ = ["AUDIENCE", "Deployment", "SetClock", "build", "claim", "copied", "loaded", "settings_for"]
