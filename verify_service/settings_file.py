"""Keep settings in a file between commands: plain NAME=VALUE lines, of which nothing is evaluated."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from verify_service.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

FILE_NAME = "settings.env"


def read(home: Path, known: Collection[str]) -> tuple[dict[str, str], list[str]]:
    """Return the values kept in a state directory, none where there is no file, and the faults of its lines."""
    path = home / FILE_NAME
    values: dict[str, str] = {}
    faults = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}, []
    except (OSError, UnicodeDecodeError):
        return {}, [f"{path} cannot be read as UTF-8 text: mend or remove it."]
    for number, line in enumerate(lines, start=1):
        name, equals, value = (part.strip() for part in line.partition("="))
        if not name or name.startswith("#"):
            continue
        if not equals or value[:1] in {'"', "'"}:
            faults.append(f"{path} line {number} is not NAME=VALUE: write it so, without export or quotes.")
        elif name in values:
            faults.append(f"{path} line {number} gives {name} a second time: keep one of them.")
        elif name == "VERIFY_HOME":
            faults.append(f"{path} line {number} gives VERIFY_HOME, which says where this file is: set it outside.")
        elif name not in known:
            faults.append(f"{path} line {number}: {unknown(name, known)}")
        else:
            values[name] = value
    return values, faults


def write(home: Path, values: Mapping[str, str]) -> None:
    """Keep ``values`` as the defaults of later commands; the environment still overrides them.

    Raises ConfigurationError for a value that the file could not give back.
    """
    for name, value in values.items():
        if len(value.splitlines()) > 1 or value != value.strip() or value[:1] in {'"', "'"}:
            raise ConfigurationError(f"{name} cannot be kept in {FILE_NAME}: it takes one unquoted line.")
    home.mkdir(parents=True, exist_ok=True)
    draft = home / f"{FILE_NAME}.new"
    # The database URL may hold a password.
    draft.touch(mode=0o600)
    draft.write_text("".join(f"{name}={value}\n" for name, value in values.items()), encoding="utf-8")
    draft.replace(home / FILE_NAME)


def unknown(name: str, known: Collection[str]) -> str:
    """Say that a name is no setting, and which one was likely meant."""
    likely = get_close_matches(name, known, n=1)
    return f"{name} is not a setting: " + (f"did you mean {likely[0]}?" if likely else "unset it.")
