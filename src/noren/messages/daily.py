"""The owners' mail of the morning: how many come today, what waits, and the newest checkpoint to keep.

So every owner holds, in a mailbox that is not the operator's, what the ledger was that day.
"""

from datetime import datetime, time, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings

from noren import people
from noren.booking import day as booking_day
from noren.booking.models import STANDING, Booking
from noren.errors import NoSuchPerson
from noren.messages import words
from noren.messages.deliver import NotSentYet
from noren.people import SendState, published
from noren.shops.models import Shop
from noren.shops.tenancy import shop

MORNING: Final = time(7)
SUBJECTS: Final = {
    "ja": "【{shop}】本日のご予約 {count}件({day})",
    "en": "{shop}: {count} bookings today, {day}",
}
TEXT: Final = {
    "ja": """{name} 様

おはようございます。本日のご予約は{count}件です。
""",
    "en": """Dear {name},

Good morning. Bookings today: {count}.
""",
}
WAITING: Final = {
    "ja": """
確認をお待ちのご予約が{waiting}件あります。
{link}
""",
    "en": """
Bookings that wait for your look: {waiting}.
{link}
""",
}
SEAL: Final = {
    "ja": """
記録台帳の最新のチェックポイントです。このメールを残しておくと、
これより前の記録が後から変えられていないことを、いつでも確かめられます。
{page}

{checkpoint}
{shop}
""",
    "en": """
This is the ledger's newest checkpoint. As long as you keep this mail,
it can be proved that nothing before it has been changed.
{page}

{checkpoint}
{shop}
""",
}


def next_morning(shop_id: int, *, now: datetime) -> datetime:
    """Return the shop's next morning by the clock on its wall."""
    with shop(shop_id):
        zone = ZoneInfo(Shop.objects.get().zone)
    here = now.astimezone(zone)
    morning = datetime.combine(here.date(), MORNING, zone)
    return morning if morning > here else datetime.combine(here.date() + timedelta(days=1), MORNING, zone)


def deliver(shop_id: int, *, now: datetime) -> int:
    """Write to each owner, once a day; gives how many were written to. A shop may want none, and one
    that is not open yet sends none.

    Raises NotSentYet, VaultUnavailable, LedgerUnavailable: try again; who has the mail is not sent it twice.
    """
    with shop(shop_id):
        row = Shop.objects.get()
        if not (row.daily_mail and row.published):
            return 0
        here = now.astimezone(ZoneInfo(row.zone))
        begin = datetime.combine(here.date(), time(), here.tzinfo)
        end = datetime.combine(here.date() + timedelta(days=1), time(), here.tzinfo)
        count = Booking.objects.filter(status__in=STANDING, start__gte=begin, start__lt=end).count()
    spoken = words.language(row.locale)
    waiting = len(booking_day.waiting(shop_id, now=now))
    values = {
        "shop": row.texts["name"].get(spoken) or next(iter(row.texts["name"].values())),
        "day": words.day(here, spoken),
        "count": str(count),
        "waiting": str(waiting),
        "link": f"{settings.NOREN_ORIGIN}/console/attention",
        "page": f"{settings.NOREN_ORIGIN}/ledger",
        "checkpoint": _checkpoint(),
    }
    letter = SUBJECTS[spoken], TEXT[spoken] + (WAITING[spoken] if waiting else "") + SEAL[spoken]
    owners = people.owners(shop_id)
    states = [_send(shop_id, person, f"{here:%Y-%m-%d}", letter, values) for person in owners]
    if SendState.DEFERRED in states:
        raise NotSentYet
    return len(states)


def _send(
    shop_id: int, person: UUID, date: str, letter: tuple[str, str], values: dict[str, str]
) -> SendState:
    subject, text = letter
    try:
        key = f"{shop_id}:daily:{date}:{person}"
        return people.send(shop_id, person, key, subject=subject, text=text, values=values)
    except NoSuchPerson:
        return SendState.ALREADY


def _checkpoint() -> str:
    """The published checkpoint, with its witnesses' signatures; the vault's own where it cannot be read."""
    found = published.checkpoint()
    return people.checkpoint() if found is None else found.note
