"""Letters about an account to whom it belongs: a sign-in she may not know of, and the code it then takes.

They name the browser in words of ours only: what a browser says it is, anybody writes as he likes.
"""

from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from typing import Final
from uuid import uuid4

from noren_vault.courier import Courier
from noren_vault.database import Database
from noren_vault.errors import LedgerUnavailable
from noren_vault.letter import Letter
from noren_vault.record import Path, Record
from noren_vault.signin_mails import SigninMails
from noren_vault.tallies import Tally
from noren_vault.tasks import Afterwards

# Of each kind to each account: in ten minutes, and in a day.
_MOST_SHORT: Final = 1
_MOST_LONG: Final = 5
_JAPAN: Final = timezone(timedelta(hours=9))
_OPENS: Final = """
{when}（日本時間） / {utc} UTC
{device}
"""
_ENDS_JA: Final = (
    "お心当たりがなければ、すぐにパスワードを変更し、ほかの端末をサインアウトしてください。\n{link}\n"
)
_ENDS_EN: Final = "If this was not you, please change your password now and sign out other devices:\n{link}\n"
NEW_DEVICE: Final = "new_device"
SECOND_FACTOR: Final = "second_factor"
_SUBJECTS: Final = {
    NEW_DEVICE: "新しい端末からのサインイン / A sign-in from a new device",
    SECOND_FACTOR: "正しいパスワード、誤った確認コード / Right password, wrong codes",
}
_TEXTS: Final = {
    NEW_DEVICE: (
        "パスワードの誤りが続いたあと、はじめての端末から正しいパスワードでサインインがありました。\n",
        "After several wrong passwords somebody entered the right one, on a device not seen before.\n",
    ),
    SECOND_FACTOR: (
        "正しいパスワードのあと、誤った確認コードが続けて入力されました。サインインはされていません。\n",
        "Somebody entered the right password and then several wrong codes. They were not let in.\n",
    ),
}
_CODE_SUBJECT: Final = "サインインの確認コード / Your code to sign in"
_CODE_TEXT: Final = """\
サインインの確認コードです: {code}

はじめての端末から、正しいパスワードが入力されました。ご本人であれば、10分以内にこのコードを入力してください。
{opens}
{ja}
----

Your code to sign in is {code}

Your right password was entered on a device not seen before. If it was you, please type this code within
10 minutes.

{en}"""
_BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def device_words(says: str) -> str:
    """What a browser says it is, in known words only."""
    browser = next((word for mark, word in _BROWSERS if mark in says), "")
    system = next((word for mark, word in _SYSTEMS if mark in says), "")
    return " / ".join(word for word in (browser, system) if word) or "不明な端末 / unknown device"


class OwnerLetters:
    """Writes down, and writes to her. Nobody waits for the mail."""

    def __init__(
        self, database: Database, courier: Courier, record: Record, mails: SigninMails, origin: str
    ) -> None:
        """`origin` is the service's address."""
        self._database = database
        self._courier = courier
        self._record = record
        self._mails = mails
        self._link = f"{origin}/settings/security"
        self._told = Tally()
        self._after = Afterwards("letter_not_sent")

    async def tell(
        self, kind: str, actor: str, shop: int, path: Path, *, device: str, now: int, mailed: bool = False
    ) -> None:
        """Write a sign of this kind down and tell the owner, unless she was told just now.

        `mailed`: another mail tells her of the same.
        """
        key = f"{kind}:{actor}".encode()
        told = self._told.of(key, now)
        if told.short >= _MOST_SHORT or told.long >= _MOST_LONG:
            return
        self._told.add(key, now)
        with suppress(LedgerUnavailable):  # nothing is told to anybody but her; the letter's entry decides
            await self._record.write("sign", path, shop=shop, note=kind)
        if mailed:
            return
        japanese, english = _TEXTS[kind]
        text = f"{japanese}{_OPENS}\n{_ENDS_JA}\n----\n\n{english}\n{_ENDS_EN}"
        self._send(actor, path, _letter(_SUBJECTS[kind], text, self._values(device, now)))

    def code(self, actor: str, code: str, path: Path, *, device: str, now: int) -> None:
        """Mail her a code for a sign-in with her right password."""
        values = self._values(device, now)
        text = _CODE_TEXT.replace("{opens}", _OPENS).replace("{ja}", _ENDS_JA).replace("{en}", _ENDS_EN)
        self._send(actor, path, _letter(_CODE_SUBJECT, text, {**values, "code": code}))

    async def stop(self) -> None:
        """Wait for the letters that are being sent."""
        await self._after.settle()

    # -- inside

    def _values(self, device: str, now: int) -> dict[str, str]:
        at = datetime.fromtimestamp(now / 1000, UTC)
        return {
            "when": f"{at.astimezone(_JAPAN):%Y-%m-%d %H:%M}",
            "utc": f"{at:%Y-%m-%d %H:%M}",
            "device": device_words(device),
            "link": self._link,
        }

    def _send(self, actor: str, path: Path, letter: Letter) -> None:
        self._after.begin(self._mail(actor, path, letter))

    async def _mail(self, actor: str, path: Path, letter: Letter) -> None:
        row = await self._database.row(
            "SELECT shop_id, person::text FROM vault.actor WHERE actor = %s AND person IS NOT NULL", [actor]
        )
        if row is not None:
            # Where the account signs in: who changed its person's field would get the code otherwise.
            to = await self._mails.address(actor)
            await self._courier.send(row[0], row[1], letter, path, to=to)


def _letter(subject: str, text: str, values: dict[str, str]) -> Letter:
    return Letter(key=f"signin:{uuid4()}", subject=subject, text=text, values=values)
