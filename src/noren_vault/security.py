"""Everybody's own account: how she comes in, where she is signed in, what happened; and "this wasn't me".

Built on the grant: whatever somebody's role is, she sees and changes what is hers, and nothing else is there.
That she looks is on record like any look: network addresses are opened for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from noren_vault.alerts import Alerts
from noren_vault.clock import Now
from noren_vault.database import Connection, Database
from noren_vault.errors import NoSuchSession
from noren_vault.freshness import Freshness
from noren_vault.grants import Grant, Grants
from noren_vault.invites import Invites
from noren_vault.known_devices import KnownDevices
from noren_vault.own_events import PAGE, Accused, OwnEvents
from noren_vault.own_passkeys import OwnPasskeys, has_password, least_of, own_names, remove_passkeys
from noren_vault.own_password import OwnPassword
from noren_vault.own_sessions import OwnSessions
from noren_vault.passwords import Passwords
from noren_vault.record import Outcome, Record
from noren_vault.rights import SHOP_ROLES, Purpose, Role
from noren_vault.second_factors import SecondFactors
from noren_vault.signin import SignIn

_NEWEST: Final = 6
_FACTORS: Final = """
SELECT w.set_at, w.credential,
    (SELECT s.must_reset_since FROM vault.account_state s WHERE s.actor = a.actor),
    (SELECT t.made_at FROM vault.totp t WHERE t.actor = a.actor AND t.state = 'on'),
    (SELECT count(*) FROM vault.recovery_code c WHERE c.actor = a.actor AND c.used_at IS NULL)
FROM vault.actor a LEFT JOIN vault.password w USING (actor) WHERE a.actor = %s
"""
_WAYS: Final = (
    "SELECT EXISTS (SELECT 1 FROM vault.passkey WHERE actor = %s), "
    "EXISTS (SELECT 1 FROM vault.password WHERE actor = %s)"
)
_WHERE: Final = "SELECT session, credential FROM vault.access_grant WHERE actor = %s AND grant_id = %s"
# In an accused session these were set up by somebody else: they would keep the holder out, or let him in.
_SET_UP: Final = ("totp", "recovery_codes")


@dataclass(frozen=True, slots=True)
class _Doubt:
    """What an accused session came in with and left behind."""

    ref: str
    credentials: frozenset[str]
    second_factor: bool


@dataclass(frozen=True, slots=True)
class _Secured:
    """What was done: passkeys removed, whether a new password is asked for, whether no way in is left."""

    removed: Sequence[str]
    reset: bool
    shut: bool


class Security:
    """The acts beside the lists."""

    def __init__(
        self,
        *,
        database: Database,
        record: Record,
        grants: Grants,
        invites: Invites,
        signin: SignIn,
        passwords: Passwords,
        factors: SecondFactors,
        freshness: Freshness,
        own_password: OwnPassword,
        passkeys: OwnPasskeys,
        sessions: OwnSessions,
        events: OwnEvents,
        alerts: Alerts,
        now: Now,
    ) -> None:
        """Keep the parts; `passkeys`, `sessions` and `own_password` are also asked from outside."""
        self._database = database
        self._record = record
        self._grants = grants
        self._invites = invites
        self._signin = signin
        self._passwords = passwords
        self._factors = factors
        self._freshness = freshness
        self.own_password = own_password
        self.passkeys = passkeys
        self.sessions = sessions
        self._events = events
        self._alerts = alerts
        self._now = now

    async def overview(self, grant: Grant) -> dict[str, Any]:
        """Give all that the first page shows. On record before anything is opened."""
        look = await self._looks(grant, "security")
        shown = await self._freshness.shown(grant)
        set_at, _, reset, totp, codes = await self._database.row(_FACTORS, [grant.actor]) or (None,) * 5
        told = {
            "role": grant.role,
            "fresh": shown.fresh,
            "fresh_passkey": shown.by_passkey,
            "least": least_of(grant.role),
            "passkeys": await self.passkeys.all(grant),
            "password": None if set_at is None else {"set": set_at / 1000, "reset": reset is not None},
            "totp": None if totp is None else totp / 1000,
            "codes_left": codes,
            "sessions": await self.sessions.all(grant),
            **await self._events.page(grant, None, _NEWEST),
        }
        self._record.outcome_later(look, Outcome.RELEASED, grant.path)
        return told

    async def events(self, grant: Grant, before: int | None) -> dict[str, Any]:
        """Give the newest events older than an entry. On record."""
        look = await self._looks(grant, "security.events")
        told = await self._events.page(grant, before, PAGE)
        self._record.outcome_later(look, Outcome.RELEASED, grant.path)
        return told

    async def confirm_state(self, grant: Grant) -> dict[str, bool]:
        """Say whether she has to show that it is she, and by what she can. Nothing is opened."""
        shown = await self._freshness.shown(grant)
        passkeys, password = await self._database.row(_WAYS, [grant.actor, grant.actor]) or (False, False)
        return {
            "fresh": shown.fresh,
            "fresh_passkey": shown.by_passkey,
            "passkeys": passkeys,
            "password": password,
        }

    async def confirm_begin(self, grant: Grant) -> dict[str, Any]:
        """Options for showing one of her own passkeys again."""
        return await self._signin.fresh_begin(grant, deed="confirm")

    async def confirm_finish(self, grant: Grant, response: dict[str, Any]) -> None:
        """Take the passkey's answer: for five minutes she may change what she signs in with."""
        path = await self._signin.fresh_finish(grant, response, deed="confirm")
        await self._record.write("prove", path, shop=grant.shop, note="confirmed")
        await self._freshness.confirm(grant, path.credential)

    async def not_me(self, grant: Grant, *, grant_id: str | None, entry: int | None) -> dict[str, Any]:
        """Close the account to everybody, and to what a session that was not she came in with and left.

        She comes in again by another passkey, by her mail (a new password, or an invitation where nothing
        else is left). An operator's last passkey stays: nothing weaker may let her in. Raises NoSuchSession,
        FreshSignInNeeded.
        """
        await self._freshness.check(grant)
        doubt = await self._doubt(grant, grant_id=grant_id, entry=entry)
        sign = await self._record.write("sign", grant.path, shop=grant.shop, ref=doubt.ref, note="not_me")
        async with self._database.transaction() as connection:
            done = await self._secure(connection, grant, doubt)
        self._grants.changed(grant.actor)
        await self._record.outcome(sign, Outcome.DONE, grant.path)
        invite = await self._invited(grant) if done.shut else None
        await self._alerts.secured(grant.actor, invite=invite, reset=done.reset)
        await self._alerts.owners(grant.actor)
        return {
            "passkeys": len(done.removed),
            "reset": done.reset,
            "second_factor": doubt.second_factor,
            "invited": invite is not None,
        }

    # -- inside

    async def _looks(self, grant: Grant, note: str) -> int:
        return await self._record.write(
            "intent",
            grant.path,
            shop=grant.shop,
            purpose=Purpose.OWN,
            persons=[grant.person] if grant.person else [],
            fields=["address", "device"],
            note=note,
        )

    async def _doubt(self, grant: Grant, *, grant_id: str | None, entry: int | None) -> _Doubt:
        if entry is not None:
            accused = await self._events.accused(grant, entry)
        else:
            row = await self._database.row(_WHERE, [grant.actor, grant_id])
            if row is None:
                raise NoSuchSession
            accused = Accused(*row)
        made = await self._events.made_in(grant, accused.session)
        added = {ref for note, ref, _ in made if note == "passkey_added"}
        chosen = {credential for note, _, credential in made if note == "password"}
        ref = accused.session or (f"entry:{entry}" if entry is not None else f"grant:{grant_id}")
        return _Doubt(
            ref,
            frozenset({accused.credential, *added, *chosen}),
            second_factor=any(note in _SET_UP for note, _, _ in made),
        )

    async def _secure(self, connection: Connection, grant: Grant, doubt: _Doubt) -> _Secured:
        there = await own_names(connection, grant.actor)
        await self._grants.again(grant)  # it may have been ended while this waited for its turn
        removed = [name for name in there if name in doubt.credentials]
        if grant.role is Role.OPERATOR and len(removed) == len(there):
            removed = [name for name in removed if name != grant.credential]
        for name in removed:
            await self._record.write(
                "register", grant.path, shop=grant.shop, ref=name, note="passkey_removed"
            )
        await remove_passkeys(connection, grant.actor, removed)
        # After the passkeys: a sign-in by one that was under way has its grant by now, or gets none.
        await self._grants.end_all(connection, grant.actor)
        cursor = await connection.execute(_FACTORS.encode(), [grant.actor])
        row = await cursor.fetchone()
        reset = row is not None and row[1] is not None and row[1] in doubt.credentials
        if reset:
            await self._passwords.require_reset(connection, grant.actor)
        await KnownDevices.forget(connection, grant.actor)
        if doubt.second_factor:
            await self._record.write("register", grant.path, shop=grant.shop, note="totp_ended")
            await self._factors.turn_off(connection, grant.actor)
        left = len(there) > len(removed) or await has_password(connection, grant.actor)
        return _Secured(removed, reset, shut=not left and grant.role in SHOP_ROLES)

    async def _invited(self, grant: Grant) -> str | None:
        """An invitation in place of all that was removed: the mail proves that it is she."""
        await self._record.write(
            "invite",
            grant.path,
            shop=grant.shop,
            persons=[grant.person] if grant.person else [],
            ref=grant.handle,
        )
        return await self._invites.make(grant.actor, grant.role)
