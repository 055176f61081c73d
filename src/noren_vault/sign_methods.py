"""The protocol's methods about signs, reports from outside, and files of an incident."""

import re
from collections.abc import Awaitable, Callable
from typing import Any, Final

from noren_vault.errors import BadRequest
from noren_vault.evidence import File
from noren_vault.grants import Grants
from noren_vault.incident_methods import asker_of
from noren_vault.incidents import LONGEST
from noren_vault.peer import Peer
from noren_vault.protocol import Params
from noren_vault.record import Path, session_name
from noren_vault.reports import LONGEST as LONGEST_REPORT
from noren_vault.reports import Report, Reports
from noren_vault.signin_methods import LONGEST_MAIL, visit_of
from noren_vault.signs import Signs

Wire = dict[str, Any]
Method = Callable[[Params, Peer], Awaitable[Wire]]
_ID: Final = 40
_KEY: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)
_BECAUSE: Final = 2_000


class SignMethods:
    """Read the params, check who asks, call one act. `table` names them."""

    def __init__(self, grants: Grants, signs: Signs, reports: Reports) -> None:
        """Keep the acts."""
        self.signs = signs
        self.reports = reports
        self._grants = grants
        self.table: dict[str, Method] = {
            "signs": self._all,
            "sign": self._read,
            "sign_file": self._file,
            "take_sign": self._take,
            "dismiss_sign": self._dismiss,
            "join_sign": self._join,
            "tell_sign": self._tell,
            "found_sign": self._found,
            "report": self._report,
            "evidence_take": self._evidence_take,
            "evidence_list": self._evidence_list,
            "evidence_open": self._evidence_open,
        }

    async def _all(self, params: Params, peer: Peer) -> Wire:
        return {"signs": await self.signs.all(await asker_of(self._grants, params, peer))}

    async def _read(self, params: Params, peer: Peer) -> Wire:
        return await self.signs.read(await asker_of(self._grants, params, peer), _sign(params))

    async def _file(self, params: Params, peer: Peer) -> Wire:
        asker = await asker_of(self._grants, params, peer)
        return await self.signs.open_file(asker, _sign(params), params.text("file", most=_ID))

    async def _take(self, params: Params, peer: Peer) -> Wire:
        await self.signs.take(await asker_of(self._grants, params, peer), _sign(params))
        return {}

    async def _dismiss(self, params: Params, peer: Peer) -> Wire:
        asker, because = await asker_of(self._grants, params, peer), params.text("because", most=_BECAUSE)
        await self.signs.dismiss(asker, _sign(params), because)
        return {}

    async def _join(self, params: Params, peer: Peer) -> Wire:
        asker, incident = await asker_of(self._grants, params, peer), params.text("incident", "", most=_ID)
        opened, words = params.text("opened", "", most=LONGEST), params.text("words", most=LONGEST)
        return {"incident": await self.signs.join(asker, _sign(params), incident, opened, words)}

    async def _tell(self, params: Params, peer: Peer) -> Wire:
        asker = await asker_of(self._grants, params, peer)
        return {"sign": await self.signs.tell(asker, params.text("text", most=LONGEST))}

    async def _found(self, params: Params, peer: Peer) -> Wire:
        """An administrator's examination has found something."""
        asker, what = await asker_of(self._grants, params, peer), params.text("what", most=30)
        about, text = params.text("about", most=500), params.text("text", most=LONGEST)
        return {"sign": await self.signs.found(asker, what, about, text)}

    async def _report(self, params: Params, _: Peer) -> Wire:
        """From anybody, without a grant; counted by the defence. Who it was stands in the words alone."""
        visit, key = visit_of(params), params.text("key", most=32)
        if not _KEY.fullmatch(key):
            raise BadRequest("a report's key is 32 hexadecimal digits")
        report = Report(
            key,
            params.text("text", most=LONGEST_REPORT),
            params.text("mail", "", most=LONGEST_MAIL),
            [File.of(one) for one in params.items("files")],
        )
        path = Path("outside", "", session_name(visit.session))
        return {"sign": await self.reports.take(report, visit, path)}

    async def _evidence_take(self, params: Params, peer: Peer) -> Wire:
        asker, file = await asker_of(self._grants, params, peer), File.of(params.mapping("file"))
        said = params.said("words", "{}", most=LONGEST)
        made = await self.signs.evidence.take(asker, params.text("incident", most=_ID), file, said)
        return {"file": made, "sha256": file.sha256}

    async def _evidence_list(self, params: Params, peer: Peer) -> Wire:
        asker, incident = await asker_of(self._grants, params, peer), params.text("incident", most=_ID)
        return {"files": await self.signs.evidence.of_incident(asker, incident)}

    async def _evidence_open(self, params: Params, peer: Peer) -> Wire:
        asker, incident = await asker_of(self._grants, params, peer), params.text("incident", most=_ID)
        return await self.signs.evidence.open_of_incident(asker, incident, params.text("file", most=_ID))


def _sign(params: Params) -> str:
    return params.text("sign", most=_ID)
