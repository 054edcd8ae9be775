"""Serve verifications: submit, list, search, read, add an event, issue words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Response, request

from verify_service.access.reading import Criteria
from verify_service.clock import rfc3339
from verify_service.errors import Expunged, IdempotencyKeyReused, NotFound, PreconditionFailed, Unavailable
from verify_service.record_log.record import SealedField
from verify_service.registry.identifier import parse_identifier
from verify_service.verification.answer import answer
from verify_service.verification.desk import IDENTIFIER_INDEX
from verify_service.web import described, examples, replies
from verify_service.web.api import Body, Reply, Routes
from verify_service.web.backend import current_backend
from verify_service.web.claims import check_may_append, claim, fact, reporter
from verify_service.web.client_address import client_address
from verify_service.web.event_bytes import ReceiptQuery, receipt_of, record_of
from verify_service.web.verification_fields import (
    CallbackWordDocument,
    EventDocument,
    ListQuery,
    SearchDocument,
    SubmissionDocument,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from verify_service.access.reading import CaseView, Page
    from verify_service.caller import Caller
    from verify_service.record_log.append import RetryKey
    from verify_service.verification.answer import Answer, Render
    from verify_service.verification.desk import IssuedWords

routes = Routes(
    "verifications",
    "The case of one agent at one incident: the claim, what was checked, what followed.",
    {"verification_id": "The verification's id.", "seq": "The event's number on its subject, from 0."},
)
LOCATION = {"Location": "The path of what was recorded."}
SALT_BYTES = 32
# What ends a case or hides it asks for a recent and strong sign-in.
GRAVE = frozenset({"concluded", "sealed"})


@routes.operation(
    "submitVerification",
    "POST",
    "/v1/verifications",
    body=Body(SubmissionDocument(), examples.SUBMISSIONS),
    reply=Reply(201, described.VERIFICATION, headers=LOCATION),
    refusals=(IdempotencyKeyReused, NotFound, Unavailable),
    keyed=True,
)
def submit(caller: Caller, body: Mapping[str, Any], key: RetryKey) -> Response:
    """Submit a claim.

    Checks what a claimed agent gives, or refuses to give, against the signed registry, records it and answers.
    """
    backend, submitted = current_backend(), claim(body)
    by = reporter(body, caller, backend.clock.now())
    if submitted.incident_id is not None:
        # Only its number, which dispatch gave them, puts somebody on an incident that is not theirs.
        backend.reading.find_incident(caller, submitted.incident_id)
    return replies.created(backend.desk.verify(submitted, by, key, _render(caller)))


@routes.operation(
    "listVerifications",
    "GET",
    "/v1/verifications",
    query=ListQuery(),
    reply=Reply(200, described.PAGE),
    refusals=(NotFound, Unavailable),
)
def list_verifications(caller: Caller, query: Mapping[str, Any]) -> Response:
    """List verifications.

    Newest first, only those that the caller may see; `next` is the `after` of the next page, or null.
    """
    page = current_backend().reading.page(
        caller, "listVerifications", _criteria(caller, query), query["after"], query["limit"], client_address()
    )
    return _page(page)


@routes.operation(
    "searchVerifications",
    "POST",
    "/v1/verifications/search",
    body=Body(SearchDocument(), examples.SEARCHES),
    reply=Reply(200, described.PAGE),
    refusals=(NotFound, Unavailable),
)
def search(caller: Caller, body: Mapping[str, Any]) -> Response:
    """Search verifications.

    As the list, and by identifier; the search itself is on record.
    """
    backend, index, sealed = current_backend(), None, None
    if body["identifier"] is not None:
        identifier = parse_identifier(kind=body["identifier"]["kind"], typed=body["identifier"]["value"])
        index = backend.vault.index(caller.department, IDENTIFIER_INDEX, identifier.value)
        sealed = SealedField(identifier.value, backend.random_bytes(SALT_BYTES))
    page = backend.reading.search(
        caller,
        "searchVerifications",
        _criteria(caller, body),
        sealed,
        index,
        body["after"],
        body["limit"],
        client_address(),
    )
    return _page(page)


@routes.operation(
    "getVerification",
    "GET",
    "/v1/verifications/<string:verification_id>",
    reply=Reply(200, described.VERIFICATION, headers={"ETag": "Changes with every event on it or its incident."}),
    refusals=(Expunged, Unavailable),
)
def get(caller: Caller, verification_id: str) -> Response:
    """Read a verification.

    Its outcome, events and the incident's checklist. Send the entity tag back as `If-None-Match` to ask whether
    it changed.
    """
    backend = current_backend()
    if request.if_none_match:
        _, _, version = backend.reading.find(caller, verification_id)
        if version in request.if_none_match:
            return Response(status=304, headers={"ETag": f'"{version}"'})
    view = backend.reading.case(caller, "getVerification", verification_id, client_address())
    return _view(caller, view)


@routes.operation(
    "addVerificationEvent",
    "POST",
    "/v1/verifications/<string:verification_id>/events",
    body=Body(EventDocument(), examples.EVENTS),
    reply=Reply(201, described.VERIFICATION, headers=LOCATION),
    refusals=(PreconditionFailed, IdempotencyKeyReused, Expunged, Unavailable),
    keyed=True,
)
def add_event(caller: Caller, verification_id: str, body: Mapping[str, Any], key: RetryKey) -> Response:
    """Add an event.

    What follows a submission, each kind with the part of its name. Who may add which is decided by kind.
    """
    backend, given = current_backend(), fact(body)
    check_may_append(given, caller, relayed=body["relayed_by"] is not None)
    if given.kind in GRAVE:
        backend.step_up.check(caller, backend.clock.now())
    case, _, _ = backend.reading.find(caller, verification_id)
    by = reporter(body, caller, backend.clock.now())
    return replies.created(backend.desk.follow_up(case, given, by, key, _render(caller)))


@routes.operation(
    "issueCallbackWord",
    "POST",
    "/v1/verifications/<string:verification_id>/callback-word",
    body=Body(CallbackWordDocument(), examples.CALLBACK_WORDS),
    reply=Reply(201, described.CALLBACK_WORD, headers=LOCATION),
    refusals=(IdempotencyKeyReused, Expunged, Unavailable),
    keyed=True,
)
def issue_words(caller: Caller, verification_id: str, body: Mapping[str, Any], key: RetryKey) -> Response:
    """Issue words for a callback.

    A one-time phrase of two words for one call to the agency's held number. Only a dispatcher is shown it: the
    officer hears it from the agent, and so cannot have prompted it.
    """
    backend = current_backend()
    case, _, _ = backend.reading.find(caller, verification_id)
    by = reporter(body, caller, backend.clock.now())

    def render(answered: Answer, issued: IssuedWords) -> bytes:
        url = replies.verification_url(verification_id)
        events = replies.placed_events(url, _origin(caller), answered.events)
        document = replies.words_document(issued, caller.department) | {"events": events}
        return replies.kept(url, document, answered.applying, answered.incident.answers)

    return replies.created(backend.desk.issue_words(case, body["agency"], by, key, render))


@routes.operation(
    "getVerificationRecord",
    "GET",
    "/v1/verifications/<string:verification_id>/events/<int(max=2147483647):seq>/record",
    reply=Reply(200, described.RECORD, media_type="application/json"),
    refusals=(Expunged, Unavailable),
)
def get_record(caller: Caller, verification_id: str, seq: int) -> Response:
    """Read an event's record.

    The exact bytes that the log committed to. Keep them as they are: any change, even of white space, breaks the proof.
    """
    current_backend().reading.find(caller, verification_id)
    return record_of(caller, "getVerificationRecord", f"verification:{verification_id}", seq)


@routes.operation(
    "getVerificationReceipt",
    "GET",
    "/v1/verifications/<string:verification_id>/events/<int(max=2147483647):seq>/receipt",
    query=ReceiptQuery(),
    reply=Reply(200, described.RECEIPT, media_type="text/plain"),
    refusals=(Expunged, Unavailable),
)
def get_receipt(caller: Caller, verification_id: str, seq: int, query: Mapping[str, Any]) -> Response:
    """Read an event's receipt.

    Offline proof that the log holds the record (C2SP tlog-proof); the same bytes every time. With `published=1`
    against the first published checkpoint that covers it, and with `witnessed=1` against the first that enough
    witnesses cosigned, once there is one.
    """
    current_backend().reading.find(caller, verification_id)
    subject = f"verification:{verification_id}"
    return receipt_of(caller, "getVerificationReceipt", subject, seq, query)


def _render(caller: Caller) -> Render:
    origin = _origin(caller)

    def render(answered: Answer) -> bytes:
        url = replies.verification_url(answered.case.id)
        document = replies.verification_document(answered, replies.placed_events(url, origin, answered.events))
        if answered.requester_code is not None:
            document |= replies.requester_urls(answered.requester_code)
        return replies.kept(url, document, answered.applying, answered.incident.answers)

    return render


def _view(caller: Caller, view: CaseView) -> Response:
    answered = answer(view.case, view.incident)
    origins = current_backend().logs.origins(caller.department)
    events = replies.standing_events(replies.verification_url(view.case.id), origins, view.events)
    document = replies.verification_document(answered, events) | {"identifier": view.identifier}
    return replies.read(document, answered.applying, view.incident.answers, view.version)


def _page(page: Page) -> Response:
    return replies.plain({"verifications": [replies.summary(case) for case in page.cases], "next": page.after})


def _criteria(caller: Caller, given: Mapping[str, Any]) -> Criteria:
    incident = given["incident"]
    if incident is not None:
        incident = current_backend().reading.find_incident(caller, incident)[0].id
    opened_from, opened_before = given["opened_from"], given["opened_before"]
    return Criteria(
        outcome=given["outcome"],
        agency=given["agency"],
        incident=incident,
        officer=given["officer"],
        opened_from=opened_from and rfc3339(opened_from),
        opened_before=opened_before and rfc3339(opened_before),
    )


def _origin(caller: Caller) -> str:
    return current_backend().logs.records(caller.department).origin
