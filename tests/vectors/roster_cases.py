"""Write down rosters that must be accepted, and one for each way to be refused."""

from __future__ import annotations

import json

from tests.vectors.by_hand import KEY, canonical, key_id, sha256, tag, text

TIMES = {"nbf": "2020-01-01T00:00:00.000Z", "exp": "2031-12-31T23:59:59.999Z"}


def header(count, **changes):
    return canonical(
        {
            "v": "roster/v1",
            "agency": "DHS-ICE",
            "seq": 1,
            "epoch": 1,
            "key_id": key_id(KEY),
            "canon": "canon/v1",
            "count": count,
            "prev_sha256": None,
            "coverage": {"badge": "complete", "op_code": "partial"},
            "issued_at": "2026-11-23T18:00:00.000Z",
            "synthetic": True,
            **changes,
        }
    )


def line(value, kind="badge", **changes):
    dates = {"nbf": None, "exp": None} if kind == "op_code" else TIMES
    blinded = tag(KEY, "DHS-ICE", kind, value).hexdigest()
    rid = sha256(value.encode())[:16]
    return canonical({"v": 1, "t": kind, "tag": blinded, "st": "active", **dates, "rid": rid, **changes})


def roster(*lines, **changes):
    return b"".join(part + b"\n" for part in (header(len(lines), **changes), *lines))


def in_order(*lines):
    return sorted(lines, key=lambda part: json.loads(part)["tag"])


def roster_cases():
    """Return whole rosters: ``count`` of the entries accepted, or the number of the line that is refused."""

    four = in_order(line("12345"), line("12346", st="suspended"), line("12347", exp=None), line("ZZ00ZZ00", "op_code"))
    first, second, *_ = four
    one = line("12345")
    following = {"seq": 2, "prev_sha256": "0" * 64}
    accepted = [
        ("four entries", roster(*four)),
        ("no entry", roster()),
        ("a second roster", roster(*four, **following)),
        ("begins and ends at one moment", roster(line("12345", exp=TIMES["nbf"]))),
    ]
    headers = [
        ("an unknown header field", roster(one, unit="ERO")),
        ("another canon", roster(one, canon="canon/v2")),
        ("seq 0", roster(one, seq=0)),
        ("a second roster that follows none", roster(one, seq=2)),
        ("a first roster that follows one", roster(one, prev_sha256="0" * 64)),
        ("no coverage", roster(one, coverage={})),
        ("coverage of an unknown kind", roster(one, coverage={"badge": "complete", "card": "complete"})),
        ("coverage that is neither", roster(one, coverage={"badge": "most"})),
        ("issued without milliseconds", roster(one, issued_at="2026-11-23T18:00:00Z")),
        ("issued with an offset", roster(one, issued_at="2026-11-23T18:00:00.000+00:00")),
        ("issued on a day that does not exist", roster(one, issued_at="2026-02-30T18:00:00.000Z")),
        ("a header with spaces", roster(one).replace(b'"seq":1', b'"seq": 1')),
        ("a header with a key twice", roster(one).replace(b'"seq":1', b'"seq":1,"seq":1')),
        ("a count that is too high", roster(one).replace(b'"count":1', b'"count":2')),
        ("a count that is too low", roster(*four).replace(b'"count":4', b'"count":3')),
        ("no header", one + b"\n"),
        ("nothing", b""),
    ]
    one_line = {
        "an unknown field": line("12345", name="Doe"),
        "a field left out": canonical({k: v for k, v in json.loads(one).items() if k != "rid"}),
        "another version": line("12345", v=2),
        "an unknown status": line("12345", st="retired"),
        "an unknown kind": line("12345", t="card"),
        "a kind outside the coverage": line("12345", t="minted"),
        "a tag in capitals": one.replace(*(f(json.loads(one)["tag"].encode()) for f in (bytes, bytes.upper))),
        "a tag that is too short": line("12345", tag="ab" * 31),
        "a rid that is too long": line("12345", rid="0" * 17),
        "a time without milliseconds": line("12345", exp="2031-12-31T23:59:59Z"),
        "a time with an offset": line("12345", exp="2031-12-31T23:59:59.000+01:00"),
        "a day that does not exist": line("12345", exp="2031-02-30T00:00:00.000Z"),
        "an hour that does not exist": line("12345", exp="2031-02-01T24:00:00.000Z"),
        "ends before it begins": line("12345", exp="2019-01-01T00:00:00.000Z"),
        "an op_code with a date": line("ZZ00ZZ00", "op_code", exp=TIMES["exp"]),
        "a key twice": one.replace(b'"v":1', b'"v":1,"v":1'),
        "another order": json.dumps(dict(reversed(json.loads(one).items())), separators=(",", ":")).encode(),
        "a space": one.replace(b'"v":1', b'"v": 1'),
        "a carriage return": one + b"\r",
        "a zero byte": one.replace(b"active", b"acti\0e"),
        "a byte that is not UTF-8": one.replace(b"active", b"acti\xffe"),
        "not JSON": b"12345",
        "a list": b"[]",
        "an empty line": b"",
        "more than 1024 bytes": line("12345", st="a" * 1024),
    }
    whole = [
        ("a byte order mark", 1, b"\xef\xbb\xbf" + roster(one)),
        ("no line feed at the end", 2, roster(one)[:-1]),
        ("two lines out of order", 3, roster(second, first)),
        ("the same line twice", 3, roster(first, first)),
        ("a line after the last", 3, roster(one) + b"{}\n"),
    ]
    return [
        *(
            {"name": name, **text(content), "count": len(content.splitlines()) - 1, "sha256": sha256(content)}
            for name, content in accepted
        ),
        *({"name": name, **text(content), "refused": 1} for name, content in headers),
        *({"name": name, **text(roster(content)), "refused": 2} for name, content in one_line.items()),
        *({"name": name, **text(content), "refused": number} for name, number, content in whole),
    ]
