"""Keep a registry in memory, and hold those who use it to the ports' contracts."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from verify_service.clock import parse_rfc3339
from verify_service.errors import RegistryRefused
from verify_service.registry.cycle import CycleRow, Setback
from verify_service.registry.edition import Entry, RosterRef
from verify_service.registry.hold import HeldRoster
from verify_service.registry.roster import roster_line


class MemoryRegistry:
    """Implements ``EditionStore``, ``IngestStore`` and ``KeyStore``."""

    def __init__(self):
        self._editions = {}
        self._rosters = {}
        self._files = {}
        self._marks = {}
        self._keys = {}
        self._holds = {}
        self._setbacks = {}
        self._notices = []
        self._named = {}
        self.cycles = []
        self.statements = 0

    def current(self, department):
        return self._editions.get(department)

    def look_up(self, department, tags_of):
        self.statements += 1
        edition, found = self._editions.get(department), {}
        tags = tags_of(edition)
        for number, tag in tags:
            _, rows = self._rosters.get((department, number), (None, {}))
            if tag in rows:
                _, kind, status, first, end, _ = rows[tag]
                found[number, tag] = Entry(kind, status, _moment(first), _moment(end))
        return edition, found

    def file(self, department, sha256):
        return self._files.get((department, sha256))

    def roster_content(self, department, number):
        (header, _), rows = self._rosters[department, number]
        yield header.line()
        for row in rows.values():
            yield roster_line(*row)

    def begin_cycle(self, department, started_at):
        self.cycles.append({"department": department, "started_at": started_at})
        return len(self.cycles)

    def marks(self, department, pinned_root):
        return dict(self._marks.get((department, pinned_root), {}))

    def find_roster(self, department, agency, sha256):
        for (owner, number), ((header, digest), _) in self._rosters.items():
            if (owner, header.agency, digest) == (department, agency, sha256):
                return RosterRef.of(number, digest, header)
        return None

    def last_roster(self, department, agency):
        named = self._named.get((department, agency))
        return named[-1][1] if named else None

    def roster_at(self, department, agency, at):
        named = self._named.get((department, agency), [])
        before = [roster for ended_at, roster in named if ended_at <= at]
        return before[-1] if before else next((roster for _, roster in named), None)

    def tally(self, department, number):
        return dict(Counter((row[1], row[2]) for row in self._rosters[department, number][1].values()))

    def pair(self, department, before, after):
        old, new = (self._rosters[department, number][1] for number in (before, after))
        pairs = (
            (old[tag][2], row[2], old[tag][1:5] == row[1:5]) if tag in old else (None, row[2], False)
            for tag, row in new.items()
        )
        return dict(Counter(pairs))

    def load_roster(self, department, header, sha256, blocks):
        assert self.find_roster(department, header.agency, sha256) is None, "a roster is stored once"
        rows = [row for block in blocks for row in block]
        number = len(self._rosters) + 1
        self._rosters[department, number] = ((header, sha256), {row[0]: row for row in rows})
        return RosterRef.of(number, sha256, header)

    def swap(self, department, cycle, intake):
        before = self._editions.get(department)
        assert before is None or intake.edition.refreshed_at >= before.refreshed_at
        if before is None or before.contents != intake.edition.contents:
            number = 1 if before is None else before.number + 1
        else:
            number = before.number
        edition = replace(intake.edition, number=number)
        self._files |= {(department, file.sha256): file.content for file in intake.files}
        for state in edition.agencies.values():
            assert (department, state.profile_sha256) in self._files, "an edition stands on files that are kept"
        self._marks[department, edition.pinned_root] = dict(intake.marks)
        self._editions[department] = edition
        for code, state in edition.agencies.items():
            if state.roster is not None:
                self._named.setdefault((department, code), []).append((intake.end.ended_at, state.roster))
        self._end(department, cycle, intake.end, number)
        return edition

    def refuse(self, department, cycle, end):
        self._end(department, cycle, end, None)

    def _end(self, department, cycle, end, edition):
        self.cycles[cycle - 1] |= {"edition": edition, "end": end}
        self._notices += [(department, notice) for notice in end.notices]
        reasons = {}
        for held, agency, reason in [
            *((False, refusal.agency, refusal.reason) for refusal in end.refusals if refusal.agency),
            *((True, hold.agency, hold.reason) for hold in end.holds),
        ]:
            reasons.setdefault(agency, []).append(reason)
            self._setbacks[department, agency] = Setback(agency, cycle, end.ended_at, held, " ".join(reasons[agency]))
        for hold in end.holds:
            place = (department, hold.agency, hold.sha256)
            known = self._holds.pop(place, HeldRoster(hold, end.ended_at, None))
            self._holds[place] = replace(known, hold=hold)

    def last_cycle(self, department, *, accepted=False):
        numbers = [
            number
            for number, row in enumerate(self.cycles, 1)
            if row["department"] == department and not (accepted and row.get("edition") is None)
        ]
        if not numbers:
            return None
        row = self.cycles[numbers[-1] - 1]
        end = row.get("end")
        ended_at, refusals = (end.ended_at, list(end.refusals)) if end else (None, [])
        return CycleRow(numbers[-1], row["started_at"], ended_at, row.get("edition"), refusals)

    def setbacks(self, department):
        return [setback for (owner, _), setback in sorted(self._setbacks.items()) if owner == department]

    def notices(self, department, since):
        return [notice for owner, notice in self._notices if owner == department and notice.at >= since]

    def holds(self, department):
        return [held for (owner, _, _), held in self._holds.items() if owner == department]

    def decide(self, department, agency, sha256, decision):
        held = self._holds.get((department, agency, sha256))
        if held is None or held.decision is not None:
            return False
        self._holds[department, agency, sha256] = replace(held, decision=decision)
        return True

    def blinding_keys(self, department):
        return list(self._keys.get(department, {}).values())

    def keep_blinding_keys(self, department, keys):
        held = self._keys.setdefault(department, {})
        if any((key.agency, key.epoch) in held for key in keys):
            raise RegistryRefused("One of these epochs has a blinding key already.")
        held |= {(key.agency, key.epoch): key for key in keys}


def _moment(text):
    return None if text is None else parse_rfc3339(text)
