"""Refuse in free text what is never kept: who somebody is, where they live, what their status is.

The obvious forms only, in English and Spanish: free text is short, warned about where it is entered, and can be sealed.
"""

from __future__ import annotations

import re
import unicodedata

STREET = (
    r"(?:st|street|ave|avenue|av|blvd|boulevard|dr|drive|rd|road|ln|lane|ct|court|pl|place|way|ter|terrace|cir|circle|"
    r"hwy|highway|calle|avenida)\b"
)
# Words between a number and a street that make it no address: "2 agents on Main Street".
NO_ADDRESS = r"(?:a|an|and|are|at|by|for|from|in|into|is|men|near|of|off|on|onto|the|to|was|were|with|agents?)\b"

STATUS = (
    "undocumented",
    "illegal (?:alien|immigrant|migrant)s?",
    "illegals",
    "aliens?",
    "green ?-?card",
    "visas?",
    "overstay(?:ed)?",
    "(?:non-?)?citizens?(?:hip)?",
    "(?:immigration|legal) status",
    "daca",
    "permanent residents?",
    "naturali[sz]ed",
    "nationality",
    "asylum(?:[- ]seekers?)?",
    "refugees?",
    "birthplace",
    "(?:place|country) of (?:birth|origin)",
    "born in",
    "indocumentad[oa]s?",
    "ciudadan[oa]s?",
    "ciudadania",
    "sin papeles",
    "residentes? permanentes?",
    "nacid[oa] en",
    "nacionalidad",
)
SOCIAL_SECURITY = (r"\bssn\b", r"(?<![\d-])\d{3}[- ]\d{2}[- ]\d{4}(?![\d-])", r"(?<![\d-])\d{9}(?![\d-])")
A_NUMBER = (r"\ba[-# ]{0,2}\d{7,9}\b", r"\ba[-# ]{0,2}\d{2,3}[- ]\d{3}[- ]\d{3}\b")
TELEPHONE = (
    r"(?<![\d-])(?:\+?1[-. ]?)?(?:\(\d{3}\) ?|\d{3}[-. ])\d{3}[-. ]\d{4}(?![\d-])",
    r"(?<![\d-])\+?1?\d{10}(?![\d-])",
    r"(?<![\d-])\d{3}-\d{4}(?![\d-])",
)
ADDRESS = (
    rf"\b\d{{1,6}}(?: [nsew]\.?)?(?: (?!{NO_ADDRESS})[a-z0-9'.]+){{1,3}} {STREET}",
    r"\b(?:apt|apartment) ?#? ?\d+\b",
)
FORMS = (
    ("an immigration or citizenship status", (rf"\b(?:{'|'.join(STATUS)})\b",)),
    ("an A-number", A_NUMBER),
    ("a social security number", SOCIAL_SECURITY),
    ("a telephone number", TELEPHONE),
    ("an e-mail address", (r"[^\s@]+@[^\s@]+\.[a-z]{2,}\b",)),
    ("a street address", ADDRESS),
)
PATTERNS = tuple((what, re.compile("|".join(forms))) for what, forms in FORMS)


def screened(text: str) -> str:
    """Return a text as it is; raise ValueError, without quoting it, where it says what is never kept (policy, §7)."""
    plain = _plain(text)
    for what, pattern in PATTERNS:
        if pattern.search(plain):
            raise ValueError(
                f"This looks like {what}, which is never kept. Nothing was recorded: leave it out, and send the rest."
            )
    return text


def _plain(text: str) -> str:
    """Return a text in small letters without accents, its digits, spaces and dashes in their usual form."""
    letters = unicodedata.normalize("NFKD", text).casefold()
    bare = "".join(letter for letter in letters if not unicodedata.combining(letter))
    digits = "".join(str(unicodedata.digit(letter)) if letter.isdigit() else letter for letter in bare)
    return re.sub(r"\s+", " ", re.sub(r"[\u2010-\u2015\u2212]", "-", digits))
