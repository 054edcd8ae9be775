"""Read a roster's lines as they stream by, refusing all of it at the first line that is not exactly ``roster/v1``."""

from __future__ import annotations

import operator
import re
from binascii import unhexlify
from datetime import datetime
from typing import IO, TYPE_CHECKING

from verify_service.errors import RegistryRefused
from verify_service.registry.roster import LARGEST_ROSTER, LONGEST_LINE, STATUSES, TIME, RosterHeader
from verify_service.registry.roster_fault import first_fault

if TYPE_CHECKING:
    from collections.abc import Iterator

# As much as is checked, compressed and stored at once: small, since on SQLite submissions wait meanwhile.
BLOCK_BYTES = 1024 * 1024

Row = tuple[bytes, str, str, str | None, str | None, bytes]
"""One entry: tag (32 bytes), kind, status, first and last moment (RFC 3339 UTC text or None), rid (8 bytes).

The line has one canonical form, so its bytes follow from this.
"""

# The one form that RFC 8785 gives to a line of the closed schema. A single pass over the text thereby checks and
# extracts at once; what does not match is read again slowly, only to say what is wrong with it.
_LINE = re.compile(
    rf'^\{{"exp":(?:null|"({TIME})"),"nbf":(?:null|"({TIME})"),"rid":"([0-9a-f]{{16}})","st":"({"|".join(STATUSES)})",'
    r'"t":"(badge|credential|minted|op_code)","tag":"([0-9a-f]{64})","v":1\}\n',
    re.MULTILINE | re.ASCII,
)


class RosterReader:
    """A roster in the making: its header is read at once, its lines while ``blocks`` is iterated."""

    def __init__(self, stream: IO[bytes], block_bytes: int = BLOCK_BYTES) -> None:
        self._stream = stream
        self._block_bytes = block_bytes
        first_line = stream.readline(LONGEST_LINE + 1)
        self._header_bytes = len(first_line)
        self.header = RosterHeader.parse(first_line)

    def blocks(self) -> Iterator[list[Row]]:
        """Yield the entries some thousand at a time, in order; raise RegistryRefused at the first fault.

        What was yielded before stands for nothing until the last came without a refusal.
        """
        last, count = b"", 0
        for content in self._contents():
            rows = self._rows(content, last, count)
            last, count = rows[-1][0], count + len(rows)
            yield rows
        if count != self.header.count:
            raise RegistryRefused(f"The roster says that it has {self.header.count} entries, but it has {count}.")

    def _contents(self) -> Iterator[bytes]:
        """Yield the bytes after the header, cut after line feeds."""
        size, rest = self._header_bytes, b""
        while piece := self._stream.read(self._block_bytes):
            size += len(piece)
            if size > LARGEST_ROSTER:
                raise RegistryRefused(f"The roster is larger than {LARGEST_ROSTER} bytes.")
            whole, line_feed, begun = piece.rpartition(b"\n")
            if line_feed:
                yield rest + whole + line_feed
                rest = begun
            else:
                rest += piece
            if len(rest) > LONGEST_LINE:
                raise RegistryRefused(f"The roster has a line of more than {LONGEST_LINE} bytes.")
        if rest:
            raise RegistryRefused("The roster's last line does not end with a line feed.")

    def _rows(self, content: bytes, last: bytes, count: int) -> list[Row]:
        rows = _matched(content)
        if rows is None or not self._sound(rows, last):
            # Line 1 is the header, so entry n stands on line n + 1.
            raise RegistryRefused(first_fault(content, count + 2, last.hex(), self.header.coverage))
        return rows

    def _sound(self, rows: list[Row], last: bytes) -> bool:
        """Check what a regular expression cannot: order, real and ordered times, kinds that the header covers."""
        tags = [row[0] for row in rows]
        kinds = {row[1] for row in rows}
        return (
            last < tags[0]
            and all(map(operator.lt, tags, tags[1:]))
            and kinds <= self.header.coverage.keys()
            and _are_times({row[3] for row in rows} | {row[4] for row in rows})
            and not any(first and end and first > end for _, _, _, first, end, _ in rows)
            and ("op_code" not in kinds or not any(row[3] or row[4] for row in rows if row[1] == "op_code"))
        )


def _matched(content: bytes) -> list[Row] | None:
    """Return the rows where every line has the one canonical form, else None."""
    try:
        text = content.decode("ascii")
    except UnicodeDecodeError:
        return None
    found = _LINE.findall(text)
    # Matches begin at a line's start and end at its end, so as many matches as lines leave no line out.
    if len(found) != text.count("\n"):
        return None
    return [
        (unhexlify(tag), kind, status, first or None, end or None, unhexlify(rid))
        for end, first, rid, status, kind, tag in found
    ]


def _are_times(texts: set[str | None]) -> bool:
    try:
        for text in texts - {None}:
            datetime.fromisoformat(text)  # type: ignore[arg-type]  # None was taken out.
    except ValueError:
        return False
    return True
