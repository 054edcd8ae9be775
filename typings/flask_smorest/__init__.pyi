# What this service uses of flask-smorest 0.47, which ships no types.

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar

import flask
from apispec import APISpec
from marshmallow import Schema
from webargs.flaskparser import FlaskParser

_View = TypeVar("_View", bound=Callable[..., Any])

class Api:
    DEFAULT_ERROR_RESPONSE_NAME: ClassVar[str | None]
    spec: APISpec

    def __init__(self, app: flask.Flask, *, spec_kwargs: Mapping[str, Any] | None = ...) -> None: ...
    def register_blueprint(self, blp: Blueprint) -> None: ...
    def _register_responses(self) -> None: ...
    def _register_error_handlers(self) -> None: ...

class Blueprint(flask.Blueprint):
    ARGUMENTS_PARSER: ClassVar[FlaskParser]

    def __init__(self, name: str, import_name: str, *, description: str = ...) -> None: ...
    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = ...,
        view_func: Callable[..., Any] | None = ...,
        provide_automatic_options: bool | None = ...,
        *,
        parameters: Sequence[Mapping[str, Any]] | None = ...,
        tags: Sequence[str] | None = ...,
        **options: Any,
    ) -> None: ...
    def arguments(
        self,
        schema: Schema,
        *,
        location: str = ...,
        examples: Mapping[str, Any] | None = ...,
        arg_name: str | None = ...,
    ) -> Callable[[_View], _View]: ...
    def response(
        self,
        status_code: int,
        schema: Schema | Mapping[str, Any] | None = ...,
        *,
        content_type: str | None = ...,
        description: str | None = ...,
        examples: Mapping[str, Any] | None = ...,
        headers: Mapping[str, Any] | None = ...,
    ) -> Callable[[_View], _View]: ...
    @staticmethod
    def doc(**kwargs: Any) -> Callable[[_View], _View]: ...
