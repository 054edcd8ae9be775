"""Run deploy/nginx.conf before a real service: the same file, with ports, paths and patience of a test."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import socket
import subprocess
import time
from datetime import UTC, datetime, timedelta

import urllib3
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.deploy.tools import DEPLOY, tool
from tests.served import free_port

HOST = "verify.example.gov"
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


class Proxy:
    """An nginx of its own in a folder."""

    def __init__(self, folder, upstream_port):
        self.folder = folder
        self.http, self.https = free_port(), free_port()
        folder.mkdir()
        _make_certificate(folder)
        self.configuration = folder / "nginx.conf"
        self.configuration.write_text(self._adapted((DEPLOY / "nginx.conf").read_text("utf-8"), upstream_port))
        self.process = None

    def check(self):
        """Return what `nginx -t` says of the configuration."""
        command = [tool("nginx"), "-t", "-c", str(self.configuration)]
        return subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)

    def start(self):
        command = [tool("nginx"), "-c", str(self.configuration), "-g", "daemon off;"]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.process.stderr.read()
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.https), timeout=1):
                return self
            time.sleep(0.05)
        raise AssertionError("nginx does not listen")

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)
            self.process.stderr.close()

    def ask(self, method, path, body=None, headers=None, source="127.0.0.1"):
        """Return the reply to a request over TLS."""
        with urllib3.HTTPSConnectionPool(
            "127.0.0.1",
            self.https,
            ca_certs=str(self.folder / "chain.pem"),
            server_hostname=HOST,
            assert_hostname=HOST,
            source_address=(source, 0),
            retries=False,
            timeout=15,
        ) as pool:
            return pool.request(method, path, body=body, headers={"Host": HOST, **(headers or {})}, redirect=False)

    def ask_in_clear(self, path):
        with urllib3.HTTPConnectionPool("127.0.0.1", self.http, retries=False, timeout=15) as pool:
            return pool.request("GET", path, redirect=False)

    def written(self):
        """Return everything that nginx wrote into its folder."""
        return b"".join(path.read_bytes() for path in self.folder.rglob("*") if path.is_file())

    def _adapted(self, text, upstream_port):
        changed = [
            (r"listen \[::\].*\n", "\n"),
            ("listen 80 ", f"listen 127.0.0.1:{self.http} "),
            ("listen 443 ", f"listen 127.0.0.1:{self.https} "),
            ("server 127.0.0.1:8080;", f"server 127.0.0.1:{upstream_port};"),
            ("/etc/verify-service/tls/", f"{self.folder}/"),
            ("/run/nginx.pid", f"{self.folder}/nginx.pid"),
            ("/var/log/nginx/", f"{self.folder}/"),
            ("/var/lib/nginx/", f"{self.folder}/"),
            ("worker_processes auto;", "worker_processes 1;"),
            ("client_header_timeout 10s;", "client_header_timeout 1s;"),
            # Its workers must reach a folder that is this user's alone.
            ("user www-data;", "user root;" if os.geteuid() == 0 else ""),
            ("http {", "http {" + "".join(f"{name}_temp_path {self.folder}/{name};" for name in TEMPORARY)),
        ]
        for old, new in changed:
            text, count = re.subn(old if "\\" in old else re.escape(old), lambda _, new=new: new, text)
            assert count, old
        return text


def _make_certificate(folder):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    names = x509.SubjectAlternativeName([x509.DNSName(HOST), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "chain.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
