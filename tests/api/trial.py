"""A resource for tests alone, declared as every resource is."""

from __future__ import annotations

from flask import Response
from werkzeug.exceptions import TooManyRequests

from verify_service import errors, vault
from verify_service.web.api import Body, Reply, Routes
from verify_service.web.fields import Code, Document, Flag, Many, Moment, Part, QueryFlag, QueryWhole, Text, Whole

trial = Routes("trial", "What every resource can do.", {"name": "Which error to raise."})


class Agent(Document):
    role = Code(["lead", "member"])
    masked = Flag()


class Claim(Document):
    label = Text(20, required=True)
    number = Whole(0, 99)
    at = Moment()
    agent = Part(Agent())
    words = Many(Text(5), most=3)


class Kept(Document):
    label = Text(2000, required=True)
    caller = Text(200)
    request = Text(64)
    fingerprint = Text(64)


class Filter(Document):
    limit = QueryWhole(1, 100)
    open = QueryFlag()


@trial.operation(
    "submitVerification",
    "POST",
    "/v1/trial",
    body=Body(Claim(), {"a claim": {"label": "Agent 2"}}),
    reply=Reply(201, Kept(), headers={"Location": "Where it is."}),
    keyed=True,
)
def submit(*, caller, body, key):
    """Keep a claim."""
    kept = {"label": body["label"], "caller": caller.identity, "request": key.request.hex()}
    return kept | {"fingerprint": key.fingerprint.hex()}, 201, {"Location": "/v1/trial/1"}


@trial.operation("addVerificationEvent", "POST", "/v1/trial/<name>/word", reply=Reply(200, Kept()), keyed=True)
def word(*, caller, name, key):
    """Take a key without a body."""
    return {"label": name, "request": key.request.hex(), "fingerprint": key.fingerprint.hex()}


@trial.operation(
    "searchVerifications", "POST", "/v1/trial/search", body=Body(Claim(), {"a claim": {}}), reply=Reply(200, Kept())
)
def search(*, caller, body):
    """Take a body without a key."""
    return {"label": body["label"]}


@trial.operation("listVerifications", "GET", "/v1/trial", query=Filter(), reply=Reply(200, Filter()))
def list_them(*, caller, query):
    """Take a query."""
    return query


@trial.operation(
    "getVerificationReceipt",
    "GET",
    "/v1/trial/receipt",
    reply=Reply(200, {"type": "string"}, media_type="text/plain", examples={"receipt": "c2sp.org/tlog-proof@v1"}),
)
def receipt(*, caller):
    """Answer with bytes that exist already."""
    return Response(b"c2sp.org/tlog-proof@v1\n", content_type="text/plain; charset=utf-8")


RAISED = {
    "value": ValueError("badge 12345"),
    "configuration": errors.ConfigurationError("VERIFY_DATABASE_URL is wrong."),
    "seal": vault.SealBroken("The row at verification:1 was altered."),
    "quoted": errors.NotAuthenticated('Say "a\\b" ü ü.'),
    "too many": TooManyRequests(retry_after=7),
    "redirected": KeyError("token eyJ"),
    **{
        kind.code: kind("Do this.")
        for kind in vars(errors).values()
        if isinstance(kind, type)
        and issubclass(kind, errors.ServiceError)
        and kind not in {errors.InvalidRequest, errors.EvidenceFault}
    },
    "invalid_request": errors.InvalidRequest({"/a": ["Mend a."], "/b/0": ["Mend b.", "And again."]}),
}


@trial.operation("getLogTile", "GET", "/v1/trial/raise/<name>", reply=Reply(200, Kept()))
def break_down(*, name):
    """Raise an error by its name."""
    raise RAISED[name]


@trial.operation("getIncident", "GET", "/v1/trial/incidents/<name>", reply=Reply(200, Kept()))
def incident(*, caller, name):
    """Read one thing by its name."""
    return {"label": name}
