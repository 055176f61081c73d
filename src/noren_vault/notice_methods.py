"""The protocol's methods about notices, and about who takes them by mail."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from noren_vault.defence import Defence
from noren_vault.errors import BadRequest
from noren_vault.grants import Grant, Grants
from noren_vault.notices import Notices, Text
from noren_vault.peer import Peer
from noren_vault.protocol import Params
from noren_vault.readers import LOCALES, Readers
from noren_vault.rights import PLATFORM
from noren_vault.signin_methods import LONGEST_MAIL, visit_of

Wire = dict[str, Any]
Method = Callable[[Params, Peer], Awaitable[Wire]]
_ID: Final = 40
_TOKEN: Final = 60
_SUBJECT: Final = 300
_BODY: Final = 20_000


class NoticeMethods:
    """Read the params, check who asks, call one act, shape the answer. `table` names them."""

    def __init__(self, grants: Grants, notices: Notices, readers: Readers, defence: Defence) -> None:
        """Keep the acts."""
        self.notices = notices
        self.readers = readers
        self._grants = grants
        self._defence = defence
        self.table: dict[str, Method] = {
            "notices": self._all,
            "ask_notice": self._ask,
            "notice_alone_begin": self._alone_begin,
            "notice_alone": self._alone,
            "notice_agree_begin": self._agree_begin,
            "notice_agree": self._agree,
            "end_notice": self._end,
            "notices_said": self._said,
            "notice_proof": self._proof,
            "notice_late": self._late,
            "tell_readers": self._tell,
            "reader_ask": self._reader_ask,
            "reader": self._reader,
            "reader_confirm": self._reader_confirm,
            "reader_leave": self._reader_leave,
        }

    async def tidy(self) -> None:
        """Tell whom nobody could be told to before, and let go of links that are nobody's."""
        await self.readers.tidy()
        self.notices.bells.again()

    async def stop(self) -> None:
        """Wait for the mails under way."""
        await self.notices.bells.stop()
        await self.readers.stop()

    async def _operator(self, params: Params) -> Grant:
        return await self._grants.of_platform(params.raw.get("grant"))

    async def _all(self, params: Params, _: Peer) -> Wire:
        return await self.notices.all(await self._operator(params))

    async def _ask(self, params: Params, _: Peer) -> Wire:
        return {"ask": await self.notices.ask(await self._operator(params), Text.of(params))}

    async def _alone_begin(self, params: Params, _: Peer) -> Wire:
        return {"options": await self.notices.alone_begin(await self._operator(params), Text.of(params))}

    async def _alone(self, params: Params, _: Peer) -> Wire:
        grant, text = await self._operator(params), Text.of(params)
        return (await self.notices.alone(grant, text, params.mapping("response"))).to_wire()

    async def _agree_begin(self, params: Params, _: Peer) -> Wire:
        return {"options": await self.notices.agree_begin(await self._operator(params), _id(params))}

    async def _agree(self, params: Params, _: Peer) -> Wire:
        grant = await self._operator(params)
        return (await self.notices.agree(grant, _id(params), params.mapping("response"))).to_wire()

    async def _end(self, params: Params, _: Peer) -> Wire:
        await self.notices.end(await self._operator(params), _id(params))
        return {}

    async def _said(self, params: Params, _: Peer) -> Wire:
        """What was published is the public's: anybody at the socket may ask."""
        found = await self.notices.said(params.text("notice", "", most=_ID))
        return {"said": [one.to_wire() for one in found]}

    async def _proof(self, params: Params, _: Peer) -> Wire:
        return {"proof": await self.notices.proof(params.number("entry"))}

    async def _late(self, params: Params, peer: Peer) -> Wire:
        await self.notices.late(params.text("notice", most=_ID), params.number("number"), peer.path(""))
        return {}

    async def _tell(self, params: Params, _: Peer) -> Wire:
        letters, given = {}, params.mapping("letters")
        for locale in LOCALES:
            one = given.get(locale)
            told = Params(one if isinstance(one, dict) else {})
            letters[locale] = (told.text("subject", most=_SUBJECT), told.text("text", most=_BODY))
        after = params.person("after") if params.raw.get("after") else ""
        text = Text.of(params)
        return await self.readers.tell(f"{text.notice}/{text.number}.{text.version}", letters, after)

    async def _reader_ask(self, params: Params, peer: Peer) -> Wire:
        """Mail a link to an address: one answer for everybody. Raises BadField, ChallengeNeeded."""
        visit, mail = visit_of(params), params.text("mail", most=LONGEST_MAIL)
        await self._defence.asked(PLATFORM, mail, visit)
        locale, notice = params.text("locale", most=2), params.text("notice", "", most=_ID)
        await self.readers.ask(mail, locale, notice, peer.path(visit.session))
        return {}

    async def _reader(self, params: Params, _: Peer) -> Wire:
        return await self.readers.state(_token(params))

    async def _reader_confirm(self, params: Params, peer: Peer) -> Wire:
        await self.readers.confirm(_token(params), peer.path(""))
        return {}

    async def _reader_leave(self, params: Params, peer: Peer) -> Wire:
        await self.readers.leave(_token(params), peer.path(""))
        return {}


def _id(params: Params) -> str:
    return params.text("ask", most=_ID)


def _token(params: Params) -> str:
    token = params.text("token", most=_TOKEN)
    if not token.isascii():
        raise BadRequest("a link's secret is ASCII")
    return token
