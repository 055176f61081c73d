"""Whom signs ring for: every operator by mail, again while nobody takes one; whoever reported gets a receipt.

A mail says what kind of sign it is and where it stands, and nothing of what it says.
"""

from typing import Final

from noren_vault.database import Connection
from noren_vault.letter import Letter
from noren_vault.rights import PLATFORM
from noren_vault.ringing import Hung, MailBells

# The number of the receipt; rings begin with 1.
RECEIPT: Final = 0
_HANG: Final = b"""
INSERT INTO vault.sign_bell (sign, number, person)
SELECT DISTINCT %s, %s::integer, a.person FROM vault.membership m JOIN vault.actor a USING (actor)
WHERE m.shop_id = 0 AND m.role = 'operator' AND m.ended_at IS NULL
  AND (m.ends_at IS NULL OR m.ends_at > %s) AND a.person IS NOT NULL
ON CONFLICT DO NOTHING
"""
_OPEN: Final = """
SELECT b.sign, b.number, b.person::text, s.what, s.state FROM vault.sign_bell b JOIN vault.sign s USING (sign)
WHERE b.told_at IS NULL ORDER BY s.first_at, b.number, b.person
"""
WORDS: Final = {
    "damaged": ("読めない記録がありました", "A record could not be read as it was written"),
    "refused": ("拒否が続いています", "Somebody is refused again and again"),
    "budget": ("閲覧の上限に達しました", "Somebody met the budget of looks"),
    "door": (
        "データベースに身元の分からない接続がありました",
        "A session at a database that is not Noren's own",
    ),
    "attack": ("サインインへの攻撃が続いています", "Sign-in is under attack"),
    "not_me": ("利用者が「これは私ではない」と知らせました", "Somebody says a sign-in was not theirs"),
    "repaired": ("台帳の末尾を直しました", "The ledger's end was repaired"),
    "forked": ("別の台帳が証明されています", "Another history of the ledger is witnessed"),
    "behind": ("台帳が証人に届いていません", "The ledger is not being witnessed"),
    "hold_over": (
        "削除しないよう保全したものを見直す日が来ました",
        "The day has come to look again at what is held",
    ),
    "canary": ("書き出した名簿が外で見つかりました", "A list that left was found outside"),
    "notice": ("公開したお知らせが台帳と違います", "A published notice is not as the ledger has it"),
    "doctor": ("点検で異常が見つかりました", "An examination found something"),
    "told": ("運営者が知らせました", "An operator tells of something"),
    "report": ("外部からの通報が届きました", "A report from outside"),
}
_RUNG: Final = """\
{name} 様

{japanese}。まだ誰も引き受けていません（{number}回目のお知らせ）。
次のページで内容を確かめ、引き受けるか、理由を書いて退けてください。誰かが引き受けるまで、間隔を広げながら繰り返しお知らせします。

{link}

----

Hello {name},

{english}. Nobody has taken it yet (ring no. {number}).
Look at it on the page above, and take it, or dismiss it with a reason. Until somebody does, this rings again,
at growing intervals.
"""
_RECEIPT: Final = """\
ご報告を受け付けました。ありがとうございます。
受付番号: {sign}

運営者全員に、いま知らせました。確認のうえ、必要があればこのアドレスにご連絡します。
ご報告の内容は暗号化して保管し、このメールには書きません。お心当たりがなければ、このメールは捨ててください。

----

Thank you: your report has arrived.
Its number: {sign}

Every operator was told just now, and will write to this address where there is something to say or to ask.
What you wrote lies encrypted and is not repeated here. If you reported nothing, please discard this mail.
"""


class SignBells(MailBells):
    """Hangs and rings them."""

    _TOLD = "UPDATE vault.sign_bell SET told_at = %s WHERE sign = %s AND number = %s AND person = %s"

    async def hang(self, connection: Connection, sign: str, number: int) -> None:
        """Store that every operator is to be told, in the transaction that makes it necessary."""
        await connection.execute(_HANG, [sign, number, self._now()])

    async def hang_receipt(self, connection: Connection, sign: str, person: str) -> None:
        """Store that whoever reported is to be told that it arrived."""
        await connection.execute(
            b"INSERT INTO vault.sign_bell (sign, number, person) VALUES (%s, %s, %s)", [sign, RECEIPT, person]
        )

    async def _hanging(self) -> list[Hung]:
        return [
            Hung(PLATFORM, person, self._letter(sign, number, person, what), (sign, number, person))
            for sign, number, person, what, state in await self._database.rows(_OPEN)
            # A ring that comes late, of what somebody has taken meanwhile, is none any more.
            if number == RECEIPT or state == "new"
        ]

    def _letter(self, sign: str, number: int, person: str, what: str) -> Letter:
        key = f"sign:{sign}/{number}/{person}"
        if number == RECEIPT:
            subject = "暖簾 ご報告を受け付けました / Your report has arrived"
            return Letter(key, subject, _RECEIPT, {"sign": sign})
        japanese, english = WORDS[what]
        return Letter(
            key,
            f"暖簾 警報: {japanese} / Alarm: {english}",
            _RUNG,
            {
                "japanese": japanese,
                "english": english,
                "number": str(number),
                "link": f"{self._origin}/operations/signs/{sign}",
            },
        )
