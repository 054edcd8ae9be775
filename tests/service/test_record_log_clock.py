"""Attack 13 on the record log: the service's clock stalls or goes back."""

from __future__ import annotations

import json

from verify_service.evidence.audit import audit


def test_l13_a_clock_that_stalls_or_goes_back_changes_no_order_and_publishes_nothing_twice(deployment, known):
    (publication, _) = deployment.service.publications()
    deployment.clock.advance(days=1)
    assert publication.publish_if_due() == 256
    for step in (0, 0, -3, -3, 0):
        deployment.clock.advance(days=step)
        deployment.tokens.clear()
        assert deployment.submit("DHS-ICE", known()).status_code == 201
        assert publication.publish_if_due() is None
    deployment.clock.advance(days=6)
    assert publication.publish_if_due() is None
    log = deployment.service.logs.records("LAPD")
    size = deployment.service.log_store.head(log.log).size
    records = [json.loads(log.record(index)[0]) for index in range(256, size)]
    moments = [record["received_at"][:10] for record in records if record.get("kind") == "submitted"]
    assert list(dict.fromkeys(moments)) == ["2026-11-25", "2026-11-22", "2026-11-19"]
    service = deployment.service
    report = audit(service.audit_source(), service.vault, service.marks())
    assert report.ok, report.sentences()
    deployment.clock.advance(days=1)
    assert publication.publish_if_due() == 512
