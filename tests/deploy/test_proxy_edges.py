"""What nobody of good faith sends through the documented proxy: it goes no further, or arrives as one request."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl

import pytest

from tests.api.raw_http import HIDDEN, made_up
from tests.api.test_raw_http import STATUS, TWO_ENDS
from tests.deploy.proxy import HOST
from tests.deploy.test_deploy import submitted

pytestmark = pytest.mark.long


def tls(proxy, version=None):
    """Connect over TLS, where asked for of one version alone, which this machine would not speak by itself."""
    context = ssl.create_default_context(cafile=str(proxy.folder / "chain.pem"))
    if version is not None:
        context.set_ciphers("DEFAULT@SECLEVEL=0")
        context.minimum_version = context.maximum_version = version
    return context.wrap_socket(socket.create_connection(("127.0.0.1", proxy.https), timeout=10), server_hostname=HOST)


def exchanged(proxy, sent):
    """Send bytes as they are over TLS and return all that comes back."""
    answer = b""
    with tls(proxy) as connection:
        connection.sendall(sent)
        connection.settimeout(0.5)
        # It waits for more of what it took for one request, or has ended the connection.
        with contextlib.suppress(OSError):
            while piece := connection.recv(65536):
                answer += piece
    return answer


def test_a_request_with_two_ends_is_never_two(proxy):
    tried = [(kind, sent) for kind, sent in made_up(5, 400) if kind in TWO_ENDS]
    assert len(tried) > 20
    for kind, sent in tried:
        answer = exchanged(proxy, sent)
        # What was hidden is not answered: its path is for this machine alone and would say 200.
        assert len(STATUS.findall(answer)) <= 1, (kind, sent, answer)
        assert b'"ready"' not in answer
    # Two requests that are two are answered each, so that the test would see them.
    two = exchanged(proxy, HIDDEN + HIDDEN)
    assert STATUS.findall(two) == [b"200", b"200"]


def test_a_client_cannot_say_from_where_it_comes(proxy, served):
    made = json.loads(submitted(proxy, served, "from-where").data)
    headers = {"Authorization": f"Bearer {served.token}", "X-Forwarded-For": "203.0.113.9"}
    assert proxy.ask("GET", f"/v1/verifications/{made['id']}", headers=headers).status == 200
    service = served.service()
    log = service.logs.access("LAPD")
    newest = json.loads(log.record(service.log_store.head(log.log).size - 1)[0])
    service.database.dispose()
    assert newest["body"]["address"] == "127.0.0.1"


def test_an_old_tls_is_not_spoken(proxy):
    # Python advises against naming it at all.
    with pytest.warns(DeprecationWarning, match="TLSv1_1"), pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
        tls(proxy, ssl.TLSVersion.TLSv1_1)
    for version, spoken in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
        with tls(proxy, version) as connection:
            assert connection.version() == spoken


def test_a_trace_is_refused(proxy):
    assert proxy.ask("TRACE", "/docs", headers={"X-Secret": "t"}).status == 405
