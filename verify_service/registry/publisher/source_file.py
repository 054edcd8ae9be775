"""Read and extend an agency's own list of identifiers in clear: CSV or JSON Lines, for its eyes only."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from verify_service.errors import ConfigurationError, InvalidRequest, RegistryRefused
from verify_service.registry.identifier import canonical_value
from verify_service.registry.minted import mint
from verify_service.registry.signing_keys import replace_private

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path
    from random import Random

COLUMNS = ("kind", "value", "status", "not_before", "expires")
JSON_LINES = {".jsonl", ".ndjson"}


@dataclass(frozen=True)
class SourceRow:
    """One line as it was written; ``cells`` is None where the line does not have exactly the columns."""

    line: int
    cells: Mapping[str, str] | None


class SourceFile:
    """A list whose lines are read as they stand; its ending says which of the two forms it has."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._as_json = path.suffix in JSON_LINES

    def rows(self) -> list[SourceRow]:
        """Return all lines; raise ConfigurationError where the file cannot be read as such a list at all."""
        try:
            # Spreadsheets put a byte order mark before what they save.
            text = self._path.read_bytes().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise ConfigurationError(f"{self._path} is not UTF-8: save it so.") from error
        return _json_rows(text) if self._as_json else self._csv_rows(text)

    def mint(self, kind: str, count: int, source: Random) -> None:
        """Append new random identifiers of a kind, active and without dates; make the file where there is none."""
        rows = [_whole(row, self._path) for row in self.rows()] if self._path.exists() else []
        taken = {(row["kind"], row["value"]) for row in rows}
        minted: list[Mapping[str, str]] = []
        while len(minted) < count:
            value = mint(source, kind)
            if (kind, value) not in taken:
                taken.add((kind, value))
                minted.append({"kind": kind, "value": value, "status": "active", "not_before": "", "expires": ""})
        self._write([*rows, *minted])

    def set_status(self, kind: str, typed: str, status: str) -> None:
        """Change the standing of one identifier; raise RegistryRefused, never quoting it, where it is not listed."""
        wanted = _canonical(typed)
        rows = [dict(_whole(row, self._path)) for row in self.rows()]
        found = [row for row in rows if row["kind"] == kind and _canonical(row["value"]) == wanted]
        if wanted is None or not found:
            raise RegistryRefused(f"{self._path} does not list this {kind}: read it again.")
        for row in found:
            row["status"] = status
        self._write(rows)

    def _csv_rows(self, text: str) -> list[SourceRow]:
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        rows, header = [], None
        try:
            for cells in reader:
                if header is None:
                    header = tuple(cells)
                    if header != COLUMNS:
                        raise ConfigurationError(f"The first line of {self._path} is not {','.join(COLUMNS)}.")
                elif cells:
                    whole = dict(zip(COLUMNS, cells, strict=True)) if len(cells) == len(COLUMNS) else None
                    rows.append(SourceRow(reader.line_num, whole))
        except csv.Error as error:
            raise ConfigurationError(f"{self._path} is no CSV after line {reader.line_num}: {error}.") from error
        return rows

    def _write(self, rows: Iterable[Mapping[str, str]]) -> None:
        """Replace the file whole; nobody but its owner ever reads it."""
        text = io.StringIO()
        if self._as_json:
            text.writelines(json.dumps({name: row[name] or None for name in COLUMNS}) + "\n" for row in rows)
        else:
            writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        replace_private(self._path, text.getvalue().encode())


def _json_rows(text: str) -> list[SourceRow]:
    return [
        SourceRow(number, _json_cells(line)) for number, line in enumerate(text.split("\n"), start=1) if line.strip()
    ]


def _json_cells(line: str) -> dict[str, str] | None:
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or document.keys() - set(COLUMNS) or not document.keys() >= {"kind", "value"}:
        return None
    cells = {name: document.get(name) for name in COLUMNS}
    if any(cell is not None and not isinstance(cell, str) for cell in cells.values()):
        return None
    return {name: cell or "" for name, cell in cells.items()}


def _whole(row: SourceRow, path: Path) -> Mapping[str, str]:
    if row.cells is None:
        raise RegistryRefused(f"Line {row.line} of {path} does not have exactly the columns {', '.join(COLUMNS)}.")
    return row.cells


def _canonical(typed: str) -> str | None:
    try:
        return canonical_value(typed, "")
    except InvalidRequest:
        return None
