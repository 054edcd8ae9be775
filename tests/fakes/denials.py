"""A deny list in memory, which counts how often it is read."""

from __future__ import annotations

from verify_service.access.deny import Denial


class MemoryDenials:
    def __init__(self):
        self.kept = []
        self.reads = 0

    def add(self, department, kind, value, act):
        if (kind, value) in self._standing(department):
            return False
        self.kept.append((department, Denial(kind, value, act)))
        return True

    def lift(self, department, kind, value, act):
        for place, (of, one) in enumerate(self.kept):
            if (of, one.kind, one.value, one.lifted) == (department, kind, value, None):
                self.kept[place] = of, Denial(kind, value, one.added, act)
                return True
        return False

    def denials(self, department):
        return [one for of, one in self.kept if of == department]

    def standing(self, department):
        self.reads += 1
        return self._standing(department)

    def _standing(self, department):
        return {(one.kind, one.value) for one in self.denials(department) if one.lifted is None}
