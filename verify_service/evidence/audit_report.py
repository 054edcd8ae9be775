"""Say what an audit found: as a document and in sentences."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verify_service.record_log.audit import Fault


@dataclass(frozen=True)
class AuditReport:
    """What an audit found; ``size`` is the number of entries of the records logs."""

    size: int
    sizes: dict[str, int]
    promised: dict[str, int | None]
    faults: Sequence[Fault]

    @property
    def ok(self) -> bool:
        """Whether everything agrees."""
        return not self.faults

    def document(self) -> dict[str, Any]:
        """Return the report as JSON-ready values."""
        return {
            "ok": self.ok,
            "size": self.size,
            "logs": self.sizes,
            "high_water": self.promised,
            "faults": [asdict(fault) for fault in self.faults],
        }

    def sentences(self) -> list[str]:
        """Return the report for a person."""
        lines = [f"{log}: {size} entries" for log, size in self.sizes.items()]
        lines += [
            f"This host has no high-water mark of {log}: whether entries are missing at its end was not checked."
            for log, size in self.promised.items()
            if size is None
        ]
        for fault in self.faults:
            where = "" if fault.where is None else f" at {fault.where}"
            lines.append(f"FAULT in {fault.log}{where}: {fault.sentence}.")
        verdict = "Everything agrees." if self.ok else f"{len(self.faults)} faults. Nothing was changed."
        return [*lines, verdict]
