"""Change the key that everything is sealed under while the service goes on: nothing is lost, the old key can go."""

from __future__ import annotations

import json
import os
import threading

import pytest

from tests.deployment import Deployment, loaded
from verify_service.cli import vault as commands
from verify_service.errors import ConfigurationError
from verify_service.evidence.audit import audit
from verify_service.storage import registry_tables, tables
from verify_service.storage.rewrap import SEALED_TABLES
from verify_service.vault import SealBroken
from verify_service.wiring import Service

MINUTE_AGO = 61


def another_process(deployment):
    """The same service in a process of its own, with what it read at its start."""
    return Deployment(Service(deployment.service.settings, deployment.clock), deployment.issuer)


def let_a_minute_pass(service):
    now = service.clock.now().timestamp() - MINUTE_AGO
    os.utime(service.vault_file.path, (now, now))


def rotate(service, key_id):
    assert commands.new_key(service, "LAPD").document["made"] == key_id
    commands.use_key(service, "LAPD", key_id)
    return commands.rewrap(service, "LAPD", lambda *_: None)


def test_every_sealed_table_is_rewrapped():
    every = [*tables.metadata.tables.values(), *registry_tables.metadata.tables.values()]
    assert {each.name for each in every if "wrapped_key" in each.c} == {sealed.table.name for sealed in SEALED_TABLES}


def test_the_old_key_can_go_and_everything_still_opens(deployment, known):
    first = deployment.submit("DHS-ICE", known("DHS-ICE"), key="once")
    serving, operator = another_process(deployment), another_process(deployment).service
    assert serving.submit(key="mine").status_code == 201
    report = rotate(operator, "k2")
    assert report.document["left"] == 0
    assert report.document["rewrapped"] > 0
    # It meets rows under a key that it has never seen.
    assert serving.submit("DHS-ICE", known("DHS-ICE"), key="once").get_data() == first.get_data()
    let_a_minute_pass(operator)
    commands.drop_key(operator, "LAPD", "k1")
    assert set(commands.status(operator, "LAPD").document["rows"]) == {"k2"}
    for one in (serving, another_process(deployment)):
        path = f"/v1/verifications/{loaded(first)['id']}"
        assert loaded(one.get(path))["outcome"] == loaded(first)["outcome"]
        assert one.submit().status_code == 201
        report = audit(one.service.audit_source(), one.service.vault, one.service.marks())
        assert report.ok, report.sentences()


def test_a_key_that_is_needed_is_not_dropped(deployment):
    service = deployment.service
    with pytest.raises(ConfigurationError, match=r"rows are sealed under k1: run `verify-service vault rewrap` first"):
        commands.drop_key(service, "LAPD", "k1")
    rotate(service, "k2")
    with pytest.raises(ConfigurationError, match="less than 60 seconds ago"):
        commands.drop_key(service, "LAPD", "k1")
    let_a_minute_pass(service)
    with pytest.raises(ConfigurationError, match="k9: it has k1, k2"):
        commands.drop_key(service, "LAPD", "k9")
    deployment.submit()
    with pytest.raises(ConfigurationError, match="rows are sealed under k2"):
        commands.drop_key(service, "LAPD", "k2")


def test_the_key_in_use_stays_even_where_nothing_is_sealed(deployment):
    service = deployment.service
    assert commands.new_key(service, "SFPD").document["made"] == "k2"
    commands.use_key(service, "SFPD", "k2")
    let_a_minute_pass(service)
    with pytest.raises(ConfigurationError, match="k2 of SFPD is in use"):
        service.vault_file.drop("SFPD", "k2")


def test_a_row_whose_key_is_gone_says_so(deployment):
    reply = deployment.submit()
    rotate(deployment.service, "k2")
    keys = json.loads(deployment.service.vault_file.path.read_text())
    del keys["departments"]["LAPD"]["envelope"]["k2"]
    keys["departments"]["LAPD"]["active"] = "k1"
    deployment.service.vault_file.path.write_text(json.dumps(keys))
    lost = another_process(deployment)
    assert commands.status(lost.service, "LAPD").failed
    with pytest.raises(SealBroken, match="Envelope key k2 of LAPD is not here"):
        commands.rewrap(lost.service, "LAPD", lambda *_: None)
    assert lost.get(f"/v1/verifications/{loaded(reply)['id']}").status_code == 500


def test_submissions_go_on_meanwhile(deployment):
    serving, operator = another_process(deployment), another_process(deployment).service
    statuses, over = [], threading.Event()

    def submit():
        while not over.is_set():
            statuses.append(serving.submit().status_code)

    crowd = [threading.Thread(target=submit) for _ in range(4)]
    for thread in crowd:
        thread.start()
    try:
        for key_id in ("k2", "k3", "k4"):
            rotate(operator, key_id)
    finally:
        over.set()
        for thread in crowd:
            thread.join(30)
    assert set(statuses) == {201}
    assert len(statuses) > len(crowd)
    assert commands.rewrap(operator, "LAPD", lambda *_: None).document["left"] == 0
    let_a_minute_pass(operator)
    for key_id in ("k1", "k2", "k3"):
        commands.drop_key(operator, "LAPD", key_id)
        let_a_minute_pass(operator)
    report = audit(operator.audit_source(), operator.vault, operator.marks())
    assert report.ok, report.sentences()
