"""Read the environment once into frozen settings, and refuse what is missing, mistyped or contradictory in words."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from zoneinfo import ZoneInfo

from verify_service import setting_values as values
from verify_service import settings_file
from verify_service.errors import ConfigurationError
from verify_service.loopback import is_loopback, is_safe_url
from verify_service.setting_values import DEVELOPMENT, Address

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

T = TypeVar("T")

PREFIX = "VERIFY_"

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
    "VERIFY_CLAIMS": "pair names with your issuer's claims, such as serial=employee_number,department=org",
    "VERIFY_ISSUER_STALE_HOURS": "give the number of hours",
    "VERIFY_STEP_UP_ACR": "name the acr values of your issuer's strong sign-ins, such as phr,phrh",
    "VERIFY_STEP_UP_MINUTES": "give the number of minutes",
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
    claims: Mapping[str, str]
    issuer_stale_hours: int
    step_up_acr: tuple[str, ...]
    step_up_minutes: int
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

    def __init__(self, given: Mapping[str, str], needs: Collection[str], faults: list[str]) -> None:
        self._given = given
        self._needs = needs
        self._faults = faults
        self.lacks = False

    def read(self, name: str, parser: Callable[[str], T], default: T) -> T:
        text = self._given.get(name, "").strip()
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
    devissuer_port = read("VERIFY_DEVISSUER_PORT", values.port, 8081)
    issuer = read("VERIFY_ISSUER", values.issuer, "")
    development = issuer == DEVELOPMENT
    audience = read("VERIFY_AUDIENCE", str, "")
    bind = read("VERIFY_BIND", values.address, Address("127.0.0.1", 8080))
    return Settings(
        home=home,
        database_url=read("VERIFY_DATABASE_URL", values.database_url, f"sqlite:///{home / 'verify.db'}"),
        departments=read("VERIFY_DEPARTMENTS", values.departments, ()),
        log_host=read("VERIFY_LOG_HOST", values.host, ""),
        keys=read("VERIFY_KEYS", values.path, home / "keys"),
        high_water=read("VERIFY_HIGH_WATER", values.path, home / "high-water"),
        issuer=f"http://127.0.0.1:{devissuer_port}" if development else issuer,
        development=development,
        audience=audience,
        claims=read("VERIFY_CLAIMS", values.claims, {}),
        issuer_stale_hours=read("VERIFY_ISSUER_STALE_HOURS", values.count, 24),
        step_up_acr=read("VERIFY_STEP_UP_ACR", values.acr_values, ("phr", "phrh")),
        step_up_minutes=read("VERIFY_STEP_UP_MINUTES", values.count, 15),
        public_url=read("VERIFY_PUBLIC_URL", values.public_url, values.own_url(audience, bind)),
        bind=bind,
        workers=read("VERIFY_WORKERS", values.count, cores),
        threads=read("VERIFY_THREADS", values.count, 8),
        devissuer_port=devissuer_port,
        registry=read("VERIFY_REGISTRY", values.registry, ""),
        registry_root=read("VERIFY_REGISTRY_ROOT", values.path, None),
        blinding_keys=read("VERIFY_BLINDING_KEYS", values.path, None),
        contact=read("VERIFY_CONTACT", values.contact, ""),
        timezone=read("VERIFY_TIMEZONE", values.timezone, ZoneInfo("America/Los_Angeles")),
        publish_at=read("VERIFY_PUBLISH_AT", values.time_of_day, time(4)),
        witnesses=read("VERIFY_WITNESSES", values.path, None),
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
