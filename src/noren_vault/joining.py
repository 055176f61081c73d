"""What becomes of two records' fields when they are joined, and when they are parted again. Pure.

Nothing that stands is written over unless it was chosen by name: what one lacks comes from the other, lines
are put together, and what was there before is kept for as long as it can be undone.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from noren_vault import kept_lines
from noren_vault.booking_lines import OF_BOOKINGS
from noren_vault.fields import LONGEST, Value, Values, check
from noren_vault.kept_lines import KEPT

SINGLE: Final = ("name", "kana", "mail", "phone", "card_last4")
CHOSEN: Final = ("name", "kana", "mail", "phone")
# Where the record that went keeps what the other one had before: a field that no request can name.
BEFORE: Final = "before"


class Full(Exception):
    """There is no room for both. Its words are the field."""


@dataclass(frozen=True, slots=True)
class Stood:
    """What a field held before, and the version that was written over it."""

    was: str
    version: int


def joined(stays: Values, goes: Values, take: Collection[str]) -> Values:
    """Give the fields of who stays that become others. Raises Full."""
    found: Values = {}
    for name in SINGLE:
        if name in goes and (name not in stays or name in take):
            found[name] = goes[name]
    texts = {
        "note": _under(_text(stays, "note"), _text(goes, "note")),
        "tags": _marks(_text(stays, "tags"), _text(goes, "tags")),
    }
    texts |= {name: kept_lines.joined(_text(stays, name), _text(goes, name)) for name in KEPT}
    texts |= {name: _by_booking(name, _text(stays, name), _text(goes, name)) for name in OF_BOOKINGS}
    for name, text in texts.items():
        if len(text) > LONGEST[name]:
            raise Full(name)
        found[name] = Value(text)
    return {name: value for name, value in found.items() if value.text != _text(stays, name)}


def before(stays: Values, changed: Values, versions: Mapping[str, int]) -> Value:
    """Give what is kept so that it can be undone."""
    stood = {name: {"was": _text(stays, name), "version": versions[name]} for name in changed}
    return Value(json.dumps(stood, ensure_ascii=False, separators=(",", ":")))


def read_before(text: str) -> dict[str, Stood]:
    """Read it again."""
    told: dict[str, Any] = json.loads(text) if text else {}
    return {name: Stood(one["was"], one["version"]) for name, one in told.items()}


def parted(
    stays: Values,
    goes: Values,
    stood: Mapping[str, Stood],
    versions: Mapping[str, int],
    bookings: Collection[int],
) -> tuple[Values, Values]:
    """Give the fields that become others when it is undone: of who stays, and of who has her own again.

    What was written since is kept: a field that was changed again stays, lines go with their booking.
    """
    kept = {name: _value(name, one.was) for name, one in stood.items() if versions.get(name) == one.version}
    back: Values = {}
    if "tags" in stood and "tags" not in kept:
        brought = set(_text(goes, "tags").split()) - set(stood["tags"].was.split())
        kept["tags"] = Value(" ".join(one for one in _text(stays, "tags").split() if one not in brought))
    for name in (*KEPT, *OF_BOOKINGS):
        if name not in kept:
            part = kept_lines.parted if name in KEPT else _parted_by_booking
            mine, hers = part(_text(stays, name), _text(goes, name), bookings)
            kept[name], back[name] = Value(mine), Value(hers)
    return (
        {name: value for name, value in kept.items() if value.text != _text(stays, name)},
        {name: value for name, value in back.items() if value.text != _text(goes, name)},
    )


def compared(one: Values, other: Values) -> dict[str, str]:
    """Say of each field that is chosen whether both have it, and the same, without saying what."""
    return {name: _compared(one.get(name), other.get(name)) for name in CHOSEN}


def _compared(one: Value | None, other: Value | None) -> str:
    if one is None or other is None:
        return "none" if one is other else "second" if one is None else "first"
    same = one.text == other.text or (one.e164 is not None and one.e164 == other.e164)
    return "same" if same else "differs"


def _text(values: Values, name: str) -> str:
    return values[name].text if name in values else ""


def _value(name: str, text: str) -> Value:
    """Read a text that was a value; one that could not be given today stands as it stood."""
    values, _ = check({name: text})
    return values.get(name, Value(text))


def _under(mine: str, hers: str) -> str:
    return mine if not hers or hers in mine.split("\n") or hers == mine else f"{mine}\n{hers}".strip("\n")


def _marks(mine: str, hers: str) -> str:
    return " ".join(str(one) for one in sorted({int(one) for one in (*mine.split(), *hers.split())}))


def _by_booking(name: str, mine: str, hers: str) -> str:
    """The newest booking first; what there is no room for falls out as ever, the oldest first."""
    if not hers:
        return mine
    lines = dict.fromkeys(line for text in (mine, hers) for line in text.split("\n") if line)
    kept: list[str] = []
    room = LONGEST[name]
    for line in sorted(lines, key=lambda line: -_booking(line)):
        room -= len(line) + bool(kept)
        if room < 0:
            break
        kept.append(line)
    return "\n".join(kept)


def _parted_by_booking(stands: str, hers: str, bookings: Collection[int]) -> tuple[str, str]:
    own = {line: _booking(line) for line in hers.split("\n") if line}
    numbers = {number for number in own.values() if number} | set(bookings)
    stays: list[str] = []
    back: list[str] = []
    for line in (each for each in stands.split("\n") if each):
        number = _booking(line)
        goes = line in own or number in numbers
        (back if goes else stays).append(line)
    there = {_booking(line) for line in back}
    back += [line for line, number in own.items() if line not in back and number not in there - {0}]
    return "\n".join(stays), "\n".join(sorted(back, key=lambda line: -_booking(line)))


def _booking(line: str) -> int:
    try:
        told = json.loads(line)
        return int(told["booking"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return 0
