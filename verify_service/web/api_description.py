"""Say in the API description what no single route says: what this is, how to sign in, and who may call what."""

from __future__ import annotations

from typing import Any

from verify_service import __version__
from verify_service.access import policy

HEAD: dict[str, Any] = {
    "title": "verify-service",
    "version": __version__,
    "openapi_version": "3.1.0",
    "info": {
        "summary": "Check whether a person who claims to be a law-enforcement agent can be tied to an agency.",
        "description": (
            "Every answer is kept as a record that a court can verify. `/v1` grows only by addition: ignore fields "
            "and outcomes that you do not know. Errors are problem documents (RFC 9457): tell them apart by `type`."
        ),
    },
}
SECURITY_SCHEMES: dict[str, dict[str, str]] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": (
            "On a development machine alone: what `verify-service token --role officer` prints, bound to no key."
        ),
    },
    "dpop": {
        "type": "http",
        "scheme": "dpop",
        "description": (
            "An access token (RFC 9068, `at+jwt`) of your OIDC issuer, with the claims department, command, serial, "
            "role and scope, bound to a key of the client (RFC 9449, `cnf.jkt`). Send it as `Authorization: DPoP …`, "
            "and in the header `DPoP` a proof made for this request, which quotes the nonce of the last `DPoP-Nonce`."
        ),
    },
}


def finish(description: dict[str, Any]) -> dict[str, Any]:
    """Add to each operation who may call it, put its responses in order, and leave out empty sections."""
    used = set()
    for path in description["paths"].values():
        for operation in path.values():
            if isinstance(operation, dict):
                used.update(operation["tags"])
                operation["responses"] = dict(sorted(operation["responses"].items()))
                paragraphs = [operation.get("description"), _who(policy.rule(operation["operationId"]))]
                operation["description"] = "\n\n".join(text for text in paragraphs if text)
    description["tags"] = [tag for tag in description["tags"] if tag["name"] in used]
    return description


def _who(rule: policy.Rule) -> str:
    if rule.public:
        return "For anybody, without an access token."
    if rule.roles == frozenset(policy.ROLES) and rule.scope is None:
        return "For every role."
    scope = f", with the scope `{rule.scope}`" if rule.scope else ""
    return f"For {policy.either(rule.roles)}{scope}."
