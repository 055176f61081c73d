"""A customer's account: one person of a shop, and what she signs in with. Each act is on record first.

There is no row that makes it: whoever came in by a mailed code has a grant, and what she sets up under it
(a passkey, a password) lets her in later. Ending the account ends those ways; the person, and her bookings,
stay.
"""

from collections.abc import Callable
from typing import Any, Final

from noren_vault import booking_lines, own_records
from noren_vault.booking_lines import OF_BOOKINGS
from noren_vault.clock import Now
from noren_vault.database import Database
from noren_vault.errors import BadField, BadRequest, GrantRefused, NoSuchPerson
from noren_vault.fields import LONGEST, Reason, Value, checked, known
from noren_vault.floors import Floors, to_ref
from noren_vault.freshness import OWN_FRESH_MS, Freshness
from noren_vault.grants import Grant, Grants
from noren_vault.lookups import RECORDS_READ
from noren_vault.merges import root_of, stands
from noren_vault.own_records import MOST_RECORDS
from noren_vault.people import People, Rewrite, opened_under_lock
from noren_vault.record import Outcome, Record
from noren_vault.rights import Purpose, Role
from noren_vault.signin_mails import SigninMails

_THERE: Final = ("provisional", "kept")
_NOTE: Final = ("note",)
_WAYS: Final = """
SELECT (SELECT count(*) FROM vault.passkey y WHERE y.actor = %(actor)s),
    EXISTS (SELECT 1 FROM vault.password w WHERE w.actor = %(actor)s),
    EXISTS (SELECT 1 FROM vault.totp t WHERE t.actor = %(actor)s AND t.state = 'on'),
    (SELECT f.proved_at IS NOT NULL FROM vault.proof f
     WHERE f.shop_id = %(shop)s AND f.person = %(person)s::uuid)
"""


class Customers:
    """The acts under a customer's own grant."""

    def __init__(
        self,
        *,
        database: Database,
        people: People,
        record: Record,
        grants: Grants,
        least: Floors,
        freshness: Freshness,
        now: Now,
    ) -> None:
        """Keep the parts."""
        self._database = database
        self._people = people
        self._record = record
        self._grants = grants
        self._least = least
        self._freshness = freshness
        self._now = now

    async def of(self, token: object) -> tuple[Grant, str]:
        """Give a customer's grant and her person. Raises GrantRefused, GrantExpired."""
        grant = await self._grants.of_shop(token)
        if grant.role is not Role.CUSTOMER or grant.person is None:
            raise GrantRefused("a customer's own")
        return grant, grant.person

    async def account(self, token: object) -> dict[str, Any]:
        """Give the ids of her records, her own first, and by which ways she comes in."""
        grant, person = await self.of(token)
        found = await own_records.of_account(self._database, grant.shop, person, MOST_RECORDS + 1)
        await self._record.write(
            "intent",
            grant.path,
            shop=grant.shop,
            purpose=Purpose.OWN,
            persons=found[:MOST_RECORDS],
            note=RECORDS_READ,
        )
        asked = {"actor": grant.actor, "shop": grant.shop, "person": person}
        passkeys, password, totp, proved = await self._database.row(_WAYS, asked) or (0, False, False, None)
        return {
            "person": person,
            "records": found[:MOST_RECORDS],
            "records_left_off": len(found) > MOST_RECORDS,
            "passkeys": passkeys,
            "password": password,
            "totp": totp,
            "proved": bool(proved),
        }

    async def let_go(self, token: object, record: str) -> None:
        """She says that a record is not hers: it leaves her account for good. Raises NoSuchPerson."""
        grant, person = await self.of(token)
        mine = await own_records.of_account(self._database, grant.shop, person, MOST_RECORDS)
        if record == person or record not in mine:
            raise NoSuchPerson("none of hers")
        entry = await self._record.write(
            "right", grant.path, shop=grant.shop, persons=[record], note="not_mine"
        )
        async with self._database.transaction() as connection:
            await own_records.let_go(connection, grant.shop, person, record, self._now())
        await self._record.outcome(entry, Outcome.DONE, grant.path)

    async def end(self, token: object) -> None:
        """End the account: its passkeys, password and second factor, and every sign-in, this one too.

        Raises FreshSignInNeeded.
        """
        grant, person = await self.of(token)
        await self._freshness.check(grant)
        entry = await self._record.write("register", grant.path, shop=grant.shop, note="account_ended")
        async with self._database.transaction() as connection:
            await SigninMails.forget(connection, grant.shop, [person])
            await self._grants.end_of(connection, grant.actor, grant.shop)
        self._grants.changed(grant.actor)
        await self._record.outcome(entry, Outcome.DONE, grant.path)

    async def say(self, token: object, text: str) -> None:
        """Put a word to the shop under what stands in her note, and never in its place. Raises BadField.

        The same as the last one again changes nothing: a form is sent twice.
        """
        word = checked({"note": text}, required=_NOTE)["note"].text

        def under(_: str, stood: str) -> str:
            same = stood == word or stood.endswith(f"\n{word}")
            return stood if same else f"{stood}\n{word}" if stood else word

        await self._write(token, _NOTE, under, lines=True)

    async def answer(self, token: object, booking: int, given: dict[str, Any]) -> None:
        """Put what she said for one booking before what she said for others (`booking_lines`); an empty text
        takes it away. Raises BadField, BadRequest.
        """
        names = known(list(given))
        if not set(names) <= set(OF_BOOKINGS):
            raise BadRequest("fields that hold a line for each booking")
        values = checked(given)

        def under(name: str, stood: str) -> str:
            line = values[name].text if name in values else ""
            return booking_lines.under(line, stood, field=name, booking=booking)

        await self._write(token, names, under, lines=True)

    async def forget(self, token: object, names: tuple[str, ...]) -> None:
        """Erase what she said for all her bookings: she takes her consent back. Raises FreshSignInNeeded."""
        if not set(names) <= set(OF_BOOKINGS):
            raise BadRequest("fields that hold a line for each booking")
        grant, _ = await self.of(token)
        await self._freshness.check(grant, OWN_FRESH_MS)
        await self._write(token, names, lambda _name, _stood: "")

    async def _write(
        self, token: object, names: tuple[str, ...], make: Callable[[str, str], str], *, lines: bool = False
    ) -> None:
        """Write fields of hers anew, each made of what stands in it; what stays the same is not written.

        `lines` are only added: also to the record that the shop has joined hers to.
        """
        grant, person = await self.of(token)
        async with self._database.transaction() as connection:
            if lines:
                # Her bookings are there: what she says for one stands with what was said before.
                person = await root_of(connection, grant.shop, person)
            sealed = await self._people.lock(connection, grant.shop, person, _THERE)
            if sealed is None:
                raise NoSuchPerson("nobody to write to")
            if lines:
                await stands(connection, grant.shop, person)
            opened = await opened_under_lock(self._people, connection, grant.shop, sealed, names)
            stood = {name: opened[name].text if name in opened else "" for name in names}
            texts = {name: text for name in names if (text := make(name, stood[name])) != stood[name]}
            if not texts:
                return
            long = {name: str(Reason.TOO_LONG) for name, text in texts.items() if len(text) > LONGEST[name]}
            if long:
                raise BadField(field=next(iter(long)), reason=str(Reason.TOO_LONG), fields=long)
            new = Rewrite.of(sealed, list(texts), {name: Value(text) for name, text in texts.items()})
            entry = await self._record.write(
                "update",
                grant.path,
                shop=grant.shop,
                persons=[person],
                fields=sorted(texts),
                ref=to_ref(new.versions),
            )
            await self._people.rewrite(connection, grant.shop, sealed, new, self._now())
        self._least.raise_to(grant.shop, person, new.versions)
        await self._record.outcome(entry, Outcome.DONE, grant.path)
