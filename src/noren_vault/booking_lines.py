"""Fields that hold a line for each booking: answers, answers about health, the names of those who come.

A line is a JSON object that names its booking, the newest first. Who reads it is the app's business, but for
two things: which booking a line is of, and by which names somebody is found. What is no such line was written
by hand; it stays, after them.
"""

import json
from typing import Any, Final

from noren_vault.fields import LONGEST

OF_BOOKINGS: Final = ("answers", "health", "guests")


def under(line: str, stood: str, *, field: str, booking: int) -> str:
    """Put a booking's line before the others, in the place of its own; an empty one takes it away.

    What the field has no room for falls out, the oldest lines first and always whole ones.
    """
    kept = [line] if line else []
    room = LONGEST[field] - len(line)
    for each in stood.split("\n"):
        if not each or _read(each).get("booking") == booking:
            continue
        room -= len(each) + 1
        if kept and room < 0:
            break
        kept.append(each)
    return "\n".join(kept)


def names(text: str) -> list[str]:
    """Give the names in a text of guests, kana first as for the customer herself."""
    found: list[str] = []
    for line in text.split("\n"):
        guests = _read(line).get("guests")
        pairs = [one for one in guests if isinstance(one, list)] if isinstance(guests, list) else []
        found += [part for one in pairs for part in reversed(one) if isinstance(part, str) and part]
    return found


def _read(line: str) -> dict[str, Any]:
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}
