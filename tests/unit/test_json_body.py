"""No body breaks the service, and each refusal says what is wrong with it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verify_service.errors import InvalidRequest, MalformedRequest
from verify_service.signing import canonical_bytes
from verify_service.web.json_body import DEEPEST, LARGEST, parse

MALFORMED = {
    "nothing": (b"", "The body is empty"),
    "only white space": (b" \r\n", "The body is empty"),
    "a byte order mark": ("\ufeff{}".encode(), "byte order mark"),
    "UTF-16": ("{}".encode("utf-16"), "is not UTF-8"),
    "a broken byte": (b'{"a": "\xff"}', "Byte 7 of the body is not UTF-8"),
    "an encoded surrogate": (b'"\xed\xa0\x80"', "is not UTF-8"),
    "no JSON": (b"{'a': 1}", "is not JSON: Expecting property name enclosed in double quotes at line 1, column 2"),
    "two documents": (b"{} {}", "is not JSON"),
    "a trailing comma": (b'{"a": 1,}', "is not JSON"),
    "a raw control character": (b'{"a": "\x01"}', "is not JSON"),
    "100,000 brackets": (b"[" * 100_000, "nested deeper than 32"),
    "100,000 objects": (b'{"a":' * 100_000, "nested deeper than 32"),
    "one level too many": (b"[" * (DEEPEST + 2) + b"]" * (DEEPEST + 2), "nested deeper than 32"),
    "a name given twice": (b'{"a": 1, "b": 2, "a": 1}', "same name twice"),
    "a name given twice deep inside": (b'[{"x": {"a": 1, "\\u0061": 2}}]', "same name twice"),
    "NaN": (b'{"a": NaN}', "NaN"),
    "Infinity": (b"-Infinity", "Infinity"),
    "a number past infinity": (b"1e400", "too large"),
    "5,000 digits": (b"1" * 5000, "2^53"),
    "the first inexact whole number": (b"9007199254740992", "2^53"),
    "its negative": (b"-9007199254740992", "2^53"),
}
UNCLEAN = {
    "NUL": (rb'{"note": "a\u0000b"}', ["/note"]),
    "an escape character": (rb'{"note": "\u001b[31m"}', ["/note"]),
    "a C1 control": (rb'{"note": "\u0085"}', ["/note"]),
    "a lone surrogate": (rb'{"note": "\ud800"}', ["/note"]),
    "surrogates in the wrong order": (rb'{"note": "\udc00\ud800"}', ["/note"]),
    "NUL in a name": (rb'{"agent": {"a\u0000": 1}}', ["/agent"]),
    "a surrogate in a name": (rb'{"\udfff": 1}', [""]),
    "the document itself": (rb'"\u0000"', [""]),
    "in a list, and more than one": (rb'{"a": ["x", "\u0000", {"b/c": "\u0007"}]}', ["/a/1", "/a/2/b~1c"]),
}


@pytest.mark.parametrize(("body", "words"), MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_no_json_is_refused_in_words(body, words):
    with pytest.raises(MalformedRequest) as refused:
        parse(body)
    assert words in refused.value.detail


@pytest.mark.parametrize(("body", "places"), UNCLEAN.values(), ids=UNCLEAN.keys())
def test_text_that_cannot_be_kept_is_refused_where_it_stands(body, places):
    with pytest.raises(InvalidRequest) as refused:
        parse(body)
    assert sorted(refused.value.faults) == places


def test_ordinary_json_is_read():
    assert parse(b' {"a": [1, -0.5, true, null, "\\ud83d\\ude00 \\n\\t"]} ') == {"a": [1, -0.5, True, None, "😀 \n\t"]}
    assert parse(str(LARGEST).encode()) == LARGEST
    assert parse(b"[" * DEEPEST + b"]" * DEEPEST)


@given(st.binary(max_size=200) | st.text(alphabet='{}[]",:0eE+-.NaInfity\\u\x00dD', max_size=80).map(str.encode))
def test_any_bytes_are_read_or_refused(body):
    try:
        document = parse(body)
    except (MalformedRequest, InvalidRequest):
        return
    # Whatever was read can be fingerprinted.
    assert parse(canonical_bytes(document)) == document == json.loads(body)
