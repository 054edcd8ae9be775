"""Fields convert nothing silently, and what they refuse is named to the place and in words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import ValidationError, fields

from verify_service.errors import MalformedRequest
from verify_service.web.fields import Code, Document, Flag, Many, Moment, Part, QueryFlag, QueryWhole, Text, Whole
from verify_service.web.json_pointer import faults


def even(text):
    if len(text) % 2:
        raise ValueError("Give an even number of letters.")
    return text.upper()


def refuse(text):
    raise MalformedRequest("The domain says no.")


class Leaf(Document):
    name = Text(10)
    seen = Flag(required=True)


class Tree(Document):
    label = Text(20, required=True)
    note = Text(40, lines=True, shortest=0)
    code = Text(8, pattern=r"[A-Z]{3}-\d+", expects="three capitals, a dash and digits")
    parsed = Text(8, parse=even)
    refused = Text(8, parse=refuse)
    kind = Code(["badge", "credential"])
    maybe = Code(["yes", "no"], allow_none=True)
    flag = Flag()
    whole = Whole(0, 99)
    at = Moment()
    leaf = Part(Leaf())
    leaves = Many(Part(Leaf()), most=3, least=1)
    words = Many(Text(3), most=2)


def refusal(**fields):
    with pytest.raises(ValidationError) as refused:
        Tree().load({"label": "x", **fields})
    return faults(refused.value.messages)


def test_what_is_right_is_read():
    read = Tree().load(
        {
            "label": "Agent 2",
            "note": "two\nlines",
            "code": "ABC-12",
            "parsed": "ab",
            "kind": "badge",
            "maybe": None,
            "flag": False,
            "whole": 0,
            "at": "2026-11-24t21:04:05.123-08:00",
            "leaf": {"seen": True},
            "leaves": [{"seen": False, "name": "Ü"}],
            "words": [],
        }
    )
    assert read["parsed"] == "AB"
    assert read["at"] == datetime(2026, 11, 25, 5, 4, 5, 123000, tzinfo=UTC)
    assert read["leaf"] == {"seen": True}


def test_json_has_one_kind_of_numbers():
    read = Tree().load({"label": "x", "whole": 80.0})
    assert read["whole"] == 80
    assert type(read["whole"]) is int


def test_moments_are_written_in_utc_and_records_texts_left_as_they_are():
    moment = datetime(2026, 11, 25, 5, 4, 5, tzinfo=UTC)
    assert Tree(only=["at"]).dump({"at": moment}) == {"at": "2026-11-25T05:04:05.000Z"}
    assert Tree(only=["at"]).dump({"at": "2026-11-25T05:04:05.000Z"}) == {"at": "2026-11-25T05:04:05.000Z"}
    assert Tree(only=["at"]).dump({"at": None}) == {"at": None}


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("label", None, "Give a value here; null is not taken."),
        ("label", 7, "Write text here, in quotation marks."),
        ("label", True, "Write text here, in quotation marks."),
        ("label", "", "Write 1 to 20 characters here."),
        ("label", "x" * 21, "Write 1 to 20 characters here."),
        ("label", "a\nb", "Leave out control characters and marks that reorder text."),
        ("label", "a\u2028b", "Leave out control characters and marks that reorder text."),
        ("label", "a\u202eb", "Leave out control characters and marks that reorder text."),
        ("label", "a\u2066b", "Leave out control characters and marks that reorder text."),
        ("label", "a\ud800b", "Leave out control characters and marks that reorder text."),
        ("label", "a\x7fb", "Leave out control characters and marks that reorder text."),
        ("note", "a\tb", "Leave out control characters and marks that reorder text."),
        ("note", "a\rb", "Leave out control characters and marks that reorder text."),
        ("code", "abc-1", "Write three capitals, a dash and digits here."),
        ("code", "ABC-1x", "Write three capitals, a dash and digits here."),
        ("parsed", "abc", "Give an even number of letters."),
        ("refused", "abc", "The domain says no."),
        ("kind", "Badge", "Choose one of: badge, credential."),
        ("kind", ["badge"], "Choose one of: badge, credential."),
        ("flag", "yes", "Write true or false here, without quotation marks."),
        ("flag", 1, "Write true or false here, without quotation marks."),
        ("whole", "7", "Write a whole number from 0 to 99 here."),
        ("whole", 1.9, "Write a whole number from 0 to 99 here."),
        ("whole", 100.0, "Write a whole number from 0 to 99 here."),
        ("whole", True, "Write a whole number from 0 to 99 here."),
        ("whole", 100, "Write a whole number from 0 to 99 here."),
        ("whole", -1, "Write a whole number from 0 to 99 here."),
        ("leaf", [], "Send a JSON object here."),
        ("leaf", "x", "Send a JSON object here."),
        ("leaves", {}, "Send a JSON array here."),
        ("leaves", "abc", "Send a JSON array here."),
        ("leaves", [], "Send 1 to 3 items here."),
        ("words", ["a"] * 3, "Send 0 to 2 items here."),
    ],
)
def test_what_is_wrong_is_refused_in_words(field, value, sentence):
    assert refusal(**{field: value}) == {f"/{field}": [sentence]}


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-24T21:04:05",
        "2026-11-24 21:04:05Z",
        "20261124T210405Z",
        "2026-W48-2T21:04:05Z",
        "2026-11-24T21:04Z",
        "2026-11-24T21:04:05,5Z",
        "2026-11-24T21:04:05+08",
        "2026-02-30T00:00:00Z",
        "2026-11-24T24:00:01Z",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "2026-11-24T21:04:05+99:00",
        "٢٠٢٦-11-24T21:04:05Z",
        1764047045,
    ],
)
def test_a_moment_is_rfc_3339_with_its_offset(value):
    assert refusal(at=value) == {
        "/at": ["Write a date and time with its offset from UTC here, such as 2026-11-24T21:04:05-08:00."]
    }


def test_faults_are_named_to_the_place():
    found = refusal(
        **{"leaf": {"seen": 1, "na/me~": 2}, "leaves": [{"seen": True}, {}, 5], "words": ["ok", "long"], "": 0}
    )
    assert found == {
        "/leaf/seen": ["Write true or false here, without quotation marks."],
        "/leaf/na~1me~0": ["This field is not known here: leave it out."],
        "/leaves/1/seen": ["Add this field."],
        "/leaves/2": ["Send a JSON object here."],
        "/words/1": ["Write 1 to 3 characters here."],
        "/": ["This field is not known here: leave it out."],
    }


@pytest.mark.parametrize("document", [[], [1], "x", 5, None, True])
def test_another_document_than_an_object_is_refused_as_a_whole(document):
    with pytest.raises(ValidationError) as refused:
        Tree().load(document)
    assert faults(refused.value.messages) == {"": ["Send a JSON object here."]}


def test_a_field_that_is_called_like_the_whole_object_breaks_nothing():
    assert faults_of({"_schema": 1, "label": 2}) == {
        "": ["This field is not known here: leave it out."],
        "/label": ["Write text here, in quotation marks."],
    }


def faults_of(document):
    with pytest.raises(ValidationError) as refused:
        Tree().load(document)
    return faults(refused.value.messages)


def test_lax_fields_cannot_be_declared():
    class Lax(Document):
        count = fields.Integer()

    with pytest.raises(TypeError, match="count is a Integer: a Document takes the fields of web/fields.py alone"):
        Lax()
    with pytest.raises(TypeError):
        Many(fields.String(), most=2)


def test_query_fields_read_text():
    class Query(Document):
        limit = QueryWhole(1, 100)
        published = QueryFlag()

    assert Query().load({"limit": "20", "published": "1"}) == {"limit": 20, "published": True}
    for limit in ("1.0", "0", "101", "1e2", "\uff19", ""):
        with pytest.raises(ValidationError, match="whole number from 1 to 100"):
            Query().load({"limit": limit})
    with pytest.raises(ValidationError, match="true or false"):
        Query().load({"published": "yes"})


def test_the_description_says_what_is_taken():
    spec = APISpec("t", "1", "3.1.0", plugins=[MarshmallowPlugin()])
    spec.components.schema("Tree", schema=Tree)
    described = spec.to_dict()["components"]["schemas"]["Tree"]["properties"]
    clean = r"^[^\u0000-\u001F\u007F-\u009F\u2028-\u202E\u2066-\u2069]*$"
    assert described["label"] == {"type": "string", "minLength": 1, "maxLength": 20, "pattern": clean}
    assert described["note"]["pattern"].startswith(r"^[^\u0000-\u0009\u000B-\u001F")
    assert described["code"]["pattern"] == r"^(?:[A-Z]{3}-\d+)$"
    assert described["kind"] == {"type": "string", "enum": ["badge", "credential"]}
    assert described["maybe"] == {"type": ["string", "null"], "enum": ["yes", "no", None]}
    assert described["flag"] == {"type": "boolean"}
    assert described["whole"] == {"type": "integer", "minimum": 0, "maximum": 99}
    assert described["at"] == {"type": "string", "format": "date-time"}
    assert described["leaf"] == {"$ref": "#/components/schemas/Leaf"}
    assert described["leaves"]["maxItems"] == 3
    assert described["leaves"]["minItems"] == 1
