"""What the law owes an authority after a leak: which reports, until when, with which items.

The laws are dated data (`laws/*.toml`), not code: a law that changes is a row with another day. Which law
binds whom, and whether encryption releases from a duty, is for a person to decide.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from importlib import resources
from typing import Any, Final
from zoneinfo import ZoneInfo

from noren.shops.holidays import FIRST_YEAR, LAST_YEAR, public_holidays

LAWS: Final = ("jp-appi", "eu-gdpr")
# Who holds data for a shop tells the shop, whose own duties run from then on.
TOLD: Final = "jp-entrusted"
# Everything that is written to somebody: reports by law, the shop's notice, and what others ask for.
FORMS: Final = (*LAWS, TOLD, "jp-police", "jp-jpcert", "jp-ipa", "jp-mic", "card-acquirer")
PLATFORM, SHOP = "platform", "shop"
_SATURDAY: Final = 5
Words = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Kind:
    """A sort of leak that must be reported, from so many persons on."""

    key: str
    says: Words
    least: int


@dataclass(frozen=True, slots=True)
class Item:
    """What a report says; `persons`: those whose data it was are told it, too. `fill` names what is known of
    it.
    """

    key: str
    says: Words
    persons: bool
    fill: str


@dataclass(frozen=True, slots=True)
class Due:
    """A report that is owed. `by`: its last day in the law's zone, or the instant (UTC) when its hours end;
    `opens`: from which day on it is waited for; `counted`: the last day as it was counted, before it was put
    off to a day on which the office is open.
    """

    key: str
    says: Words
    by: date | datetime
    opens: date | None = None
    counted: date | None = None


@dataclass(frozen=True, slots=True)
class Law:
    """A law, or another's form, as it stood on the day on which a leak became known. `principals`: who
    reports by it, of the data she is answerable for.
    """

    key: str
    name: Words
    authority: Words
    zone: ZoneInfo
    kinds: tuple[Kind, ...]
    items: tuple[Item, ...]
    steps: tuple[Mapping[str, Any], ...]
    office: Mapping[str, Any]
    principals: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Leak:
    """What is known of it. `known` is the instant at which anybody of the house knew; `persons` is None while
    nobody can say how many; `kinds` are those of the law that a person has found to be so.
    """

    known: datetime
    persons: int | None
    kinds: frozenset[str] = frozenset()


class NotInForce(ValueError):
    """The law had no such duty on that day, or nobody has published its holidays."""


def law(key: str, known: datetime) -> Law:
    """Return the law as of the day, in its own zone, on which the leak became known. Raises NotInForce."""
    given = _file(key)
    zone = ZoneInfo(given["zone"])
    day = known.astimezone(zone).date()
    steps = _in_force(given["steps"], day)
    if not steps or not FIRST_YEAR <= day.year < LAST_YEAR - 1:
        raise NotInForce(f"{key} owes nobody a report of what became known on {day}")
    return Law(
        key,
        given["name"],
        given["authority"],
        zone,
        tuple(Kind(row["key"], row["says"], row["least"]) for row in _in_force(given["kinds"], day)),
        tuple(
            Item(row["key"], row["says"], row.get("persons", False), row.get("fill", row["key"]))
            for row in _in_force(given["items"], day)
        ),
        tuple(steps),
        given.get("office", {}),
        tuple(given["principals"]),
    )


def met(binding: Law, leak: Leak) -> list[Kind]:
    """Return the law's kinds that make this leak one to report; none: nothing is owed.

    A number that nobody can say is more than any: what cannot be bounded is everyone. A kind of one person
    is met where it was found, one of many by the number alone; a law's only kind by every leak.
    """
    return [
        kind
        for kind in binding.kinds
        if (leak.persons is None or leak.persons >= kind.least)
        and (kind.least > 1 or len(binding.kinds) == 1 or kind.key in leak.kinds)
    ]


def owed(binding: Law, leak: Leak) -> list[Due]:
    """Return the reports that are owed of it within a term, the next first."""
    kinds = {kind.key for kind in met(binding, leak)}
    return [_due(binding, step, leak, kinds) for step in binding.steps if _timed(step)] if kinds else []


def _timed(step: Mapping[str, Any]) -> bool:
    """Whether it has an end; what may be told, or as soon as it is known, has none."""
    return "hours" in step or "to_day" in step


def _due(binding: Law, step: Mapping[str, Any], leak: Leak, kinds: set[str]) -> Due:
    if "hours" in step:
        # In UTC: on its own zone's wall an hour may lack, or come twice.
        return Due(step["key"], step["says"], leak.known.astimezone(UTC) + timedelta(hours=step["hours"]))
    first = leak.known.astimezone(binding.zone).date()
    longer = step.get("longer", {})
    last = longer["to_day"] if kinds.intersection(longer.get("kinds", ())) else step["to_day"]
    counted = _day(first, last)
    return Due(
        step["key"],
        step["says"],
        by=_office_day(binding.office, counted) if step.get("rolls") else counted,
        opens=_day(first, step["from_day"]) if "from_day" in step else None,
        counted=counted,
    )


def _day(first: date, number: int) -> date:
    """Return the n-th day, of which the first is the day on which it became known."""
    return first + timedelta(days=number - 1)


def _office_day(office: Mapping[str, Any], day: date) -> date:
    """Return this day or the next on which the office is open."""
    days = public_holidays(office.get("holidays", ""))
    while day.weekday() >= _SATURDAY or day in days or _closed(office, day):
        day += timedelta(days=1)
    return day


def _closed(office: Mapping[str, Any], day: date) -> bool:
    """Whether the day lies in a stretch of each year, which may go over its turn."""
    text = f"{day:%m-%d}"
    return any(
        row["from"] <= text <= row["to"]
        if row["from"] <= row["to"]
        else (text >= row["from"] or text <= row["to"])
        for row in office.get("closed", ())
    )


def _in_force(rows: Sequence[Mapping[str, Any]], day: date) -> list[Mapping[str, Any]]:
    return [row for row in rows if row["since"] <= day <= row.get("until", date.max)]


@lru_cache
def _file(key: str) -> Mapping[str, Any]:
    if key not in FORMS:
        raise ValueError(f"{key!r} is none of {', '.join(FORMS)}")
    return tomllib.loads((resources.files(__package__) / "laws" / f"{key}.toml").read_text("utf-8"))
