"""Two answers to one question held against each other: who came, who went, what changed. Ids only. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from noren.people import Exposure, Scope


@dataclass(frozen=True, slots=True)
class Changed:
    """A person who stands in both: fields that came and went, and those whose state is another one."""

    shop_id: int
    person: UUID
    came: tuple[str, ...]
    went: tuple[str, ...]
    turned: tuple[tuple[str, str, str], ...]
    """Field, its state then, its state now."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Then and now, each with its number of persons and the tree's size."""

    then: int
    now: int
    then_size: int
    now_size: int
    came: tuple[Exposure, ...]
    went: tuple[Exposure, ...]
    changed: tuple[Changed, ...]

    @property
    def same(self) -> bool:
        """Whether both name the same persons with the same fields."""
        return not (self.came or self.went or self.changed)


def compare(then: Scope, now: Scope) -> Comparison:
    """Hold the later answer against the earlier one."""
    before, after = _by_person(then), _by_person(now)
    both = [(before[key], after[key]) for key in after if key in before]
    return Comparison(
        len(before),
        len(after),
        then.head_size,
        now.head_size,
        came=tuple(one for key, one in after.items() if key not in before),
        went=tuple(one for key, one in before.items() if key not in after),
        changed=tuple(told for one, other in both if (told := _changed(one, other)) is not None),
    )


def as_text(found: Comparison) -> str:
    """Return it for a person."""
    lines = [
        (
            f"Then {found.then} persons (as of {found.then_size} entries), "
            f"now {found.now} (as of {found.now_size}): {len(found.came)} came, {len(found.went)} went, "
            f"of {len(found.changed)} it is something else."
        )
    ]
    lines += [f"  came  {one.person}  shop {one.shop_id}  {','.join(one.fields)}" for one in found.came]
    lines += [f"  went  {one.person}  shop {one.shop_id}  {','.join(one.fields)}" for one in found.went]
    lines += [f"  other {one.person}  shop {one.shop_id}  {in_words(one)}" for one in found.changed]
    return "\n".join(lines)


def as_json(found: Comparison) -> dict[str, Any]:
    """Return it for a program."""
    return {
        "then": {"persons": found.then, "size": found.then_size},
        "now": {"persons": found.now, "size": found.now_size},
        "came": [_plain(one) for one in found.came],
        "went": [_plain(one) for one in found.went],
        "changed": [
            {
                "person": str(one.person),
                "shop": one.shop_id,
                "came": list(one.came),
                "went": list(one.went),
                "turned": {field: [then, now] for field, then, now in one.turned},
            }
            for one in found.changed
        ],
    }


def in_words(one: Changed) -> str:
    """Say what changed of one person: `+phone -name mail:possibly>exposed`."""
    turned = [f"{field}:{then}>{now}" for field, then, now in one.turned]
    return " ".join([*(f"+{each}" for each in one.came), *(f"-{each}" for each in one.went), *turned])


def _by_person(found: Scope) -> Mapping[tuple[int, UUID], Exposure]:
    return {(one.shop_id, one.person): one for one in found.exposed_people}


def _changed(then: Exposure, now: Exposure) -> Changed | None:
    before = {one.field: str(one.state) for one in then.seen}
    after = {one.field: str(one.state) for one in now.seen}
    turned = tuple(
        (name, before[name], after[name])
        for name in sorted(after)
        if name in before and before[name] != after[name]
    )
    came, went = tuple(sorted(set(after) - set(before))), tuple(sorted(set(before) - set(after)))
    return Changed(now.shop_id, now.person, came, went, turned) if came or went or turned else None


def _plain(one: Exposure) -> dict[str, Any]:
    return {
        "person": str(one.person),
        "shop": one.shop_id,
        "fields": list(one.fields),
        "state": str(one.state),
    }
