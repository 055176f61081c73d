"""The mail to somebody who serves when the shop has answered what she asked for: a day off, other hours.

Only where she wants it, and only while the answer stands: it may be taken back within some minutes.
"""

from datetime import datetime, time
from typing import Final

from django.conf import settings

from noren import people
from noren.errors import NoSuchPerson
from noren.messages import telling, words
from noren.messages.deliver import NotSentYet
from noren.messages.models import Telling
from noren.messages.telling import About, Member, Way
from noren.people import SendState, team
from noren.shops.day_requests import State
from noren.shops.models import DayRequest, Shop, Staff
from noren.shops.tenancy import shop

_SUBJECT: Final = {"ja": "【{shop}】お休みの希望への返事", "en": "{shop}: the days you asked for"}
_TEXT: Final = {
    "ja": "{name} 様\n\nご希望に返事がありました。\n\n{when}　{what}\n{answer}\n\n{page}\n"
    "このお知らせの設定：{settings}\n\n{shop}\n",
    "en": "Dear {name},\n\nwhat you asked for has been answered.\n\n{when}: {what}\n{answer}\n\n{page}\n"
    "What you are told of: {settings}\n\n{shop}\n",
}
_ANSWER: Final = {
    "ja": {State.ACCEPTED: "承認されました。", State.DECLINED: "今回は見送りとなりました。"},
    "en": {State.ACCEPTED: "Accepted.", State.DECLINED: "Declined."},
}
_OFF: Final = {"ja": "お休み", "en": "day off"}


def deliver(shop_id: int, request_id: int) -> bool:
    """Write to her who asked; says whether she was written to. Of one answer once.

    Raises NotSentYet, VaultUnavailable, LedgerUnavailable: try again.
    """
    with shop(shop_id):
        row = DayRequest.objects.filter(id=request_id, state__in=[State.ACCEPTED, State.DECLINED]).first()
        key = None if row is None else Staff.objects.get(id=row.staff_id).key
    if row is None or row.answered_at is None:
        return False
    for each in team.of(shop_id):
        member = Member(each.handle, each.staff, each.permissions)
        if each.staff != key or row.answered_by == member.by:
            continue
        with shop(shop_id):
            wish = telling.choice(member, Telling.objects.filter(handle=member.handle).first())
            spoken, values = _said(row)
        if wish.ways[About.ANSWERED] is not Way.MAIL:
            continue
        message = f"{shop_id}:answered:{row.id}:{int(row.answered_at.timestamp())}:{each.person}"
        return _sent(shop_id, each, message, spoken, values)
    return False


def _sent(shop_id: int, to: team.Member, key: str, spoken: str, values: dict[str, str]) -> bool:
    subject, text = _SUBJECT[spoken], _TEXT[spoken]
    try:
        state = people.send(shop_id, to.person, key, subject=subject, text=text, values=values)
    except NoSuchPerson:
        return False
    if state is SendState.DEFERRED:
        raise NotSentYet
    return True


def _said(row: DayRequest) -> tuple[str, dict[str, str]]:
    """Say it in the shop's language. Inside the shop."""
    house = Shop.objects.get()
    spoken = "en" if words.language(house.locale) == "en" else "ja"
    first, last = (words.day(datetime.combine(each, time()), spoken) for each in (row.first, row.last))
    hours = ", ".join(f"{_clock(start)}–{_clock(end)}" for start, end in row.ranges)
    return spoken, {
        "shop": house.texts["name"].get(spoken) or next(iter(house.texts["name"].values())),
        "when": first if row.first == row.last else f"{first} – {last}",
        "what": hours or _OFF[spoken],
        "answer": _ANSWER[spoken][State(row.state)],
        "page": f"{settings.NOREN_ORIGIN}/console/me",
        "settings": f"{settings.NOREN_ORIGIN}/console/messages/told",
    }


def _clock(minute: int) -> str:
    return f"{minute // 60}:{minute % 60:02d}"
