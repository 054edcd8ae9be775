"""Compute what the vectors say, with as little of the service's own code as will do: none."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

KEY = bytes(range(32))
OTHER_KEY = bytes(range(32, 64))


def canonical(document):
    # Enough of RFC 8785 for documents of ASCII keys, texts, small integers, booleans and null.
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def tag(key, agency, kind, value):
    return hmac.new(key, b"\0".join(part.encode() for part in ("canon/v1", agency, kind, value)), hashlib.sha256)


def key_id(key):
    return hashlib.sha256(b"officer-verify/blinding-key/v1\0" + key).hexdigest()[:16]


def text(content):
    try:
        return {"content": content.decode()}
    except UnicodeDecodeError:
        return {"content_base64": base64.b64encode(content).decode()}


def sha256(content):
    return hashlib.sha256(content).hexdigest()
