"""Play one encounter with a synthetic registry over real HTTP, or keep everything running to try by hand."""

from __future__ import annotations

import json
import signal
import sys
import threading
from typing import TYPE_CHECKING

from verify_service import settings
from verify_service.demo.client import Client
from verify_service.demo.encounter import INCIDENT, play
from verify_service.demo.show import Prover, Shown, show_ending, show_incident, show_open, show_scene
from verify_service.demo.stage import prepare, serving
from verify_service.evidence.audit import audit
from verify_service.wiring import Service

if TYPE_CHECKING:
    from verify_service.settings import Settings


def run(*, once: bool, rosters: bool, as_json: bool) -> int:
    """Run the demo and return the exit code: 0 where every receipt was proved and the audit is clean."""
    for ended in (signal.SIGTERM, signal.SIGHUP):
        # Else the server, a process of its own, would go on and keep the port.
        signal.signal(ended, signal.default_int_handler)
    prepare(rosters=rosters, say=_say)
    chosen = settings.from_environment()
    with serving(chosen, _say):
        if once:
            return _once(chosen, rosters=rosters, as_json=as_json)
        try:
            show_open(chosen, Service(chosen))
            threading.Event().wait()
        except KeyboardInterrupt:
            _say("Stopped.")
        return 0


def _once(chosen: Settings, *, rosters: bool, as_json: bool) -> int:
    service = Service(chosen)
    client = Client(chosen)
    prover = Prover(client, chosen.home / "receipts", service.policy())
    scenes = []
    for scene in play(client, chosen.home / "registry", rosters=rosters, say=_say):
        shown = Shown.of(scene, prover)
        scenes.append(shown)
        if not as_json:
            show_scene(shown)
    incident = prover.events(f"/v1/incidents/{INCIDENT}", "incident")
    events = [*incident, *(event for scene in scenes for event in scene.events)]
    published = {department: service.logs.records(department).publish() for department in chosen.departments}
    report = audit(service.audit_source(), service.vault, service.marks())
    if as_json:
        document = {
            "verifications": [scene.document() for scene in scenes],
            "incident": {"number": INCIDENT, "events": [event.document() for event in incident]},
            "audit": {"ok": report.ok, "size": report.size},
        }
        print(json.dumps(document, ensure_ascii=False))
    else:
        show_incident(INCIDENT, incident)
        show_ending(len(scenes), events, published, report, prover.folder)
    return 0 if report.ok and all(event.proved for event in events) else 1


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
