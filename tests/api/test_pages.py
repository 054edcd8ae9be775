"""The pages for people run nothing but what is kept in this repository, and say what they show."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

import verify_service.web
from verify_service.web.app import create_app

STATIC = Path(verify_service.web.__file__).parent / "static"
VENDOR = STATIC / "vendor" / "swagger-ui"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PAGES = ("/", "/docs")


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.inline = []
        self._open = None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._open = tag

    def handle_data(self, text):
        if self._open in {"script", "style"} and text.strip():
            self.inline.append(text)

    def handle_endtag(self, tag):
        self._open = None


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_inline_and_nothing_comes_from_elsewhere(client, path):
    answer = client.get(path)
    assert answer.content_type == "text/html; charset=utf-8"
    assert answer.headers["Content-Security-Policy"] == POLICY
    page = Tags(answer.text)
    assert page.inline == []
    for _, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        for name in ("src", "href"):
            assert re.match(r"(/[a-z]|/$|#|data:,)", attributes.get(name, "/"))


@pytest.mark.parametrize("path", PAGES)
def test_what_a_page_names_is_there(client, path):
    for tag, attributes in Tags(client.get(path).text).tags:
        for name in ("src", "href", "data-description"):
            address = attributes.get(name, "")
            # The registry is a resource of its own.
            if address.startswith("/") and address != "/v1/registry":
                with client.get(address) as found:
                    assert found.status_code == 200, (tag, address)


def test_the_front_page_says_what_this_is_and_leads_on(client):
    page = client.get("/").text
    assert '<html lang="en">' in page
    assert page.count("<h1>") == 1
    for address in ('"/docs"', '"/openapi.json"', '"/v1/registry"', '"/readyz"'):
        assert address in page


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("synthetic", [True, False])
def test_synthetic_data_says_so(backend, path, synthetic):
    page = create_app(replace(backend, synthetic=lambda: synthetic)).test_client().get(path).text
    assert ("Synthetic data." in page) is synthetic


def test_the_vendored_files_are_the_ones_that_were_reviewed():
    manifest = json.loads((VENDOR / "MANIFEST.json").read_text())
    kept = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in VENDOR.iterdir()}
    del kept["MANIFEST.json"]
    assert kept == manifest["sha256"]
    assert "LICENSE" in kept
    assert [folder.name for folder in VENDOR.parent.iterdir()] == ["swagger-ui"]


def test_the_vendored_files_name_no_source_map():
    for name in ("swagger-ui-bundle.js", "swagger-ui.css"):
        assert b"sourceMappingURL" not in (VENDOR / name).read_bytes()


def test_static_files_are_kept_for_an_hour_under_the_policy_of_the_api(client):
    with client.get("/static/page.css") as answer:
        assert answer.headers["Cache-Control"] == "public, max-age=3600"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; base-uri")
        assert answer.content_type.startswith("text/css")
