"""Make up requests that no client of good faith sends: each a seeded change of one that is good."""

from __future__ import annotations

import random

HOST = b"Host: 127.0.0.1\r\n"
GOOD = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"
BODY = b'{"agent_label":"Agent 2"}'
HIDDEN = b"GET /readyz HTTP/1.1\r\n" + HOST + b"\r\n"


def post(*headers, body=BODY, target=b"/v1/verifications", line_end=b"\r\n"):
    lines = [b"POST %b HTTP/1.1" % target, b"Host: 127.0.0.1", b"Content-Type: application/json", *headers]
    return line_end.join([*lines, b"", b""]) + body


def length(count):
    return b"Content-Length: %d" % count


CHUNKED = b"Transfer-Encoding: chunked"


def smuggled(rng):
    """Two ends for one body, so that a proxy and we could disagree where the next request begins."""
    both = [
        length(rng.choice([0, 4, len(BODY), 9999])),
        rng.choice([CHUNKED, CHUNKED.lower(), b"Transfer-Encoding:\tchunked"]),
    ]
    rng.shuffle(both)
    return post(*both, body=b"0\r\n\r\n" + HIDDEN)


def two_lengths(rng):
    first, second = rng.sample([0, 1, len(BODY), len(BODY) + 1], 2)
    return post(length(first), length(second)) + HIDDEN


def odd_length(rng):
    odd = [b"-1", b"+25", b"0x19", b"25, 25", b"25 25", b"1e1", b"25\x0b", b" ", b"9" * 30, "२५".encode()]
    return post(b"Content-Length: " + rng.choice(odd))


def odd_coding(rng):
    odd = [
        b"chunked, identity",
        b"identity, chunked",
        b"gzip, chunked",
        b"xchunked",
        b"chunked;q=1",
        b"\x0bchunked",
        b"cow",
    ]
    return post(b"Transfer-Encoding: " + rng.choice(odd), body=b"19\r\n" + BODY + b"\r\n0\r\n\r\n")


def odd_chunks(rng):
    body = rng.choice(
        [
            b"ffffffffffffffff0\r\n" + BODY,
            b"-19\r\n" + BODY + b"\r\n0\r\n\r\n",
            b"0x19\r\n" + BODY + b"\r\n0\r\n\r\n",
            b"19\n" + BODY + b"\n0\n\n",
            b"19;" + b"e=" * 40_000 + b"\r\n" + BODY + b"\r\n0\r\n\r\n",
            b"5\r\n" + BODY + b"\r\n0\r\n\r\n",
            b"19\r\n" + BODY + b"0\r\n\r\n",
            b"0\r\nX-Trailer: " + b"t" * 80_000 + b"\r\n\r\n",
            b"zz\r\n",
            b"19\r\n" + BODY[:7],
        ]
    )
    return post(CHUNKED, body=body)


def cut_off(rng):
    whole = post(length(len(BODY)))
    return whole[: rng.randrange(1, len(whole))]


def huge(rng):
    return rng.choice(
        [
            b"GET /" + b"a" * 300_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
            b"GET /healthz HTTP/1.1\r\n" + HOST + b"X-Long: " + b"a" * 600_000 + b"\r\n\r\n",
            b"GET /healthz HTTP/1.1\r\n" + HOST + b"".join(b"X-%d: a\r\n" % n for n in range(20_000)) + b"\r\n",
            b"GET /healthz HTTP/1.1\r\n" + HOST + b"Authorization: Bearer " + b"a" * 60_000 + b"\r\n\r\n",
            b"GET /healthz?" + b"a=b&" * 15_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
        ]
    )


def odd_bytes(rng):
    good = bytearray(rng.choice([GOOD, post(length(len(BODY)))]))
    for _ in range(rng.randrange(1, 6)):
        good[rng.randrange(len(good))] = rng.choice([0, 1, 10, 13, 11, 32, 58, 127, 128, 195, 255])
    return bytes(good)


def odd_text(rng):
    target = rng.choice(
        [b"/\xff\xfe", b"/%ff%fe", b"/%00", b"/v1/%c0%af", b"/v1/\xc3\x28", b"/r/\xe2\x80\xae", b"/..%2f..%2fetc"]
    )
    body = rng.choice([b'{"note":"\xff\xfe"}', b"\xef\xbb\xbf{}", b"\xff\xfe{\x00}\x00", b'{"a":"\xed\xa0\x80"}'])
    return post(length(len(body)), b"X-Name: \xff\xc3\x28", target=target, body=body)


def odd_line(rng):
    return rng.choice(
        [
            b"GET http://elsewhere.example/healthz HTTP/1.1\r\n" + HOST + b"\r\n",
            b"GET /healthz HTTP/9.9\r\n" + HOST + b"\r\n",
            b"GET /healthz\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"CONNECT elsewhere.example:443 HTTP/1.1\r\n" + HOST + b"\r\n",
            b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n",
            b"TRACE /healthz HTTP/1.1\r\n" + HOST + b"\r\n",
            b"GET  /healthz HTTP/1.1\r\n" + HOST + b"\r\n",
            b"GET /healthz HTTP/1.1\r\n\r\n",
            b"GET /healthz HTTP/1.1\r\n" + HOST + HOST + b"\r\n",
            b"GET /healthz HTTP/1.1\r\nHost : 127.0.0.1\r\n\r\n",
            b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n X-Folded: a\r\n\r\n",
            b"GET /healthz HTTP/1.1\nHost: 127.0.0.1\n\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"\r\n\r\n\r\n" + GOOD,
        ]
    )


def expecting(rng):
    return post(
        length(len(BODY)),
        rng.choice([b"Expect: 100-continue", b"Expect: cake", b"Upgrade: websocket", b"Connection: close, Upgrade"]),
    )


KINDS = (
    smuggled,
    two_lengths,
    odd_length,
    odd_coding,
    odd_chunks,
    cut_off,
    huge,
    odd_bytes,
    odd_text,
    odd_line,
    expecting,
)


def made_up(seed, count):
    """Yield the name of a kind and the bytes of a connection, ``count`` times; the same for the same seed."""
    rng = random.Random(seed)
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        yield kind.__name__, kind(rng)
