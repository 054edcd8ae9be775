"""Run the spoken-word callback: words for the dispatcher, the agency's reading back, what the officer heard."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, ClassVar

from verify_service.clock import parse_rfc3339
from verify_service.errors import InvalidRequest
from verify_service.verification.event import body, said
from verify_service.verification.fact import OfficerFact

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from verify_service.verification.case import Case, CaseEvent
    from verify_service.verification.event import Moments
    from verify_service.verification.sealing import SealedFields

CALLBACK_RESULTS = ("person_confirmed", "operation_confirmed", "denied", "unreachable", "not_possible")
WORDS_LAST = timedelta(minutes=5)
# The agency reads the words back soon after it got them; later than this nobody knows who had them meanwhile.
READ_BACK_WITHIN = timedelta(minutes=15)
# More would let the words be guessed.
MOST_WRONG_WORDS = 3
WORD_ID = "/agency_callback/word_id"


@cache
def vocabulary() -> tuple[str, ...]:
    """Return the words a phrase is drawn from: plain, unlike each other over a radio."""
    return tuple(files(__package__).joinpath("words", "spoken.txt").read_text("utf-8").split())


def mint_phrase(random_bytes: Callable[[int], bytes]) -> str:
    """Draw a phrase of two words."""
    words = vocabulary()
    return " ".join(words[int.from_bytes(random_bytes(8), "big") % len(words)] for _ in range(2))


def same_words(minted: str, heard: str) -> bool:
    """Compare phrases as they sound when typed: case, punctuation and spacing do not matter."""
    return _bare(minted) == _bare(heard)


@dataclass(frozen=True)
class WordIssued(OfficerFact):
    """A phrase minted for one call to one agency."""

    agency: str
    word_id: str
    phrase: str
    kind: ClassVar[str] = "callback_word_issued"
    decides: ClassVar[bool] = False

    def body(self, case: Case, sealed: SealedFields, moments: Moments, *, relayed: bool) -> dict[str, Any]:  # noqa: ARG002
        """Return the body; raise InvalidRequest where the agency cannot be called."""
        _check_agency(case, self.agency, "/agency")
        if self.agency not in case.submitted["computed"]["held_numbers"]:
            raise InvalidRequest.at(
                "/agency",
                f"{self.agency} has no held number: record `not_possible`, and never call a number an agent offers.",
            )
        seconds = int(WORDS_LAST.total_seconds())
        return body(
            computed={
                "agency": self.agency,
                "word_id": self.word_id,
                "words": sealed.seal(self.phrase),
                "valid_seconds": seconds,
            }
        )


@dataclass(frozen=True)
class WordReadBack(OfficerFact):
    """The agency read the words back over its held number; the five minutes start."""

    word_id: str
    kind: ClassVar[str] = "callback_word_read_back"
    decides: ClassVar[bool] = False

    def body(self, case: Case, sealed: SealedFields, moments: Moments, *, relayed: bool) -> dict[str, Any]:  # noqa: ARG002
        """Return the body; raise InvalidRequest where these words cannot be read back now."""
        pointer = "/callback_word_read_back/word_id"
        issued = _issued(case, self.word_id, pointer)
        if _read_back(case, self.word_id) is not None or moments.received_at > _when(issued) + READ_BACK_WITHIN:
            raise InvalidRequest.at(pointer, "These words were read back before, or too long ago: ask for new words.")
        agency = issued.body["computed"]["agency"]
        return body(told_by_agency={"agency": agency, "word_id": self.word_id})


@dataclass(frozen=True)
class AgencyCallback(OfficerFact):
    """What came of calling the agency on its held number.

    ``phrase`` is what was minted under ``word_id``, read from the vault by the desk; None where it is unknown.
    """

    result: str
    agency: str | None = None
    word_id: str | None = None
    words_heard: str | None = None
    phrase: str | None = None
    note: str | None = None
    kind: ClassVar[str] = "agency_callback"

    def body(self, case: Case, sealed: SealedFields, moments: Moments, *, relayed: bool) -> dict[str, Any]:
        """Return the body; raise InvalidRequest where a confirmation lacks its words or they cannot count."""
        matched = None
        agency = self.agency or next(iter(case.agencies), None)
        if self.result == "person_confirmed":
            agency, matched = self._confirmation(case, moments)
        elif self.word_id is not None or self.words_heard is not None:
            raise InvalidRequest.at(WORD_ID, f"Words are sent with `person_confirmed` only, not with `{self.result}`.")
        _check_agency(case, agency, "/agency_callback/agency")
        if self.result != "not_possible":
            _check_held_number(case, agency, "/agency_callback/result")
        heard = None if self.words_heard is None else {"words_heard": sealed.seal(self.words_heard)}
        return body(
            relayed=relayed,
            told_by_agent=heard,
            told_by_agency={"agency": agency, "result": self.result},
            observed=None if self.note is None else {"note": sealed.seal(self.note)},
            computed={"word_id": self.word_id, "words_matched": matched},
        )

    def _confirmation(self, case: Case, moments: Moments) -> tuple[str, bool]:
        if self.word_id is None or self.words_heard is None:
            missing = "word_id" if self.word_id is None else "words_heard"
            raise InvalidRequest.at(
                f"/agency_callback/{missing}", "A confirmed person needs the `word_id` and the words this person said."
            )
        issued = _issued(case, self.word_id, WORD_ID)
        calls = [call for call in case.events if call.kind == self.kind]
        if sum(call.body["computed"]["words_matched"] is False for call in calls) >= MOST_WRONG_WORDS:
            raise InvalidRequest.at(
                "/agency_callback/words_heard",
                "Wrong words were said too often here: request a supervisor.",
            )
        if any(call.body["computed"]["word_id"] == self.word_id for call in calls):
            raise InvalidRequest.at(WORD_ID, "These words were used before: ask dispatch for new ones.")
        if moments.received_at > _when(_read_back(case, self.word_id) or issued) + WORDS_LAST:
            raise InvalidRequest.at(WORD_ID, "These words are past their five minutes: ask dispatch for new ones.")
        agency: str = issued.body["computed"]["agency"]
        if self.agency not in {None, agency}:
            raise InvalidRequest.at(WORD_ID, f"These words were given to {agency}, not to {self.agency}.")
        return agency, self.phrase is not None and same_words(self.phrase, self.words_heard)


def _issued(case: Case, word_id: str, pointer: str) -> CaseEvent:
    for event in case.standing("callback_word_issued"):
        if event.body["computed"]["word_id"] == word_id:
            return event
    raise InvalidRequest.at(pointer, "No words with this `word_id` were issued for this verification.")


def _read_back(case: Case, word_id: str) -> CaseEvent | None:
    # One that was withdrawn counts too: else the five minutes could be started again.
    found = (event for event in case.events if event.kind == "callback_word_read_back")
    return next((event for event in found if said(event.body, "told_by_agency")["word_id"] == word_id), None)


def _check_agency(case: Case, agency: str | None, pointer: str) -> None:
    if agency is None or agency not in case.agencies:
        stated = ", ".join(case.agencies) or "none was stated: correct the submission first"
        raise InvalidRequest.at(pointer, f"Only the claimed or home agency is called ({stated}).")


def _check_held_number(case: Case, agency: str | None, pointer: str) -> None:
    if agency not in case.submitted["computed"]["held_numbers"]:
        raise InvalidRequest.at(
            pointer,
            f"{agency} has no held number: record `not_possible`, and never call a number that an agent offers.",
        )


def _when(event: CaseEvent) -> datetime:
    return parse_rfc3339(event.received_at)


def _bare(phrase: str) -> str:
    folded = unicodedata.normalize("NFKC", phrase).casefold()
    return " ".join("".join(c if c.isalnum() else " " for c in folded).split())
