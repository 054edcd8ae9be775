"""Declare routes so that what is described is what is served; the only place that knows flask-smorest."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

import flask_smorest
from flask import Blueprint as PlainBlueprint
from flask import Response, render_template

from verify_service.access import policy
from verify_service.errors import NotFound
from verify_service.web import api_description, problem_documents
from verify_service.web.api_description import SECURITY_SCHEMES
from verify_service.web.arguments import BODY, QUERY, ArgumentsParser
from verify_service.web.gate import Gate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flask import Flask
    from marshmallow import Schema

    from verify_service.access.policy import Rule
    from verify_service.web.fields import Document
    from verify_service.web.problem_documents import Refusal

View = TypeVar("View", bound="Callable[..., Any]")

EXTENSION = "verify_service.description"
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True)
class Body:
    """The JSON document that an operation takes; ``examples`` by name."""

    schema: Document
    examples: Mapping[str, Any]


@dataclass(frozen=True)
class Reply:
    """What an operation answers when all is well.

    A view returns what ``schema`` dumps, or a Response of its own where the bytes already exist. A mapping as
    schema only describes. ``headers`` maps each header of the answer to what it says.
    """

    status: int
    schema: Schema | Mapping[str, Any] | None = None
    description: str | None = None
    media_type: str | None = None
    examples: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class _Blueprint(flask_smorest.Blueprint):
    ARGUMENTS_PARSER = ArgumentsParser()


class Routes:
    """The operations on one resource, which stand together in the reference.

    ``parameters`` says what each part of their paths is.
    """

    def __init__(self, name: str, description: str, parameters: Mapping[str, str] | None = None) -> None:
        self.blueprint = _Blueprint(name, __name__, description=description)
        self.parameters = dict(parameters or {})
        self.endpoints: set[str] = set()
        self.problems: dict[str, Mapping[str, Any]] = {}

    def operation(
        self,
        operation_id: str,
        method: str,
        path: str,
        *,
        reply: Reply,
        body: Body | None = None,
        query: Document | None = None,
        refusals: Sequence[Refusal] = (),
        keyed: bool = False,
        step_up: bool = False,
    ) -> Callable[[View], View]:
        """Declare an operation; the docstring of the view is its summary and description.

        The view is called by keyword: the parts of the ``path``; ``caller``, unless the operation is public;
        ``body`` and ``query`` where they are declared; and ``key``, the RetryKey, where it is ``keyed``.
        With ``step_up`` only a caller with a recent and strong sign-in is let through.
        Refusals that follow from these are described by themselves; ``refusals`` names the others, by the class of
        the error or by its Kind. Raises LookupError where the operation has no rule in the access policy.
        """
        rule = policy.rule(operation_id)

        def declare(function: View) -> View:
            view: Callable[..., Any] = function
            if query is not None:
                view = self.blueprint.arguments(query, location=QUERY, arg_name="query")(view)
            if body is not None:
                view = self.blueprint.arguments(
                    body.schema, location=BODY, arg_name="body", examples=_named(body.examples)
                )(view)
            view = self._replying(reply)(view)
            described = self._refusing(rule, refusals, path, body=body, query=query, keyed=keyed)(view)
            described = self.blueprint.doc(operationId=operation_id, security=_security(rule))(described)
            let_in = Gate(operation_id, keyed=keyed, body=body is not None, step_up=step_up).before(view)
            # The wrappers that only describe are left out of the way of requests.
            let_in.__dict__["_apidoc"] = described.__dict__["_apidoc"]
            self._add(operation_id)
            self.blueprint.add_url_rule(
                path, operation_id, let_in, methods=[method], parameters=self._described_parts(path)
            )
            return function

        return declare

    def page(self, operation_id: str, path: str) -> Callable[[View], View]:
        """Declare a page for people: HTML under the pages' content policy, not part of the API description.

        A NotFound that the view raises is a page too, since a person followed the link.
        """

        def declare(function: View) -> View:
            @wraps(function)
            def page(**parts: Any) -> Response:
                status = 200
                try:
                    made = function(**parts)
                except NotFound as missing:
                    status = 404
                    made = render_template("missing.html", title=missing.title, detail=missing.detail)
                if isinstance(made, Response):
                    return made
                headers = {"Content-Security-Policy": PAGE_POLICY}
                return Response(made, status, headers, content_type="text/html; charset=utf-8")

            let_in = Gate(operation_id).before(page)
            self._add(operation_id)
            PlainBlueprint.add_url_rule(self.blueprint, path, operation_id, let_in, methods=["GET"])
            return function

        return declare

    def _add(self, operation_id: str) -> None:
        self.endpoints.add(f"{self.blueprint.name}.{operation_id}")

    def _replying(self, reply: Reply) -> Callable[[Any], Any]:
        return self.blueprint.response(
            reply.status,
            reply.schema,
            description=reply.description,
            content_type=reply.media_type,
            examples=_named(reply.examples),
            headers={name: {"description": text, "schema": {"type": "string"}} for name, text in reply.headers.items()}
            or None,
        )

    def _refusing(
        self, rule: Rule, refusals: Sequence[Refusal], path: str, *, body: Any, query: Any, keyed: bool
    ) -> Callable[[Any], Any]:
        kinds = problem_documents.kinds(
            rule, refusals, body=body is not None, query=query is not None, keyed=keyed, path="<" in path
        )
        responses = {status: problem_documents.name(status, of_status) for status, of_status in kinds.items()}
        self.problems.update(
            {responses[status]: problem_documents.description(of_status) for status, of_status in kinds.items()}
        )

        def describe(view: Any) -> Any:
            if keyed:
                view = self.blueprint.arguments(problem_documents.RetryHeader(), location="headers")(view)
            return self.blueprint.doc(responses=responses)(view)

        return describe

    def _described_parts(self, path: str) -> list[dict[str, Any]]:
        return [
            {"in": "path", "name": name, "description": text}
            for name, text in self.parameters.items()
            if f":{name}>" in path or f"<{name}>" in path
        ]


class _Api(flask_smorest.Api):
    # Every problem is described where it can happen, and with the type it is served with.
    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_error_handlers(self) -> None:
        """Leave errors to ``problems``."""

    def _register_responses(self) -> None:
        """Leave out the responses of flask-smorest, which say application/json."""


def install(app: Flask, resources: Sequence[Routes]) -> None:
    """Serve the operations of the resources, and keep their description for ``description``.

    Raises LookupError where an address of the app belongs to no declared operation, and so to no rule of access.
    """
    api = _Api(app, spec_kwargs=api_description.HEAD)
    components = api.spec.components
    components.schema(problem_documents.SCHEMA_NAME, dict(problem_documents.SCHEMA))
    for name, scheme in SECURITY_SCHEMES.items():
        components.security_scheme(name, dict(scheme))
    endpoints = {"static"}
    problems: dict[str, Mapping[str, Any]] = {}
    for routes in resources:
        problems.update(routes.problems)
        endpoints |= routes.endpoints
    for name, problem in problems.items():
        components.response(name, dict(problem))
    for routes in resources:
        api.register_blueprint(routes.blueprint)
    strays = sorted({rule.rule for rule in app.url_map.iter_rules() if rule.endpoint not in endpoints})
    if strays:
        raise LookupError(f"Nobody's rule covers {', '.join(strays)}: declare it with Routes.operation or Routes.page.")
    app.extensions[EXTENSION] = api_description.finish(api.spec.to_dict())


def description(app: Flask) -> dict[str, Any]:
    """Return the OpenAPI description of everything that an app serves under its API."""
    return cast("dict[str, Any]", app.extensions[EXTENSION])


def _security(rule: Rule) -> list[dict[str, list[str]]]:
    return [] if rule.public else [{name: [rule.scope] if rule.scope else []} for name in SECURITY_SCHEMES]


def _named(examples: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return {name: {"value": value} for name, value in examples.items()} if examples else None
