"""The protocol's methods of resets, and of who signs in with a passkey only."""

from collections.abc import Awaitable, Callable
from typing import Any

from noren_vault.defence import Defence
from noren_vault.grants import Grant, Grants
from noren_vault.peer import Peer
from noren_vault.protocol import Params
from noren_vault.signin_methods import LONGEST_MAIL, LONGEST_PASSWORD, SigninMethods, visit_of, words_of

Wire = dict[str, Any]
Act = Callable[[Params, Peer], Awaitable[Wire]]


class ResetMethods:
    """`acts` names the methods."""

    def __init__(self, passwords: SigninMethods, defence: Defence, grants: Grants) -> None:
        """Keep the acts."""
        self._resets = passwords.resets
        self._rule = passwords.rule
        self._signin = passwords.signin
        self._defence = defence
        self._grants = grants
        self.acts: dict[str, Act] = {
            "reset_begin": self._reset_begin,
            "reset_finish": self._reset_finish,
            "passkey_rule": self._passkey_rule,
            "require_passkeys": self._require_passkeys,
        }

    async def _reset_begin(self, params: Params, peer: Peer) -> Wire:
        """Mail a link to who signs in with this mail: one answer for everybody. Raises ChallengeNeeded."""
        visit = visit_of(params)
        mail = params.text("mail", most=LONGEST_MAIL)
        await self._defence.asked(params.shop(), mail, visit)
        await self._resets.begin(params.shop(), mail, peer.path(visit.session))
        return {}

    async def _reset_finish(self, params: Params, _: Peer) -> Wire:
        text = params.text("password", most=LONGEST_PASSWORD)
        return await self._resets.finish(params.raw.get("token"), text, words_of(params), visit_of(params))

    async def _passkey_rule(self, params: Params, _: Peer) -> Wire:
        return {"roles": await self._rule.of(await self._grant(params))}

    async def _require_passkeys(self, params: Params, _: Peer) -> Wire:
        """An owner's, who has just signed in."""
        grant = await self._signin.fresh(params.raw.get("grant"))
        await self._rule.change(grant, params.items("roles"))
        return {}

    async def _grant(self, params: Params) -> Grant:
        return await self._grants.of_shop(params.raw.get("grant"))
