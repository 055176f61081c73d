"""A scope question in an incident's book: as it was put, what came of it in numbers, and its answer's hash.

The persons themselves are not in it. The answer can be had again, as of the same size of the ledger, and has
the same hash then.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from noren.incidents import bundle
from noren.incidents.scope import PATHS, TAKEN, Question
from noren.people import ExposureState, Scope

# What a record holds of shops; the others are in the sums.
MOST_SHOPS: Final = 60
PLATFORM: Final = 0
# Forms of a store in which the keys are.
KEYS_TAKEN: Final = ("readable", "keys")


@dataclass(frozen=True, slots=True)
class InShop:
    """What an answer says of one shop, in numbers. `fields`: of how many persons each is (possibly) exposed.

    `untouched`: how many had rows and are not; `untouched_fields`: of how many who had it each is not.
    """

    shop_id: int
    persons: int
    exposed: int
    fields: Mapping[str, int]
    untouched: int
    untouched_fields: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Asked:
    """A record, read."""

    question: Question
    size: int
    root: str
    sha256: str
    persons: int
    accounts: int
    """Of how many people what they sign in with is (possibly) exposed."""
    shops: tuple[InShop, ...]
    left_off: int
    stores: tuple[tuple[str, str, int], ...]
    """Name, form, persons who had rows in it."""
    intact: bool | None
    """What the record says of the key side; None where nothing was asked about a store."""
    keyside: Mapping[str, int]
    builds: tuple[str, ...]
    unbounded: bool

    def of_shop(self, shop_id: int) -> InShop | None:
        """What it says of one shop; None: nothing."""
        return next((one for one in self.shops if one.shop_id == shop_id), None)

    @property
    def keys_taken(self) -> bool:
        """Whether the keys lay in what was taken: then it does not matter what the record has of them."""
        return any(form in KEYS_TAKEN for _, form, _ in self.stores)

    @property
    def fields(self) -> Mapping[str, int]:
        """Of how many persons each field is, in all shops."""
        return sum((Counter(one.fields) for one in self.shops), Counter())


def said(question: Question, found: Scope) -> dict[str, Any]:
    """Return what the book says of a question and its answer."""
    shops = sorted(_shops(found), key=lambda one: (-one["persons"], one["shop"]))
    told = {
        "question": {
            "since": question.since.isoformat(),
            "until": question.until.isoformat(),
            "named": {kind: list(values) for kind, values in question.named.items()},
            "shop": question.shop_id,
            "persons": list(question.persons),
        },
        "size": found.head_size,
        "root": found.head_root,
        "sha256": bundle.digest(found),
        "persons": len(found.exposed_people),
        "accounts": len({one.actor for one in found.accounts if one.state is not ExposureState.NOT}),
        "shops": shops[:MOST_SHOPS],
        "left_off": max(0, len(shops) - MOST_SHOPS),
        "stores": [[one.name, one.form, sum(one.persons.values())] for one in found.stores],
        "unbounded": any(one.unbounded for one in found.stores),
    }
    if found.keyside is not None:
        side = found.keyside
        told["keyside"] = {"intact": side.intact, "counts": dict(side.counts), "builds": list(side.builds)}
    return told


def _shops(found: Scope) -> list[dict[str, Any]]:
    there = {shop: list(ones) for shop, ones in groupby(found.exposed_people, key=lambda one: one.shop_id)}
    shops = []
    for shop in sorted({*there, *found.untouched}):
        persons, left = there.get(shop, []), found.untouched.get(shop)
        shops.append(
            {
                "shop": shop,
                "persons": len(persons),
                "exposed": sum(one.state is ExposureState.EXPOSED for one in persons),
                "fields": dict(sorted(Counter(name for one in persons for name in one.fields).items())),
                "untouched": left.persons if left else 0,
                "untouched_fields": dict(left.fields) if left else {},
            }
        )
    return shops


def read(told: Mapping[str, Any]) -> Asked | None:
    """Read a record; None where it is none of these."""
    try:
        side = told.get("keyside")
        return Asked(
            _question(told["question"]),
            int(told["size"]),
            str(told["root"]),
            str(told["sha256"]),
            int(told["persons"]),
            int(told.get("accounts", 0)),
            tuple(_in_shop(one) for one in told["shops"]),
            int(told.get("left_off", 0)),
            tuple((str(name), str(form), int(held)) for name, form, held in told["stores"]),
            intact=None if side is None else bool(side["intact"]),
            keyside={} if side is None else _counts(side["counts"]),
            builds=() if side is None else _texts(side["builds"]),
            unbounded=bool(told.get("unbounded")),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _question(told: Mapping[str, Any]) -> Question:
    shop = told.get("shop")
    return Question(
        datetime.fromisoformat(told["since"]),
        datetime.fromisoformat(told["until"]),
        {kind: _texts(told["named"][kind]) for kind in (*PATHS, *TAKEN) if kind in told["named"]},
        None if shop is None else int(shop),
        _texts(told.get("persons", ())),
    )


def _in_shop(told: Mapping[str, Any]) -> InShop:
    return InShop(
        int(told["shop"]),
        int(told["persons"]),
        int(told["exposed"]),
        _counts(told["fields"]),
        int(told["untouched"]),
        _counts(told["untouched_fields"]),
    )


def _counts(told: Mapping[str, Any]) -> dict[str, int]:
    return {str(name): int(count) for name, count in told.items()}


def _texts(told: Sequence[Any]) -> tuple[str, ...]:
    return tuple(str(one) for one in told)
