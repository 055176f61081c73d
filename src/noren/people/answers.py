"""Reading what the vault answers to the question after a leak: JSON in, values out."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from noren.people.model import (
    AccountData,
    Evidence,
    Exposure,
    ExposureState,
    KeySide,
    KeySideEntry,
    Scope,
    Seen,
    Store,
    Untouched,
    Way,
)

Json = dict[str, Any]


def scope(answer: Json) -> Scope:
    """The answer to "whose data"."""
    return Scope(
        asked={name: tuple(texts) for name, texts in answer["asked"].items()},
        persons=tuple(map(exposure, answer["persons"])),
        spared=tuple(map(exposure, answer["spared"])),
        ways=tuple(map(_way, answer["ways"])),
        stores=tuple(map(_store, answer["stores"])),
        keyside=None if answer["keyside"] is None else _keyside(answer["keyside"]),
        entries=answer["entries"],
        head_size=answer["head"]["size"],
        head_root=answer["head"]["root"],
        checkpoint=answer["checkpoint"],
        complete=answer["complete"],
        proofs={int(index): text for index, text in answer["proofs"].items()},
        accounts=tuple(map(_account, answer["accounts"])),
        untouched={
            int(shop): Untouched(one["persons"], dict(sorted(one["fields"].items())))
            for shop, one in answer.get("untouched", {}).items()
        },
        canaries=frozenset(map(UUID, answer["canaries"])),
    )


def evidence(answer: Json) -> Evidence:
    """What proves it."""
    bounds = answer.get("bounds")
    return Evidence(
        bounds=None if bounds is None else (bounds[0], bounds[1]),
        outcomes=tuple(answer["outcomes"]),
        entries=tuple(answer["entries"]),
        nodes=tuple(bytes.fromhex(one) for one in answer["nodes"]),
    )


def instant(seconds: float) -> datetime:
    """Read POSIX seconds, to the millisecond that the vault keeps."""
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    return datetime.fromtimestamp(whole, UTC).replace(microsecond=milliseconds * 1000)


def exposure(found: Json) -> Exposure:
    return Exposure(
        person=UUID(found["person"]),
        shop_id=found["shop"],
        seen=tuple(
            Seen(name, instant(first), instant(last), ExposureState(state))
            for name, (first, last, state) in found["fields"].items()
        ),
        first=instant(found["first"]),
        last=instant(found["last"]),
        purposes=tuple(found["purposes"]),
        state=ExposureState(found["state"]),
        entries=tuple(found["entries"]),
    )


def _way(found: Json) -> Way:
    return Way(**{**found, "first": instant(found["first"]), "last": instant(found["last"])})


def _store(found: Json) -> Store:
    return Store(
        name=found["name"],
        since=instant(found["since"]),
        until=instant(found["until"]),
        form=found["form"],
        persons={int(shop): count for shop, count in found["persons"].items()},
        unbounded=found["unbounded"],
        keys=tuple(found["keys"]),
    )


def _account(found: Json) -> AccountData:
    return AccountData(
        store=found["store"],
        shop_id=found["shop"],
        actor=found["actor"],
        person=None if found["person"] is None else UUID(found["person"]),
        kind=found["kind"],
        credential=found["credential"],
        form=found["form"],
        key=found["key"],
        first=instant(found["first"]),
        last=instant(found["last"]),
        state=ExposureState(found["state"]),
        entries=tuple(found["entries"]),
    )


def _keyside(found: Json) -> KeySide:
    return KeySide(
        intact=found["intact"],
        counts=dict(found["counts"]),
        builds=tuple(found["builds"]),
        entries=tuple(KeySideEntry(**{**one, "at": instant(one["at"])}) for one in found["entries"]),
        left_off=found["left_off"],
    )
