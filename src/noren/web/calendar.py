"""What the calendar's views have in common: the switch between them, which day they show, whose names they
may show by themselves, and what is said of a day as a whole.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from noren.engine import hours as engine_hours
from noren.engine.model import ShopRules
from noren.shops.models import Override
from noren.web import times, wording

VIEWS = ("day", "week", "month", "list")
_NAMES = {view: "console_day" if view == "day" else f"console_{view}_view" for view in VIEWS}


@dataclass(frozen=True, slots=True)
class View:
    """One way to look at the calendar."""

    words: str
    href: str
    current: bool


@dataclass(frozen=True, slots=True)
class Whole:
    """What is said of a day as a whole: `notes` name the holiday, the closing and why."""

    date: date
    closed: bool
    notes: tuple[str, ...]


def address(view: str, on: date, **more: Any) -> str:
    """Return where a view shows a day."""
    asked = {"date": on.isoformat(), **{name: value for name, value in more.items() if value}}
    return f"{reverse(_NAMES[view])}?{urlencode(asked)}"


def views(current: str, on: date, **more: Any) -> list[View]:
    """Return the switch, each view of the same day. `more`: what of this view another one knows as well."""
    words = {
        "day": pgettext("view of the calendar", "Day"),
        "week": pgettext("view of the calendar", "Week"),
        "month": pgettext("view of the calendar", "Month"),
        "list": pgettext("view of the calendar", "List"),
    }
    return [
        View(words[view], address(view, on, **(more if view != "day" else {})), view == current)
        for view in VIEWS
    ]


def shown(request: HttpRequest, today: date) -> date:
    return times.day_of(request.GET.get("date")) or today


def near(on: date, now: datetime) -> bool:
    """Say whether a day's names are shown without a tap: today's and tomorrow's."""
    return now.date() <= on <= now.date() + timedelta(days=1)


def closings(first: date, last: date) -> dict[date, Override]:
    """Return the days that have hours of their own. Inside the shop."""
    rows = Override.objects.filter(resource_id=None, service_id=None, date__gte=first, date__lte=last)
    return {row.date: row for row in rows}


def whole(house: ShopRules, own: Mapping[date, Override], on: date) -> Whole:
    """Say what a day is."""
    closed = not engine_hours.merged(engine_hours.of_shop(house, on))
    row = own.get(on)
    reason = wording.day_reasons().get(row.why, "") if row is not None and row.why else ""
    notes = (
        _("public holiday") if on in house.holidays else "",
        _("closed") if closed else _("other hours") if row is not None else "",
        reason,
    )
    return Whole(on, closed, tuple(each for each in notes if each))


def week_begin(house: ShopRules, on: date) -> date:
    """Return the day on which the shop's week begins."""
    return on - timedelta(days=(on.weekday() - house.week_start) % 7)
