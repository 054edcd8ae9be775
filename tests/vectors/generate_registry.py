"""Write the vectors of identifiers, blinding, profiles and rosters: `python -m tests.vectors.generate_registry`.

Everything in them is synthetic. What must come out is written down or computed here with other means than the
service's own. The bytes are final: a change here is a new version of a format.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

from tests.vectors.by_hand import KEY, OTHER_KEY, canonical, key_id, sha256, tag, text
from tests.vectors.roster_cases import roster_cases

HERE = Path(__file__).parent


def identifiers():
    accepted = [
        ("plain", "badge", "12345", "12345"),
        ("lower case and a space", "badge", "b 12345", "B12345"),
        ("every ignored mark", "badge", " 1.2-3/4 5 ", "12345"),
        ("leading zeros stay", "badge", "00042", "00042"),
        ("full-width digits", "badge", "\uff11\uff12\uff13", "123"),
        ("a mathematical bold letter", "badge", "\U0001d401 7", "B7"),
        ("a no-break space", "credential", "AB\u00a01234567", "AB1234567"),
        ("a Roman numeral in one character", "credential", "\u2167", "VIII"),
        ("a Kelvin sign", "credential", "\u212a1", "K1"),
        ("letter O and digit 0 stay apart", "credential", "O0", "O0"),
        ("an operation code, with its check character", "op_code", "k7m2 Q4PG", "K7M2Q4PG"),
        ("minted, with its check character", "minted", "g123-4896-5432-1y", "G123489654321Y"),
        ("64 characters", "badge", "7" * 64, "7" * 64),
    ]
    refused = [
        ("Cyrillic A", "badge", "1\u04102", "value"),
        ("Greek omicron", "badge", "\u03bf7", "value"),
        ("sharp s, which capitals would make SS", "badge", "\u00df", "value"),
        ("dotless i, which capitals would make I", "badge", "\u01311", "value"),
        ("a letter with an accent", "badge", "\u00e91", "value"),
        ("a combining accent", "badge", "e\u03011", "value"),
        ("en dash", "badge", "1\u20132", "value"),
        ("Arabic-Indic digits", "badge", "\u0663\u0664", "value"),
        ("zero width space", "badge", "1\u200b2", "value"),
        ("right-to-left override", "badge", "1\u202e2", "value"),
        ("a tab", "badge", "1\t2", "value"),
        ("a line feed", "badge", "12\n", "value"),
        ("a zero byte", "badge", "1\u00002", "value"),
        ("number sign", "badge", "#12", "value"),
        ("asterisk", "badge", "12*", "value"),
        ("underscore", "badge", "1_2", "value"),
        ("nothing", "badge", "", "value"),
        ("nothing but marks", "badge", " .-/ ", "value"),
        ("65 characters", "badge", "7" * 65, "value"),
        ("22 characters that are 66", "badge", "\u2162" * 22, "value"),
        ("minted, one character misread", "minted", "G123489654321X", "value"),
        ("minted, two characters transposed", "minted", "G124389654321Y", "value"),
        ("minted, one character alone", "minted", "1", "value"),
        ("an operation code, one character misread", "op_code", "K7M2Q4PA", "value"),
        ("an operation code, one character too many", "op_code", "G123489654321Y", "value"),
        ("a reserved kind", "card", "12345", "kind"),
        ("an unknown kind", "passport", "12345", "kind"),
        ("a kind in capitals", "BADGE", "12345", "kind"),
    ]
    return [
        *({"name": n, "kind": kind, "typed": typed, "value": value} for n, kind, typed, value in accepted),
        *({"name": n, "kind": kind, "typed": typed, "refused": place} for n, kind, typed, place in refused),
    ]


def blinding():
    asked = [
        (KEY, "DHS-ICE", "badge", "12345"),
        (KEY, "DHS-ICE", "credential", "12345"),
        (KEY, "DHS-CBP", "badge", "12345"),
        (OTHER_KEY, "DHS-ICE", "badge", "12345"),
        (OTHER_KEY, "DOJ-USMS", "minted", "G123489654321Y"),
        (OTHER_KEY, "DOJ-USMS", "op_code", "ZZ00ZZ00"),
    ]
    return [
        {
            "key": base64.b64encode(key).decode(),
            "key_id": key_id(key),
            "agency": agency,
            "kind": kind,
            "value": value,
            "tag": tag(key, agency, kind, value).hexdigest(),
        }
        for key, agency, kind, value in asked
    ]


PROFILE = {
    "v": "profile/v1",
    "agency": "DHS-ICE",
    "name": "Immigration and Customs Enforcement (synthetic)",
    "level": 4,
    "kinds": ["badge", "credential"],
    "formats": {"badge": "[0-9]{5}"},
    "callback": {"number": "+12025550100", "source": "synthetic directory", "tested_on": "2026-11-01"},
    "synthetic": True,
}


def profile(**changes):
    return canonical({**PROFILE, **changes})


def profiles():
    call = PROFILE["callback"]
    accepted = [
        ("level 4", profile()),
        ("level 0, without a number", profile(level=0, kinds=[], formats={}, callback=None)),
        ("level 1", profile(level=1)),
        ("level 3 with op_codes", profile(level=3, kinds=["op_code"], formats={"op_code": "[A-Z0-9]{8}"})),
        ("a format of every part", profile(formats={"badge": "AB[A-F0-9][0-9]{2}[XYZ]{0,1}[0-9]{4,6}"})),
        ("a name outside ASCII", profile(name="Policía sintética (synthetic)")),
        ("a profile that is not synthetic", profile(synthetic=False)),
    ]
    # The schema alone would let these pass; the prose of its description does not.
    beyond_schema = [
        ("a key twice", profile().replace(b'"level":4', b'"level":4,"level":4')),
        ("another order", json.dumps(PROFILE, separators=(",", ":")).encode()),
        ("a space", profile().replace(b":4,", b": 4,")),
        ("a line feed at the end", profile() + b"\n"),
        ("a byte order mark", b"\xef\xbb\xbf" + profile()),
        ("an escape that is not needed", profile().replace(b"DHS", b"\\u0044HS")),
        ("a format for a kind that is not named", profile(formats={"minted": "[0-9]{5}"})),
        ("a format with three elastic parts", profile(formats={"badge": "[A-Z]{1,2}[0-9]{1,2}[A-Z]{1,2}"})),
        ("a format of more than 64 characters", profile(formats={"badge": "[0-9]{65}"})),
        ("a range that runs backwards", profile(formats={"badge": "[9-0]{5}"})),
        ("at most fewer than at least", profile(formats={"badge": "[0-9]{5,4}"})),
        ("a part of no characters", profile(formats={"badge": "[0-9]{0}"})),
        ("a day that does not exist", profile(callback={**call, "tested_on": "2026-02-30"})),
        ("a bidirectional override in the name", profile(name="ICE \u202e(synthetic)")),
        ("level as a number with a fraction", profile().replace(b'"level":4', b'"level":4.0')),
    ]
    refused = [
        ("an unknown field", profile(unit="ERO")),
        ("another version", profile(v="profile/v2")),
        ("level 5", profile(level=5)),
        ("level as a text", profile(level="4")),
        ("level as a truth value", profile(level=True)),
        ("level 0 with a number", profile(level=0)),
        ("level 1 without a number", profile(level=1, callback=None)),
        ("an agency in lower case", profile(agency="dhs-ice")),
        ("an agency that leads elsewhere", profile(agency="../ICE")),
        ("an agency of 25 characters", profile(agency="A" * 25)),
        ("no name", profile(name="")),
        ("a name of 201 characters", profile(name="n" * 201)),
        ("an unknown kind", profile(kinds=["badge", "card"])),
        ("a kind twice", profile(kinds=["badge", "badge"])),
        ("a format with a group", profile(formats={"badge": "(a+)+"})),
        ("a format with a star", profile(formats={"badge": "[0-9]*"})),
        ("a format with an anchor", profile(formats={"badge": "^[0-9]{5}$"})),
        ("a format in lower case", profile(formats={"badge": "[a-z]{5}"})),
        ("a format from a digit to a letter", profile(formats={"badge": "[0-Z]{5}"})),
        ("an empty format", profile(formats={"badge": ""})),
        ("a callback without its source", profile(callback={"number": "+12025550100", "tested_on": "2026-11-01"})),
        ("a callback with an extension", profile(callback={**call, "number": "+12025550100x5"})),
        ("a callback without a plus", profile(callback={**call, "number": "12025550100"})),
        ("synthetic as a number", profile(synthetic=1)),
        ("a list", canonical([PROFILE])),
    ]
    unreadable = [("not JSON", b"{"), ("not UTF-8", b'"\xff"'), ("nothing", b"")]
    return [
        *({"name": name, **text(content), "sha256": sha256(content)} for name, content in accepted),
        *({"name": name, **text(content), "refused": "schema"} for name, content in refused),
        *({"name": name, **text(content), "refused": "form"} for name, content in [*beyond_schema, *unreadable]),
    ]


def vectors():
    """Return the content of every file by name."""
    made = {"identifier": identifiers(), "blinding": blinding(), "profile": profiles(), "roster": roster_cases()}
    return {
        f"{name}.json": json.dumps({"synthetic": True, "cases": cases}, indent=1).encode() + b"\n"
        for name, cases in made.items()
    }


if __name__ == "__main__":
    for name, content in vectors().items():
        (HERE / name).write_bytes(content)
