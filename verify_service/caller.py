"""Describe the authenticated person or program that asks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Caller:
    """Who asks, as their access token says (RFC 9068), already checked.

    ``serial`` is the department's own number for the person; ``command`` the unit they belong to now;
    ``role`` one of officer, dispatcher, supervisor, auditor, partner, operator; ``jkt`` the thumbprint of
    the key the token is bound to (RFC 9449), or None. ``acr`` and ``signed_in_at``, in seconds since 1970, are how and
    when the person last signed in, each None where the token does not tell.
    """

    issuer: str
    subject: str
    serial: str
    department: str
    command: str | None
    role: str
    scopes: frozenset[str]
    client_id: str
    jkt: str | None = None
    acr: str | None = None
    signed_in_at: float | None = None

    @property
    def identity(self) -> str:
        """Name the caller across tokens: issuer and subject."""
        return f"{self.issuer} {self.subject}"

    @classmethod
    def at_command_line(cls, department: str, command: str, serial: str) -> Caller:
        """Return whom a record names for what a command of an operator did, with no token that says who that is."""
        return cls(
            issuer=f"urn:verify-service:{command}",
            subject=serial,
            serial=serial,
            department=department,
            command=None,
            role="operator",
            scopes=frozenset(),
            client_id="verify-service",
        )
