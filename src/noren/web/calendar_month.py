"""The month view: how much of each day is booked, how many come, holidays and closings by name; nobody."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from noren import clock
from noren.accounts.access import Permission, StaffRequest, permission_required
from noren.booking.models import STANDING, Booking, Status
from noren.engine.model import ShopRules
from noren.shops import rules
from noren.shops.tenancy import shop as in_shop
from noren.web import calendar, lanes, shopfront, wording
from noren.web.desk import face_of
from noren.web.lanes import Span, Taking

ONE = timedelta(days=1)
WEEK = 7


@dataclass(frozen=True, slots=True)
class Cell:
    """A day. `percent` of the hours of those who serve is taken; `free` is what is left, in minutes."""

    whole: calendar.Whole
    href: str
    within: bool
    today: bool
    count: int
    pending: int
    percent: int
    free: int
    has_hours: bool


@permission_required(Permission.DAY_SEE)
@require_safe
def page(request: StaffRequest) -> HttpResponse:
    face = face_of(request)
    now = clock.now().astimezone(face.zone)
    on = calendar.shown(request, now.date())
    month = on.replace(day=1)
    after = (month + timedelta(days=32)).replace(day=1)
    counted = _counted(face)
    with in_shop(face.id):
        house = rules.known().rules
        first = calendar.week_begin(house, month)
        last = calendar.week_begin(house, after - ONE) + timedelta(days=WEEK - 1)
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        own = calendar.closings(first, last)
        takings = lanes.takings(face, first, last)
        coming, pending = _coming(face, first, last)
    cells = []
    for day in days:
        hours, taken = _used(house, day, counted, takings.get(day, ()))
        cells.append(
            Cell(
                calendar.whole(house, own, day),
                calendar.address("day", day),
                within=day.month == month.month,
                today=day == now.date(),
                count=coming[day],
                pending=pending[day],
                percent=round(100 * taken / hours) if hours else 0,
                free=hours - taken,
                has_hours=hours > 0,
            )
        )
    context = {
        "shop": face,
        "way": "day",
        "date": on,
        "month": month,
        "views": calendar.views("month", on),
        "turns": _turns(month, after, now.date()),
        "weekdays": [(wording.weekday(day), wording.long_weekday(day)) for day in days[:WEEK]],
        "weeks": [cells[number : number + WEEK] for number in range(0, len(cells), WEEK)],
    }
    return render(request, "web/console/calendar_month.html", context)


def _turns(month: date, after: date, today: date) -> list[dict[str, str]]:
    turns = (
        ("before", (month - ONE).replace(day=1), _("Month before")),
        ("today", today, _("This month")),
        ("after", after, _("Month after")),
    )
    return [
        {"id": name, "href": calendar.address("month", day), "words": words} for name, day, words in turns
    ]


def _counted(face: shopfront.Face) -> frozenset[int]:
    """Return whose hours are counted: those who serve, or all that is used where nobody does."""
    serving = {each: known for each, known in shopfront.serving(face.id).items() if not known.is_whole}
    staff = frozenset(each for each, known in serving.items() if known.is_staff)
    return staff or frozenset(serving)


def _coming(face: shopfront.Face, first: date, last: date) -> tuple[Counter[date], Counter[date]]:
    """Count what begins on each day, and what of it waits for the shop. Inside the shop."""
    begin, end = (datetime.combine(day, time(), face.zone).astimezone(UTC) for day in (first, last + ONE))
    rows = Booking.objects.filter(start__gte=begin, start__lt=end, status__in=STANDING)
    coming: Counter[date] = Counter()
    pending: Counter[date] = Counter()
    for start, status in rows.values_list("start", "status"):
        day = start.astimezone(face.zone).date()
        coming[day] += 1
        pending[day] += status == Status.PENDING
    return coming, pending


def _used(
    house: ShopRules, day: date, counted: Collection[int], takings: Iterable[Taking]
) -> tuple[int, int]:
    """Return how many minutes of the day those who serve are there, and how many of these are taken.

    A block is time that they are not there.
    """
    opens: Mapping[int, tuple[Span, ...]] = lanes.opens_by(house, day)
    there = taken = 0
    found = lanes.by_resource(takings)
    for resource in counted:
        hours = opens.get(resource, ())
        groups = found.get(resource, ())
        blocked = lanes.joined([each.span for group in groups for each in group if each.block])
        booked = lanes.joined([each.span for group in groups for each in group if not each.block])
        there += sum(span.end - span.start for span in hours) - _common(hours, blocked)
        taken += _common(hours, booked) - sum(_common(hours, _both(booked, one)) for one in blocked)
    return there, taken


def _both(those: Iterable[Span], one: Span) -> list[Span]:
    spans = (Span(max(each.start, one.start), min(each.end, one.end)) for each in those)
    return [span for span in spans if span.start < span.end]


def _common(hours: Iterable[Span], those: Iterable[Span]) -> int:
    spans = list(those)
    return sum(each.end - each.start for span in hours for each in _both(spans, span))
