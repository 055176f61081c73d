"""Mails about an account: what it signs in with has changed, or its holder says "this was not me".

They go to the address of the account's person, and of a shop's owners, by the courier, beside the answer: who
changes something does not wait for a mail server. One that cannot be reached is tried three times more.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Final
from uuid import uuid4

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from noren_vault.clock import Now
from noren_vault.courier import Courier
from noren_vault.database import Database
from noren_vault.errors import VaultError
from noren_vault.letter import Letter
from noren_vault.record import Path
from noren_vault.rights import PLATFORM
from noren_vault.tasks import Afterwards

_MOST_OPEN: Final = 500
_AGAIN_SECONDS: Final = (30.0, 120.0, 600.0)
_PATH: Final = Path("vault")
_JAPAN: Final = timezone(timedelta(hours=9))
# What happened, in Japanese and in English.
CHANGES: Final[Mapping[str, tuple[str, str]]] = {
    "passkey_added": ("パスキーが追加されました", "A passkey was added"),
    "passkey_removed": ("パスキーが削除されました", "A passkey was removed"),
    "password": ("パスワードが変更されました", "The password was changed"),
    "totp": ("ワンタイムコードが有効になりました", "One-time codes were turned on"),
    "totp_ended": ("ワンタイムコードが無効になりました", "One-time codes were turned off"),
    "recovery_codes": ("リカバリーコードが新しく作られました", "New recovery codes were made"),
    "recovery_used": ("リカバリーコードでサインインがありました", "A recovery code was used to sign in"),
}
_CHANGED: Final = """\
{name} 様

アカウント「{handle}」の{what_ja}({at_ja})。

お心当たりがあれば、何もする必要はありません。
お心当たりがなければ、すぐに次のページを開き、「これは私ではない」を選んでください。

{link}

----

Hello {name},

{what_en} for your account "{handle}" ({at_en}).

If this was you, there is nothing to do.
If this was not you, please open the page above at once and choose "This wasn't me".
"""
_SECURED: Final = """\
{name} 様

アカウント「{handle}」で「これは私ではない」が選ばれました({at_ja})。
すべてのサインインを終了し、疑わしいサインインに使われたものを無効にしました。
{ways_ja}

{link}

----

Hello {name},

"This wasn't me" was chosen for your account "{handle}" ({at_en}).
All sign-ins have ended, and what the doubtful one came in with no longer works.
{ways_en}
"""
_REVOKED: Final = """\
{name} 様

安全のため、運営者がアカウント「{handle}」のサインインの手段を無効にしました({at_ja})。
{ways_ja}

{link}

----

Hello {name},

To keep it safe, those who run this installation have ended what your account "{handle}" signs in with
({at_en}). {ways_en}
"""
_ASK_AN_OPERATOR: Final = (
    "もう一度サインインするには、ほかの運営者からの招待が必要です。",
    "To come in again you need another operator's invitation.",
)
_OWNERS: Final = """\
{name} 様

店舗のアカウント「{handle}」の持ち主が、見覚えのないサインインを報告しました({at_ja})。
そのアカウントのサインインはすべて終了しています。ご本人に確認し、必要なら次のページで権限を見直してください。
そのサインインで誰のデータが見られたかは、運営者が調べられます。

{link}

----

Hello {name},

The holder of your shop's account "{handle}" has reported a sign-in that was not hers or his ({at_en}).
All sign-ins of that account have ended. Please speak with the person, and look at their rights if need be.
Whose data that sign-in has seen can be told by those who run this installation.
"""
_NEUTRAL: Final = {"{name} 様\n\n": "", "Hello {name},": "Hello,"}
_log = structlog.get_logger("alerts")


@dataclass(frozen=True, slots=True)
class Account:
    """Whose account it is. `person` is None where no address is known."""

    actor: str
    handle: str
    shop: int
    person: str | None


class Alerts:
    """Sends them, in the background."""

    def __init__(self, *, database: Database, courier: Courier, origin: str, now: Now) -> None:
        """Keep the parts."""
        self._database = database
        self._courier = courier
        self._origin = origin
        self._now = now
        self._after = Afterwards("alert_not_sent")

    async def changed(self, actor: str, what: str) -> None:
        """Tell the account's holder of a change, one of CHANGES."""
        account, (japanese, english) = await self._account(actor), CHANGES[what]
        subject = f"暖簾 {japanese} / {english}"
        words = {"what_ja": japanese, "what_en": english}
        self._tell(
            account, account.person, subject, _CHANGED, words | {"link": self._page("settings/security")}
        )

    async def secured(self, actor: str, *, invite: str | None, reset: bool) -> None:
        """Tell the holder that the account was closed to everybody, and how she comes in again."""
        account = await self._account(actor)
        area, ways = ("operations" if account.shop == PLATFORM else "console"), _ways(invite, reset=reset)
        link = f"{area}/sign-in" if invite is None else f"{area}/join#{invite}"
        words = {"ways_ja": ways[0], "ways_en": ways[1], "link": self._page(link)}
        subject = "暖簾 アカウントを保護しました / Your account was secured"
        self._tell(account, account.person, subject, _SECURED, words)

    async def revoked(self, actor: str, *, invite: str | None, back: Sequence[str]) -> None:
        """Tell the holder that an operator has ended what she signs in with; `back`: what lets her in."""
        account = await self._account(actor)
        area = "operations" if account.shop == PLATFORM else "console"
        ways = _ASK_AN_OPERATOR if "operator" in back else _ways(invite, reset="password" in back)
        link = f"{area}/sign-in" if invite is None else f"{area}/join#{invite}"
        words = {"ways_ja": ways[0], "ways_en": ways[1], "link": self._page(link)}
        subject = "暖簾 サインインの手段が無効になりました / What you sign in with was ended"
        self._tell(account, account.person, subject, _REVOKED, words)

    async def owners(self, actor: str) -> None:
        """Tell the other owners of each shop she works for (the platform's other operators) of it."""
        account = await self._account(actor)
        rows = await self._database.rows(
            "SELECT DISTINCT m.shop_id, coalesce(m.person, a.person)::text "
            "FROM vault.membership m JOIN vault.actor a USING (actor) "
            "WHERE (m.shop_id = %s OR m.shop_id IN "
            "(SELECT h.shop_id FROM vault.membership h WHERE h.actor = %s AND h.ended_at IS NULL)) "
            "AND m.role IN ('owner', 'operator') AND m.ended_at IS NULL "
            "AND coalesce(m.person, a.person) IS NOT NULL AND a.actor <> %s",
            [account.shop, actor, actor],
        )
        subject = "暖簾 見覚えのないサインインの報告 / A sign-in was reported"
        link = self._page("operations/" if account.shop == PLATFORM else "console/")
        for shop, person in rows:
            self._tell(replace(account, shop=shop), person, subject, _OWNERS, {"link": link})

    async def stop(self) -> None:
        """Let go of what waits for a mail server; what is being sent is sent."""
        await self._after.settle(cancel=True)

    # -- inside

    def _page(self, path: str) -> str:
        return f"{self._origin}/{path}"

    async def _account(self, actor: str) -> Account:
        row = await self._database.row(
            "SELECT actor::text, handle, shop_id, person::text FROM vault.actor WHERE actor = %s", [actor]
        )
        return Account(actor, "", PLATFORM, None) if row is None else Account(*row)

    def _tell(
        self, account: Account, person: str | None, subject: str, text: str, words: Mapping[str, str]
    ) -> None:
        if person is None or len(self._after) >= _MOST_OPEN:
            _log.warning("alert_not_sent", no_address=person is None)
            return
        at = datetime.fromtimestamp(self._now() / 1000, UTC)
        values = {
            **words,
            # A customer's handle is her person's id, which says nothing to her.
            "handle": "" if account.handle.startswith("person:") else account.handle,
            "at_ja": f"{at.astimezone(_JAPAN):%Y-%m-%d %H:%M} 日本時間",
            "at_en": f"{at:%Y-%m-%d %H:%M} UTC",
        }
        letter = Letter(f"security:{uuid4()}", subject, text, values, neutral=_NEUTRAL)
        self._after.begin(self._send(account.shop, person, letter))

    async def _send(self, shop: int, person: str, letter: Letter) -> None:
        for wait in (*_AGAIN_SECONDS, None):
            try:
                state = await self._courier.send(shop, person, letter, _PATH)
            except (VaultError, psycopg.Error, PoolTimeout) as fault:
                state = type(fault).__name__
            if state != "deferred" or wait is None:
                break
            await asyncio.sleep(wait)
        if state not in ("sent", "already"):
            _log.error("alert_not_sent", shop=shop, state=state)


def _ways(invite: str | None, *, reset: bool) -> tuple[str, str]:
    """How she comes in again, in both languages."""
    if invite is not None:
        return (
            "次のリンクから、新しいパスキーを登録してください(一度だけ、1日以内)。",
            "Please make a new passkey by the link above. It can be used once, within a day.",
        )
    if reset:
        return (
            "パスワードは新しく決めていただきます。サインインのページからお手続きください。",
            "Your password is to be set anew: please begin on the sign-in page above.",
        )
    return ("次のページから、もう一度サインインしてください。", "Please sign in again on the page above.")
