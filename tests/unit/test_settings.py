"""Settings come from the environment and one file, and whatever is wrong is said at once."""

from __future__ import annotations

import stat
from datetime import time

import pytest

from verify_service import settings, settings_file
from verify_service.errors import ConfigurationError
from verify_service.loopback import is_loopback, is_safe_url

COMPLETE = {
    "VERIFY_DEPARTMENTS": "LAPD, LASD",
    "VERIFY_LOG_HOST": "verify.example.gov",
    "VERIFY_ISSUER": "https://login.example.gov/lapd",
    "VERIFY_AUDIENCE": "https://verify.example.gov",
}


@pytest.fixture
def parse(tmp_path):
    def read(needs=settings.SERVE, **environment):
        given = {name: value for name, value in {**COMPLETE, **environment}.items() if value is not None}
        return settings.parse({"VERIFY_HOME": str(tmp_path), **given}, needs=needs, cores=2)

    return read


def faults(parse, **environment):
    with pytest.raises(ConfigurationError) as refused:
        parse(**environment)
    return refused.value.detail


def test_what_is_given_and_what_is_not(parse, tmp_path):
    read = parse()
    assert read.departments == ("LAPD", "LASD")
    assert read.issuer == "https://login.example.gov/lapd"
    assert not read.development
    assert read.database_url == f"sqlite:///{tmp_path}/verify.db"
    assert (read.keys, read.high_water) == (tmp_path / "keys", tmp_path / "high-water")
    assert read.bind == ("127.0.0.1", 8080)
    assert (read.workers, read.threads, read.devissuer_port) == (2, 8, 8081)
    assert (read.timezone.key, read.publish_at) == ("America/Los_Angeles", time(4))
    assert (read.registry, read.registry_root, read.blinding_keys) == ("", None, None)


def test_the_development_issuer_has_a_url_like_any_other(parse):
    read = parse(VERIFY_ISSUER="development", VERIFY_DEVISSUER_PORT="9000")
    assert read.development
    assert read.issuer == "http://127.0.0.1:9000"


def test_the_file_gives_defaults_and_the_environment_overrides_them(parse, tmp_path):
    (tmp_path / "settings.env").write_text(
        "# written by the demo\n\nVERIFY_WORKERS=3\n  VERIFY_REGISTRY = /srv/$HOME/registry\nVERIFY_THREADS=7\n"
    )
    read = parse(VERIFY_THREADS="5")
    assert (read.workers, read.threads) == (3, 5)
    assert read.registry == "/srv/$HOME/registry"


def test_a_file_that_was_written_reads_back_and_only_its_owner_may(parse, tmp_path):
    settings_file.write(tmp_path / "new", {"VERIFY_BIND": "127.0.0.1:8090", "VERIFY_PUBLISH_AT": "23:59"})
    written = tmp_path / "new" / "settings.env"
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    read = parse(VERIFY_HOME=str(tmp_path / "new"))
    assert read.bind == ("127.0.0.1", 8090)
    assert read.publish_at == time(23, 59)


@pytest.mark.parametrize("value", ["a\nVERIFY_KEYS=b", " a", '"a"', "a\u2028b"])
def test_a_value_that_would_not_read_back_is_not_written(tmp_path, value):
    with pytest.raises(ConfigurationError, match="VERIFY_BIND"):
        settings_file.write(tmp_path, {"VERIFY_BIND": value})


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("export VERIFY_WORKERS=3", "did you mean VERIFY_WORKERS"),
        ("VERIFY_WORKERS", "is not NAME=VALUE"),
        ('VERIFY_REGISTRY="/srv"', "without export or quotes"),
        ("VERIFY_KEYS=a\nVERIFY_KEYS=b", "a second time"),
        ("VERIFY_HOME=/elsewhere", "set it outside"),
        ("PATH=/bin", "PATH is not a setting"),
        ("VERIFY_KEYS=\udce9", "cannot be read as UTF-8"),
    ],
)
def test_a_faulty_file_is_refused_with_its_line(parse, tmp_path, line, words):
    (tmp_path / "settings.env").write_bytes(f"# \n{line}\n".encode(errors="surrogateescape"))
    assert words in faults(parse)


def test_every_fault_is_named_at_once(parse, tmp_path):
    said = faults(
        parse,
        VERIFY_DEPARTMENTS=None,
        VERIFY_LOG_HOST=" ",
        VERIFY_ISSUER=None,
        VERIFY_AUDIENCE=None,
        VERIFY_WORKERS="many",
        VERIFY_DEPARTMENT="LAPD",
    ).splitlines()
    assert said == [
        "VERIFY_DEPARTMENT is not a setting: did you mean VERIFY_DEPARTMENTS?",
        "VERIFY_ISSUER is not set: give the URL of your OIDC issuer, or the word development on a loopback address.",
        "VERIFY_AUDIENCE is not set: name this service as tokens do in aud, such as https://verify.example.gov.",
        "VERIFY_DEPARTMENTS is not set: name the departments served, such as LAPD.",
        "VERIFY_LOG_HOST is not set: name the host that log origins begin with for ever, such as verify.example.gov.",
        "VERIFY_WORKERS needs a whole number from 1 to 999: give the number of worker processes.",
        f"{tmp_path} keeps no settings.env: run this where it is kept, or name it in VERIFY_HOME.",
    ]


def test_the_address_that_clients_use_follows_from_the_audience_or_the_bound_one(parse):
    assert parse().public_url == "https://verify.example.gov"
    assert parse(VERIFY_PUBLIC_URL="https://api.example.gov/lapd/").public_url == "https://api.example.gov/lapd"
    local = {"VERIFY_ISSUER": "development", "VERIFY_AUDIENCE": "verify"}
    assert parse(**local).public_url == "http://127.0.0.1:8080"
    assert parse(**local, VERIFY_BIND="[::1]:9090").public_url == "http://[::1]:9090"
    assert parse(VERIFY_AUDIENCE="verify", VERIFY_PUBLIC_URL="https://api.example.gov").audience == "verify"
    assert "VERIFY_PUBLIC_URL is not set" in faults(parse, VERIFY_AUDIENCE="verify", VERIFY_BIND="10.0.0.5:8080")


def test_a_command_asks_only_for_what_it_needs(parse):
    read = parse(needs=(), VERIFY_ISSUER=None, VERIFY_AUDIENCE=None, VERIFY_DEPARTMENTS=None, VERIFY_LOG_HOST=None)
    assert (read.issuer, read.audience, read.departments, read.log_host) == ("", "", (), "")
    assert not read.development


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VERIFY_DEPARTMENTS", "lapd"),
        ("VERIFY_DEPARTMENTS", "LAPD,"),
        ("VERIFY_DEPARTMENTS", "LAPD,LAPD"),
        ("VERIFY_DEPARTMENTS", "LA/PD"),
        ("VERIFY_LOG_HOST", "https://verify.example.gov"),
        ("VERIFY_LOG_HOST", "Verify.example.gov"),
        ("VERIFY_LOG_HOST", "verify.example.gov/log"),
        ("VERIFY_LOG_HOST", "-verify.example.gov"),
        ("VERIFY_ISSUER", "http://login.example.gov"),
        ("VERIFY_ISSUER", "login.example.gov"),
        ("VERIFY_ISSUER", "https://login.example.gov/?tenant=1"),
        ("VERIFY_ISSUER", "https://user:secret@login.example.gov"),
        ("VERIFY_ISSUER", "https://[login"),
        ("VERIFY_ISSUER", "none"),
        ("VERIFY_CLAIMS", "badge=number"),
        ("VERIFY_CLAIMS", "serial"),
        ("VERIFY_CLAIMS", "serial=a,serial=b"),
        ("VERIFY_STEP_UP_ACR", 'a"b'),
        ("VERIFY_STEP_UP_ACR", "phr,"),
        ("VERIFY_STEP_UP_MINUTES", "0"),
        ("VERIFY_ISSUER_STALE_HOURS", "-1"),
        ("VERIFY_PUBLIC_URL", "http://verify.example.gov"),
        ("VERIFY_PUBLIC_URL", "https://verify.example.gov/?a=b"),
        ("VERIFY_BIND", "8080"),
        ("VERIFY_BIND", ":8080"),
        ("VERIFY_BIND", "127.0.0.1:0"),
        ("VERIFY_BIND", "127.0.0.1:65536"),
        ("VERIFY_BIND", "127.0.0.1:٨٠٨٠"),
        ("VERIFY_BIND", "verify.example.gov:8080"),
        ("VERIFY_WORKERS", "0"),
        ("VERIFY_WORKERS", "1000"),
        ("VERIFY_THREADS", "-1"),
        ("VERIFY_DEVISSUER_PORT", "x"),
        ("VERIFY_REGISTRY", "http://registry.example.gov"),
        ("VERIFY_DATABASE_URL", "mysql://root:secret@db/verify"),
        ("VERIFY_DATABASE_URL", "sqlite://"),
        ("VERIFY_TIMEZONE", "Los Angeles"),
        ("VERIFY_TIMEZONE", "../../etc/passwd"),
        ("VERIFY_PUBLISH_AT", "24:00"),
        ("VERIFY_PUBLISH_AT", "4"),
    ],
)
def test_a_bad_value_is_refused_by_name_without_being_repeated(parse, name, value):
    said = faults(parse, **{name: value})
    assert said.startswith(f"{name} ")
    assert settings.VARIABLES[name] in said
    assert "secret" not in said


@pytest.mark.parametrize("bind", ["0.0.0.0:8080", "[::]:8080", "192.168.1.5:8080"])
def test_the_development_issuer_serves_loopback_alone(parse, bind):
    assert "serves loopback alone" in faults(parse, VERIFY_ISSUER="development", VERIFY_BIND=bind)
    assert parse(VERIFY_BIND=bind).bind.port == 8080


def test_the_development_issuer_needs_a_port_of_its_own(parse):
    said = faults(parse, VERIFY_ISSUER="development", VERIFY_DEVISSUER_PORT="8080")
    assert "give the development issuer one of its own" in said


def test_a_password_stays_out_of_what_is_printed(parse):
    read = parse(VERIFY_DATABASE_URL="postgresql://verify:hunter2@db.example/verify")
    assert "hunter2" in read.database_url
    assert "hunter2" not in repr(read)


def test_ipv6_is_written_in_brackets(parse):
    assert parse(VERIFY_ISSUER="development", VERIFY_BIND="[::1]:8080").bind == ("::1", 8080)


def test_this_process_can_be_read():
    assert settings.from_environment(needs=()).workers >= 1


@pytest.mark.parametrize(
    ("host", "answer"), [("localhost", True), ("127.8.9.1", True), ("::1", True), ("192.0.2.1", False), ("evil", False)]
)
def test_what_stays_on_this_machine(host, answer):
    assert is_loopback(host) is answer


@pytest.mark.parametrize(
    ("url", "answer"),
    [
        ("https://login.example.gov", True),
        ("http://127.0.0.1:8081", True),
        ("http://[::1]:8081/x", True),
        ("http://login.example.gov", False),
        ("file:///etc/passwd", False),
        ("https:///path", False),
        ("https://host:port", False),
    ],
)
def test_what_cannot_be_altered_on_its_way(url, answer):
    assert is_safe_url(url) is answer
