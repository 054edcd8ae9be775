"""A retry is known by its caller, operation and key, and by what it asks."""

from __future__ import annotations

import pytest

PATH = "/v1/trial"


@pytest.fixture
def keyed(client, bearer):
    def send(key="k1", body='{"label": "Agent 2", "number": 5}', path=PATH, serial=None):
        headers = {**bearer(serial=serial), **({} if key is None else {"Idempotency-Key": key})}
        return client.post(path, data=body, content_type="application/json", headers=headers)

    return send


def test_the_same_request_is_the_same_however_it_is_written(keyed):
    first = keyed().json
    again = keyed(body=' {"number":5,\n"label":"Agent 2"} ').json
    assert (first["request"], first["fingerprint"]) == (again["request"], again["fingerprint"])


def test_another_body_has_another_fingerprint_under_the_same_key(keyed):
    first = keyed().json
    for body in ('{"label": "Agent 3", "number": 5}', '{"label": "Agent 2"}'):
        other = keyed(body=body).json
        assert other["request"] == first["request"]
        assert other["fingerprint"] != first["fingerprint"]


def test_another_key_caller_or_operation_is_another_request(keyed):
    first = keyed().json
    assert keyed(key="k2").json["request"] != first["request"]
    assert keyed(serial="40000").json["request"] != first["request"]
    assert keyed(path=f"{PATH}/a/word").json["request"] != first["request"]


def test_another_case_has_another_fingerprint_under_the_same_key(keyed):
    first, second = (keyed(path=f"{PATH}/{name}/word", body="").json for name in ("a", "b"))
    assert first["request"] == second["request"]
    assert first["fingerprint"] != second["fingerprint"]


def test_without_a_key_the_words_say_what_to_add(keyed):
    for key in (None, ""):
        answer = keyed(key=key)
        assert answer.status_code == 400
        assert answer.json["type"].endswith("/idempotency_key_missing")
        assert answer.json["detail"].startswith("Add the header Idempotency-Key with a fresh random value")


@pytest.mark.parametrize("key", ["two words", "x" * 256, "ü", "a\tb"])
def test_a_key_is_visible_ascii(keyed, key):
    answer = keyed(key=key)
    assert answer.status_code == 400
    assert answer.json["type"].endswith("/malformed_request")
    assert answer.json["detail"] == "Write 1 to 255 visible ASCII characters in Idempotency-Key."


def test_the_longest_key_is_taken(keyed):
    assert keyed(key="~" * 255).status_code == 201
