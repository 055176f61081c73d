"""What a customer says beside who she is: answers, her consent, the names of those who come.

Checked in one place for pages and programs. What she says goes to the vault as lines of three of its fields,
one line a booking, the newest first, with the wording as it was asked; with the booking stays which wording
that was, to what she agreed and which fields there are, and nothing of what she said.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_lazy

from noren.errors import BadField
from noren.shops.questions import LENGTHS, Asking, Guests, Kind, Question, hides, said_in

Pair = tuple[str, str]
"""A question and its answer, as they were put."""
FIELDS = ("answers", "health", "guests")
"""The vault's fields that hold a line for each booking."""
MOST_LINE = 4_000
"""Characters of one booking's line: the field holds twice as many, so the last two always stand."""
MOST_GUESTS = 15
LONGEST_NAME = 100
HEALTH_WORDS = 1
"""Which wording of ours, these three, asks for consent to keep answers about health."""
HEALTH_WHY = gettext_lazy(
    "%(shop)s asks this to prepare your visit and to serve you safely, and uses it for nothing else. Only "
    "its owner, managers and staff, not its reception, may look at it, one customer at a time; each look is "
    "recorded, and you can read who looked."
)
HEALTH_HOW_LONG = gettext_lazy(
    "It is kept encrypted with your booking until it is erased. You can take your consent back and have it "
    "erased at any time: on “My data”, or by asking the shop."
)
HEALTH_AGREED = gettext_lazy("I agree that my answers about my health are kept.")
HEALTH = "health"
"""What that consent is called beside those of the shop's questions."""
_LISTED = {"ja": "、", "en": ", "}
_AGREED = {"ja": "同意しました", "en": "Agreed"}


@dataclass(frozen=True, slots=True)
class Guest:
    name: str = field(repr=False)
    kana: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Said:
    """As it came. An answer is a text, a choice's key, a list of these, or the version that was agreed to.

    `health_consent` is a version, too. `for_other`: she books for somebody else, and comes not herself.
    """

    answers: Mapping[str, Any] = field(default_factory=dict, repr=False)
    health_consent: int | None = None
    guests: tuple[Guest, ...] = field(default=(), repr=False)
    for_other: bool = False

    def plain(self) -> list[Any]:
        """Return all of it, to tell whether the same is said again; empty where nothing is."""
        guests = [[each.name, each.kana] for each in self.guests]
        said = [dict(self.answers), self.health_consent, guests]
        return said if any(said) else []


@dataclass(frozen=True, slots=True)
class Checked:
    """What can be kept: pairs of question and answer, as they were put."""

    version: int = 0
    answers: tuple[Pair, ...] = field(default=(), repr=False)
    health: tuple[Pair, ...] = field(default=(), repr=False)
    guests: tuple[Guest, ...] = field(default=(), repr=False)
    consents: tuple[str, ...] = ()
    for_other: bool = False

    def lines(self, booking_id: int) -> dict[str, str]:
        """Return the lines for the vault, by its fields; nothing of what was not said."""
        guests = [[each.name, each.kana] for each in self.guests]
        told = {"answers": self.answers, "health": self.health, "guests": guests}
        return {name: _line(booking_id, name, values) for name, values in told.items() if values}

    @property
    def agreed(self) -> dict[str, Any]:
        """Return what stays with the booking. The time of consent is the booking's own `consent_at`."""
        if not self.version and not self.for_other:
            return {}
        consents = [
            {"key": key, "version": self.version} | ({"words": HEALTH_WORDS} if key == HEALTH else {})
            for key in self.consents
        ]
        asked = {"version": self.version, "fields": list(self.lines(0)), "consents": consents}
        return {"asked": asked | ({"for_other": True} if self.for_other else {})}


NOTHING_SAID = Said()
NOTHING = Checked()


def places(asks: Asking, party: int, *, for_other: bool) -> int:
    """Return how many names may be given: of all who come but the one whose name is known."""
    if asks.guests is Guests.HIDDEN or (asks.guests is Guests.UNSAID and not for_other):
        return 0
    return min(party if for_other else party - 1, MOST_GUESTS)


def check(asks: Asking, said: Said, *, party: int, language: str) -> Checked:
    """Check all that was said. Raises BadField: `answers.KEY`, `health_consent`, `guests.N.name`, and why."""
    found = _Check(asks, said, party, language)
    told = found.answers()
    consent = found.health_consent(answered=any(told[each.key] for each in asks.health))
    found.missing(told, consent=consent)
    guests = found.guests()
    agreed = tuple(each.key for each in asks.questions if each.kind is Kind.CONSENT and told[each.key])
    checked = Checked(
        asks.version if asks.questions or guests else 0,
        _pairs(asks.plain, told, language),
        _pairs(asks.health, told, language),
        guests,
        (HEALTH, *agreed) if consent else agreed,
        said.for_other and asks.guests is not Guests.HIDDEN,
    )
    if not found.faults:
        found.too_long(checked, told)
    if found.faults:
        raise BadField(fields=found.faults)
    return checked


@dataclass
class _Check:
    """What was said against what is asked; each step adds to `faults`."""

    asks: Asking
    said: Said
    party: int
    language: str
    faults: dict[str, str] = field(default_factory=dict)

    def answers(self) -> dict[str, str]:
        """Return the answers in words, empty where there is none."""
        known = {each.key for each in self.asks.questions}
        self.faults |= {f"answers.{key}": "unknown" for key in self.said.answers if key not in known}
        return {each.key: self._told(each) for each in self.asks.questions}

    def health_consent(self, *, answered: bool) -> bool:
        """Say whether she agrees that answers about health are kept: she has to where one is given or must
        be.
        """
        given, fault = self.said.health_consent, ""
        if given is not None:
            fault = "" if given == self.asks.version else "changed"
            fault = fault if self.asks.health else "unknown"
        elif self.asks.insists_on_health:
            fault = "call"
        elif answered:
            fault = "consent"
        if fault:
            self.faults["health_consent"] = fault
        return given is not None and not fault

    def missing(self, told: Mapping[str, str], *, consent: bool) -> None:
        """Answers about health are missed only by who may give them."""
        for each in self.asks.questions:
            if each.required and not told[each.key] and (consent or not each.health):
                self.faults.setdefault(f"answers.{each.key}", "empty")

    def guests(self) -> tuple[Guest, ...]:
        most = places(self.asks, self.party, for_other=self.said.for_other)
        for number in range(most, len(self.said.guests)):
            self.faults[f"guests.{number}.name"] = "unknown"
        found = [self._guest(number, each) for number, each in enumerate(self.said.guests[:most])]
        if self.asks.guests is Guests.REQUIRED:
            for number in range(most):
                if number >= len(found) or not found[number].name:
                    self.faults.setdefault(f"guests.{number}.name", "empty")
        return tuple(each for each in found if each.name)

    def too_long(self, checked: Checked, told: Mapping[str, str]) -> None:
        """Each is short enough; all together they may still be too much: the longest is to be shortened."""
        for name, line in checked.lines(2**63 - 1).items():
            asked = self.asks.health if name == "health" else self.asks.plain
            if len(line) > MOST_LINE and name == "guests":
                self.faults["guests.0.name"] = "too_long"
            elif len(line) > MOST_LINE:
                longest = max(asked, key=lambda each: len(told[each.key]))
                self.faults[f"answers.{longest.key}"] = "too_long"

    def _told(self, question: Question) -> str:
        given, where = self.said.answers.get(question.key), f"answers.{question.key}"
        if given in (None, "", []):
            return ""
        if question.kind is Kind.CONSENT:
            text, why = self._agreed(given)
        elif question.kind in (Kind.ONE, Kind.SEVERAL):
            text, why = self._chosen(question, given if question.kind is Kind.SEVERAL else [given])
        else:
            text, why = _text(given, LENGTHS[question.kind], lines=question.kind is Kind.LONG)
        if why:
            self.faults[where] = why
        return text

    def _agreed(self, given: Any) -> tuple[str, str]:
        """She agrees to words of one version: to those of another she has not."""
        if given != self.asks.version or isinstance(given, bool):
            return "", "changed"
        return _AGREED.get(self.language, _AGREED["en"]), ""

    def _chosen(self, question: Question, given: Any) -> tuple[str, str]:
        known = question.choices
        if not isinstance(given, list) or not all(isinstance(each, str) and each in known for each in given):
            return "", "choice"
        words = [said_in(known[each], self.language) for each in known if each in given]
        return _LISTED.get(self.language, ", ").join(words), ""

    def _guest(self, number: int, guest: Guest) -> Guest:
        (name, why), (kana, kana_why) = _text(guest.name, LONGEST_NAME), _text(guest.kana, LONGEST_NAME)
        if kana and not name:
            why = why or "empty"
        faults = {"name": why, "kana": kana_why}
        self.faults |= {f"guests.{number}.{part}": each for part, each in faults.items() if each}
        return Guest(name, kana)


def _text(given: Any, most: int, *, lines: bool = False) -> tuple[str, str]:
    """Return a text as it is kept, and why it cannot be."""
    if not isinstance(given, str):
        return "", "not_text"
    text = given.replace("\r\n", "\n").strip()
    if len(text) > most:
        return "", "too_long"
    return ("", "control") if hides(text, lines=lines) else (text, "")


def _pairs(questions: Iterable[Question], told: Mapping[str, str], language: str) -> tuple[Pair, ...]:
    return tuple((said_in(each.question, language), told[each.key]) for each in questions if told[each.key])


# -- the vault's text


@dataclass(frozen=True, slots=True)
class Line:
    """What one booking brought, or (0) a text that somebody wrote otherwise, as it stands."""

    booking: int
    pairs: tuple[Pair, ...] = field(default=(), repr=False)
    guests: tuple[Guest, ...] = field(default=(), repr=False)
    text: str = field(default="", repr=False)


def read(text: str) -> list[Line]:
    """Read a field of the vault, the newest booking first; what is no line of ours is one text at the end."""
    found: list[Line] = []
    others: list[str] = []
    for line in text.split("\n"):
        one = _read_line(line)
        if one is not None:
            found.append(one)
        elif line.strip():
            others.append(line)
    return [*found, Line(0, text="\n".join(others))] if others else found


def _read_line(line: str) -> Line | None:
    try:
        told = json.loads(line)
        booking, asked, guests = int(told["booking"]), told.get("asked", []), told.get("guests", [])
        return Line(
            booking,
            tuple((str(question), str(answer)) for question, answer in asked),
            tuple(Guest(str(name), str(kana)) for name, kana in guests),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def under(line: str, stood: str, booking_id: int) -> str:
    """Put a booking's line before the others of a field, in the place of its own."""
    rest = [each for each in stood.split("\n") if each.strip() and not _is_of(each, booking_id)]
    return "\n".join([line, *rest])


def _is_of(line: str, booking_id: int) -> bool:
    found = _read_line(line)
    return found is not None and found.booking == booking_id


def _line(booking_id: int, name: str, values: Iterable[Any]) -> str:
    what = "guests" if name == "guests" else "asked"
    return json.dumps(
        {"booking": booking_id, what: [list(each) for each in values]},
        ensure_ascii=False,
        separators=(",", ":"),
    )
