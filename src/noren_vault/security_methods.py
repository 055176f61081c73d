"""The protocol's methods of everybody's own account: read the params, check who asks, call one act."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from noren_vault.alerts import Alerts
from noren_vault.clock import Now
from noren_vault.database import Database
from noren_vault.freshness import Freshness
from noren_vault.grants import Grant, Grants
from noren_vault.index import Index
from noren_vault.invites import Invites
from noren_vault.keys import Keys
from noren_vault.own_events import OwnEvents
from noren_vault.own_passkeys import OwnPasskeys
from noren_vault.own_sessions import OwnSessions
from noren_vault.passkey_words import MOST_LABEL
from noren_vault.passkeys import Ceremonies
from noren_vault.peer import Peer
from noren_vault.protocol import Params
from noren_vault.record import Record
from noren_vault.second_factors import SecondFactors
from noren_vault.security import Security
from noren_vault.signin import SignIn
from noren_vault.signin_methods import SigninMethods
from noren_vault.visits import MOST_DEVICE, Visits

Wire = dict[str, Any]
Act = Callable[[Params, Peer], Awaitable[Wire]]
_LONGEST_PASSWORD: Final = 2_000
_LONGEST_NAME: Final = 100


class SecurityMethods:
    """`acts` names the methods. Each is about the grant's own actor: no other can be named."""

    def __init__(self, grants: Grants, security: Security) -> None:
        """Keep the acts."""
        self._grants = grants
        self._security = security
        self.acts: dict[str, Act] = {
            "security": self._overview,
            "security_events": self._events,
            "confirm_state": self._confirm_state,
            "confirm_begin": self._confirm_begin,
            "confirm_finish": self._confirm_finish,
            "confirm_password": self._confirm_password,
            "passkey_begin": self._passkey_begin,
            "passkey_finish": self._passkey_finish,
            "passkey_rename": self._passkey_rename,
            "passkey_remove": self._passkey_remove,
            "sessions_end": self._sessions_end,
            "not_me": self._not_me,
        }

    @classmethod
    def of(
        cls,
        *,
        database: Database,
        keys: Keys,
        record: Record,
        grants: Grants,
        invites: Invites,
        signin: SignIn,
        ceremonies: Ceremonies,
        visits: Visits,
        index: Index,
        accounts: SigninMethods,
        freshness: Freshness,
        alerts: Alerts,
        now: Now,
    ) -> "SecurityMethods":
        """Give each part its parts."""
        passkeys = OwnPasskeys(
            database=database,
            keys=keys,
            record=record,
            grants=grants,
            ceremonies=ceremonies,
            freshness=freshness,
            alerts=alerts,
            now=now,
        )
        security = Security(
            database=database,
            record=record,
            grants=grants,
            invites=invites,
            signin=signin,
            passwords=accounts.passwords,
            own_password=accounts.own_password,
            factors=SecondFactors(database, keys, now),
            freshness=freshness,
            passkeys=passkeys,
            sessions=OwnSessions(database=database, record=record, grants=grants, visits=visits, now=now),
            events=OwnEvents(database=database, record=record, index=index, visits=visits, now=now),
            alerts=alerts,
            now=now,
        )
        return cls(grants, security)

    async def _overview(self, params: Params, _: Peer) -> Wire:
        return await self._security.overview(await self._grant(params))

    async def _events(self, params: Params, _: Peer) -> Wire:
        return await self._security.events(await self._grant(params), params.maybe_number("before"))

    async def _confirm_state(self, params: Params, _: Peer) -> Wire:
        return await self._security.confirm_state(await self._grant(params))

    async def _confirm_begin(self, params: Params, _: Peer) -> Wire:
        return {"options": await self._security.confirm_begin(await self._grant(params))}

    async def _confirm_finish(self, params: Params, _: Peer) -> Wire:
        await self._security.confirm_finish(await self._grant(params), params.mapping("response"))
        return {}

    async def _confirm_password(self, params: Params, _: Peer) -> Wire:
        text = params.text("password", most=_LONGEST_PASSWORD)
        await self._security.own_password.check(await self._grant(params), text)
        return {}

    async def _passkey_begin(self, params: Params, _: Peer) -> Wire:
        return {"options": await self._security.passkeys.begin(await self._grant(params))}

    async def _passkey_finish(self, params: Params, _: Peer) -> Wire:
        grant, response = await self._grant(params), params.mapping("response")
        label, device = params.text("label", "", most=MOST_LABEL), params.text("device", "")[:MOST_DEVICE]
        return {"name": await self._security.passkeys.finish(grant, response, label, device)}

    async def _passkey_rename(self, params: Params, _: Peer) -> Wire:
        label = params.text("label", "", most=MOST_LABEL)
        await self._security.passkeys.rename(await self._grant(params), _name(params), label)
        return {}

    async def _passkey_remove(self, params: Params, _: Peer) -> Wire:
        await self._security.passkeys.remove(await self._grant(params), _name(params))
        return {}

    async def _sessions_end(self, params: Params, _: Peer) -> Wire:
        which, one = params.text("which", most=10), params.text("id", "", most=_LONGEST_NAME)
        return {"ended": await self._security.sessions.end(await self._grant(params), which, one)}

    async def _not_me(self, params: Params, _: Peer) -> Wire:
        entry, grant = params.maybe_number("entry"), await self._grant(params)
        grant_id = params.text("id", most=_LONGEST_NAME) if entry is None else None
        return await self._security.not_me(grant, grant_id=grant_id, entry=entry)

    async def _grant(self, params: Params) -> Grant:
        return await self._grants.check(params.raw.get("grant"))


def _name(params: Params) -> str:
    return params.text("name", most=_LONGEST_NAME)
