"""What one entry of the ledger says: who, whose, which fields, what for, when. Ids only, never a person's
data.
"""

import json
import re
from dataclasses import dataclass, fields
from typing import Any, Final

from .errors import EntryInvalid

MAX_ENTRY_BYTES: Final = 65_535
MAX_PERSONS: Final = 500
MAX_FIELDS: Final = 64
# Hex digits of a build in an entry: 128 bits, so that no other code can be made to have the same.
BUILD_DIGITS: Final = 32
KINDS: Final = frozenset(
    {
        "intent",
        "outcome",
        "put",
        "update",
        "erase",
        "search",
        "search_build",
        "signin",
        "signout",
        "register",
        "invite",
        "member",
        "send",
        "bounce",
        "messages",
        "scope",
        "import",
        "start",
        "repair",
        "refused",
        "key",
        "witness",
        "backup",
        "restore",
        "export",
        "right",
        "prove",
        "budget",
        "door",
        "connections",
        "sign",
        "power",
        "incident",
        "merge",
        "notice",
    }
)
_LIMIT = 1 << 53  # integers beyond this are not the same in every JSON reader
# No at sign, no space, nothing beyond ASCII: a mail address or a name cannot stand in an id.
_ID = re.compile(r"[A-Za-z0-9._:/=+-]{0,160}", re.ASCII)
_BUILD = re.compile(rf"(?:[0-9a-f]{{{BUILD_DIGITS}}})?", re.ASCII)
_FIELD = re.compile(r"[a-z][a-z0-9_]{0,31}", re.ASCII)
_CODE = re.compile(r"(?:[a-z][a-z0-9_.:-]{0,63})?", re.ASCII)
_PERSON = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry. The order of the fields here is the order of the keys in its JSON, and is part of the
    format.

    `time` (milliseconds since the epoch, UTC, never falling), `skew` (by how many milliseconds the clock
    stood behind the entry before; the clock said time - skew) and `build` (which software wrote it: the
    first 32 hex digits of the build's SHA-256) are set by the sequencer alone. `shop` 0 means no shop.
    `persons` are UUIDs in lower case, `note` is a code and no prose, `commit` a salted commitment.
    """

    v: int = 1
    time: int = 0
    skew: int = 0
    kind: str
    actor: str = ""
    credential: str = ""
    session: str = ""
    process: str = ""
    shop: int = 0
    purpose: str = ""
    persons: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    ref: str = ""
    note: str = ""
    commit: str = ""
    build: str = ""

    def __post_init__(self) -> None:
        """Refuse what may not stand in the ledger. Raises EntryInvalid."""
        _check_numbers(self)
        if self.kind not in KINDS:
            raise EntryInvalid(f"an entry of kind {self.kind!r} is not known")
        for name in ("actor", "credential", "session", "process", "purpose", "ref", "commit"):
            if not _matches(_ID, getattr(self, name)):
                raise EntryInvalid(f"{name} is not an id")
        if not _matches(_CODE, self.note):
            raise EntryInvalid("note is a short code, not prose")
        if not _matches(_BUILD, self.build):
            raise EntryInvalid(f"build is not {BUILD_DIGITS} hex digits")
        _check_list("persons", self.persons, _PERSON, MAX_PERSONS)
        _check_list("fields", self.fields, _FIELD, MAX_FIELDS)

    def to_bytes(self) -> bytes:
        """The canonical JSON: fixed order of keys, no spaces, ASCII. At most 65,535 bytes (else
        EntryInvalid).
        """
        data = _encode({name: getattr(self, name) for name in _KEYS}).encode("ascii")
        if len(data) > MAX_ENTRY_BYTES:
            raise EntryInvalid(f"the entry has {len(data)} bytes, more than {MAX_ENTRY_BYTES}")
        return data

    @classmethod
    def from_bytes(cls, data: bytes) -> "Entry":
        """Read an entry; only the canonical bytes are accepted. Raises EntryInvalid.

        One pattern, that of the canonical form, decides; reading as JSON only finds the words for what does
        not fit it.
        """
        return _read(data) or cls._read_slowly(data)

    @classmethod
    def _read_slowly(cls, data: bytes) -> "Entry":
        try:
            raw: Any = json.loads(data.decode("ascii"))
        except (UnicodeDecodeError, ValueError, RecursionError):
            raise EntryInvalid("the entry is not JSON in ASCII") from None
        if not isinstance(raw, dict) or tuple(raw) != _KEYS:
            raise EntryInvalid("the entry does not have the keys of an entry in their order")
        for name in ("persons", "fields"):
            if not isinstance(raw[name], list):
                raise EntryInvalid(f"{name} is not a list")
            raw[name] = tuple(raw[name])
        entry = cls(**raw)
        if entry.to_bytes() != data:
            raise EntryInvalid("the entry is not written canonically")
        return entry


_KEYS: Final = tuple(field.name for field in fields(Entry))
_NUMBER: Final = r"(0|[1-9][0-9]{0,15})"
_LIST: Final = r'\[((?:"{0}"(?:,"{0}")*)?)\]'
# How each key's value is written canonically; what is not here is an id.
_PARTS: Final = {
    "v": "(1)",
    "time": _NUMBER,
    "skew": _NUMBER,
    "kind": f'"({"|".join(sorted(KINDS))})"',
    "shop": _NUMBER,
    "persons": _LIST.format(_PERSON.pattern),
    "fields": _LIST.format(_FIELD.pattern),
    "note": f'"({_CODE.pattern})"',
    "build": f'"({_BUILD.pattern})"',
}
_AN_ID: Final = f'"({_ID.pattern})"'
_CANONICAL: Final = re.compile(
    r"\{" + ",".join(f'"{name}":{_PARTS.get(name, _AN_ID)}' for name in _KEYS) + r"\}", re.ASCII
)
_NUMBERS: Final = [_KEYS.index(name) for name in ("v", "time", "skew", "shop")]
_LISTS: Final = [(_KEYS.index("persons"), MAX_PERSONS), (_KEYS.index("fields"), MAX_FIELDS)]
# The slots' own setters: they pass the check that `_CANONICAL` has made already.
_SETTERS: Final = [getattr(Entry, name).__set__ for name in _KEYS]
_encode: Final = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


def _read(data: bytes) -> Entry | None:
    """The entry, or None when the bytes are not an entry's canonical form."""
    if len(data) > MAX_ENTRY_BYTES:
        return None
    match = _CANONICAL.fullmatch(data.decode("latin-1"))
    if match is None:
        return None
    values: list[Any] = list(match.groups())
    for at in _NUMBERS:
        values[at] = int(values[at])
        if values[at] >= _LIMIT:
            return None
    for at, limit in _LISTS:
        values[at] = tuple(values[at][1:-1].split('","')) if values[at] else ()
        if len(values[at]) > limit:
            return None
    entry = object.__new__(Entry)
    for give, value in zip(_SETTERS, values, strict=True):
        give(entry, value)
    return entry


def _check_numbers(entry: Entry) -> None:
    for name in ("v", "time", "skew", "shop"):
        value = getattr(entry, name)
        if type(value) is not int or not 0 <= value < _LIMIT:
            raise EntryInvalid(f"{name} is not a whole number from 0 to 2**53")
    if entry.v != 1:
        raise EntryInvalid("only version 1 of the entry is known")


def _check_list(name: str, values: object, pattern: re.Pattern[str], limit: int) -> None:
    if not isinstance(values, tuple) or not all(_matches(pattern, value) for value in values):
        raise EntryInvalid(f"{name} holds something that is not an id")
    if len(values) > limit:
        raise EntryInvalid(f"{name} has {len(values)} items, more than {limit}")


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None
