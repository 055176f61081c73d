"""What staff write on a customer's card: lines of notes and charts, and marks. Each act is on record first.

A line is put before what stands inside the vault, under the row's lock: two who write at the same moment lose
nothing of each other's, and whoever writes need not have been shown what stands.
"""

from collections.abc import Callable, Collection
from typing import Final

from noren_vault import kept_lines
from noren_vault.clock import Now
from noren_vault.database import Database
from noren_vault.errors import BadField, BadRequest, NoSuchPerson, PurposeRefused
from noren_vault.fields import LONGEST, Reason, Value, checked
from noren_vault.floors import Floors, to_ref
from noren_vault.grants import Grant
from noren_vault.kept_lines import KEPT, MOST_WORDS, Wording
from noren_vault.keys import Keys
from noren_vault.merges import root_of, stands
from noren_vault.people import People, Rewrite, opened_under_lock
from noren_vault.permissions import Permission
from noren_vault.record import Outcome, Record
from noren_vault.rights import Purpose, Role, allowed

MOST_TAGS: Final = 20
_THERE: Final = ("provisional", "kept")


class Card:
    """The acts under a grant of somebody who works for the shop."""

    def __init__(
        self, *, database: Database, people: People, keys: Keys, record: Record, least: Floors, now: Now
    ) -> None:
        """Keep the parts."""
        self._database = database
        self._people = people
        self._keys = keys
        self._record = record
        self._least = least
        self._now = now

    async def write(self, grant: Grant, person: str, field: str, wording: tuple[str, int, str]) -> None:
        """Write a line (its name, its booking or 0, its words), or another wording of it; empty words erase
        it. Raises BadField, GrantRefused, PurposeRefused, NoSuchPerson.
        """
        if field not in KEPT:
            raise BadRequest("notes or chart")
        line, booking, words = wording
        text = checked({field: words}).get(field, Value("")).text
        if len(text) > MOST_WORDS:
            raise _too_long(field)
        new = Wording(line, booking, self._now(), grant.handle, text)
        note = "line:written" if text else "line:erased"
        await self._rewrite(grant, person, field, lambda stood: kept_lines.written(stood, new), note)

    async def tag(self, grant: Grant, person: str, add: Collection[int], take: Collection[int]) -> None:
        """Give her marks of the shop's list, by their numbers, and take others away."""

        def marked(stood: str) -> str:
            tags = ({int(one) for one in stood.split()} - set(take)) | set(add)
            if len(tags) > MOST_TAGS:
                raise _too_long("tags")
            return " ".join(str(one) for one in sorted(tags))

        await self._rewrite(grant, person, "tags", marked, "")

    async def _rewrite(
        self, grant: Grant, person: str, field: str, make: Callable[[str], str], note: str
    ) -> None:
        """Write a field anew, made of what stands in it; who sees it may write it, and nobody else."""
        if grant.role is Role.CUSTOMER:
            raise PurposeRefused("the shop's own words")
        grant.needs(Permission.CUSTOMERS_CHANGE)
        if field not in allowed(grant.role, Purpose.CUSTOMER, grant.narrowed):
            raise PurposeRefused(f"{grant.role} may not write {field}")
        async with self._keys.steady.hold(), self._database.transaction() as connection:
            # Who was joined with another record meanwhile is written of there.
            person = await root_of(connection, grant.shop, person)
            sealed = await self._people.lock(connection, grant.shop, person, _THERE)
            if sealed is None:
                raise NoSuchPerson("nobody to write of")
            await stands(connection, grant.shop, person)
            opened = await opened_under_lock(self._people, connection, grant.shop, sealed, (field,))
            stood = opened[field].text if field in opened else ""
            text = make(stood)
            if text == stood:
                return
            if len(text) > LONGEST[field]:
                raise _too_long(field)
            new = Rewrite.of(sealed, [field], {field: Value(text)})
            entry = await self._record.write(
                "update",
                grant.path,
                shop=grant.shop,
                persons=[person],
                fields=[field],
                ref=to_ref(new.versions),
                note=note,
            )
            await self._people.rewrite(connection, grant.shop, sealed, new, self._now())
        self._least.raise_to(grant.shop, person, new.versions)
        await self._record.outcome(entry, Outcome.DONE, grant.path)


def _too_long(field: str) -> BadField:
    told = str(Reason.TOO_LONG)
    return BadField(field=field, reason=told, fields={field: told})
