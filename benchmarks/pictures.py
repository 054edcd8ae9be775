"""Draw what was measured as growth curves: ``python -m benchmarks.pictures``.

Reads ``measured.jsonl``, the lines that ``append``, ``proofs`` and ``audit`` printed, and writes SVG into
``docs/pictures``.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from html import escape
from pathlib import Path

MEASURED = Path(__file__).with_name("measured.jsonl")
PICTURES = Path(__file__).parent.parent / "docs/pictures"
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 340, 60, 190, 44, 44
COLOURS = ("#1a4480", "#b50909", "#1a4480", "#b50909", "#565c65", "#565c65")
DASHES = ("", "", "6 4", "6 4", "2 3", "6 2")
CURVES = {
    "append": ("Events appended a second by clients, {disk}", "clients", "clients", ("append_per_s", "commit_per_s")),
    "proofs": ("Milliseconds an inclusion proof takes, by entries", "entries", "entries", ("inclusion_p50_ms",)),
    "audit": ("Seconds a full audit takes, by records", "records", "records", ("audit_s", "yardstick_s")),
}
WORDS = {
    "append_per_s": "events",
    "commit_per_s": "raw commits",
    "inclusion_p50_ms": "median",
    "audit_s": "audit",
    "yardstick_s": "read, open, hash",
}

ENGINES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}

Points = dict[str, list[tuple[float, float]]]


def picture(title: str, across: str, series: Points) -> str:
    """Return an SVG of lines over a logarithmic axis of sizes; ``series`` maps what a line is to its points."""
    sizes = sorted({x for points in series.values() for x, _ in points})
    top = _rounded(max(y for points in series.values() for _, y in points))
    span = math.log(sizes[-1] / sizes[0]) or 1

    def place(x: float, y: float) -> tuple[float, float]:
        right = LEFT + (WIDTH - LEFT - RIGHT) * math.log(x / sizes[0]) / span
        return right, HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * y / top

    parts = [_text(LEFT, 24, title, 'font-weight="bold"'), _text(LEFT, HEIGHT - 8, across)]
    for step in range(5):
        _, y = place(sizes[0], top * step / 4)
        parts.append(f'<path d="M{LEFT} {y:.0f}H{WIDTH - RIGHT}" stroke="#dfe1e2"/>')
        parts.append(_text(LEFT - 6, y + 4, f"{top * step / 4:,g}", 'text-anchor="end"'))
    parts += [_text(place(x, 0)[0], HEIGHT - 26, f"{x:,}", 'text-anchor="middle"') for x in sizes]
    for line_number, ((name, points), colour, dash) in enumerate(zip(series.items(), COLOURS, DASHES, strict=False)):
        placed = [place(*point) for point in sorted(points)]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        style = f'fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"'
        parts.append(f'<polyline points="{line}" {style}/>')
        key = TOP + 10 + 24 * line_number
        parts.append(f'<path d="M{WIDTH - RIGHT + 14} {key - 4:.0f}h24" {style}/>')
        parts.append(_text(WIDTH - RIGHT + 44, key, name))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
    style = f'aria-label="{escape(title)}" font-family="sans-serif" font-size="12"'
    return f"{head} {style}>\n" + "\n".join(['<rect width="100%" height="100%" fill="#fff"/>', *parts]) + "\n</svg>\n"


def _text(x: float, y: float, words: str, more: str = "") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" fill="#1b1b1b" {more}>{escape(words)}</text>'


def _rounded(value: float) -> float:
    """Return the next of 1, 2, 4 or 8 times a power of ten, so that quarters of it read well."""
    power = 10 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 4, 8, 10) if step * power >= value)


def main() -> None:
    found: dict[str, Points] = defaultdict(lambda: defaultdict(list))
    titles = {}
    for line in MEASURED.read_text().splitlines():
        measured = json.loads(line)
        title, across, size, values = CURVES[measured["benchmark"]]
        disk = measured.get("fsync_ms", 0)
        name = measured["benchmark"] + (f"-{disk}ms" if disk else "")
        titles[name] = title.format(disk=f"a disk that takes {disk} ms" if disk else "this machine's disk"), across
        for value in values:
            found[name][f"{ENGINES[measured['engine']]}: {WORDS[value]}"].append((measured[size], measured[value]))
    for name, series in found.items():
        PICTURES.joinpath(f"{name}.svg").write_text(picture(*titles[name], series))


if __name__ == "__main__":
    main()
