"""Three figures of a shop: how full its hours were, who was new, who did not come. Of nobody by name.

Each as a picture and as a table, and as a file; each number leads to its bookings.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from noren import clock
from noren.accounts.access import StaffRequest, manager_required
from noren.booking.figures import Comers, Figures, Missed
from noren.engine import occupancy
from noren.engine.occupancy import Share
from noren.errors import NothingHere
from noren.people import exporting
from noren.shops.models import Service
from noren.shops.tenancy import shop as in_shop
from noren.web import figures_asked, shopfront, times, visits, wording
from noren.web.desk import Unclear, face_of
from noren.web.figures_asked import SPANS, Wanted

MONDAY = date(2024, 1, 1)
LEVELS = 5
A_PAGE = 100
# A bar's whole length, in the units of its picture.
BAR = 100


@dataclass(frozen=True, slots=True)
class Cell:
    """An hour of the week. `level`: how dark it is, of LEVELS; `words` say it whole."""

    hour: int
    share: Share
    level: int
    words: str
    href: str


@dataclass(frozen=True, slots=True)
class Row:
    """A weekday's hours, in the order of the heading; None where nothing was offered or taken."""

    day: str
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of a picture: one number, or two on top of each other, and where each leads."""

    label: str
    number: int
    href: str
    length: int
    second: int = 0
    second_href: str = ""
    second_length: int = 0
    percent: int | None = None
    of: int = 0
    of_href: str = ""


@manager_required
@require_safe
def page(request: StaffRequest) -> HttpResponse:
    face = face_of(request)
    now = clock.now().astimezone(face.zone)
    try:
        wanted, refused = figures_asked.read(request.GET, now.date()), ""
    except Unclear as fault:
        wanted, refused = figures_asked.usual(now.date()), str(fault)
    told = _figures(face, wanted)
    people, services = _staff(face), _services(face)
    whole = told.missed()[0]
    context = {
        "shop": face,
        "way": "figures",
        "wanted": wanted,
        "refused": refused,
        "given": request.GET if refused else {},
        "spans": [(code, words) for code, (words, _days) in SPANS.items()],
        "today": now.date(),
        "staff": people,
        "services": services,
        **_week(told, wanted),
        "comers": _comers(told.comers(_periods(told, wanted)), wanted),
        "missed": whole,
        "missed_href": wanted.address("console_figure", kind="missed"),
        "of_href": wanted.address("console_figure", kind="visits"),
        "by": _by(told, services, wanted),
        "files": {what: wanted.address("console_figures_file", what=what) for what in _FILES},
    }
    return render(request, "web/console/figures.html", context, status=422 if refused else 200)


def _figures(face: shopfront.Face, wanted: Wanted) -> Figures:
    return Figures(face.id, wanted.asked, list(_staff(face)), now=clock.now())


def _staff(face: shopfront.Face) -> dict[int, str]:
    return {each: known.name for each, known in shopfront.serving(face.id).items() if known.is_staff}


def _services(face: shopfront.Face) -> dict[int, str]:
    """All, those that are offered no more as well: they were booked once."""
    with in_shop(face.id):
        rows = list(Service.objects.order_by("-bookable", "position", "id").only("id", "texts"))
    return {row.id: wording.text(row.texts, "name") for row in rows}


def _weekday(day: int) -> str:
    return wording.long_weekday(MONDAY + timedelta(days=day))


def _order(told: Figures) -> list[int]:
    return [(told.week_start + day) % 7 for day in range(7)]


def _periods(told: Figures, wanted: Wanted) -> list[tuple[date, date]]:
    first, last = wanted.asked.first, wanted.asked.last
    if wanted.by == "month":
        return occupancy.months(first, last)
    return occupancy.weeks(first, last, told.week_start)


def _week(told: Figures, wanted: Wanted) -> dict[str, Any]:
    """The hours of the week that have anything, as rows of a picture and as the lines of a table."""
    shares = {cell: share for cell, share in told.occupancy.items() if share.offered or share.taken}
    hours = range(min((h for _d, h in shares), default=0), max((h for _d, h in shares), default=-1) + 1)
    whole = Share(sum(each.offered for each in shares.values()), sum(each.taken for each in shares.values()))
    return {
        "hours": hours,
        "week": [
            Row(_weekday(day), tuple(_cell(shares.get((day, hour)), day, hour, wanted) for hour in hours))
            for day in _order(told)
        ],
        "whole": whole,
        "whole_href": wanted.address("console_figure", kind="taken"),
    }


def _cell(share: Share | None, day: int, hour: int, wanted: Wanted) -> Cell | None:
    if share is None:
        return None
    facts = {"day": _weekday(day), "hour": f"{hour}:00", "percent": share.percent}
    words = (
        _("%(day)s %(hour)s: %(percent)s%% taken") if share.offered else _("%(day)s %(hour)s: not offered")
    )
    return Cell(
        hour,
        share,
        min(LEVELS, -(-LEVELS * (share.percent or 0) // 100)),
        words % facts,
        wanted.address("console_figure", kind="taken", day=day, hour=hour) if share.taken else "",
    )


def _comers(found: Sequence[Comers], wanted: Wanted) -> list[Bar]:
    most = max((each.new + each.returning for each in found), default=0) or 1

    def leads(each: Comers, kind: str) -> str:
        return wanted.address("console_figure", kind=kind, since=each.first, until=each.last)

    return [
        Bar(
            _period(each, wanted),
            each.new,
            leads(each, "new"),
            BAR * each.new // most,
            each.returning,
            leads(each, "returning"),
            BAR * each.returning // most,
        )
        for each in found
    ]


def _period(each: Comers, wanted: Wanted) -> str:
    whole_month = each.first.day == 1 and (each.last + timedelta(days=1)).day == 1
    if wanted.by == "month" and whole_month:
        return wording.month(each.first)
    return wording.day(each.first) if each.first == each.last else _stretch(each.first, each.last)


def _stretch(first: date, last: date) -> str:
    return f"{wording.day(first)}–{wording.day(last)}"


def _by(told: Figures, services: Mapping[int, str], wanted: Wanted) -> list[tuple[str, list[Bar]]]:
    """Who did not come, by weekday and by service: where most did not, first."""
    _all, days, kinds = told.missed()
    most = sorted(kinds.items(), key=lambda each: (-each[1].missed, -each[1].of, each[0]))
    by_day = [_missed(_weekday(day), days.get(day, Missed()), wanted, day=day) for day in _order(told)]
    by_kind = [_missed(services.get(each, "–"), of, wanted, of_service=each) for each, of in most]
    return [(_("Weekday"), by_day), (_("Service"), by_kind)]


def _missed(
    label: str, of: Missed, wanted: Wanted, *, day: int | None = None, of_service: int | None = None
) -> Bar:
    more = {"day": day, "of_service": of_service}
    return Bar(
        label,
        of.missed,
        wanted.address("console_figure", kind="missed", **more),
        BAR * (of.percent or 0) // 100,
        percent=of.percent,
        of=of.of,
        of_href=wanted.address("console_figure", kind="visits", **more),
    )


# -- what stands behind a number


@manager_required
@require_safe
def bookings(request: StaffRequest) -> HttpResponse:
    """The bookings that a number counts, by ids."""
    face = face_of(request)
    today = clock.now().astimezone(face.zone).date()
    try:
        wanted = figures_asked.read(request.GET, today)
    except Unclear:
        raise NothingHere from None
    ids, title = _behind(request, _figures(face, wanted), _services(face))
    shown = Paginator(ids, A_PAGE).get_page(request.GET.get("page"))
    with in_shop(face.id):
        rows = visits.done(list(shown), face)
    more = request.GET.copy()
    more.pop("page", None)
    context = {
        "shop": face,
        "way": "figures",
        "title": title,
        "wanted": wanted,
        "back": wanted.address(),
        "rows": rows,
        "number": len(ids),
        "shown": shown,
        "more": more.urlencode(),
    }
    return render(request, "web/console/figure.html", context)


def _behind(request: StaffRequest, told: Figures, services: Mapping[int, str]) -> tuple[list[int], str]:
    given = request.GET
    day, hour, service = (times.number(given.get(name)) for name in ("day", "hour", "of_service"))
    of = [_weekday(day)] if day is not None and day < 7 else []
    of += [services[service]] if service is not None and service in services else []
    match given.get("kind", "visits"):
        case "taken":
            of += [f"{hour}:00–{hour + 1}:00"] if hour is not None and hour < 24 else []
            return told.taken_in(day, hour), " · ".join([_("Bookings of the time that was taken"), *of])
        case "missed":
            return told.visits_of(day, service, missed=True), " · ".join([_("Who did not come"), *of])
        case "visits":
            found = told.visits_of(day, service, missed=False)
            return found, " · ".join([_("Bookings whose time has come"), *of])
        case "new" | "returning" as kind:
            first, last = (times.day_of(given.get(name)) for name in ("since", "until"))
            if first is None or last is None:
                raise NothingHere
            words = _("New customers") if kind == "new" else _("Returning customers")
            found = told.came_in(first, last, new=kind == "new")
            return found, f"{words} · {_stretch(first, last)}"
        case _:
            raise NothingHere


# -- as a file


@manager_required
@require_safe
def file(request: StaffRequest) -> HttpResponse:
    """One figure as CSV, as a spreadsheet opens it and runs nothing of it."""
    face = face_of(request)
    today = clock.now().astimezone(face.zone).date()
    what = request.GET.get("what", "occupancy")
    try:
        wanted = figures_asked.read(request.GET, today)
    except Unclear:
        raise NothingHere from None
    if what not in _FILES:
        raise NothingHere
    rows = _FILES[what](_figures(face, wanted), wanted, _services(face))
    text = exporting.MARK + exporting.lines([[str(cell) for cell in row] for row in rows])
    answer = HttpResponse(text.encode(), content_type="text/csv; charset=utf-8")
    name = f"{what}-{wanted.asked.first}-{wanted.asked.last}.csv"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


Lines = list[list[object]]


def _occupancy_lines(told: Figures, _wanted: Wanted, _services: Mapping[int, str]) -> Lines:
    heading: list[object] = [_("Weekday"), _("Hour"), _("Minutes offered"), _("Minutes taken"), "%"]
    shares = told.occupancy
    return [heading] + [
        [_weekday(day), f"{hour}:00", share.offered, share.taken, _percent(share.percent)]
        for day in _order(told)
        for hour in range(24)
        if (share := shares.get((day, hour))) and (share.offered or share.taken)
    ]


def _customer_lines(told: Figures, wanted: Wanted, _services: Mapping[int, str]) -> Lines:
    heading: list[object] = [_("From"), _("To"), _("New customers"), _("Returning customers")]
    found = told.comers(_periods(told, wanted))
    return [heading] + [[each.first, each.last, each.new, each.returning] for each in found]


def _missed_lines(told: Figures, _wanted: Wanted, services: Mapping[int, str]) -> Lines:
    whole, days, kinds = told.missed()
    heading: list[object] = [_("Counted by"), "", _("Did not come"), _("Bookings"), "%"]
    lines: list[tuple[str, str, Missed]] = [(_("All"), "", whole)]
    lines += [(_("Weekday"), _weekday(day), days.get(day, Missed())) for day in _order(told)]
    lines += [(_("Service"), services.get(each, "–"), of) for each, of in sorted(kinds.items())]
    return [heading] + [[by, name, of.missed, of.of, _percent(of.percent)] for by, name, of in lines]


def _percent(value: int | None) -> object:
    return "" if value is None else value


_FILES = {"occupancy": _occupancy_lines, "customers": _customer_lines, "no-shows": _missed_lines}
