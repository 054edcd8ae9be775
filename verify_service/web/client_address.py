"""Say from where a request comes, for its access event."""

from __future__ import annotations

from ipaddress import ip_address

from flask import request

from verify_service.loopback import is_loopback


def client_address() -> str | None:
    """Return the client's address: of whom a proxy on this host passes on, else of whoever connected.

    Only a proxy on this host is believed, since everybody else can write the header X-Forwarded-For themself, and of
    what it passes on only the last address, which is the one it saw (`deploy/nginx.conf`).
    """
    peer = request.remote_addr
    passed_on = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    if not passed_on or peer is None or not is_loopback(peer):
        return peer
    try:
        return str(ip_address(passed_on))
    except ValueError:
        return peer
