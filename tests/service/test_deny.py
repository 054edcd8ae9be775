"""An operator's command locks a phone out of every worker, and says who was locked out, when and why."""

from __future__ import annotations

import json

import pytest

from tests.deployment import AUDIENCE
from tests.dpop_key import DpopKey
from verify_service import settings_file
from verify_service.cli import main
from verify_service.web.app import create_app


@pytest.fixture
def deny(deployment, monkeypatch, capsys):
    chosen = deployment.service.settings
    monkeypatch.setenv("VERIFY_HOME", str(chosen.home))
    settings_file.write(
        chosen.home, {"VERIFY_DEPARTMENTS": ",".join(chosen.departments), "VERIFY_DATABASE_URL": chosen.database_url}
    )

    def run(*arguments):
        code = main(["deny", *arguments, "--json"])
        return code, json.loads(capsys.readouterr().out)

    return run


def test_a_lost_phone_is_locked_out_of_every_worker_and_let_in_again(deployment, deny):
    key = DpopKey()
    token = deployment.issuer.issue_token("officer", "LAPD", AUDIENCE, deployment.clock.now(), jkt=key.jkt)
    workers = [deployment.client, create_app(deployment.service.backend()).test_client()]
    why = ("--by", "60001", "--reason", "the phone was stolen")

    def ask(worker):
        nonce = None
        for _ in range(2):
            proof = key.proof(token, "GET", "https://verify.example.gov/v1/registry", deployment.clock.now(), nonce)
            answer = worker.get("/v1/registry", headers={"Authorization": f"DPoP {token}", "DPoP": proof})
            nonce = answer.headers.get("DPoP-Nonce")
        return answer.status_code

    assert [ask(worker) for worker in workers] == [200, 200]
    assert deny("add", "--key", key.jkt, *why) == (0, {"added": True})
    assert deny("add", "--key", key.jkt, *why) == (0, {"added": False})
    deployment.clock.advance(seconds=2)
    assert [ask(worker) for worker in workers] == [401, 401]
    assert deployment.get("/v1/registry").status_code == 200
    assert deny("remove", "--key", key.jkt, "--by", "60002", "--reason", "found") == (0, {"removed": True})
    deployment.clock.advance(seconds=2)
    assert [ask(worker) for worker in workers] == [200, 200]
    (kept,) = deny("list")[1]["denials"]
    assert (kept["kind"], kept["value"]) == ("key", key.jkt)
    assert (kept["added"]["by"], kept["added"]["reason"]) == ("60001", "the phone was stolen")
    assert (kept["lifted"]["by"], kept["lifted"]["reason"]) == ("60002", "found")


def test_what_is_not_denied_cannot_be_let_in_and_another_department_is_refused(deny, capsys):
    assert deny("remove", "--subject", "u1", "--by", "1", "--reason", "r") == (1, {"removed": False})
    assert main(["deny", "add", "--subject", "u1", "--by", "1", "--reason", "r", "--department", "LASD"]) == 3
    assert "LASD is not served here" in capsys.readouterr().err
