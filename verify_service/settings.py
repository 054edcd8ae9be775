"""Read the environment once into frozen settings, and refuse what is missing, mistyped or contradictory in words."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from datetime import time
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from verify_service import settings_file
from verify_service.errors import ConfigurationError
from verify_service.loopback import is_loopback, is_safe_url

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

T = TypeVar("T")

PREFIX = "VERIFY_"
DEVELOPMENT = "development"

# Every variable, and the words that mend a missing one.
VARIABLES: Mapping[str, str] = {
    "VERIFY_HOME": "name the state directory",
    "VERIFY_DATABASE_URL": "name the database, such as postgresql://verify@db.example/verify",
    "VERIFY_DEPARTMENTS": "name the departments served, such as LAPD",
    "VERIFY_LOG_HOST": "name the host that log origins begin with for ever, such as verify.example.gov",
    "VERIFY_KEYS": "name the directory of the vault and log keys",
    "VERIFY_HIGH_WATER": "name the directory of the high-water marks, on another disk than the database",
    "VERIFY_ISSUER": "give the URL of your OIDC issuer, or the word development on a loopback address",
    "VERIFY_AUDIENCE": "name this service as tokens do in aud, such as https://verify.example.gov",
    "VERIFY_PUBLIC_URL": "give the URL at which clients reach this service, such as https://verify.example.gov",
    "VERIFY_BIND": "give the address to listen on, such as 127.0.0.1:8080",
    "VERIFY_WORKERS": "give the number of worker processes",
    "VERIFY_THREADS": "give the number of threads in each worker",
    "VERIFY_DEVISSUER_PORT": "give the loopback port of the development issuer",
    "VERIFY_REGISTRY": "give the URL or folder of the signed registry",
    "VERIFY_REGISTRY_ROOT": "name the file of the registry's pinned root",
    "VERIFY_BLINDING_KEYS": "name the file of the keys that blind roster identifiers",
    "VERIFY_CONTACT": "give the telephone number that a person who asked can call",
    "VERIFY_TIMEZONE": "name the time zone of the departments, such as America/Los_Angeles",
    "VERIFY_PUBLISH_AT": "give the local hour of publication, such as 04:00",
    "VERIFY_WITNESSES": "name the file of the witnesses, their addresses and the quorum",
}
SERVE = frozenset({"VERIFY_DEPARTMENTS", "VERIFY_LOG_HOST", "VERIFY_ISSUER", "VERIFY_AUDIENCE"})

DEPARTMENT = re.compile(r"[A-Z][A-Z0-9-]{1,15}")
HOST = re.compile(r"(?=.{1,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
CONTACT = re.compile(r"[0-9+() .-]{3,30}")
TIME_OF_DAY = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


class Address(NamedTuple):
    """A host and port to listen on."""

    host: str
    port: int


@dataclass(frozen=True)
class Settings:
    """Everything a deployment decides; a text is empty where it was neither given nor needed.

    ``issuer`` is a URL also where the development issuer was asked for: then ``development`` is true.
    """

    home: Path
    # It may hold a password, which must not reach a traceback or a diagnostic.
    database_url: str = field(repr=False)
    departments: tuple[str, ...]
    log_host: str
    keys: Path
    high_water: Path
    issuer: str
    development: bool
    audience: str
    public_url: str
    bind: Address
    workers: int
    threads: int
    devissuer_port: int
    registry: str
    registry_root: Path | None
    blinding_keys: Path | None
    contact: str
    timezone: ZoneInfo
    publish_at: time
    witnesses: Path | None


def from_environment(needs: Collection[str] = SERVE) -> Settings:
    """Read this process's environment and ``settings.env``; ``needs`` names the variables the command needs."""
    cores = os.cpu_count() or 1
    return parse(os.environ, needs=needs, cores=cores)  # noqa: TID251 - Only here is the environment read.


def parse(environment: Mapping[str, str], *, needs: Collection[str], cores: int) -> Settings:
    """Make settings of an environment; one worker runs for each of the ``cores`` unless it says otherwise.

    Raises ConfigurationError that names every fault at once.
    """
    home = Path(environment.get("VERIFY_HOME") or "./var").absolute()
    kept, faults = settings_file.read(home, VARIABLES)
    given = {name: value for name, value in environment.items() if name.startswith(PREFIX)}
    reading = _Reading({**kept, **given}, needs, faults)
    for name in sorted(set(given) - set(VARIABLES)):
        faults.append(settings_file.unknown(name, VARIABLES))
    settings = _settings(reading, home, cores)
    faults.extend(_contradictions(settings))
    if reading.lacks and not (home / settings_file.FILE_NAME).exists():
        faults.append(
            f"{home} keeps no {settings_file.FILE_NAME}: run this where it is kept, or name it in VERIFY_HOME."
        )
    if faults:
        raise ConfigurationError("\n".join(faults))
    return settings


class _Reading:
    """Reads one variable after another and keeps what is wrong with them."""

    def __init__(self, values: Mapping[str, str], needs: Collection[str], faults: list[str]) -> None:
        self._values = values
        self._needs = needs
        self._faults = faults
        self.lacks = False

    def read(self, name: str, parser: Callable[[str], T], default: T) -> T:
        text = self._values.get(name, "").strip()
        if not text:
            if name in self._needs:
                self.lacks = True
                self._faults.append(f"{name} is not set: {VARIABLES[name]}.")
            return default
        try:
            return parser(text)
        except ValueError as error:
            # The value is not repeated: a database URL holds a password.
            self._faults.append(f"{name} {error}: {VARIABLES[name]}.")
            return default


def _settings(reading: _Reading, home: Path, cores: int) -> Settings:
    read = reading.read
    devissuer_port = read("VERIFY_DEVISSUER_PORT", _port, 8081)
    issuer = read("VERIFY_ISSUER", _issuer, "")
    development = issuer == DEVELOPMENT
    audience = read("VERIFY_AUDIENCE", str, "")
    bind = read("VERIFY_BIND", _address, Address("127.0.0.1", 8080))
    return Settings(
        home=home,
        database_url=read("VERIFY_DATABASE_URL", _database_url, f"sqlite:///{home / 'verify.db'}"),
        departments=read("VERIFY_DEPARTMENTS", _departments, ()),
        log_host=read("VERIFY_LOG_HOST", _host, ""),
        keys=read("VERIFY_KEYS", _path, home / "keys"),
        high_water=read("VERIFY_HIGH_WATER", _path, home / "high-water"),
        issuer=f"http://127.0.0.1:{devissuer_port}" if development else issuer,
        development=development,
        audience=audience,
        public_url=read("VERIFY_PUBLIC_URL", _public_url, _own_url(audience, bind)),
        bind=bind,
        workers=read("VERIFY_WORKERS", _count, cores),
        threads=read("VERIFY_THREADS", _count, 8),
        devissuer_port=devissuer_port,
        registry=read("VERIFY_REGISTRY", _registry, ""),
        registry_root=read("VERIFY_REGISTRY_ROOT", _path, None),
        blinding_keys=read("VERIFY_BLINDING_KEYS", _path, None),
        contact=read("VERIFY_CONTACT", _contact, ""),
        timezone=read("VERIFY_TIMEZONE", _timezone, ZoneInfo("America/Los_Angeles")),
        publish_at=read("VERIFY_PUBLISH_AT", _time_of_day, time(4)),
        witnesses=read("VERIFY_WITNESSES", _path, None),
    )


def _contradictions(settings: Settings) -> list[str]:
    faults = []
    if settings.development and not is_loopback(settings.bind.host):
        faults.append(
            f"VERIFY_BIND is {settings.bind.host}, but VERIFY_ISSUER=development signs anybody in and so serves "
            "loopback alone: bind to 127.0.0.1, or give the URL of your OIDC issuer."
        )
    if settings.audience and not settings.development and not is_safe_url(settings.public_url):
        faults.append(
            "VERIFY_PUBLIC_URL is not set, and VERIFY_AUDIENCE is no https URL: give the URL at which clients reach "
            "this service, since their proofs name it."
        )
    if settings.development and settings.bind.port == settings.devissuer_port:
        faults.append("VERIFY_DEVISSUER_PORT is the port of VERIFY_BIND: give the development issuer one of its own.")
    return faults


def _contact(text: str) -> str:
    if not CONTACT.fullmatch(text):
        raise ValueError("is no telephone number")
    return text


def _departments(text: str) -> tuple[str, ...]:
    codes = tuple(code.strip() for code in text.split(","))
    if not all(DEPARTMENT.fullmatch(code) for code in codes):
        raise ValueError("is not a comma list of codes in capitals")
    if len(set(codes)) < len(codes):
        raise ValueError("names a department twice")
    return codes


def _host(text: str) -> str:
    if not HOST.fullmatch(text):
        raise ValueError("is not a host name in lower case, without scheme, port or path")
    return text


def _issuer(text: str) -> str:
    if text == DEVELOPMENT:
        return text
    if not is_safe_url(text):
        raise ValueError("is neither an https URL nor the word development")
    # OpenID Connect Discovery 1.0 §3: an issuer has no query or fragment.
    parts = urlsplit(text)
    if parts.query or parts.fragment or parts.username is not None:
        raise ValueError("has a query, a fragment or a user name, which no issuer has")
    return text


def _public_url(text: str) -> str:
    if not is_safe_url(text) or urlsplit(text).query or urlsplit(text).fragment:
        raise ValueError("is no https URL without query and fragment")
    return text.rstrip("/")


def _own_url(audience: str, bind: Address) -> str:
    """Return the address that clients use as far as it is known: the audience where that is one, else the bound one."""
    if audience.startswith("https://"):
        return audience.rstrip("/")
    return f"http://[{bind.host}]:{bind.port}" if ":" in bind.host else f"http://{bind.host}:{bind.port}"


def _registry(text: str) -> str:
    if "://" in text and not is_safe_url(text):
        raise ValueError("is a URL, but not an https one")
    return text


def _database_url(text: str) -> str:
    if not text.startswith(("sqlite:///", "postgresql://")):
        raise ValueError("is neither sqlite:///file nor a postgresql:// URL")
    return text


def _address(text: str) -> Address:
    host, _, port = text.rpartition(":")
    # The server binds to addresses, not to names.
    host = "127.0.0.1" if host == "localhost" else host.removeprefix("[").removesuffix("]")
    try:
        ip_address(host)
    except ValueError as error:
        raise ValueError("does not begin with an IP address and a colon") from error
    return Address(host, _port(port))


def _port(text: str) -> int:
    return _whole(text, most=65535)


def _count(text: str) -> int:
    return _whole(text, most=999)


def _whole(text: str, most: int) -> int:
    if not re.fullmatch(r"[1-9]\d{0,4}", text, re.ASCII) or int(text) > most:
        raise ValueError(f"needs a whole number from 1 to {most}")
    return int(text)


def _path(text: str) -> Path:
    return Path(text).absolute()


def _timezone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (KeyError, OSError, ValueError) as error:
        raise ValueError("is not a time zone of the IANA list") from error


def _time_of_day(text: str) -> time:
    if not TIME_OF_DAY.fullmatch(text):
        raise ValueError("is not HH:MM")
    return time.fromisoformat(text)
