"""What a shop offers, in the caller's language."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import get_language

from noren.api import asking
from noren.api.schemas import Party, Services, ServiceShown, StaffShown, StayShown
from noren.errors import ShopUnknown
from noren.shops import questions
from noren.shops.models import Resource, Service, Shop, Staff
from noren.shops.questions import Asking
from noren.shops.tenancy import shop


def services(slug: str, shop_id: int) -> Services:
    """Return the services that can be booked, in the shop's order. ShopUnknown."""
    with shop(shop_id):
        row = Shop.objects.first()
        if row is None:
            raise ShopUnknown
        offered = list(Service.objects.filter(bookable=True).order_by("position", "id"))
        visible = Resource.objects.filter(kind="staff", bookable=True, visible=True).values_list(
            "id", flat=True
        )
        staff = {each.id: each for each in Staff.objects.filter(id__in=visible).order_by("position", "id")}
    return Services(
        shop=slug,
        name=said(row.texts, "name") or slug,
        zone=row.zone,
        currency=row.currency,
        services=[_service(row, each, staff) for each in offered if each.alone],
        options=[_service(row, each, staff) for each in offered if not each.alone],
    )


def said(texts: Mapping[str, Any], what: str) -> str:
    """Return the shop's words in the active language, or in the one they were written in."""
    words: Mapping[str, str] = texts.get(what) or {}
    return words.get((get_language() or "ja")[:2]) or words.get("ja") or next(iter(words.values()), "")


def _service(own: Shop, row: Service, staff: Mapping[int, Staff]) -> ServiceShown:
    may_serve = {each for need in row.requirements if need["role"] == "staff" for each in need["pool"]}
    return ServiceShown(
        id=row.id,
        key=row.key,
        name=said(row.texts, "name"),
        about=said(row.texts, "about"),
        minutes=sum(segment["minutes"] for segment in row.segments),
        price=row.price,
        party=Party(min=row.party_min, max=row.party_max),
        is_class=row.capacity is not None,
        is_course=row.course,
        series_most=row.series.get("most", 1),
        stay=StayShown(least=row.stay["least"], most=row.stay["most"]) if row.stay else None,
        approval=bool(row.approval),
        staff=list(_shown(may_serve, staff)),
        additions=row.additions,
        is_together=row.together and row.capacity is None and row.stay is None,
        asks=asking.shown(_asks(own, row), said(own.texts, "name"), (get_language() or "ja")[:2]),
    )


def _asks(own: Shop, row: Service) -> Asking:
    shop_row = {"questions": own.questions, "questions_version": own.questions_version, "guests": own.guests}
    return questions.asking(shop_row, {"questions": row.questions, "guests": row.guests})


def _shown(ids: Iterable[int], staff: Mapping[int, Staff]) -> Iterable[StaffShown]:
    wanted = set(ids)
    return (
        StaffShown(id=each, name=said(row.texts, "name")) for each, row in staff.items() if each in wanted
    )
