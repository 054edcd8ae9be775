"""Read the sentences that officers are shown, kept apart from the code that chooses them."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@cache
def texts(language: str = "en") -> Mapping[str, str]:
    """Read the sentences of a language."""
    content = files(__package__).joinpath("words", f"{language}.json").read_bytes()
    sentences: dict[str, str] = json.loads(content)
    return sentences


def of(sentence: str, agency: str) -> str:
    """Put an agency's code into a sentence."""
    return sentence.format(agency=agency)
