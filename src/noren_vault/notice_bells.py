"""Whom notices ring for: all of the platform, when one was published or sent alone, or an update is late.

Who is to be told is stored in the transaction that makes it necessary, and mailed after it; what could not be
handed over is tried again every minute.
"""

from typing import Final

from noren_vault.database import Connection
from noren_vault.letter import Letter
from noren_vault.rights import PLATFORM
from noren_vault.ringing import Hung, MailBells

_HANG: Final = b"""
INSERT INTO vault.notice_bell (about, person)
SELECT DISTINCT %s, a.person FROM vault.membership m JOIN vault.actor a USING (actor)
WHERE m.shop_id = 0 AND m.ended_at IS NULL AND (m.ends_at IS NULL OR m.ends_at > %s) AND a.person IS NOT NULL
ON CONFLICT DO NOTHING
"""
_OPEN: Final = """
SELECT b.about, b.person::text, coalesce(n.notice || '/' || n.number, substr(b.about, 6)),
       coalesce(h.handle, t.decider, '')
FROM vault.notice_bell b LEFT JOIN vault.notice_ask n ON b.about = 'alone:' || n.ask
LEFT JOIN vault.telling t ON b.about = 'telling:' || t.telling
LEFT JOIN vault.actor h ON h.actor = n.actor WHERE b.told_at IS NULL ORDER BY b.about, b.person
"""
_ALONE: Final = (
    "暖簾 お知らせが一人で公開されました / A notice was published alone",
    """\
{name} 様

運営者 {who} が、別の運営者の承認なしに、お知らせを公開しました。お心当たりがなければ、すぐにご確認ください。

{link}

----

Hello {name},

operator {who} published a notice without another operator's agreement. If this surprises you, act now.

{link}
""",
)
_LATE: Final = (
    "暖簾 お約束した続報の時刻を過ぎました / A promised update is late",
    """\
{name} 様

公開中のお知らせで予告した続報の時刻を過ぎましたが、続報がまだ公開されていません。
分かっていることだけでも、いま続報を出してください。

{link}

----

Hello {name},

the time of the next update that a notice promised has passed, and no update was published.
Please publish one now, even if it only says what is known so far.

{link}
""",
)
_TELLING: Final = (
    "暖簾 一人の判断で漏えいの通知が始まりました / People are being told of a leak, by one alone",
    """\
{name} 様

運営者 {who} が、別の運営者の承認なしに、漏えいの対象者への通知を始めました。
お心当たりがなければ、すぐにご確認ください。止めることができます。

{link}

----

Hello {name},

operator {who} began to tell people about a leak without another operator's agreement.
If this surprises you, act now: it can be stopped.

{link}
""",
)


class NoticeBells(MailBells):
    """Hangs and rings them."""

    _TOLD = "UPDATE vault.notice_bell SET told_at = %s WHERE about = %s AND person = %s"

    async def hang(self, connection: Connection, about: str) -> None:
        """Store who is to be told, in the transaction that makes it necessary."""
        await connection.execute(_HANG, [about, self._now()])

    async def _hanging(self) -> list[Hung]:
        return [
            Hung(PLATFORM, person, self._letter(about, person, place, who), (about, person))
            for about, person, place, who in await self._database.rows(_OPEN)
        ]

    def _letter(self, about: str, person: str, place: str, who: str) -> Letter:
        kind, _, _ = about.partition(":")
        subject, text = {"alone": _ALONE, "telling": _TELLING}.get(kind, _LATE)
        link = f"{self._origin}/news/{place}"
        if kind == "telling":
            link = f"{self._origin}/operations/incidents"
        return Letter(f"notice:{about}/{person}", subject, text, {"who": who, "link": link})
