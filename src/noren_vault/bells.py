"""Who is told by mail that a power began: a shop's owners, and everybody where no second operator agreed.

Who is to be told is stored in the transaction that lends the power, and mailed after it; what could not be
handed over is tried again every minute. A mail says who, what and for how long; why stands on the page.
"""

from typing import Final

from noren_vault.database import Connection
from noren_vault.letter import Letter
from noren_vault.rights import What
from noren_vault.ringing import Hung, MailBells

_OWNERS: Final = b"""
INSERT INTO vault.power_bell (power, shop_id, person)
SELECT %s, m.shop_id, coalesce(m.person, a.person) FROM vault.membership m JOIN vault.actor a USING (actor)
WHERE m.shop_id = %s AND m.shop_id > 0 AND m.role = 'owner' AND m.ended_at IS NULL
  AND coalesce(m.person, a.person) IS NOT NULL
"""
_PLATFORM: Final = b"""
INSERT INTO vault.power_bell (power, shop_id, person)
SELECT %s, 0, a.person FROM vault.membership m JOIN vault.actor a USING (actor)
WHERE m.shop_id = 0 AND m.ended_at IS NULL AND (m.ends_at IS NULL OR m.ends_at > %s) AND a.person IS NOT NULL
"""
_OPEN: Final = """
SELECT b.power, b.shop_id, b.person::text, w.what, a.handle, coalesce(s.slug, ''), w.minutes, w.glass
FROM vault.power_bell b JOIN vault.power w USING (power) JOIN vault.actor a USING (actor)
LEFT JOIN vault.shop s ON s.shop_id = w.shop_id WHERE b.told_at IS NULL ORDER BY w.asked_at, b.person
"""
_SUBJECT: Final = "暖簾 運営者の立ち入りのお知らせ / An operator's access"
_GLASS: Final = "暖簾 緊急の権限が使われました / An operator broke the glass"
_TEXT: Final = """\
{name} 様

{japanese}

権限: {what_ja}{where}
運営者: {who}
理由と記録: {link}

----

Hello {name},

{english}

Power: {what_en}{where}
Operator: {who}
Why, and the record: {link}
"""
_LENT: Final = (
    "運営者が、別の運営者の承認を得て、お店に立ち入れるようになりました。",
    "with another operator's approval, an operator may now look into your shop.",
)
_BROKEN: Final = (
    "運営者が、別の運営者の承認なしに、緊急の権限を使いました。お心当たりがなければ、すぐに運営者へご連絡ください。",
    "an operator took this power without another operator's approval. If this surprises you, act now.",
)
_WHAT: Final = {
    What.SUPPORT_SHOP: ("お店のサポート", "support of the shop"),
    What.READ_INCIDENT: ("事故の調査", "reading an incident"),
    What.READ_LEDGER_ENTRIES: ("台帳の項目の閲覧", "reading the ledger's entries"),
    What.ROTATE_KEYS: ("鍵の交換", "rotating keys"),
    What.END_GRANTS: ("サインインの強制終了", "ending sign-ins"),
    What.INVITE_OPERATOR: ("運営者の招待", "inviting an operator"),
    What.INVITE_AUDITOR: ("監査人の招待", "inviting an auditor"),
    What.END_MEMBER: ("運営者・監査人の登録終了", "ending an operator's or auditor's place"),
}


class Bells(MailBells):
    """Hangs and rings them."""

    _TOLD = "UPDATE vault.power_bell SET told_at = %s WHERE power = %s AND shop_id = %s AND person = %s"

    async def hang(self, connection: Connection, power: str, shop: int, *, everybody: bool) -> None:
        """Store who is to be told, in the transaction that makes it necessary."""
        await connection.execute(_OWNERS, [power, shop])
        if everybody:
            await connection.execute(_PLATFORM, [power, self._now()])

    async def _hanging(self) -> list[Hung]:
        return [
            Hung(shop, person, _letter(power, person, shop, about, self._origin), (power, shop, person))
            for power, shop, person, *about in await self._database.rows(_OPEN)
        ]


def _letter(power: str, person: str, shop: int, about: list[object], origin: str) -> Letter:
    what, who, slug, minutes, glass = about
    japanese, english = _BROKEN if glass else _LENT
    return Letter(
        key=f"power:{power}/{person}",
        subject=_GLASS if glass else _SUBJECT,
        text=_TEXT,
        values={
            "japanese": japanese,
            "english": english,
            "what_ja": _WHAT[What(str(what))][0],
            "what_en": _WHAT[What(str(what))][1],
            "where": (f" · {slug}" if slug else "") + (f" · {minutes} min" if minutes else ""),
            "who": str(who),
            "link": f"{origin}/{'console/operators#' if shop else 'operations/powers/'}{power}",
        },
    )
