"""Reports to authorities and others: one for each form and principal, a fold over an incident's book. Pure.

The platform is answerable for its accounts, a shop for its customers. What an item says is what a person
wrote last; what she did not write is filled from what is known, by whoever shows it.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from noren.incidents import asked, duties
from noren.incidents.asked import Asked
from noren.incidents.book import Kind, Line, Workspace, instant
from noren.incidents.duties import FORMS, PLATFORM, SHOP, Due, Item, Law, Leak, NotInForce, Words

SCHEMA: Final = "noren-report/1"
# The platform's number among shops.
NO_SHOP: Final = asked.PLATFORM


@dataclass(frozen=True, slots=True)
class Step:
    """One report of a form: `due` where it is owed within a term, `filed` those that were made, in order."""

    key: str
    says: Words
    due: Due | None
    filed: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """An item, and what was written of it by hand, the newest last. It can be empty."""

    item: Item
    written: tuple[Line, ...]

    @property
    def own(self) -> str:
        """What it says by hand; empty where nobody has written it."""
        return self.written[-1].text if self.written else ""


@dataclass(frozen=True, slots=True)
class Report:
    """One form of one principal (`shop_id` 0: the platform). `leak`: what its terms run from, None while they
    do not run.
    """

    binding: Law
    shop_id: int
    leak: Leak | None
    steps: tuple[Step, ...]
    items: tuple[Answered, ...]

    @property
    def key(self) -> str:
        """The form's name."""
        return self.binding.key

    @property
    def owed(self) -> bool:
        """Whether something of it has a term."""
        return any(step.due is not None for step in self.steps)

    @property
    def done(self) -> bool:
        """Whether all that has a term was filed."""
        return all(step.filed for step in self.steps if step.due is not None)


def newest(work: Workspace) -> tuple[Line, Asked] | None:
    """Return the newest question about all persons, or else the newest of any."""
    found = [(line, read) for line in work.scopes if (read := asked.read(line.said)) is not None]
    whole = [one for one in found if one[1].question.shop_id is None and not one[1].question.persons]
    return next(reversed(whole or found), None)


def shops_of(work: Workspace) -> list[int]:
    """Return the shops that something is said of: whose customers it was, or who were told."""
    found = newest(work)
    there = {one.shop_id for one in found[1].shops if one.persons} if found else set()
    there |= {shop for line in work.told if type(shop := line.said.get("shop")) is int}
    return sorted(there - {NO_SHOP})


def told_at(work: Workspace, shop_id: int) -> Line | None:
    """Return how a shop was told first: its own terms run from then."""
    return next((line for line in work.told if line.said.get("shop") == shop_id), None)


def handed_to(work: Workspace, shop_id: int) -> tuple[Line, Line | None] | None:
    """Return the pack that a shop was handed last, and the record of its having read that one."""
    packs = [line for line in work.told if line.kind == Kind.HANDED and line.said.get("shop") == shop_id]
    if not packs:
        return None
    read = (line for line in work.read if line.said.get("of") == packs[-1].record.number)
    return packs[-1], next(read, None)


def persons_of(work: Workspace, shop_id: int) -> int | None:
    """Return of how many persons a principal reports; None: nobody can say."""
    found = newest(work)
    if found is None:
        return work.known.persons if work.known else None
    told = found[1]
    if told.unbounded or told.left_off:
        return None
    there = told.of_shop(shop_id)
    held = there.persons if there else 0
    return held + told.accounts if shop_id == NO_SHOP else held


def leak_of(work: Workspace, shop_id: int) -> Leak | None:
    """Return the leak as one principal knows it: since the house knew, or since the shop was told."""
    if work.known is None:
        return None
    known = work.known.known
    if shop_id != NO_SHOP:
        line = told_at(work, shop_id)
        at = instant(line.said.get("at")) if line else None
        if at is None:
            return None
        known = at
    return Leak(known, persons_of(work, shop_id), work.known.kinds)


def all_of(work: Workspace, now: datetime) -> list[Report]:
    """Return every report of the platform and of each shop, by principal."""
    found = [of(work, key, NO_SHOP, now) for key in FORMS]
    found += [of(work, key, shop_id, now) for shop_id in shops_of(work) for key in FORMS]
    return [one for one in found if one is not None]


def of(work: Workspace, key: str, shop_id: int, now: datetime) -> Report | None:
    """Return one; None where this principal does not report by it, or no such duty is in force."""
    leak = leak_of(work, shop_id)
    # The shop is told of what the house knows: that term is the house's own.
    if key == duties.TOLD and shop_id != NO_SHOP and work.known is not None:
        leak = Leak(work.known.known, persons_of(work, shop_id), work.known.kinds)
    try:
        binding = duties.law(key, leak.known if leak else now)
    except NotInForce:
        return None
    if (PLATFORM if shop_id == NO_SHOP else SHOP) not in binding.principals:
        return None
    may = key not in duties.LAWS or key in work.laws
    owed = {due.key: due for due in duties.owed(binding, leak)} if leak and may else {}
    return Report(
        binding,
        shop_id,
        leak,
        tuple(
            Step(step["key"], step["says"], owed.get(step["key"]), _filed(work, key, shop_id, step["key"]))
            for step in binding.steps
        ),
        tuple(
            Answered(
                item, tuple(line for line in _of(work.items, key, shop_id) if line.said["item"] == item.key)
            )
            for item in binding.items
        ),
    )


def _filed(work: Workspace, key: str, shop_id: int, step: str) -> tuple[Line, ...]:
    if key == duties.TOLD:
        return tuple(line for line in work.told if line.said.get("shop") == shop_id)
    return tuple(line for line in _of(work.filed, key, shop_id) if line.said["step"] == step)


def _of(lines: Iterable[Line], key: str, shop_id: int) -> Iterable[Line]:
    return (
        line for line in lines if line.said.get("form") == key and line.said.get("shop", NO_SHOP) == shop_id
    )


def as_json(
    report: Report,
    filled: Mapping[str, str],
    *,
    slug: str,
    language: str,
    told: Mapping[str, Any],
    made: datetime,
) -> dict[str, Any]:
    """Return a report for a program, by SCHEMA. `filled`: what an item that nobody wrote says; `told`: facts
    that stand beside it.
    """
    return {
        "schema": SCHEMA,
        "form": report.key,
        "name": report.binding.name.get(language, ""),
        "authority": report.binding.authority.get(language, ""),
        "principal": {"kind": PLATFORM if report.shop_id == NO_SHOP else SHOP, "shop": slug},
        "language": language,
        "made": made.isoformat(),
        "known": report.leak and report.leak.known.isoformat(),
        "persons": report.leak and report.leak.persons,
        "steps": [_step(step, language) for step in report.steps],
        "items": [
            {
                "key": one.item.key,
                "label": one.item.says.get(language, ""),
                "text": one.own or filled.get(one.item.key, ""),
                "source": "person" if one.own else "record" if filled.get(one.item.key) else "unknown",
            }
            for one in report.items
        ],
        "facts": dict(told),
    }


def digest(told: Mapping[str, Any]) -> str:
    """Return SHA-256, in hex, of what the items of a report say: what was filed can be held against it."""
    items = {one["key"]: one["text"] for one in told["items"]}
    return hashlib.sha256(json.dumps(items, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def _step(step: Step, language: str) -> dict[str, Any]:
    due = step.due
    return {
        "key": step.key,
        "says": step.says.get(language, ""),
        "opens": due and due.opens and due.opens.isoformat(),
        "by": due and due.by.isoformat(),
        "filed": [
            {
                "at": line.said.get("at"),
                "by": line.record.by,
                "receipt": line.said.get("receipt", ""),
                "sha256": line.said.get("sha256", ""),
            }
            for line in step.filed
        ],
    }
