"""The closed list of fields a person has, and what may stand in them.

The vault checks for itself: a page's own check is a courtesy, an importer may have none.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import orjson

from noren_vault import spelling
from noren_vault.errors import BadField, BadRequest

LONGEST: Final[Mapping[str, int]] = {
    "name": 200,
    "kana": 200,
    "mail": 254,
    "phone": 40,
    "note": 2000,
    "card_last4": 4,
    "answers": 8000,
    "health": 8000,
    "guests": 8000,
    "tags": 400,
    "notes": 20000,
    "chart": 40000,
}
FIELDS: Final = tuple(LONGEST)


class FieldClass(StrEnum):
    """What a field is about; who sees a person's name and kana has seen one class of hers, and the names of
    those whom she brings with it.
    """

    IDENTITY = "identity"
    CONTACT = "contact"
    NOTE = "note"
    ANSWERS = "answers"
    HEALTH = "health"
    CARD = "card"
    CHART = "chart"


CLASS_OF: Final[Mapping[str, FieldClass]] = {
    "name": FieldClass.IDENTITY,
    "kana": FieldClass.IDENTITY,
    "mail": FieldClass.CONTACT,
    "phone": FieldClass.CONTACT,
    "note": FieldClass.NOTE,
    "card_last4": FieldClass.CARD,
    "answers": FieldClass.ANSWERS,
    "health": FieldClass.HEALTH,
    "guests": FieldClass.IDENTITY,
    "tags": FieldClass.NOTE,
    "notes": FieldClass.NOTE,
    "chart": FieldClass.CHART,
}
# Nobody's name needs them, and in a mail or a list they show something else than what is there.
_TURNERS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_LINES: Final = frozenset("\n\t")
_LONG: Final = ("note", "answers", "health", "guests", "notes", "chart")
_LOCAL: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}", re.ASCII)
_LABEL: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?", re.ASCII)


class Reason(StrEnum):
    """Why a field cannot be: a closed list."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    CONTROL = "control"
    MAIL = "mail"
    PHONE = "phone"
    DIGITS = "digits"
    NOT_TEXT = "not_text"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Value:
    """A checked value: what was typed, and for a phone its E.164."""

    text: str
    e164: str | None = None

    def to_bytes(self) -> bytes:
        """The plaintext that is sealed."""
        stored = {"text": self.text} if self.e164 is None else {"e164": self.e164, "text": self.text}
        return json.dumps(stored, ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, plaintext: bytes) -> "Value":
        """Read what `to_bytes` made."""
        stored = orjson.loads(plaintext)
        return cls(text=stored["text"], e164=stored.get("e164"))


Values = dict[str, Value]


def check(given: Mapping[str, Any], *, required: tuple[str, ...] = ()) -> tuple[Values, dict[str, Reason]]:
    """Give the values that can be, and the reason for each field that cannot. Empty ones are left out."""
    values: Values = {}
    reasons: dict[str, Reason] = {}
    for field, text in given.items():
        found = _check(field, text)
        if isinstance(found, Reason):
            reasons[field] = found
        elif found is not None:
            values[field] = found
    for field in required:
        if field not in values and field not in reasons:
            reasons[field] = Reason.EMPTY
    return values, reasons


def checked(given: Mapping[str, Any], *, required: tuple[str, ...] = ()) -> Values:
    """Give the values, or raise BadField with the reason for each field."""
    values, reasons = check(given, required=required)
    if reasons:
        field, reason = next(iter(reasons.items()))
        told = {name if name in LONGEST else "unknown": str(why) for name, why in reasons.items()}
        raise BadField(field=field if field in LONGEST else "unknown", reason=str(reason), fields=told)
    return values


def known(names: object) -> tuple[str, ...]:
    """Check a list of field names, in the order of the closed list. Raises BadRequest."""
    if not isinstance(names, list) or not names or not all(name in LONGEST for name in names):
        raise BadRequest("fields is a list of known field names")
    return tuple(field for field in FIELDS if field in names)


def _check(field: str, text: object) -> Value | Reason | None:
    if field not in LONGEST:
        return Reason.UNKNOWN
    if not isinstance(text, str):
        return Reason.NOT_TEXT
    stripped = text.replace("\r\n", "\n").strip()
    if not stripped:
        return None
    if len(stripped) > LONGEST[field]:
        return Reason.TOO_LONG
    if _has_control(stripped, _LINES if field in _LONG else frozenset()):
        return Reason.CONTROL
    return _FORMS[field](stripped) if field in _FORMS else Value(stripped)


def _has_control(text: str, allowed: frozenset[str]) -> bool:
    return any(
        char in _TURNERS or (unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") and char not in allowed)
        for char in text
    )


def _mail(text: str) -> Value | Reason:
    """An address as RFC 5321 has it, without the forms nobody uses (quotes, literals, other letters)."""
    local, at, domain = unicodedata.normalize("NFKC", text).partition("@")
    labels = domain.split(".")
    dots = not local.startswith(".") and not local.endswith(".") and ".." not in local
    fits = _LOCAL.fullmatch(local) and len(labels) > 1 and all(_LABEL.fullmatch(label) for label in labels)
    if not at or not dots or not fits or labels[-1].isdecimal():
        return Reason.MAIL
    return Value(f"{local}@{domain}")


def _phone(text: str) -> Value | Reason:
    e164 = spelling.phone(text)
    return Reason.PHONE if e164 is None else Value(text, e164)


def _digits(text: str) -> Value | Reason:
    return Value(text) if text.isascii() and text.isdecimal() and len(text) == 4 else Reason.DIGITS


def _tags(text: str) -> Value | Reason:
    numbers = text.split()
    fine = all(one.isascii() and one.isdecimal() and len(one) < 16 for one in numbers)
    return Value(" ".join(numbers)) if fine else Reason.DIGITS


_FORMS: Final[Mapping[str, Callable[[str], Value | Reason]]] = {
    "mail": _mail,
    "phone": _phone,
    "card_last4": _digits,
    "tags": _tags,
}
