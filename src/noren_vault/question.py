"""The question after a leak: by which paths or with which stores, within which time, narrowed to whom."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from noren_vault.errors import BadRequest
from noren_vault.record import session_name

# What an entry says of its way. `address` and `device` become sessions, `export` is one by its id.
PATHS: Final = ("actor", "credential", "session", "process", "address", "device", "export")
# What is taken as it lies: `backup` and `door` by its id, `key` by an epoch key's, `store` by one of STORES.
TAKEN: Final = ("store", "backup", "key", "door")
STORES: Final = ("app", "logs", "vault", "keys", "host")
_MOST: Final = 1000
_REF: Final = re.compile(r"[A-Za-z0-9._:/=+-]{1,160}", re.ASCII)
_LONGEST: Final = 400
# As long as an entry's note may be.
LONGEST_NOTE: Final = 64
Texts = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """A union: who passed by any of `paths`, or lay in any of `taken`. Without either: whatever passed.

    `since` and `until` in milliseconds, both included. `shop` and `persons` narrow the answer. `size`: as of
    so many entries of the ledger, of all of them unless it is given. `untouched`: count whom it leaves out.
    """

    since: int
    until: int
    paths: Mapping[str, Texts] = field(default_factory=dict)
    taken: Mapping[str, Texts] = field(default_factory=dict)
    shop: int | None = None
    persons: Texts = ()
    proofs: tuple[int, ...] = ()
    size: int | None = None
    untouched: bool = False

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> "Question":
        """Read it from the wire: instants are POSIX seconds, a path a text or a list. Raises BadRequest."""
        since, until = _milliseconds(params.get("since")), _milliseconds(params.get("until"), up=True)
        if since > until:
            raise BadRequest("since comes before until")
        paths = {name: texts for name in PATHS if (texts := _texts(params, name))}
        if "session" in paths:
            paths["session"] = tuple(session_name(one) for one in paths["session"])
        taken = {name: texts for name in TAKEN if (texts := _texts(params, name))}
        if not set(taken.get("store", ())) <= set(STORES):
            raise BadRequest(f"a store is one of {', '.join(STORES)}")
        shop, proofs = params.get("shop"), params.get("proofs") or []
        if not (shop is None or type(shop) is int) or not isinstance(proofs, list):
            raise BadRequest("shop is a number, proofs a list of entries")
        if not all(type(one) is int for one in proofs):
            raise BadRequest("proofs is a list of entries")
        size = params.get("size")
        if not (size is None or (type(size) is int and size > 0)):
            raise BadRequest("size is a number of entries")
        return cls(
            since,
            until,
            paths,
            taken,
            shop,
            persons=tuple(_person(one) for one in _texts(params, "person")),
            proofs=tuple(proofs[:_MOST]),
            size=size,
            untouched=params.get("untouched") is True,
        )

    @property
    def passed(self) -> bool:
        """Whether entries are asked for: by a path, or because nothing else is named."""
        return bool(self.paths) or not self.taken

    def to_note(self) -> str:
        """Say in the record by what was asked."""
        asked = [*self.paths, *self.taken]
        asked += ["shop"] if self.shop is not None else []
        asked += ["person"] if self.persons else []
        return ".".join(asked)[:LONGEST_NOTE] or "all"

    def to_ref(self) -> str:
        """Say in the record what was asked for, where the record may hold it: no address, no device."""
        for name in ("actor", "credential", "session", "process", "export"):
            if name in self.paths:
                return _id(self.paths[name][0])
        return next((_id(f"{name}:{texts[0]}") for name, texts in self.taken.items()), "")


def _id(text: str) -> str:
    """Keep what is an id; something else that was typed is not the record's to hold."""
    return text if _REF.fullmatch(text) else ""


def _milliseconds(value: object, *, up: bool = False) -> int:
    """Read POSIX seconds. What lies between two milliseconds widens the time, never narrows it."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e12:
        raise BadRequest("since and until are POSIX seconds")
    exact = round(value * 1000, 3)
    return math.ceil(exact) if up else math.floor(exact)


def _texts(params: Mapping[str, Any], name: str) -> Texts:
    value = params.get(name)
    given = [] if value is None else value if isinstance(value, list) else [value]
    fine = all(isinstance(one, str) and 0 < len(one) <= _LONGEST and "\x00" not in one for one in given)
    if not fine or len(given) > _MOST:
        raise BadRequest(f"{name} is a text, or a list of at most {_MOST} texts")
    return tuple(dict.fromkeys(given))


def _person(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise BadRequest("a person is a UUID") from None
