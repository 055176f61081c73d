"""The door's functions about tellings: after a leak, exactly those in its scope are told.

Each takes an operator's grant, or None in an administrator's process; persons are opaque ids. They raise as
`client`'s do, and GrantRefused; beside what each names, NoSuchTelling, NoSuchIncident, TellingOver.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from django.conf import settings

from noren.people import wire

PAGE: Final = 2_000
Words = Mapping[str, Mapping[str, Mapping[str, str]]]


@dataclass(frozen=True, slots=True)
class Telling:
    """One telling as it stands. `state`: made, lapsed, withdrawn, agreed. `scope` records are in it.

    `by` counts them by what became of each, so that it adds up to `scope`: waiting, told, failed, unknown,
    bounced; erased, canary, joined, no_mail are told by no mail. `instead` counts records beside them that
    stand for joined ones. `words` and `question` are there where one is asked for, not in a list.
    """

    telling: str
    incident: str
    notice: str
    state: str
    hash: str
    size: int
    root: str
    scope: int
    nameless: int
    a_minute: int
    handle: str
    own: bool
    made: datetime
    decider: str | None
    alone: bool
    decided: datetime | None
    entry: int | None
    stopped: datetime | None
    by: Mapping[str, int]
    kinds: Mapping[str, int]
    languages: Mapping[str, int]
    shops: Mapping[str, int]
    instead: Mapping[str, int]
    question: Mapping[str, Any] = field(default_factory=dict)
    words: Words = field(default_factory=dict)

    def number(self, *states: str) -> int:
        """How many are in these states, those who stand for joined ones with them."""
        return sum(self.by.get(one, 0) + self.instead.get(one, 0) for one in states)


@dataclass(frozen=True, slots=True)
class Told:
    """What became of one record. `into`: she is told under that id. `reason` is a code, of a mail's fate."""

    shop: int
    person: UUID
    kind: str
    state: str
    language: str
    fields: tuple[str, ...]
    since: datetime
    until: datetime
    at: datetime
    reason: str
    instead: bool
    into: UUID | None


@dataclass(frozen=True, slots=True)
class Exposure:
    """What became known of somebody's: names of fields, by which kinds of way, from when to when."""

    shop: int
    fields: tuple[str, ...]
    ways: tuple[str, ...]
    since: datetime
    until: datetime
    surely: bool
    kind: str
    notice: str
    entries: int
    erased: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be told of, and to whom: `question` as `scope` asks it, with POSIX seconds."""

    question: Mapping[str, Any]
    notice: str
    words: Words
    shops: Mapping[str, str]
    a_minute: int | None = None


def make(grant: str | None, incident: str, wanted: Wanted) -> Telling:
    """Find who is in it; nothing is sent. The words may hold no link, and only the holes there are."""
    asked: dict[str, Any] = {
        "incident": incident,
        "question": dict(wanted.question),
        "notice": wanted.notice,
        "words": wanted.words,
        "shops": dict(wanted.shops),
    }
    if wanted.a_minute is not None:
        asked["a_minute"] = wanted.a_minute
    return _telling(_call("make_telling", grant, seconds=120, **asked))


def languages(grant: str | None, telling: str, shop_id: int, chosen: Mapping[UUID, str]) -> None:
    """Say in which language (ja, easy, en) these persons of a shop read; at most PAGE of them."""
    named = {str(person): language for person, language in chosen.items()}
    _call("telling_languages", grant, telling=telling, shop=shop_id, languages=named)


def all_of(grant: str | None, incident: str) -> list[Telling]:
    """Those of an incident, the newest first."""
    return [_telling(one) for one in _call("tellings", grant, incident=incident)["tellings"]]


def show(grant: str | None, telling: str) -> Telling:
    """How one stands, with its words."""
    return _telling(_call("telling", grant, telling=telling))


def people(grant: str | None, telling: str) -> Iterator[Told]:
    """Who was told what, and when, by shop and id. On record."""
    after: dict[str, Any] = {}
    while True:
        rows = _call("telling_people", grant, telling=telling, **after)["people"]
        yield from map(_told, rows)
        if len(rows) < PAGE:
            return
        after = {"shop": rows[-1]["shop"], "after": rows[-1]["person"]}


def preview(grant: str | None, telling: str, person: UUID) -> tuple[str, str]:
    """Subject and text of one person's mail, without her name and her code. On record. NoSuchPerson."""
    told = _call("preview_telling", grant, telling=telling, person=str(person))
    return told["subject"], told["text"]


def try_out(grant: str, telling: str, person: UUID) -> str:
    """Mail that to the operator who asks; gives how it went. On record."""
    return str(_call("try_telling", grant, seconds=60, telling=telling, person=str(person))["state"])


def begin(grant: str, telling: str, *, alone: bool) -> dict[str, Any]:
    """Options for the passkey that lets it go out; alone: everybody is rung. SecondPasskeyNeeded."""
    return dict(_call("telling_begin", grant, telling=telling, alone=alone)["options"])


def agree(grant: str, telling: str, response: Mapping[str, Any], *, alone: bool) -> int:
    """Let it go out; gives the entry. Raises PasskeyRefused, PowerOver."""
    answer = _call("telling_agree", grant, seconds=60, telling=telling, alone=alone, response=dict(response))
    return int(answer["entry"])


def withdraw(grant: str | None, telling: str) -> None:
    """Let it never go out."""
    _call("withdraw_telling", grant, telling=telling)


def stop(grant: str | None, telling: str) -> None:
    """Hold its mails back."""
    _call("stop_telling", grant, telling=telling)


def resume(grant: str | None, telling: str) -> None:
    """Let them go on."""
    _call("resume_telling", grant, telling=telling)


def letters(grant: str) -> list[tuple[str, str, int]]:
    """Of the grant's shop: each telling, its notice, and how many customers it has not reached."""
    found = _call("telling_letters", grant)["letters"]
    return [(one["telling"], one["notice"], one["persons"]) for one in found]


def exposed(code: str, *, proof: str = "", **visit: str) -> Exposure:
    """What the code of a mail is of; `visit`: from where. Raises NoSuchExposure, ChallengeNeeded."""
    asked: dict[str, Any] = {"code": code, "proof": proof, **visit}
    told = _call("exposed", None, **asked)
    instants = {name: datetime.fromtimestamp(told[name], UTC) for name in ("since", "until")}
    return Exposure(**{**told, **instants, "fields": tuple(told["fields"]), "ways": tuple(told["ways"])})


def _telling(told: Mapping[str, Any]) -> Telling:
    known = {name: told[name] for name in Telling.__dataclass_fields__ if name in told}
    instants = {name: _instant(told[name]) for name in ("made", "decided", "stopped")}
    return Telling(**{**known, **instants})


def _told(row: Mapping[str, Any]) -> Told:
    instants = {name: _instant(row[name]) for name in ("since", "until", "at")}
    into = None if row["into"] is None else UUID(row["into"])
    plain = {"person": UUID(row["person"]), "fields": tuple(row["fields"]), "into": into}
    return Told(**{**row, **instants, **plain})


def _instant(milliseconds: int | None) -> Any:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)


def _call(method: str, grant: str | None, *, seconds: float = 30.0, **params: Any) -> dict[str, Any]:
    return wire.call(str(settings.VAULT_SOCKET), method, {"grant": grant, **params}, seconds=seconds)
