"""Importing many persons: at most 500 an entry, checked row by row, a second run changes nothing."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from noren_vault import canaries, fields
from noren_vault.canaries import Canaries
from noren_vault.clock import Now
from noren_vault.errors import BadRequest
from noren_vault.fields import Values
from noren_vault.grants import Grant
from noren_vault.keys import Keys
from noren_vault.people import OWN_KEYS, NewPerson, People
from noren_vault.record import Path, Record
from noren_vault.transfers import Kind, Transfers, Wanted

MOST_A_REQUEST: Final = 5000
_AN_ENTRY: Final = 500
_REQUIRED: Final = ("name",)


@dataclass(slots=True)
class Imported:
    """The ids by key, and the rows that were not taken: key, field, reason."""

    persons: dict[str, str] = field(default_factory=dict)
    bad: list[dict[str, str]] = field(default_factory=list)


class Importing:
    """The act of importing."""

    def __init__(
        self, people: People, keys: Keys, record: Record, now: Now, *, transfers: Transfers, flock: Canaries
    ) -> None:
        """Keep the parts."""
        self._people = people
        self._keys = keys
        self._record = record
        self._now = now
        self._transfers = transfers
        self._canaries = flock

    async def ask(self, grant: Grant, wanted: Wanted) -> str:
        """Ask to bring in a list of so many persons; gives the import's id. Raises what `may_ask` does."""
        second = await self._transfers.may_ask(grant, wanted)
        async with self._transfers.transaction() as connection:
            return await self._transfers.begin(
                connection, grant, wanted, places=wanted.persons, second=second
            )

    async def take(
        self, grant: Grant, transfer: str, first: int, rows: Sequence[Any], *, check: bool
    ) -> Imported:
        """Take rows of an import that was agreed to, the first of them at a place of the list.

        The same rows again change nothing, so who was cut off begins anew. Raises what `Transfers.ready`
        does; BadRequest: more rows than were asked for, or other fields.
        """
        one = await self._transfers.ready(grant, transfer, Kind.IMPORT)
        names = {name for row in rows if isinstance(row, dict) for name in row.get("fields") or ()}
        if first + len(rows) > one.places or not names <= set(one.fields):
            raise BadRequest("more rows, or other fields, than were asked for")
        if first == 0 and not check:
            await self._transfers.opened(grant, one)
        done = await self.run(one.shop, rows, grant.path, all_or_nothing=False, check=check, ref=one.ref)
        if not check:
            await self._transfers.reached(one, first + len(rows))
        return done

    async def run(
        self,
        shop: int,
        rows: Sequence[Any],
        path: Path,
        *,
        all_or_nothing: bool,
        check: bool,
        ref: str = "",
        note: str = "",
    ) -> Imported:
        """Check the rows, and store the good ones unless `check` or `all_or_nothing` forbids it."""
        done = Imported()
        good = await asyncio.to_thread(_check, rows, done.bad)
        if check or (all_or_nothing and done.bad):
            return done
        # Who reads an export in again brings its canaries along: they are there already, and nobody.
        there = canaries.known(await self._canaries.flock(shop), good)
        done.persons |= there
        good = [row for row in good if row[0] not in there]
        for start in range(0, len(good), _AN_ENTRY):
            async with self._keys.steady.hold():
                await self._store(shop, good[start : start + _AN_ENTRY], path, done, (ref, note))
        return done

    async def _store(
        self, shop: int, rows: Sequence[tuple[str, Values]], path: Path, done: Imported, why: tuple[str, str]
    ) -> None:
        there = await self._people.by_key(shop, [key for key, _ in rows])
        done.persons |= there
        people = [NewPerson.of(key, values) for key, values in rows if key not in there]
        # The values of those who are there already passed by once more: a second run is on record, too.
        persons = [*there.values(), *(one.person for one in people)]
        names = sorted({name for _, values in rows for name in values})
        await self._record.write(
            "import", path, shop=shop, persons=persons, fields=names, ref=why[0], note=why[1]
        )
        if not people:
            return
        stored = await self._people.insert(
            shop, people, kind="customer", state="kept", searched=True, now=self._now()
        )
        done.persons |= {one.key: one.person for one in people if one.key and one.person in stored}
        if len(stored) < len(people):  # another import of the same rows was faster
            done.persons |= await self._people.by_key(shop, [key for key, _ in rows])


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
