"""Name a place in a JSON document (RFC 6901), so that an error says exactly what to mend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Where marshmallow keeps what is wrong with an object as a whole.
WHOLE_OBJECT = "_schema"


def pointer(path: Iterable[str | int]) -> str:
    """Write the names and indexes that lead to a place; the empty path is the whole document."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def faults(messages: Any) -> dict[str, list[str]]:
    """Turn marshmallow's nested messages into sentences by pointer."""
    found: dict[str, list[str]] = {}
    for path, sentence in _sentences(messages, ()):
        found.setdefault(pointer(path), []).append(sentence)
    return found


def _sentences(messages: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(messages, dict):
        for key, inner in messages.items():
            yield from _sentences(inner, path if key == WHOLE_OBJECT else (*path, key))
    elif isinstance(messages, list):
        for inner in messages:
            yield from _sentences(inner, path)
    else:
        yield path, str(messages)
