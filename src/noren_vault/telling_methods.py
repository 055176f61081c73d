"""The protocol's methods about tellings: an operator's who is a member of the incident; one is anybody's."""

import re
from collections.abc import Awaitable, Callable
from typing import Any, Final

from noren_vault.errors import BadRequest
from noren_vault.grants import Grants
from noren_vault.incident_methods import asker_of
from noren_vault.own_exposure import OwnExposure
from noren_vault.peer import Peer
from noren_vault.protocol import Params
from noren_vault.question import PATHS, TAKEN, Question
from noren_vault.signin_methods import visit_of
from noren_vault.telling_mails import TellingMails
from noren_vault.telling_words import LANGUAGES, words_of
from noren_vault.tellings import A_MINUTE, MOST_A_MINUTE, PAGE, Tellings, Wanted

Wire = dict[str, Any]
Method = Callable[[Params, Peer], Awaitable[Wire]]
_ID: Final = 40
_CODE: Final = 60
_SHOP: Final = 200
_NOTICE: Final = re.compile(r"[a-z0-9][a-z0-9-]{2,39}", re.ASCII)
_ASKED: Final = ("since", "until", "shop", "person", *PATHS, *TAKEN)
_NOBODY: Final = "00000000-0000-0000-0000-000000000000"


class TellingMethods:
    """Read the params, check who asks, call one act. `table` names them; `mails` sends."""

    def __init__(
        self, grants: Grants, tellings: Tellings, mails: TellingMails, exposure: OwnExposure
    ) -> None:
        """Keep the acts."""
        self.mails = mails
        self._grants = grants
        self._tellings = tellings
        self._exposure = exposure
        self.table: dict[str, Method] = {
            "make_telling": self._make,
            "telling_languages": self._languages,
            "tellings": self._all,
            "telling": self._show,
            "telling_people": self._page,
            "preview_telling": self._preview,
            "try_telling": self._try,
            "telling_begin": self._begin,
            "telling_agree": self._agree,
            "withdraw_telling": self._withdraw,
            "stop_telling": self._stop,
            "resume_telling": self._resume,
            "exposed": self._exposed,
        }

    async def _make(self, params: Params, peer: Peer) -> Wire:
        asker = await asker_of(self._grants, params, peer)
        made = await self._tellings.make(asker, params.text("incident", most=_ID), _wanted(params))
        return await self._tellings.show(asker, made)

    async def _languages(self, params: Params, peer: Peer) -> Wire:
        asker, chosen = await asker_of(self._grants, params, peer), params.texts("languages")
        if len(chosen) > PAGE or not set(chosen.values()) <= set(LANGUAGES):
            raise BadRequest(f"at most {PAGE} persons, each with one of {', '.join(LANGUAGES)}")
        named = {Params({"person": person}).person("person"): one for person, one in chosen.items()}
        await self._tellings.languages(asker, _id(params), params.number("shop"), named)
        return {}

    async def _all(self, params: Params, peer: Peer) -> Wire:
        asker = await asker_of(self._grants, params, peer)
        return {"tellings": await self._tellings.all(asker, params.text("incident", most=_ID))}

    async def _show(self, params: Params, peer: Peer) -> Wire:
        return await self._tellings.show(await asker_of(self._grants, params, peer), _id(params))

    async def _page(self, params: Params, peer: Peer) -> Wire:
        asker, after = await asker_of(self._grants, params, peer), params.raw.get("after") or _NOBODY
        person = Params({"person": after}).person("person")
        shop = params.number("shop") if "shop" in params.raw else 0
        return {"people": await self._tellings.page(asker, _id(params), shop, person)}

    async def _preview(self, params: Params, peer: Peer) -> Wire:
        asker = await asker_of(self._grants, params, peer)
        return await self.mails.preview(asker, _id(params), params.person("person"))

    async def _try(self, params: Params, _: Peer) -> Wire:
        grant = await self._grants.of_platform(params.raw.get("grant"))
        return {"state": await self.mails.try_out(grant, _id(params), params.person("person"))}

    async def _begin(self, params: Params, _: Peer) -> Wire:
        grant, alone = await self._grants.of_platform(params.raw.get("grant")), params.flag("alone")
        return {"options": await self._tellings.begin(grant, _id(params), alone=alone)}

    async def _agree(self, params: Params, _: Peer) -> Wire:
        grant, alone = await self._grants.of_platform(params.raw.get("grant")), params.flag("alone")
        response = params.mapping("response")
        return {"entry": await self._tellings.agree(grant, _id(params), response, alone=alone)}

    async def _withdraw(self, params: Params, peer: Peer) -> Wire:
        await self._tellings.withdraw(await asker_of(self._grants, params, peer), _id(params))
        return {}

    async def _stop(self, params: Params, peer: Peer) -> Wire:
        await self._tellings.hold(await asker_of(self._grants, params, peer), _id(params), stop=True)
        return {}

    async def _resume(self, params: Params, peer: Peer) -> Wire:
        await self._tellings.hold(await asker_of(self._grants, params, peer), _id(params), stop=False)
        return {}

    async def _exposed(self, params: Params, peer: Peer) -> Wire:
        """Anybody who has a code."""
        visit = visit_of(params)
        return await self._exposure.look(params.text("code", most=_CODE), visit, peer.path(visit.session))


def _wanted(params: Params) -> Wanted:
    asked = params.mapping("question")
    raw = {name: value for name, value in asked.items() if name in _ASKED and value is not None}
    notice, shops = params.text("notice", most=_ID), params.texts("shops")
    if not _NOTICE.fullmatch(notice):
        raise BadRequest("a notice's short name")
    if any(len(name) > _SHOP or not name.isprintable() for name in shops.values()):
        raise BadRequest("a shop's name is one line")
    a_minute = params.number("a_minute", most=MOST_A_MINUTE) if "a_minute" in params.raw else A_MINUTE
    if not a_minute:
        raise BadRequest("at least one mail a minute")
    return Wanted(Question.of(raw), raw, notice, words_of(params), shops, a_minute)


def _id(params: Params) -> str:
    return params.text("telling", most=_ID)
