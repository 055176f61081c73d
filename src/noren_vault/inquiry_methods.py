"""The protocol's methods of the inquiry desk: who asks has a form or a link, who answers a grant."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

from noren_vault.errors import BadRequest, VaultError
from noren_vault.grants import Grant, Grants
from noren_vault.inquiries import LOCALES, LONGEST, LONGEST_FILE, LONGEST_NAME, Inquiries, New, Said
from noren_vault.inquiry_desk import InquiryDesk
from noren_vault.inquiry_gate import InquiryGate
from noren_vault.inquiry_mails import InquiryMails
from noren_vault.peer import Peer
from noren_vault.protocol import Params
from noren_vault.record import Path
from noren_vault.signin_methods import LONGEST_MAIL, visit_of

Wire = dict[str, Any]
Method = Callable[[Params, Peer], Awaitable[Wire]]
_ID: Final = 40
_TOKEN: Final = 60


class InquiryMethods:
    """Read the params, check who asks, call one act. `table` names them."""

    def __init__(
        self, grants: Grants, inquiries: Inquiries, mails: InquiryMails, desk: InquiryDesk, gate: InquiryGate
    ) -> None:
        """Keep the acts."""
        self._grants = grants
        self.mails = mails
        self._desk = desk
        self._gate = gate
        self.inquiries = inquiries
        self.tidy, self.stop = inquiries.tidy, mails.stop
        self.table: dict[str, Method] = {
            "inquiry_form": self._form,
            "ask_inquiry": self._ask,
            "own_inquiry": self._own,
            "add_to_inquiry": self._add,
            "renew_inquiry": self._renew,
            "erase_inquiry": self._erase,
            "inquiries": self._all,
            "inquiry": self._read,
            "take_inquiry": self._take,
            "give_back_inquiry": self._give_back,
            "answer_inquiry": self._answer,
            "note_inquiry": self._note,
            "move_inquiry": self._move,
            "link_inquiry": self._link,
            "relink_inquiry": self._relink,
            "pasted_made_anew": self._made_anew,
        }

    # -- who asks

    async def _form(self, _: Params, __: Peer) -> Wire:
        """What a form needs: a challenge, and how it goes at the desk. It tells nothing of anybody."""
        return {"challenge": self._gate.challenge().facts, **await self.inquiries.pace()}

    async def _ask(self, params: Params, peer: Peer) -> Wire:
        """Keep an inquiry. Raises ChallengeNeeded, TooManyInquiries, BadField."""
        visit, locale = visit_of(params), params.text("locale", most=10)
        if locale not in LOCALES:
            raise BadRequest(f"a locale is one of {', '.join(LOCALES)}")
        grant, said = await self._whose(params), _said(params)
        new = New(
            about=params.text("about", most=20),
            notice=params.text("notice", "", most=_ID),
            locale=locale,
            mail=params.text("mail", "", most=LONGEST_MAIL),
            said=said,
            account=None if grant is None else _account(grant),
        )
        self._gate.take(visit)
        path = peer.path(visit.session) if grant is None else grant.path
        token = await self.inquiries.ask(new, path)
        self.mails.later(token.partition("-")[0])
        return {"token": token}

    async def _own(self, params: Params, peer: Peer) -> Wire:
        return await self.inquiries.own(_token(params), _path(params, peer))

    async def _add(self, params: Params, peer: Peer) -> Wire:
        token, said = _token(params), _said(params)
        self._gate.count(visit_of(params))
        await self.inquiries.add(token, said, _path(params, peer))
        return {}

    async def _renew(self, params: Params, peer: Peer) -> Wire:
        return {"token": await self.inquiries.renew(_token(params), _path(params, peer))}

    async def _erase(self, params: Params, peer: Peer) -> Wire:
        await self.inquiries.erase(_token(params), _path(params, peer))
        return {}

    async def _whose(self, params: Params) -> Grant | None:
        """The grant of who is signed in; one that has ended is none."""
        if params.raw.get("grant") is not None:
            with suppress(VaultError):
                return await self._grants.check(params.raw["grant"])
        return None

    # -- who answers

    async def _operator(self, params: Params) -> Grant:
        return await self._grants.of_platform(params.raw.get("grant"))

    async def _all(self, params: Params, _: Peer) -> Wire:
        return await self._desk.all(await self._operator(params))

    async def _read(self, params: Params, _: Peer) -> Wire:
        return await self._desk.read(await self._operator(params), _id(params))

    async def _take(self, params: Params, _: Peer) -> Wire:
        held_by = params.text("held_by", "", most=160)
        await self._desk.take(await self._operator(params), _id(params), held_by)
        return {}

    async def _give_back(self, params: Params, _: Peer) -> Wire:
        await self._desk.give_back(await self._operator(params), _id(params))
        return {}

    async def _answer(self, params: Params, _: Peer) -> Wire:
        grant, words = await self._operator(params), params.text("words", most=LONGEST)
        return {"mail": await self._desk.answer(grant, _id(params), words, params.number("seen"))}

    async def _note(self, params: Params, _: Peer) -> Wire:
        grant, words = await self._operator(params), params.text("words", most=LONGEST)
        await self._desk.note(grant, _id(params), words)
        return {}

    async def _move(self, params: Params, _: Peer) -> Wire:
        grant = await self._operator(params)
        await self._desk.move(grant, _id(params), params.text("state", most=20))
        return {}

    async def _link(self, params: Params, _: Peer) -> Wire:
        grant = await self._operator(params)
        await self._desk.link(grant, _id(params), params.text("incident", "", most=_ID))
        return {}

    async def _relink(self, params: Params, _: Peer) -> Wire:
        return {"mail": await self._desk.relink(await self._operator(params), _id(params))}

    async def _made_anew(self, params: Params, _: Peer) -> Wire:
        await self._desk.made_anew(await self._operator(params), params.number("secret"))
        return {}


def _said(params: Params) -> Said:
    files = []
    for one in params.items("files") if "files" in params.raw else []:
        told = Params(one if isinstance(one, dict) else {})
        files.append((told.text("name", most=LONGEST_NAME), told.text("text", "", most=LONGEST_FILE)))
    pasted = params.items("pasted") if "pasted" in params.raw else []
    if not all(isinstance(one, str) for one in pasted):
        raise BadRequest("pasted is a list of texts")
    return Said(params.text("words", most=LONGEST), files, pasted, params.number("promised"))


def _account(grant: Grant) -> Wire:
    return {"shop": grant.shop, "handle": grant.path.actor, "role": str(grant.role)}


def _id(params: Params) -> str:
    return params.text("inquiry", most=_ID)


def _token(params: Params) -> str:
    return params.text("token", most=_TOKEN)


def _path(params: Params, peer: Peer) -> Path:
    return peer.path(params.text("session", "", most=200))
