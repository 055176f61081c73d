"""Importing many persons: at most 500 an entry, checked row by row, a second run changes nothing.

Who is there already is never overwritten: by the row's key she is the same; one with the same address stays
beside her, or is left out where whoever asks says so.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from noren_vault import blind, canaries, fields, rights
from noren_vault.canaries import Canaries
from noren_vault.clock import Now
from noren_vault.database import Database
from noren_vault.errors import BadRequest
from noren_vault.fields import Values
from noren_vault.grants import Grant
from noren_vault.keys import Keys
from noren_vault.left_rows import MOST_A_PIECE, LeftRows
from noren_vault.people import OWN_KEYS, NewPerson, People
from noren_vault.permissions import Permission
from noren_vault.record import Path, Record
from noren_vault.transfers import Kind, Transfers, Wanted

MOST_A_REQUEST: Final = 5000
_AN_ENTRY: Final = 500
_REQUIRED: Final = ("name",)
# The oldest of those who have an address: who wrote a mail first.
_WITH_ADDRESS: Final = """
SELECT DISTINCT ON (b.token) b.token, p.person::text
FROM vault.blind b JOIN vault.person p USING (shop_id, person)
WHERE b.shop_id = %s AND b.token = ANY(%s) AND b.field = 'mail' AND p.kind = 'customer' AND p.state = 'kept'
ORDER BY b.token, p.made_at, p.person
"""


@dataclass(slots=True)
class Imported:
    """The ids by key, and the rows that were not taken: key, field, reason."""

    persons: dict[str, str] = field(default_factory=dict)
    bad: list[dict[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Came:
    """What a step brought in: the ids by key, and the place of the list up to which all are in."""

    persons: dict[str, str]
    place: int


@dataclass(frozen=True, slots=True)
class _Why:
    """What an import's entries say, and which transfer brings its persons. `join`: see `Importing.take`."""

    ref: str = ""
    note: str = ""
    transfer: str = ""
    join: bool = False


class Importing:
    """The act of importing."""

    def __init__(
        self,
        database: Database,
        people: People,
        keys: Keys,
        record: Record,
        now: Now,
        *,
        transfers: Transfers,
        flock: Canaries,
    ) -> None:
        """Keep the parts."""
        self._database = database
        self._people = people
        self._keys = keys
        self._record = record
        self._now = now
        self._transfers = transfers
        self._canaries = flock
        self._left = LeftRows(database, keys)

    async def ask(self, grant: Grant, wanted: Wanted) -> str:
        """Ask to bring in a list of so many persons; gives the import's id. Raises what `may_ask` does."""
        second = await self._transfers.may_ask(grant, wanted)
        async with self._transfers.transaction() as connection:
            return await self._transfers.begin(
                connection, grant, wanted, places=wanted.persons, second=second
            )

    async def look(self, grant: Grant, rows: Sequence[Any]) -> tuple[list[dict[str, str]], list[str]]:
        """Say what is wrong with which row, and who is there already: by key, or by address. On record.

        A canary is there as everybody is who has an address. Raises GrantRefused, PurposeRefused.
        """
        grant.needs(Permission.LISTS_IMPORT)
        rights.check_update(grant.role, _names(rows))
        bad: list[dict[str, str]] = []
        good = await asyncio.to_thread(_check, rows, bad)
        persons = await self._people.by_key(grant.shop, [key for key, _ in good])
        persons |= await self._with_address(grant.shop, [row for row in good if row[0] not in persons])
        bare = await self._people.by_key(grant.shop, _bare(rows))
        persons, bad = persons | bare, [one for one in bad if one["key"] not in bare]
        there = sorted({*persons.values()})
        for start in range(0, max(1, len(there)), _AN_ENTRY):
            some = there[start : start + _AN_ENTRY]
            await self._record.write("import", grant.path, shop=grant.shop, persons=some, note="looked")
        hidden = canaries.known(await self._canaries.flock(grant.shop), good)
        return bad, [*persons, *(key for key, values in good if key in hidden and "mail" in values)]

    async def take(
        self, grant: Grant, transfer: str, first: int, rows: Sequence[Any], *, check: bool, join: bool = False
    ) -> Imported:
        """Take rows of an import that was agreed to, the first of them at a place of the list.

        The same rows again change nothing, so who was cut off begins anew. `join`: a row with the address of
        somebody who is there stands for her, and is left out. Raises what `Transfers.ready` does;
        BadRequest: more rows than were asked for, or other fields.
        """
        one = await self._transfers.ready(grant, transfer, Kind.IMPORT)
        if first + len(rows) > one.places or not {*_names(rows)} <= set(one.fields):
            raise BadRequest("more rows, or other fields, than were asked for")
        if first == 0 and not check:
            await self._transfers.opened(grant, one)
        why = _Why(one.ref, transfer=one.id, join=join)
        done = await self._run(one.shop, rows, grant.path, why, all_or_nothing=False, check=check)
        if not check:
            await self._transfers.reached(one, first + len(rows))
        return done

    async def leave(
        self, grant: Grant, transfer: str, first: int, rows: Sequence[Any], *, join: bool
    ) -> list[dict[str, str]]:
        """Keep rows of an import that was agreed to, sealed, for `step` to bring in within a day. With a bad
        one among them none is kept, and what is wrong is given. Raises what `take` does.
        """
        if not rows or len(rows) > MOST_A_PIECE:
            raise BadRequest(f"1 to {MOST_A_PIECE} rows are left at once")
        one = await self._transfers.ready(grant, transfer, Kind.IMPORT)
        names = _names(rows)
        if first + len(rows) > one.places or not {*names} <= set(one.fields):
            raise BadRequest("more rows, or other fields, than were asked for")
        done = Imported()
        await asyncio.to_thread(_check, rows, done.bad)
        await self._find_bare(one.shop, rows, grant.path, done, _Why(one.ref, transfer=one.id))
        if done.bad:
            return done.bad
        if first == 0:
            await self._transfers.opened(grant, one)
        await self._record.write("import", grant.path, shop=one.shop, fields=names, ref=one.ref, note="left")
        await self._left.leave(one.id, first, rows, join=join)
        await self._transfers.keeps_on(one)
        return []

    async def step(self, shop: int, transfer: str, first: int, path: Path) -> Came | None:
        """Bring the next rows in that were left, and tell who is who; None: nothing is left.

        `first`: up to this place whoever asks has written down what it was told, so those rows go now, and no
        sooner. Who dies in between does them once more, is told the same, and nobody is there twice. Raises
        NoSuchTransfer, TransferOver.
        """
        one = await self._transfers.left(shop, transfer)
        await self._left.gone(one.id, first)
        piece = await self._left.next(one.id)
        if piece is None:
            return None
        why = _Why(one.ref, transfer=one.id, join=piece.join)
        done = await self._run(one.shop, piece.rows, path, why, all_or_nothing=False, check=False)
        place = piece.place + len(piece.rows)
        await self._transfers.reached(one, place)
        return Came(done.persons, place)

    async def run(
        self,
        shop: int,
        rows: Sequence[Any],
        path: Path,
        *,
        all_or_nothing: bool,
        check: bool,
        note: str = "",
    ) -> Imported:
        """Check the rows, and store the good ones unless `check` or `all_or_nothing` forbids it."""
        why = _Why(note=note)
        return await self._run(shop, rows, path, why, all_or_nothing=all_or_nothing, check=check)

    async def _run(
        self, shop: int, rows: Sequence[Any], path: Path, why: _Why, *, all_or_nothing: bool, check: bool
    ) -> Imported:
        done = Imported()
        good = await asyncio.to_thread(_check, rows, done.bad)
        if why.transfer:
            await self._find_bare(shop, rows, path, done, why)
        if check or (all_or_nothing and done.bad):
            return done
        # Who reads an export in again brings its canaries along: they are there already, and nobody.
        there = canaries.known(await self._canaries.flock(shop), good)
        done.persons |= there
        good = [row for row in good if row[0] not in there]
        for start in range(0, len(good), _AN_ENTRY):
            async with self._keys.steady.hold():
                await self._store(shop, good[start : start + _AN_ENTRY], path, done, why)
        return done

    async def _find_bare(self, shop: int, rows: Sequence[Any], path: Path, done: Imported, why: _Why) -> None:
        """Find whom a row names by its key alone: who came in with an earlier list needs no name again."""
        bare = _bare(rows)
        if not bare:
            return
        there = await self._people.by_key(shop, bare)
        await self._record.write("import", path, shop=shop, persons=sorted({*there.values()}), ref=why.ref)
        done.persons |= there
        done.bad = [one for one in done.bad if one["key"] not in there]

    async def _store(
        self, shop: int, rows: Sequence[tuple[str, Values]], path: Path, done: Imported, why: _Why
    ) -> None:
        there = await self._people.by_key(shop, [key for key, _ in rows])
        if why.join:
            there |= await self._with_address(shop, [row for row in rows if row[0] not in there])
        done.persons |= there
        people = [NewPerson.of(key, values) for key, values in rows if key not in there]
        # The values of those who are there already passed by once more: a second run is on record, too.
        persons = dict.fromkeys([*there.values(), *(one.person for one in people)])
        names = sorted({name for _, values in rows for name in values})
        await self._record.write(
            "import", path, shop=shop, persons=persons, fields=names, ref=why.ref, note=why.note
        )
        if not people:
            return
        if why.transfer:
            # Before they are there: who is cut off in between undoes too many, and never too few.
            await self._transfers.brings(why.transfer, [one.person for one in people])
        stored = await self._people.insert(
            shop, people, kind="customer", state="kept", searched=True, now=self._now()
        )
        done.persons |= {one.key: one.person for one in people if one.key and one.person in stored}
        if len(stored) < len(people):  # another import of the same rows was faster
            done.persons |= await self._people.by_key(shop, [key for key, _ in rows])

    async def _with_address(self, shop: int, rows: Iterable[tuple[str, Values]]) -> dict[str, str]:
        """Give key -> the customer who has the row's address already."""
        by_token: dict[bytes, list[str]] = {}
        for key, values in rows:
            for token in blind.mails(self._keys, shop, values["mail"].text) if "mail" in values else ():
                by_token.setdefault(token, []).append(key)
        found = await self._database.rows(_WITH_ADDRESS, [shop, list(by_token)])
        return {key: person for token, person in found for key in by_token[bytes(token)]}


def _bare(rows: Sequence[Any]) -> list[str]:
    """Give the keys of the rows that say nothing but who it is."""
    return [row["key"] for row in rows if not row["fields"]]


def _names(rows: Sequence[Any]) -> tuple[str, ...]:
    found: set[str] = set()
    for row in rows:
        if isinstance(row, dict) and isinstance(row.get("fields"), dict):
            found |= {str(name) for name in row["fields"]}
    return tuple(sorted(found))


def _check(rows: Sequence[Any], bad: list[dict[str, str]]) -> list[tuple[str, Values]]:
    """Give the good rows; the same key twice in one request counts once."""
    if len(rows) > MOST_A_REQUEST:
        raise BadRequest(f"more than {MOST_A_REQUEST} rows in one request")
    good: dict[str, Values] = {}
    for row in rows:
        if not isinstance(row, dict) or not isinstance(row.get("fields"), dict):
            raise BadRequest("a row is {key, fields}")
        key = row.get("key")
        if not isinstance(key, str) or not 0 < len(key) <= 200 or key.startswith(OWN_KEYS):
            raise BadRequest("a row's key is a text of at most 200 characters, and none of the vault's own")
        values, reasons = fields.check(row["fields"], required=_REQUIRED)
        bad += [{"key": key, "field": name, "reason": str(reason)} for name, reason in reasons.items()]
        if key in good:
            bad.append({"key": key, "field": "key", "reason": "double"})
        elif not reasons:
            good[key] = values
    return list(good.items())
