"""Read the value of each kind of setting; each raises ValueError with words that go on after the setting's name."""

from __future__ import annotations

import re
from datetime import time
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from verify_service.loopback import is_safe_url

if TYPE_CHECKING:
    from collections.abc import Mapping

DEVELOPMENT = "development"
DEPARTMENT = re.compile(r"[A-Z][A-Z0-9-]{1,15}")
HOST = re.compile(r"(?=.{1,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
CONTACT = re.compile(r"[0-9+() .-]{3,30}")
ACR = re.compile(r"[!#-+\--\[\]-~]{1,128}")
CLAIMS = ("department", "command", "serial", "role", "scope")
TIME_OF_DAY = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


class Address(NamedTuple):
    """A host and port to listen on."""

    host: str
    port: int


def contact(text: str) -> str:
    """Read a telephone number."""
    if not CONTACT.fullmatch(text):
        raise ValueError("is no telephone number")
    return text


def departments(text: str) -> tuple[str, ...]:
    """Read departments, in the order given."""
    codes = tuple(code.strip() for code in text.split(","))
    if not all(DEPARTMENT.fullmatch(code) for code in codes):
        raise ValueError("is not a comma list of codes in capitals")
    if len(set(codes)) < len(codes):
        raise ValueError("names a department twice")
    return codes


def host(text: str) -> str:
    """Read a host name."""
    if not HOST.fullmatch(text):
        raise ValueError("is not a host name in lower case, without scheme, port or path")
    return text


def issuer(text: str) -> str:
    """Read an issuer, or the word for the development issuer."""
    if text == DEVELOPMENT:
        return text
    if not is_safe_url(text):
        raise ValueError("is neither an https URL nor the word development")
    # OpenID Connect Discovery 1.0 §3: an issuer has no query or fragment.
    parts = urlsplit(text)
    if parts.query or parts.fragment or parts.username is not None:
        raise ValueError("has a query, a fragment or a user name, which no issuer has")
    return text


def public_url(text: str) -> str:
    """Read an address of ours, without a slash at its end."""
    if not is_safe_url(text) or urlsplit(text).query or urlsplit(text).fragment:
        raise ValueError("is no https URL without query and fragment")
    return text.rstrip("/")


def own_url(audience: str, bind: Address) -> str:
    """Return the address that clients use as far as it is known: the audience where that is one, else the bound one."""
    if audience.startswith("https://"):
        return audience.rstrip("/")
    return f"http://[{bind.host}]:{bind.port}" if ":" in bind.host else f"http://{bind.host}:{bind.port}"


def claims(text: str) -> Mapping[str, str]:
    """Read the claims that have other names."""
    pairs = [pair.strip().partition("=") for pair in text.split(",")]
    if not all(name in CLAIMS and claim for name, _, claim in pairs) or len({name for name, *_ in pairs}) < len(pairs):
        raise ValueError(f"is not a comma list of name=claim, each name once of {', '.join(CLAIMS)}")
    return {name: claim for name, _, claim in pairs}


def acr_values(text: str) -> tuple[str, ...]:
    """Read authentication context classes."""
    values = tuple(value.strip() for value in text.split(","))
    if not all(ACR.fullmatch(value) for value in values):
        raise ValueError("is not a comma list of visible ASCII without quotes")
    return values


def registry(text: str) -> str:
    """Read a folder or an address."""
    if "://" in text and not is_safe_url(text):
        raise ValueError("is a URL, but not an https one")
    return text


def database_url(text: str) -> str:
    """Read a database."""
    if not text.startswith(("sqlite:///", "postgresql://")):
        raise ValueError("is neither sqlite:///file nor a postgresql:// URL")
    return text


def address(text: str) -> Address:
    """Read an address to listen on."""
    host, _, number = text.rpartition(":")
    # The server binds to addresses, not to names.
    host = "127.0.0.1" if host == "localhost" else host.removeprefix("[").removesuffix("]")
    try:
        ip_address(host)
    except ValueError as error:
        raise ValueError("does not begin with an IP address and a colon") from error
    return Address(host, port(number))


def port(text: str) -> int:
    """Read a port."""
    return whole(text, most=65535)


def count(text: str) -> int:
    """Read a number of things, at least one."""
    return whole(text, most=999)


def whole(text: str, most: int) -> int:
    """Read a whole number of at least one."""
    if not re.fullmatch(r"[1-9]\d{0,4}", text, re.ASCII) or int(text) > most:
        raise ValueError(f"needs a whole number from 1 to {most}")
    return int(text)


def path(text: str) -> Path:
    """Read a path, made absolute."""
    return Path(text).absolute()


def timezone(text: str) -> ZoneInfo:
    """Read a time zone."""
    try:
        return ZoneInfo(text)
    except (KeyError, OSError, ValueError) as error:
        raise ValueError("is not a time zone of the IANA list") from error


def time_of_day(text: str) -> time:
    """Read a time of day."""
    if not TIME_OF_DAY.fullmatch(text):
        raise ValueError("is not HH:MM")
    return time.fromisoformat(text)
