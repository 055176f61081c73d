"""Stores taken whole: who had rows at the time, which fields, in clear or as cipher, and where the key was.

The time is [since, until]: the store was taken at some moment in it. Who had rows then is read from the
ledger, so that an erased person counts until the erasure; an entry says a person's fields at most too widely.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from noren_vault import signin_data
from noren_vault.canaries import of_backups
from noren_vault.database import Database, Row
from noren_vault.errors import NothingTaken
from noren_vault.exposure import Exposures, State
from noren_vault.providers import Kind
from noren_vault.question import Question
from noren_vault.told import Told

# An erasure ends with its transaction, a little after its entry.
ERASING_MS: Final = 60_000
_ROWS: Final = """
SELECT e.shop_id, p.person::text, min(e.at) FILTER (WHERE e.kind <> 'erase'),
    max(e.at) FILTER (WHERE e.kind = 'erase' AND {outcome} = 'done'),
    array_agg(DISTINCT f.name) FILTER (WHERE f.name IS NOT NULL), array_agg(DISTINCT e.entry)
FROM vault.ledger_entry e JOIN vault.ledger_person p USING (entry)
LEFT JOIN LATERAL unnest(e.fields) AS f(name) ON true
WHERE e.kind IN ('put', 'import', 'member', 'update', 'erase') AND e.at - e.skew <= %(until)s
  AND e.entry < %(size)s AND NOT (e.kind = 'put' AND {outcome} = 'failed')
  AND (%(shop)s::bigint IS NULL OR e.shop_id = %(shop)s)
  AND (%(persons)s::uuid[] IS NULL OR p.person = ANY(%(persons)s::uuid[]))
GROUP BY 1, 2
HAVING count(*) FILTER (WHERE e.kind <> 'erase') > 0
"""
_NAMED: Final = """
SELECT min(e.at - e.skew), greatest(max(e.at), max(o.at)),
    bool_or(e.note = 'begun') AND NOT bool_or(e.note = 'made') FROM vault.ledger_entry e
LEFT JOIN vault.ledger_entry o ON o.kind = 'outcome' AND o.ref = e.entry::text AND o.entry > e.entry
    AND o.at <= e.at + 86400000 AND o.entry < %(size)s
WHERE e.kind = 'backup' AND e.entry < %(size)s
  AND (e.ref = %(ref)s OR starts_with(e.ref, %(ref)s || '/manifest:'))
"""
_KEY_LIFE: Final = """
SELECT min(e.at) FILTER (WHERE e.note LIKE '%%made%%' OR e.note LIKE '%%begin%%'),
    max(e.at) FILTER (WHERE e.note LIKE '%%retired%%' OR e.note LIKE '%%destroyed%%')
FROM vault.ledger_entry e WHERE e.kind = 'key' AND e.entry < %(size)s AND strpos(e.ref, %(key)s) > 0
"""
_DOOR: Final = """
SELECT e.at, e.ref FROM vault.ledger_entry e
WHERE e.kind = 'door' AND e.session = %(door)s AND e.note <> 'explained' AND e.entry < %(size)s
ORDER BY e.entry
"""
_WRAPPED: Final = """
SELECT count(*) FROM keystore.person_key WHERE epoch = %s AND (%s::bigint IS NULL OR shop_id = %s)
"""
# A pepper that is in use, or one that was.
_PEPPER: Final = """
SELECT p.made_at, NULL::bigint FROM vault.pepper p WHERE p.id = %(id)s
UNION ALL SELECT NULL, r.retired_at FROM vault.retired_key r WHERE r.kind = 'pepper' AND r.id = %(id)s
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """One thing that was taken, and when at the earliest and at the latest.

    `keys` are the kinds of keys in it that open something; `lasting`: a key still in use.
    """

    name: str
    cipher: bool
    keys: frozenset[str]
    since: int
    until: int
    lasting: bool = False


@dataclass(slots=True)
class Holding:
    """All that is in one hand: what is cipher in one part may be readable with the keys of another."""

    parts: list[Taken] = field(default_factory=list)

    def fitting(self, part: Taken) -> frozenset[str]:
        """Which kinds of keys fit one part: a key opens what was sealed while it was in use."""
        fits = [
            one.keys
            for one in self.parts
            if one.since <= part.until and (one.lasting or part.since <= one.until)
        ]
        return frozenset[str]().union(*fits)

    def form(self, part: Taken) -> str:
        """What a person's fields are in one part."""
        if part.cipher:
            return "readable" if Kind.EPOCH in self.fitting(part) else "cipher"
        return "keys" if part.keys else "ids"


# What lies where: the app's database holds opaque ids and no person's field; the vault's database and its
# backups hold ciphertext and wrapped keys; the keys that unwrap lie with the provider; the host has them all.
_NONE: Final[frozenset[str]] = frozenset()
_ALL: Final[frozenset[str]] = frozenset({Kind.EPOCH, Kind.PEPPER})
_STORES: Final[Mapping[str, tuple[bool, frozenset[str]]]] = {
    "app": (False, _NONE),
    # They say what was done by numbers and codes; a test looks for names in them.
    "logs": (False, _NONE),
    "vault": (True, _NONE),
    "keys": (False, _ALL),
    "host": (True, _ALL),
}


class Stores:
    """Answers for stores."""

    def __init__(self, database: Database) -> None:
        """Keep the database."""
        self._database = database

    async def read(
        self, question: Question, told: Told, found: Exposures, *, intact: bool
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Put who lay in what was taken into `found`; gives what each store says, and accounts' things in it.

        Raises NothingTaken.
        """
        holding = Holding(await self._parts(question, told.size))
        says, accounts = [], []
        canaries = await of_backups(self._database)
        for part in holding.parts:
            form, safe = holding.form(part), intact and not part.name.startswith("door:")
            there = await self._rows(question, told, part.since, part.until)
            for row in there:
                _add(found, row, part, _state(form, intact=safe))
            people = [row for row in there if row[1] not in canaries]
            says.append(_words(part, form, people, sorted(holding.fitting(part)) if part.cipher else []))
            if part.cipher:
                hand = signin_data.Hand(part.name, part.since, part.until, holding.fitting(part), safe)
                accounts += await signin_data.read(self._database, question, told, hand)
        return says, accounts

    async def untouched(self, question: Question, told: Told, found: Exposures) -> dict[str, dict[str, Any]]:
        """Count by shop who had rows within the time and is not exposed, and the same of each field."""
        shops: dict[str, dict[str, Any]] = {}
        canaries = await of_backups(self._database)
        for row in await self._rows(question, told, question.since, question.until):
            if row[1] in canaries:
                continue
            there = shops.setdefault(str(row[0]), {"persons": 0, "fields": {}})
            seen = found.fields_of(row[0], row[1])
            there["persons"] += not seen
            for name in set(row[4] or ()) - seen:
                there["fields"][name] = there["fields"].get(name, 0) + 1
        return dict(sorted(shops.items(), key=lambda pair: int(pair[0])))

    async def _rows(self, question: Question, told: Told, since: int, until: int) -> list[Row]:
        narrow = {"shop": question.shop, "persons": list(question.persons) or None, "until": until}
        rows = await self._database.rows(_ROWS.format(outcome=told.outcome), told.params | narrow)
        return [row for row in rows if row[3] is None or row[3] + ERASING_MS >= since]

    async def _parts(self, question: Question, size: int) -> list[Taken]:
        when = question.since, question.until
        stores = question.taken.get("store", ())
        return [
            # The keys' folder holds those of before, too.
            *(Taken(one, *_STORES[one], 0, question.until, lasting=True) for one in stores if one == "keys"),
            *(Taken(one, *_STORES[one], *when) for one in stores if one != "keys"),
            *[await self._backup(one, question, size) for one in question.taken.get("backup", ())],
            *[await self._key(one, question, size) for one in question.taken.get("key", ())],
            *[await self._door(one, question, size) for one in question.taken.get("door", ())],
        ]

    async def _backup(self, given: str, question: Question, size: int) -> Taken:
        """A backup holds what was there while it was made; it is not asked when it was taken away.

        One that was begun and never put on record as made may hold what came until the time that is asked.
        """
        name = given.removeprefix("backup:")
        row = await self._database.row(_NAMED, {"ref": f"backup:{name}", "size": size})
        if row is None or row[0] is None:
            raise NothingTaken(kind="backup", name=name[:60])
        until = max(question.until, row[1]) if row[2] else row[1]
        return Taken(f"backup:{name}", cipher=True, keys=_NONE, since=row[0], until=until)

    async def _door(self, name: str, question: Question, size: int) -> Taken:
        """A foreign session could read its cluster's store from its start to its end."""
        rows = await self._database.rows(_DOOR, {"door": name, "size": size})
        if not rows:
            raise NothingTaken(kind="door", name=name[:60])
        # `vault/started:MS`, `vault/ended:MS`
        told = {ref.partition("/")[2].partition(":")[0]: int(ref.rpartition(":")[2]) for _, ref in rows}
        cipher = rows[0][1].startswith("vault/")
        since = min(told.get("started") or rows[0][0], rows[0][0])
        return Taken(
            f"door:{name}", cipher=cipher, keys=_NONE, since=since, until=told.get("ended", question.until)
        )

    async def _key(self, name: str, question: Question, size: int) -> Taken:
        """An epoch key opens who was wrapped under it, a pepper what people sign in with."""
        try:
            key_id = bytes.fromhex(name)
        except ValueError:
            raise NothingTaken(kind="key", name=name[:60]) from None
        pepper = await self._database.row(_PEPPER, {"id": key_id})
        life = await self._database.row(_KEY_LIFE, {"key": name.lower(), "size": size}) or (None, None)
        if pepper is not None:
            life = pepper[0] or life[0], pepper[1]
        wrapped = await self._database.row(_WRAPPED, [key_id, question.shop, question.shop]) or (0,)
        if life == (None, None) and not wrapped[0]:
            raise NothingTaken(kind="key", name=name[:60])
        ended = None if wrapped[0] else life[1]
        kind = Kind.EPOCH if pepper is None else Kind.PEPPER
        return Taken(
            f"key:{name.lower()}",
            cipher=False,
            keys=frozenset({kind}),
            since=life[0] or 0,
            until=question.until if ended is None else ended,
            lasting=ended is None,
        )


def _state(form: str, *, intact: bool) -> State:
    """Readable is exposed. Cipher is not, as long as the record says nothing against the key side."""
    if form == "readable":
        return State.EXPOSED
    if form == "cipher":
        return State.NOT if intact else State.POSSIBLY
    return State.NOT


def _add(found: Exposures, row: Row, part: Taken, state: State) -> None:
    shop, person, made, erased, names, entries = row
    since, until = part.since, part.until
    found.add(
        shop,
        person,
        names or (),
        first=max(made, since),
        last=until if erased is None else min(until, max(erased, since)),
        state=state,
        purpose=f"taken.{part.name.partition(':')[0]}",
        entries=entries,
    )


def _words(one: Taken, form: str, there: Iterable[Row], keys: list[str]) -> dict[str, Any]:
    shops: dict[int, int] = {}
    for row in there:
        shops[row[0]] = shops.get(row[0], 0) + 1
    return {
        "name": one.name,
        "since": one.since / 1000,
        "until": one.until / 1000,
        "form": form,
        "persons": {str(shop): count for shop, count in sorted(shops.items())},
        # Whoever has the host, or cipher with its keys, reads on later and leaves no entry.
        "unbounded": one.name == "host",
        "keys": keys,
    }
