"""Whatever is sent as a body, every route answers it with a 4xx and words."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.test_json_body import MALFORMED, UNCLEAN

JSON = "application/json"
ROUTES = ("/v1/trial", "/v1/trial/search")


@pytest.fixture
def send(client, bearer):
    header = {**bearer(), "Idempotency-Key": "k"}

    def post(path, body, content_type=JSON, **headers):
        return client.post(path, data=body, content_type=content_type, headers={**header, **headers})

    return post


def check_problem(answer, status):
    assert answer.status_code == status, answer.data
    assert answer.content_type == "application/problem+json"
    assert answer.json["detail"]
    assert answer.json["status"] == status
    return answer.json


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize(("body", "words"), MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_no_json(send, path, body, words):
    if len(body) > 64 * 1024:
        body = body[: 60 * 1024]
    assert words in check_problem(send(path, body), 400)["detail"]


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize(("body", "places"), UNCLEAN.values(), ids=UNCLEAN.keys())
def test_text_that_cannot_be_kept(send, path, body, places):
    problem = check_problem(send(path, body), 422)
    assert sorted(error["pointer"] for error in problem["errors"]) == places


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize(
    ("body", "place"),
    [
        ([], ""),
        ([{"label": "x"}], ""),
        ("text", ""),
        (None, ""),
        ({}, "/label"),
        ({"label": None}, "/label"),
        ({"label": 7}, "/label"),
        ({"label": "x", "number": 1.9}, "/number"),
        ({"label": "x", "number": 1e2}, "/number"),
        ({"label": "x", "number": "1"}, "/number"),
        ({"label": "x", "number": True}, "/number"),
        ({"label": "x", "agent": {"masked": "yes"}}, "/agent/masked"),
        ({"label": "x", "agent": {"masked": 1}}, "/agent/masked"),
        ({"label": "x", "agent": {"role": "chief"}}, "/agent/role"),
        ({"label": "x", "agent": {"a/b~c": 1}}, "/agent/a~1b~0c"),
        ({"label": "x", "agent": []}, "/agent"),
        ({"label": "x", "words": ["a", 5]}, "/words/1"),
        ({"label": "x", "words": {"0": "a"}}, "/words"),
        ({"label": "x", "at": "2026-11-24T21:04:05"}, "/at"),
        ({"label": "x", "at": 1764047045}, "/at"),
        ({"label": "x", "secret": 1}, "/secret"),
    ],
)
def test_json_that_is_not_what_the_operation_takes(send, path, body, place):
    problem = check_problem(send(path, json.dumps(body)), 422)
    assert [error["pointer"] for error in problem["errors"]] == [place]


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/vnd.api+json",
        "application/json; charset=latin-1",
        "application/json; charset=utf-16",
    ],
)
def test_a_body_that_does_not_say_it_is_json(send, path, content_type):
    answer = send(path, b'{"label": "x"}', content_type)
    check_problem(answer, 415)
    assert answer.headers["Accept"] == "application/json"


def test_a_compressed_body(send):
    check_problem(send("/v1/trial", b"\x1f\x8b", **{"Content-Encoding": "gzip"}), 415)


@pytest.fixture
def send_chunked(client, bearer):
    """Send a body without its length, as a server hands on a chunked one whose end it knows."""

    def post(path, body):
        chunked = {"wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
        stream = io.BytesIO(body)
        return client.post(path, input_stream=stream, content_type=JSON, headers=bearer(), environ_overrides=chunked)

    return post


@pytest.mark.parametrize("path", ROUTES)
def test_ten_megabytes_in_one_piece_or_many(client, bearer, send_chunked, path):
    body = b'{"label": "' + b"x" * 10_000_000 + b'"}'
    problem = check_problem(client.post(path, data=body, content_type=JSON, headers=bearer()), 413)
    assert problem["detail"] == "Send at most 65536 bytes."
    check_problem(send_chunked(path, body), 413)


def test_a_chunked_body_is_not_cut_off_to_another_document(send_chunked):
    whole = b'{"label": "x"}'
    assert send_chunked("/v1/trial/search", whole).status_code == 200
    assert send_chunked("/v1/trial/search", whole + b" " * (65_535 - len(whole))).status_code == 200
    check_problem(send_chunked("/v1/trial/search", whole + b" " * (65_536 - len(whole)) + b"{}"), 413)


def test_ordinary_json_is_taken_up_to_the_limit(send):
    assert send("/v1/trial", b'{"label": "x"}'.ljust(65_536)).status_code == 201
    assert send("/v1/trial", '{"label": "Ü"}', "application/json; charset=UTF-8").status_code == 201


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["label", "agent", "words", "_schema", "role"]) | st.text(max_size=4), inner
            )
        ),
        max_leaves=12,
    )
)
def test_no_document_breaks_a_route(send, document):
    answer = send("/v1/trial/search", json.dumps(document))
    assert answer.status_code in {200, 400, 422}
    assert answer.json
