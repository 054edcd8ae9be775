"""Hold the duty-to-intercede checklist: frozen documents, their digests, and which items apply here."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from verify_service.signing import sha256_hex

if TYPE_CHECKING:
    from collections.abc import Mapping

# Every version ever used stays.
CHECKLISTS = files(__package__).joinpath("checklists")
CURRENT_CHECKLIST = "1"
ALWAYS = {"always": True}
ANSWERS = ("done", "not_applicable", "not_possible")


@dataclass(frozen=True)
class Checklist:
    """One version as shipped: the document, the SHA-256 of its bytes, and each item's JSON made once."""

    version: str
    sha256: str
    approval: str
    content: bytes
    items: Mapping[str, Mapping[str, Any]]
    always: frozenset[str]
    conditions: tuple[tuple[str, Mapping[str, Any]], ...]
    opening: str
    fragments: tuple[tuple[str, str], ...]

    @property
    def rule(self) -> dict[str, str]:
        """The checklist's name in a record's ``rules``."""
        return {"version": self.version, "sha256": self.sha256}

    def applying(self, facts: Mapping[str, Any]) -> frozenset[str]:
        """Return the ids of the items whose condition these facts meet."""
        return self.always | {item_id for item_id, condition in self.conditions if meets(condition, facts)}

    def attached(self, applying: frozenset[str], answers: Mapping[str, Any]) -> str:
        """Return the JSON of the checklist with what applies and what was answered, joined from ready pieces.

        Serialising the items anew for each reply would take longer than everything else about it.
        """
        items = ",".join(
            f"{fragment}{'true' if item_id in applying else 'false'},"
            f'"answer":{_compact(answers[item_id]) if item_id in answers else "null"}}}'
            for item_id, fragment in self.fragments
        )
        return f"{self.opening}[{items}]}}"


@cache
def checklist(version: str = CURRENT_CHECKLIST) -> Checklist:
    """Read a checklist that ships with the package; every version ever used stays.

    Raises FileNotFoundError where there is no such version.
    """
    content = CHECKLISTS.joinpath(f"{version}.json").read_bytes()
    document = json.loads(content)
    digest = sha256_hex(content)
    opening = {name: document[name] for name in ("version", "approval", "title", "notice")} | {"sha256": digest}
    fragments = tuple((item["id"], _opened(item, document)) for item in document["items"])
    conditions = {item["id"]: item["applies_when"]["condition"] for item in document["items"]}
    always = frozenset(item_id for item_id, condition in conditions.items() if condition == ALWAYS)
    return Checklist(
        version=document["version"],
        sha256=digest,
        approval=document["approval"],
        content=content,
        items={item["id"]: item for item in document["items"]},
        always=always,
        conditions=tuple((item_id, c) for item_id, c in conditions.items() if item_id not in always),
        opening=_compact(opening)[:-1] + ',"items":',
        fragments=fragments,
    )


def meets(condition: Mapping[str, Any], facts: Mapping[str, Any]) -> bool:
    """Tell whether facts meet a condition; a fact nobody stated meets nothing."""
    match condition:
        case {"always": True}:
            return True
        case {"all": parts}:
            return all(meets(part, facts) for part in parts)
        case {"any": parts}:
            return any(meets(part, facts) for part in parts)
        case {"not": part}:
            return not meets(part, facts)
        case {"fact": name, "is": wanted}:
            return facts.get(name) is wanted
        case {"fact": name, "in": wanted}:
            return facts.get(name) in wanted
        case _:
            raise ValueError(f"not a condition of a checklist: {condition}")


def _opened(item: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    shown = {name: item[name] for name in ("id", "module", "text", "basis", "basis_note")}
    shown["sources"] = [document["sources"][number] for number in item["sources"]]
    shown["applies_when"] = item["applies_when"]["words"]
    return _compact(shown)[:-1] + ',"applies":'


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
