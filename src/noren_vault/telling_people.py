"""Who is in a telling, and why some of them get no mail: from the scope's answer and from who is there today.

Each record that the scope names is one line, so that what is told and what is not adds up to its number. Of
records that a shop has joined the one that stands gets the mail, with the fields of all. Pure but for
reading.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from noren_vault.canaries import KIND as CANARY
from noren_vault.database import Connection, Database
from noren_vault.merges import pairs
from noren_vault.rights import PLATFORM

_NOT: Final = "not"
_SURELY: Final = "exposed"
_THERE: Final = """
SELECT p.shop_id, p.person::text, p.kind, p.state, EXISTS (SELECT FROM vault.field f
    WHERE f.shop_id = p.shop_id AND f.person = p.person AND f.field = 'mail')
FROM vault.person p WHERE p.person = ANY(%s::uuid[])
"""
_COPY: Final = (
    b"COPY vault.told (telling, shop_id, person, kind, state, into_person, instead, fields, ways, "
    b"since, until, surely, due_at, changed_at) FROM STDIN"
)


@dataclass(slots=True)
class Line:
    """One record. `instead`: it is there only for those that were joined to it. Milliseconds."""

    shop: int
    person: str
    kind: str = "customer"
    state: str = "erased"
    into: str | None = None
    instead: bool = False
    surely: bool = False
    since: int = 1 << 62
    until: int = 0
    fields: set[str] = field(default_factory=set)
    ways: set[str] = field(default_factory=set)

    def add(
        self, names: Iterable[str], ways: Iterable[str], first: float, last: float, *, surely: bool
    ) -> None:
        """Put in what one part of the answer says; instants are POSIX seconds."""
        self.fields.update(names)
        self.ways.update(ways)
        self.since = min(self.since, round(first * 1000))
        self.until = max(self.until, round(last * 1000))
        self.surely = self.surely or surely

    def take(self, other: "Line") -> None:
        """Put in what was told of a record that was joined to this one."""
        self.add(other.fields, other.ways, other.since / 1000, other.until / 1000, surely=other.surely)

    def text(self) -> str:
        """What the telling's hash says of it."""
        names, ways = ".".join(sorted(self.fields)), ".".join(sorted(self.ways))
        who = f"{self.shop} {self.person} {self.kind} {self.state} {self.into or '-'} {int(self.instead)}"
        return f"{who} {names} {ways} {self.since} {self.until} {int(self.surely)}"


@dataclass(slots=True)
class Lines:
    """All of them. `nameless`: accounts in the scope whose person nobody knows."""

    found: dict[str, Line] = field(default_factory=dict)
    nameless: int = 0

    @property
    def scope(self) -> int:
        """How many records the scope's answer names."""
        return sum(not one.instead for one in self.found.values())

    def digest(self) -> str:
        """SHA-256 over all lines."""
        digest = hashlib.sha256()
        for person in sorted(self.found):
            digest.update(f"{self.found[person].text()}\n".encode())
        return digest.hexdigest()


def of_answer(answer: Mapping[str, Any]) -> Lines:
    """Read the scope's answer: who passed or lay there, and whose accounts' things did."""
    lines, nameless = Lines(), set()
    for one in answer["persons"]:
        line = lines.found.setdefault(one["person"], Line(one["shop"], one["person"]))
        surely = one["state"] == _SURELY
        line.add(one["fields"], one["purposes"], one["first"], one["last"], surely=surely)
    for one in answer["accounts"]:
        if one["state"] == _NOT:
            continue
        if one["person"] is None:
            nameless.add(one["actor"])
            continue
        line = lines.found.setdefault(one["person"], Line(one["shop"], one["person"]))
        way = f"taken.{str(one['store']).partition(':')[0]}"
        name = f"account_{one['kind']}"
        line.add([name], [way], one["first"], one["last"], surely=one["state"] == _SURELY)
    lines.nameless = len(nameless)
    return lines


async def settle(database: Database, lines: Lines) -> None:
    """Say of each who she is today, and whether she can be told."""
    into = await pairs(database, None, list(lines.found))
    for person, root in into.items():
        if person in lines.found:
            gone = lines.found[person]
            stands = lines.found.setdefault(root, Line(gone.shop, root, instead=True))
            stands.take(gone)
            gone.into = root
    for shop, person, kind, state, mail in await database.rows(_THERE, [list(lines.found)]):
        line = lines.found[person]
        line.shop, line.kind = shop, "member" if kind == "member" else "customer"
        line.state = _state(line, kind, state, mail=mail)


def _state(line: Line, kind: str, state: str, *, mail: bool) -> str:
    # A backup's canary is stored as a customer, of no shop: nobody else is one there.
    if kind == CANARY or (kind == "customer" and line.shop == PLATFORM):
        return "canary"
    if line.into is not None:
        return "joined"
    if state == "erased":
        return "erased"
    return "waiting" if mail else "no_mail"


async def store(connection: Connection, telling: str, lines: Sequence[Line], now: int) -> None:
    """Store them all in the caller's transaction."""
    async with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for one in lines:
            names, ways = sorted(one.fields), sorted(one.ways)
            who = (telling, one.shop, one.person, one.kind, one.state, one.into, one.instead)
            await copy.write_row((*who, names, ways, one.since, one.until, one.surely, now, now))
