"""Powers: what an operator may do is lent to her for a reason and some minutes, by another operator.

She asks; another agrees with a fresh passkey that is bound to this very ask; it begins then, is entered by
her, and ends by itself, when it is given back, or when any operator (or the shop's owner) ends it. Each step
is an entry `power` with `ref` `power:ID` before it is so; the reason's words lie sealed. Inviting somebody to
the platform and ending somebody's place there go the same way, and are done at once when they are agreed to.

Where no second operator is to be had she breaks the glass: the entry first, then everybody is told by mail,
and it stays on a list until another operator has said in words what she makes of it.
"""

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from noren_vault.bells import Bells
from noren_vault.clock import Now
from noren_vault.database import Connection, Database
from noren_vault.errors import (
    BadRequest,
    GrantRefused,
    NoSuchPower,
    OneShopAtATime,
    PowerOver,
    SecondPasskeyNeeded,
)
from noren_vault.grants import HOUR_MS, Grant, Grants, power_mark
from noren_vault.keys import Keys
from noren_vault.permissions import Permission
from noren_vault.platform import Platform, Seated
from noren_vault.power_asks import FIND, LONGEST, MOST_OF_GLASS, Ask, Power, place, review_place
from noren_vault.record import Path, Record
from noren_vault.rights import INVITING, OF_A_SHOP, ONCE, PLATFORM, Role, What
from noren_vault.signin import SignIn

WAITS_MS: Final = HOUR_MS
PASSKEYS: Final = 2
_MINUTE_MS: Final = 60_000
_SHOWN_MS: Final = 90 * 24 * HOUR_MS
_VAULT: Final = Path("vault")


@dataclass(slots=True)
class _Done:
    """What is left to do once it is committed."""

    seated: Seated | None = None
    changed: tuple[str, ...] = ()


class Powers:
    """Asks, agrees, enters, ends, reviews."""

    def __init__(
        self,
        *,
        database: Database,
        record: Record,
        grants: Grants,
        signin: SignIn,
        keys: Keys,
        platform: Platform,
        bells: Bells,
        now: Now,
    ) -> None:
        """Keep the parts."""
        self._database = database
        self._record = record
        self._grants = grants
        self._signin = signin
        self._keys = keys
        self._platform = platform
        self._bells = bells
        self._now = now

    # -- asking

    async def ask(self, grant: Grant, ask: Ask) -> str:
        """Ask another operator; gives the ask's id.

        Raises SecondPasskeyNeeded, OneShopAtATime, InviteRefused, NoSuchMember, BadRequest.
        """
        await self._may_ask(grant, ask)
        power = secrets.token_hex(8)
        async with self._writing() as connection:
            await self._free(connection, grant.actor, ask.what)
            await self._write(grant.path, ask.shop, power, f"asked:{ask.what}", ask)
            await self._store(connection, power, grant, ask, glass=False)
        return power

    async def glass_begin(self, grant: Grant, ask: Ask) -> dict[str, Any]:
        """Options for a passkey's answer that is good for this ask alone. Raises as `ask` does."""
        _short(ask)
        await self._may_ask(grant, ask)
        return await self._signin.fresh_begin(grant, deed=ask.deed)

    async def break_glass(self, grant: Grant, ask: Ask, response: Mapping[str, Any]) -> str:
        """Take it without a second operator; gives its id. Raises PasskeyRefused, and as `ask` does."""
        _short(ask)
        await self._may_ask(grant, ask)
        path = await self._signin.fresh_finish(grant, response, deed=ask.deed)
        power = secrets.token_hex(8)
        async with self._writing() as connection:
            await self._free(connection, grant.actor, ask.what)
            await self._write(path, ask.shop, power, f"glass:{ask.what}", ask)
            await self._store(connection, power, grant, ask, glass=True)
            one = await self._find(connection, power)
            done = await self._begin(connection, one, path, grant.actor, None)
        await self._finish(done, path)
        return power

    # -- the second operator

    async def agree_begin(self, grant: Grant, power: str) -> dict[str, Any]:
        """Options for the second operator's passkey, good for this ask alone."""
        async with self._database.transaction() as connection:
            await self._undecided(connection, grant, power)
        return await self._signin.fresh_begin(grant, deed=place(power))

    async def agree(self, grant: Grant, power: str, response: Mapping[str, Any]) -> None:
        """Agree with a fresh passkey. PasskeyRefused, PowerOver, OneShopAtATime, LastOperator."""
        async with self._database.transaction() as connection:
            await self._undecided(connection, grant, power)
        path = await self._signin.fresh_finish(grant, response, deed=place(power))
        async with self._writing() as connection:
            one = await self._undecided(connection, grant, power)
            await self._free(connection, one.actor, one.what)
            # Of an operator who was ended while this waited nothing is left to agree to, nor by her.
            await self._platform.still(connection, one.actor)
            await self._platform.still(connection, grant.actor)
            await self._write(path, one.shop, power, f"approved:{one.what}")
            done = await self._begin(connection, one, path, grant.actor, grant.actor)
        await self._finish(done, path)

    async def decline(self, grant: Grant, power: str) -> None:
        """Say no to another operator's ask."""
        async with self._database.transaction() as connection:
            one = await self._undecided(connection, grant, power)
            await self._write(grant.path, one.shop, power, "declined")
            await connection.execute(
                b"UPDATE vault.power SET state = 'declined', decided_by = %s, decided_at = %s "
                b"WHERE power = %s",
                [grant.actor, self._now(), power],
            )

    # -- while it runs

    async def enter(self, grant: Grant, power: str) -> dict[str, Any]:
        """Begin to use a power that was lent to her; again changes nothing. NoSuchPower, PowerOver."""
        async with self._database.transaction() as connection:
            one = await self._find(connection, power)
            if one.actor != grant.actor:
                raise NoSuchPower
            if one.standing(self._now()) != "running":
                raise PowerOver(one.standing(self._now()))
            if one.entered_at is None:
                await self._write(grant.path, one.shop, power, "entered")
                await connection.execute(
                    b"UPDATE vault.power SET entered_at = %s WHERE power = %s", [self._now(), power]
                )
        return one.to_wire(self._now(), own=True, keys=self._keys)

    async def end(self, grant: Grant, power: str) -> None:
        """Take back one's ask, give one's power back, or end anybody's; the shop's owner may end one there.

        A reveal that is under way stops within one person. Raises NoSuchPower, PowerOver, GrantRefused.
        """
        async with self._database.transaction() as connection:
            one = await self._find(connection, power)
            self._may_end(grant, one)
            state = one.standing(self._now())
            if state not in ("asked", "running"):
                raise PowerOver(state)
            own = one.actor == grant.actor
            if state == "asked" and not own:
                raise GrantRefused("who asked takes it back; another operator declines it")
            note, after = (
                ("withdrawn", "withdrawn") if state == "asked" else ("returned" if own else "ended", "ended")
            )
            await self._write(grant.path, one.shop, power, note)
            await connection.execute(
                b"UPDATE vault.power SET state = %s, ended_by = %s, ended_at = %s WHERE power = %s",
                [after, grant.actor, self._now(), power],
            )
        self._grants.changed(power_mark(power))

    async def review(self, grant: Grant, power: str, words: str) -> None:
        """Say what one makes of another's broken glass. Raises GrantRefused, NoSuchPower, PowerOver."""
        if not words.strip() or len(words) > LONGEST:
            raise BadRequest(f"a review has 1 to {LONGEST} characters")
        async with self._writing() as connection:
            one = await self._find(connection, power)
            if not one.glass:
                raise NoSuchPower
            if one.actor == grant.actor:
                raise GrantRefused("nobody reviews what she did herself")
            if one.reviewed_at is not None:
                raise PowerOver("reviewed")
            await self._write(grant.path, one.shop, power, "reviewed")
            await connection.execute(
                b"INSERT INTO vault.power_review (power, sealed, actor, at) VALUES (%s, %s, %s, %s)",
                [
                    power,
                    self._keys.addresses.seal(words.strip().encode(), review_place(power)),
                    grant.actor,
                    self._now(),
                ],
            )

    # -- telling

    async def all(self, grant: Grant) -> dict[str, Any]:
        """What was asked for in 90 days, newest first: all of it to operators, to auditors without words.

        Who decides in a shop is told what began there, and why.
        """
        of_shop = Permission.SHOP_CHANGE in grant.permissions
        if not of_shop and grant.role not in (Role.OPERATOR, Role.AUDITOR):
            raise GrantRefused("operators, auditors, and who decides in a shop")
        rows = await self._database.rows(
            FIND
            + "WHERE w.asked_at > %s AND (%s::bigint IS NULL OR (w.shop_id = %s AND w.until IS NOT NULL)) "
            "ORDER BY w.asked_at DESC, w.power LIMIT 300",
            [self._now() - _SHOWN_MS, *([grant.shop if of_shop else None] * 2)],
        )
        keys = None if grant.role is Role.AUDITOR else self._keys
        told = [
            one.to_wire(self._now(), own=one.actor == grant.actor, keys=keys) for one in map(Power.of, rows)
        ]
        return {"powers": told, "passkeys": await self._passkeys(grant.actor)}

    async def unreviewed(self) -> int:
        """How often the glass was broken and nobody has said anything to it."""
        row = await self._database.row(
            "SELECT count(*) FROM vault.power w LEFT JOIN vault.power_review v USING (power) "
            "WHERE w.glass AND v.power IS NULL"
        )
        return 0 if row is None else int(row[0])

    async def tidy(self) -> None:
        """Write down what has ended by itself, and tell whom nobody could be told to before."""
        await self._overs()
        await self._platform.end_due()
        self._bells.again()

    async def stop(self) -> None:
        """Wait for the mails under way."""
        await self._bells.stop()

    # -- inside

    async def _may_ask(self, grant: Grant, ask: Ask) -> None:
        if await self._passkeys(grant.actor) < PASSKEYS:
            raise SecondPasskeyNeeded
        if ask.what in OF_A_SHOP:
            row = await self._database.row("SELECT 1 FROM vault.shop WHERE shop_id = %s", [ask.shop])
            if row is None:
                raise BadRequest("no such shop")
        if ask.what in ONCE:
            await self._platform.check(ask)
        await self._overs()

    async def _passkeys(self, actor: str) -> int:
        row = await self._database.row("SELECT count(*) FROM vault.passkey WHERE actor = %s", [actor])
        return 0 if row is None else int(row[0])

    async def _free(self, connection: Connection, actor: str, what: What) -> None:
        """One after the other, and of powers over shops one at a time."""
        await connection.execute(b"SELECT 1 FROM vault.actor WHERE actor = %s FOR UPDATE", [actor])
        if what not in OF_A_SHOP:
            return
        cursor = await connection.execute(
            b"SELECT 1 FROM vault.power WHERE actor = %s AND state = 'running' AND shop_id > 0", [actor]
        )
        if await cursor.fetchone() is not None:
            raise OneShopAtATime

    async def _store(
        self, connection: Connection, power: str, grant: Grant, ask: Ask, *, glass: bool
    ) -> None:
        now = self._now()
        await connection.execute(
            b"INSERT INTO vault.power (power, what, shop_id, actor, sealed, about, minutes, days, glass, "
            b"state, asked_at, expires_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, 'asked', %s, %s)",
            [
                power,
                ask.what,
                ask.shop,
                grant.actor,
                ask.seal(self._keys, power),
                ask.about,
                ask.minutes,
                ask.days,
                glass,
                now,
                now + WAITS_MS,
            ],
        )

    async def _begin(
        self, connection: Connection, one: Power, path: Path, by: str, second: str | None
    ) -> _Done:
        """Let it run from now on, or do it. `second` agreed to it; without one the glass is broken."""
        now, done = self._now(), _Done()
        # First: whom an invitation seats is told by that.
        await self._bells.hang(connection, one.id, one.shop, everybody=one.glass)
        if one.what in INVITING:
            _, mail = one.opened(self._keys)
            done.seated = await self._platform.seat(one.about, mail, one.days, path)
        elif one.what is What.END_MEMBER:
            done.changed = await self._platform.end(connection, one.about, path, by)
        once = one.what in ONCE
        await connection.execute(
            b"UPDATE vault.power SET state = %s, decided_by = %s, decided_at = %s, until = %s "
            b"WHERE power = %s",
            [
                "done" if once else "running",
                second,
                now,
                None if once else now + one.minutes * _MINUTE_MS,
                one.id,
            ],
        )
        return done

    async def _finish(self, done: _Done, path: Path) -> None:
        self._grants.changed(*done.changed)
        if done.seated is not None:
            await self._platform.mail(done.seated, path)
        self._bells.soon()

    async def _undecided(self, connection: Connection, grant: Grant, power: str) -> Power:
        """Lock an ask that waits for this operator's word."""
        one = await self._find(connection, power)
        if one.actor == grant.actor:
            await self._write(grant.path, one.shop, power, "same_person", kind="refused")
            raise GrantRefused("nobody is their own second operator")
        if one.standing(self._now()) != "asked":
            raise PowerOver(one.standing(self._now()))
        return one

    async def _find(self, connection: Connection, power: str) -> Power:
        cursor = await connection.execute(FIND.encode() + b"WHERE w.power = %s FOR UPDATE OF w", [power])
        row = await cursor.fetchone()
        if row is None:
            raise NoSuchPower
        return Power.of(row)

    def _may_end(self, grant: Grant, one: Power) -> None:
        if grant.role is Role.OWNER and one.shop == grant.shop and one.until is not None:
            return
        if grant.role is not Role.OPERATOR:
            raise NoSuchPower

    async def _overs(self) -> None:
        async with self._database.transaction() as connection:
            cursor = await connection.execute(
                b"SELECT power, shop_id FROM vault.power WHERE state = 'running' AND until <= %s FOR UPDATE",
                [self._now()],
            )
            for power, shop in await cursor.fetchall():
                await self._write(_VAULT, shop, power, "over")
                await connection.execute(
                    b"UPDATE vault.power SET state = 'over', ended_at = until WHERE power = %s", [power]
                )

    async def _write(
        self, path: Path, shop: int, power: str, note: str, ask: Ask | None = None, *, kind: str = "power"
    ) -> None:
        ref = place(power)
        if ask is not None:
            ref += f"/about:{ask.about}" if ask.about else f"/minutes:{ask.minutes}"
        await self._record.write(kind, path, shop=shop or PLATFORM, ref=ref, note=note)

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[Connection]:
        """A transaction in which something is sealed."""
        async with self._keys.steady.hold(), self._database.transaction() as connection:
            yield connection


def _short(ask: Ask) -> None:
    """What nobody else agreed to is shorter."""
    if ask.minutes > MOST_OF_GLASS:
        raise BadRequest(f"without a second operator at most {MOST_OF_GLASS} minutes")
