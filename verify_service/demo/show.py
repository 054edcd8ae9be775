"""Print answers as an officer reads them, with the record and receipt that prove each."""

from __future__ import annotations

import json
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from verify_service.errors import EvidenceFault
from verify_service.record_log.receipt import verify_receipt

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from verify_service.demo.client import Client
    from verify_service.demo.encounter import Scene
    from verify_service.evidence.audit_report import AuditReport
    from verify_service.record_log.trust import TrustPolicy
    from verify_service.settings import Settings
    from verify_service.wiring import Service

WIDTH = 100
POLICY_FILE = "policy.txt"


@dataclass(frozen=True)
class ShownEvent:
    """One event's record and receipt, exactly as served and kept under a name, and whether the receipt proved it."""

    kind: str
    name: str
    record: str
    receipt: str
    proved: bool

    def document(self) -> dict[str, Any]:
        """Return what ``--json`` prints of the event."""
        return {"record": self.record, "receipt": self.receipt, "receipt_verified": self.proved}


@dataclass(frozen=True)
class Prover:
    """Fetches events as an officer, keeps them in a folder, and proves them as anyone can offline."""

    client: Client
    folder: Path
    policy: TrustPolicy

    def events(self, url: str, name: str) -> list[ShownEvent]:
        """Return the events of a verification or an incident; their files begin with the name."""
        self.folder.mkdir(exist_ok=True)
        (self.folder / POLICY_FILE).write_text(self.policy.text(), "utf-8")
        shown = []
        for event in json.loads(self.client.get("officer", url))["events"]:
            record, receipt = self.client.get("officer", event["record"]), self.client.get("officer", event["receipt"])
            kept = f"{name}-{event['seq']}"
            (self.folder / f"{kept}.json").write_bytes(record)
            (self.folder / f"{kept}.tlog-proof").write_bytes(receipt)
            proved = _proves(receipt, record, self.policy)
            shown.append(ShownEvent(event["kind"], kept, record.decode(), receipt.decode(), proved))
        return shown


@dataclass(frozen=True)
class Shown:
    """A scene with everything that proves it."""

    scene: Scene
    events: Sequence[ShownEvent]

    @classmethod
    def of(cls, scene: Scene, prover: Prover) -> Shown:
        """Fetch and prove the scene's events."""
        name = scene.label.lower().replace(" ", "-")
        return cls(scene, prover.events(f"/v1/verifications/{scene.answer['id']}", name))

    def document(self) -> dict[str, Any]:
        """Return what ``--json`` prints of the scene."""
        answer = self.scene.answer
        return {
            "outcome": answer["outcome"],
            "explanation": answer["explanation"],
            "next_steps": answer["next_steps"],
            "events": [event.document() for event in self.events],
        }


def show_scene(shown: Shown) -> None:
    """Print one answer."""
    answer, checklist = shown.scene.answer, shown.scene.answer["checklist"]
    print(f"\n{'─' * WIDTH}\n{shown.scene.label}. {shown.scene.happened}\n")
    print(f"    {answer['outcome'].replace('_', ' ').upper()}\n")
    print(textwrap.fill(answer["explanation"], WIDTH, initial_indent="    ", subsequent_indent="    "))
    print("\n    What to do next")
    for number, step in enumerate(answer["next_steps"], start=1):
        print(textwrap.fill(step, WIDTH, initial_indent=f"    {number}. ", subsequent_indent="       "))
    applying = sum(item["applies"] for item in checklist["items"])
    print(f"\n    Checklist {checklist['version']} ({checklist['approval']}): {applying} items apply here.")
    _show_events(shown.events)


def show_incident(number: str, events: Sequence[ShownEvent]) -> None:
    """Print what was recorded of the incident itself."""
    print(f"\n{'─' * WIDTH}\nIncident {number}: who came, and what the scene was like.")
    _show_events(events)


def show_ending(
    agents: int, events: Sequence[ShownEvent], published: dict[str, int | None], report: AuditReport, folder: Path
) -> None:
    """Print what the encounter left and how to check it by hand."""
    proved = sum(event.proved for event in events)
    print(f"\n{'─' * WIDTH}\n{agents} agents checked; {proved} of {len(events)} receipts proved offline.")
    for department, size in published.items():
        print(f"Published the log {department}/records at {size} entries, cover entries included.")
    print("Audit:")
    for sentence in report.sentences():
        print(f"  {sentence}")
    print(
        "\nCheck one yourself, without this service:\n"
        f"  receiptctl verify {folder / 'agent-1-0.tlog-proof'} \\\n"
        f"    --record {folder / 'agent-1-0.json'} --policy {folder / POLICY_FILE}\n"
        "Everything here is synthetic: no real agency, agent or person."
    )


def show_open(settings: Settings, service: Service) -> None:
    """Print where everything is and how to sign in."""
    url = f"http://{settings.bind.host}:{settings.bind.port}"
    print(
        f"\nOpen {url}/ — the API reference, with `try it`, is at {url}/docs\n"
        f"A few synthetic identifiers to check: {settings.home / 'registry' / 'known-identifiers.json'}\n\n"
        "Sign in with one of these tokens (they hold for eight hours; `verify-service token --role …` makes more):"
    )
    for role in ("officer", "dispatcher", "supervisor"):
        print(f"\n  {role}\n  {service.token(role)}")
    print("\nEverything here is synthetic. Stop with Ctrl-C.", flush=True)


def _show_events(events: Sequence[ShownEvent]) -> None:
    for event in events:
        print(f"\n    {event.kind}: record and receipt ({'proved offline' if event.proved else 'NOT PROVED'})")
        print(f"      {event.name}.json        {event.record[:WIDTH]} …")
        print(f"      {event.name}.tlog-proof  {' · '.join(event.receipt.split(chr(10))[:3])} · …", flush=True)


def _proves(receipt: bytes, record: bytes, policy: TrustPolicy) -> bool:
    try:
        verify_receipt(receipt.decode(), record, policy)
    except EvidenceFault:
        return False
    return True
