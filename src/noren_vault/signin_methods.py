"""The protocol's methods of passwords and second factors: read the params, check who asks, call one act."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from noren_vault.alerts import Alerts
from noren_vault.errors import BadRequest
from noren_vault.grants import Grant
from noren_vault.messages import Messages
from noren_vault.own_password import OwnPassword
from noren_vault.passkey_rule import PasskeyRule
from noren_vault.password_signin import PasswordSignin
from noren_vault.passwords import Passwords
from noren_vault.peer import Peer
from noren_vault.protocol import Params
from noren_vault.resets import Resets
from noren_vault.signin_mails import SigninMails
from noren_vault.visits import MOST_DEVICE, Visit

Wire = dict[str, Any]
Act = Callable[[Params, Peer], Awaitable[Wire]]
LONGEST_PASSWORD: Final = 2_000
LONGEST_MAIL: Final = 500
_LONGEST_CODE: Final = 100
_MOST_WORDS: Final = 20


class SigninMethods:
    """`acts` names the methods. The other parts are for who deals with an account in another way."""

    def __init__(
        self,
        acts: PasswordSignin,
        mails: SigninMails,
        messages: Messages,
        *,
        passwords: Passwords,
        own_password: OwnPassword,
        alerts: Alerts,
        resets: Resets,
        rule: PasskeyRule,
    ) -> None:
        """Keep the acts."""
        self.mails = mails
        self.passwords = passwords
        self.own_password = own_password
        self.signin = acts
        self.resets = resets
        self.rule = rule
        self._alerts = alerts
        self._acts = acts
        self._messages = messages
        self.acts: dict[str, Act] = {
            "password_set": self._password_set,
            "password_check": self._password_check,
            "totp_begin": self._totp_begin,
            "totp_finish": self._totp_finish,
            "totp_end": self._totp_end,
            "totp_check": self._totp_check,
            "recovery_make": self._recovery_make,
            "recovery_use": self._recovery_use,
            "mailed_check": self._mailed_check,
        }

    async def _password_set(self, params: Params, _: Peer) -> Wire:
        """By a grant and the old password or a fresh passkey, or by an invitation, which signs in."""
        text, words = params.text("password", most=LONGEST_PASSWORD), words_of(params)
        if params.raw.get("invite") is None:
            old = None
            if params.raw.get("old") is not None:
                old = params.text("old", most=LONGEST_PASSWORD)
            grant = await self._acts.grant(params.raw.get("grant"))
            await self._acts.set(grant, text, words, old)
            await self._alerts.changed(grant.actor, "password")
            return {}
        ok = await self._acts.join(params.raw["invite"], text, words, visit_of(params))
        await self._messages.proved(ok["shop"], ok["actor"]["id"])
        return ok

    async def _password_check(self, params: Params, _: Peer) -> Wire:
        mail, text = params.text("mail", most=LONGEST_MAIL), params.text("password", most=LONGEST_PASSWORD)
        kind = "customer" if params.flag("customer") else "member"
        return await self._acts.check(params.shop(), mail, text, visit_of(params), kind=kind)

    async def _totp_begin(self, params: Params, _: Peer) -> Wire:
        return await self._acts.totp_begin(await self._fresh(params))

    async def _totp_finish(self, params: Params, _: Peer) -> Wire:
        grant = await self._fresh(params)
        await self._acts.totp_finish(grant, _code(params))
        await self._alerts.changed(grant.actor, "totp")
        return {}

    async def _totp_end(self, params: Params, _: Peer) -> Wire:
        grant = await self._fresh(params)
        await self._acts.totp_end(grant)
        await self._alerts.changed(grant.actor, "totp_ended")
        return {}

    async def _totp_check(self, params: Params, _: Peer) -> Wire:
        return await self._acts.totp_check(params.text("second"), _code(params), visit_of(params))

    async def _recovery_make(self, params: Params, _: Peer) -> Wire:
        grant = await self._fresh(params)
        codes = await self._acts.recovery_make(grant)
        await self._alerts.changed(grant.actor, "recovery_codes")
        return {"codes": codes}

    async def _recovery_use(self, params: Params, _: Peer) -> Wire:
        ok = await self._acts.recovery_use(params.text("second"), _code(params), visit_of(params))
        await self._alerts.changed(ok["actor"]["id"], "recovery_used")
        return ok

    async def _mailed_check(self, params: Params, _: Peer) -> Wire:
        return await self._acts.mailed_check(params.text("second"), _code(params), visit_of(params))

    async def _fresh(self, params: Params) -> Grant:
        return await self._acts.fresh(params.raw.get("grant"))


def _code(params: Params) -> str:
    return params.text("code", most=_LONGEST_CODE)


def words_of(params: Params) -> list[str]:
    """Names of the shop and the service that the app side knows: no password is made of them."""
    words = params.items("words") if "words" in params.raw else []
    if len(words) > _MOST_WORDS or not all(isinstance(one, str) and len(one) <= 200 for one in words):
        raise BadRequest(f"words is a list of at most {_MOST_WORDS} texts")
    return words


def visit_of(params: Params) -> Visit:
    """Read from where somebody signs in. Raises BadRequest."""
    return Visit(
        session=params.text("session", "", most=200),
        address=params.text("address", "", most=100),
        device=params.text("device", "")[:MOST_DEVICE],
        known=params.text("known", "", most=100),
        proof=params.text("proof", "", most=200),
    )
