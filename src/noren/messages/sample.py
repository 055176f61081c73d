"""What a mail could say, of the shop as it is and of nobody: to be looked at, and to be mailed to oneself."""

import re
from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.conf import settings

from noren import people
from noren.errors import NoSuchPerson
from noren.messages import wording, words
from noren.messages.deliver import NotSentYet
from noren.messages.models import ToMany
from noren.messages.notice import Kind, Notice
from noren.messages.wording import HOUSE, Own
from noren.people import SendState, team
from noren.shops.models import Service, Shop, Staff
from noren.shops.tenancy import shop

NAMES: Final = {"ja": "山田 花子", "ja-easy": "山田 花子", "en": "Hanako Yamada"}
_TEST: Final = {"ja": "【テスト】", "en": "[Test] "}
_HOLE: Final = re.compile(r"\{([a-z]+)\}")
_AT: Final = time(14)


def notice(kind: Kind, spoken: str, *, now: datetime) -> Notice:
    """Return what such a mail would tell of a booking in three days. Inside the shop."""
    row = Shop.objects.get()
    zone = ZoneInfo(row.zone)
    start = datetime.combine(now.astimezone(zone).date() + timedelta(days=3), _AT, zone)
    service = Service.objects.filter(bookable=True).order_by("position", "id").first()
    staff = Staff.objects.order_by("position", "id").first()
    minutes = 60 if service is None else sum(int(each["minutes"]) for each in service.segments)
    was = start - timedelta(days=1)
    return Notice(
        kind=kind,
        locale=spoken,
        start=start,
        end=start + timedelta(minutes=minutes),
        uid="",
        sequence=0,
        link=f"{settings.NOREN_ORIGIN}/b/…",
        party=1 if service is None else service.party_min,
        price=0 if service is None else service.price,
        currency=row.currency,
        shop=_said(row.texts, "name", spoken),
        service="" if service is None else _said(service.texts, "name", spoken),
        staff="" if staff is None else _said(staff.texts, "name", spoken),
        address=_said(row.texts, "address", spoken),
        access=_said(row.texts, "access", spoken),
        phone=str(row.contact.get("phone", "")),
        policy=_said(row.texts, "policy", spoken),
        until=start - timedelta(days=1) if kind is Kind.OFFERED else None,
        was=(was, was + timedelta(minutes=minutes)) if kind is Kind.RESCHEDULED else None,
        minutes=15 if kind is Kind.DELAYED else 0,
    )


def _said(texts: Mapping[str, Any], key: str, spoken: str) -> str:
    said: Mapping[str, str] = texts.get(key) or {}
    return said.get(spoken) or said.get("ja") or next(iter(said.values()), "")


def shown(told: Notice, own: Own = HOUSE) -> tuple[str, str]:
    """Return subject and text as the vault would fill them, for somebody who does not exist."""
    values = {**words.values(told), wording.NAME: NAMES[told.locale]}

    def fill(text: str) -> str:
        return _HOLE.sub(lambda match: values.get(match[1], match[0]), text)

    return fill(words.subject(told, own)), fill(words.text(told, own))


def mail(shop_id: int, handle: str, kind: Kind, language: str, *, minute: int, now: datetime) -> bool:
    """Send the words that hold now to a member of the shop; of each at most one in a minute. False where she
    works there no more. Raises NotSentYet, VaultUnavailable, LedgerUnavailable.
    """
    with shop(shop_id):
        told, own = notice(kind, language, now=now), wording.of(kind, language)
    return _mail(shop_id, handle, told, own, key=f"{shop_id}:sample:{kind}:{language}:{handle}:{minute}")


def mail_many(shop_id: int, handle: str, many_id: int, language: str, *, minute: int, now: datetime) -> bool:
    """Send what is kept of a message to many to a member of the shop, as `mail` does."""
    with shop(shop_id):
        row = ToMany.objects.filter(id=many_id).first()
        if row is None or language not in row.words:
            return False
        told, own = notice(Kind.MANY, language, now=now), wording.of_many(row.words, language)
    key = f"{shop_id}:sample:{Kind.MANY}-{many_id}:{language}:{handle}:{minute}"
    return _mail(shop_id, handle, told, own, key=key)


def _mail(shop_id: int, handle: str, told: Notice, own: Own, *, key: str) -> bool:
    person = next((one.person for one in team.of(shop_id) if one.handle == handle), None)
    if person is None:
        return False
    subject, text = _TEST[told.locale] + words.subject(told, own), words.text(told, own)
    try:
        state = people.send(shop_id, person, key, subject=subject, text=text, values=words.values(told))
    except NoSuchPerson:
        return False
    if state is SendState.DEFERRED:
        raise NotSentYet
    return True
