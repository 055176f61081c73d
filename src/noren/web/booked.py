"""Bookings as a table to take out: numbers, times, services and prices, and nobody's name."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Final

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from noren.accounts.access import Permission, StaffRequest, permission_required
from noren.booking import day as booking_day
from noren.booking.models import Booking
from noren.people import exporting
from noren.shops.models import Service
from noren.shops.tenancy import shop as in_shop
from noren.web import lists, shopfront, times, wording
from noren.web.desk import Unclear, face_of
from noren.web.shopfront import Face

MOST_DAYS: Final = 400
_AT_ONCE: Final = 1000


@permission_required(Permission.LISTS_EXPORT)
@require_safe
def table(request: StaffRequest) -> HttpResponseBase:
    """All bookings of some days of the shop's, of all statuses."""
    face = face_of(request)
    try:
        first, last = _days(request)
    except Unclear as unclear:
        return lists.page_with(request, str(unclear), unclear.status)
    parts = _parts(face, booking_day.between(face.id, first, last))
    name = f"bookings-{first}-{last}"
    if request.GET.get("charset") in ("cp932", "either"):
        written = exporting.written(parts, request.GET["charset"])
        charset = "Shift_JIS" if written.charset == "cp932" else "utf-8"
        answer = HttpResponse(written.raw, content_type=f"text/csv; charset={charset}")
        return lists.attached(answer, f"{name}-{written.lost}-lost" if written.lost else name)
    told = (part.encode() for part in parts)
    return lists.attached(StreamingHttpResponse(told, content_type="text/csv; charset=utf-8"), name)


def _days(request: StaffRequest) -> tuple[date, date]:
    first, last = (times.day_of(request.GET.get(name)) for name in ("first", "last"))
    if first is None or last is None or not 0 <= (last - first).days < MOST_DAYS:
        raise Unclear(_("Please choose the first and the last day, at most %(n)d days.") % {"n": MOST_DAYS})
    return first, last


def _parts(face: Face, rows: list[Booking]) -> Iterator[str]:
    with in_shop(face.id):
        services = {row.id: wording.text(row.texts, "name") or row.key for row in Service.objects.all()}
    serving = {number: each.name for number, each in shopfront.serving(face.id).items()}
    heads = (
        _("Booking number"),
        _("Customer number"),
        _("Start"),
        _("End"),
        _("Service"),
        _("Who serves"),
        _("People"),
        _("State"),
        _("Price"),
    )
    yield exporting.MARK + exporting.lines([heads])
    for start in range(0, len(rows), _AT_ONCE):
        yield exporting.lines(
            _cells(each, face, services, serving) for each in rows[start : start + _AT_ONCE]
        )


def _cells(row: Booking, face: Face, services: dict[int, str], serving: dict[int, str]) -> list[str]:
    return [
        str(row.id),
        str(row.person_id or ""),
        _moment(row.start, face),
        _moment(row.end, face),
        " + ".join(services.get(each, "") for each in row.services),
        serving.get(row.staff_id or 0, ""),
        str(row.party),
        row.status,
        str(row.agreed.get("price", "")),
    ]


def _moment(at: datetime, face: Face) -> str:
    return f"{at.astimezone(face.zone):%Y-%m-%d %H:%M}"
