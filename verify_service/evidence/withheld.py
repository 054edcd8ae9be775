"""Name each sealed value of a record by its place, with the ground on which a public export withholds it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# By the name under which a digest stands in a body. Counsel completes the citations: policy ground §3 and §7.
GROUNDS: Mapping[str, str] = {
    "typed": "an identifier, which could expose a person who is an agent",
    "canonical": "an identifier, which could expose a person who is an agent",
    "tags": "what an identifier was looked up by, from which it could be found",
    "note": "free text, in which a person could be named",
    "reason": "free text, in which a person could be named",
    "statement": "free text, in which a person could be named",
    "could_not_because": "free text, in which a person could be named",
    "words": "words of a call, which show how calls are secured",
    "words_heard": "words of a call, which show how calls are secured",
}
OTHERWISE = "sealed when it was recorded"


def withheld(content: bytes, sealed: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Yield field, digest and ground of each place in a record's body that holds a sealed value's digest."""
    yield from _found(json.loads(content)["body"], "body", sealed)


def _found(value: Any, place: str, sealed: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _found(inner, f"{place}.{name}", sealed)
    elif isinstance(value, str) and value in sealed:
        ground = GROUNDS.get(place.rpartition(".")[2], OTHERWISE)
        yield {"field": place, "digest": value, "ground": ground}
