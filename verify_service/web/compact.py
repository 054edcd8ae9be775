"""Take a compact JWS (RFC 7515 §7.1) apart, strictly, before anything in it is believed."""

from __future__ import annotations

import binascii
import re
from base64 import urlsafe_b64decode
from typing import TYPE_CHECKING, Any

import jwt
import orjson

from verify_service.errors import ServiceError
from verify_service.web.issuer_keys import ALGORITHMS
from verify_service.web.json_body import parse

if TYPE_CHECKING:
    from collections.abc import Mapping

COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
VERIFIERS = {name: jwt.get_algorithm_by_name(name) for name in ALGORITHMS}


def header_of(encoded: str) -> Mapping[str, Any]:
    """Return the JSON object of a header segment, no name in it twice; raise ValueError where there is none."""
    try:
        return _object(parse(_decoded(encoded)))
    except ServiceError as error:
        raise ValueError("is not JSON") from error


def verified_claims(text: str, key: Any, algorithm: str) -> Mapping[str, Any]:
    """Return the claims of a compact JWS that is signed with this key; raise ValueError where it is not, or has none.

    Of a name that stands twice the last counts (RFC 7519 §4): the signer alone reads it otherwise.
    """
    signed, _, signature = text.rpartition(".")
    # Its algorithm is known to the caller, from a header that was read once.
    if not VERIFIERS[algorithm].verify(signed.encode(), key, _decoded(signature)):
        raise ValueError("is not signed with this key")
    return _object(orjson.loads(_decoded(signed.partition(".")[2])))


def _decoded(encoded: str) -> bytes:
    try:
        return urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    except binascii.Error as error:
        raise ValueError("is not base64url") from error


def _object(document: Any) -> Mapping[str, Any]:
    if isinstance(document, dict):
        return document
    raise ValueError("is no JSON object")
