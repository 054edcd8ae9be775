"""Take a compact JWS (RFC 7515 §7.1) apart, strictly, before anything in it is believed."""

from __future__ import annotations

import binascii
import re
from base64 import urlsafe_b64decode
from typing import TYPE_CHECKING, Any

import jwt

from verify_service.errors import ServiceError
from verify_service.web.issuer_keys import ALGORITHMS
from verify_service.web.json_body import parse

if TYPE_CHECKING:
    from collections.abc import Mapping

COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
SIGNATURES = jwt.PyJWS(list(ALGORITHMS))
HEADER, CLAIMS = 0, 1


def segment(text: str, number: int) -> Mapping[str, Any]:
    """Return the JSON object in one segment of a compact JWS; raise ValueError where there is none."""
    encoded = text.split(".")[number]
    try:
        document = parse(urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    except (binascii.Error, ServiceError) as error:
        raise ValueError("is not JSON in base64url") from error
    if isinstance(document, dict):
        return document
    raise ValueError("is no JSON object")


def check_signature(text: str, key: Any, algorithm: str) -> None:
    """Raise ValueError unless the signature of a compact JWS is this key's."""
    try:
        SIGNATURES.decode(text, key, [algorithm])
    except jwt.PyJWTError as error:
        raise ValueError("is not signed with this key") from error
