"""When the shop is closed beside its week: public holidays, every nth weekday, a summer or a new year."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from noren import clock
from noren.accounts.access import Permission, StaffRequest, permission_required
from noren.engine import hours as engine_hours
from noren.engine.model import HolidayRule, ShopRules
from noren.shops import closings, edits, rules
from noren.shops.edits import DayReason
from noren.shops.holidays import holiday_names, public_holidays
from noren.shops.models import OpeningHours, Override, Shop
from noren.shops.reading import Ranges, Values
from noren.shops.tenancy import shop as in_shop
from noren.web import ruled, times, wording
from noren.web.desk import Unclear, open_face_of
from noren.web.hours import Deed, plain, ranges_of
from noren.web.shifts import spoken
from noren.web.shopfront import Face

MONDAY = date(2024, 1, 1)
AHEAD = timedelta(days=366)
MOST_DAYS = 62
# Whose holidays the page offers; a shop's file may name any other that is published.
REGIONS = ("", "JP")
_ONE_DAY = timedelta(days=1)


def rule_words() -> dict[str, str]:
    """What the shop may do on a public holiday."""
    return {
        HolidayRule.OPEN: _("open, as on the weekday"),
        HolidayRule.CLOSED: _("closed"),
        HolidayRule.OWN: _("open, at hours of their own"),
        HolidayRule.SHIFT: _("open, and closed on the next day if it falls on a closing day"),
    }


def region_words(code: str) -> str:
    """Say whose holidays they are."""
    return {"": _("none are kept"), "JP": _("Japan's")}.get(code, code)


@permission_required(Permission.HOURS_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: StaffRequest) -> HttpResponse:
    """Show what is closed when; POST changes it, once it is said what becomes of bookings that it touches."""
    face = open_face_of(request)
    today = clock.now().astimezone(face.zone).date()
    if request.method != "POST":
        return _page(request, face, today)
    deeds: Mapping[str, Callable[[], Deed]] = {
        "holidays": lambda: _holidays(request),
        "closing": lambda: _closing(request),
        "open": lambda: _open(request),
        "days": lambda: _days(request, today),
        "usual": lambda: _usual(request, today),
    }
    asked = deeds.get(request.POST.get("deed", ""))
    if asked is None:
        return _page(request, face, today, wrong=_("Please choose once more."))
    try:
        deed = asked()
    except Unclear as fault:
        return _page(request, face, today, wrong=str(fault))
    return ruled.changed(request, face, deed, there=reverse("console_holidays"), way="hours")


def _holidays(request: StaffRequest) -> Deed:
    given = request.POST
    region, rule, text = given.get("region", ""), given.get("rule", ""), given.get("eighth", "").strip()
    with in_shop(request.shop_id):
        allowed = {*REGIONS, Shop.objects.get().holiday_region}
    if region not in allowed or rule not in set(HolidayRule):
        raise Unclear(_("Please choose once more."))
    eighth: Ranges | None = ranges_of(text) if text else None
    if rule == HolidayRule.OWN and eighth is None:
        raise Unclear(_("Please write the hours of public holidays, or choose another rule."))
    words = _("Public holidays: %(rule)s") % {"rule": rule_words()[rule]}
    return Deed(words, ruled.asked_again(request), partial(closings.set_holidays, region, rule, eighth))


def _closing(request: StaffRequest) -> Deed:
    weekday = times.number(request.POST.get("weekday"))
    nth = [number for number in range(1, 6) if f"nth-{number}" in request.POST]
    if weekday is None or weekday > 6 or not nth:
        raise Unclear(_("Please tick which of the month, such as the 2nd and the 4th."))
    words = closing_words({"weekday": weekday, "nth": nth})
    return Deed(words, ruled.asked_again(request), partial(closings.add_closing, weekday, nth))


def _open(request: StaffRequest) -> Deed:
    named = request.POST.get("closing")
    with in_shop(request.shop_id):
        row = OpeningHours.objects.filter(resource_id=None, service_id=None).first()
    closing = next((each for each in (row.closings if row else ()) if _named(each) == named), None)
    if closing is None:
        raise Unclear(_("Please choose once more."))
    words = _("No more: %(closing)s") % {"closing": closing_words(closing)}
    return Deed(words, ruled.asked_again(request), partial(closings.drop_closing, closing))


def _named(closing: Values) -> str:
    """By what a form names a closing: not by its place, where another one stands once it is gone."""
    return json.dumps(closing, sort_keys=True)


def _days(request: StaffRequest, today: date) -> Deed:
    given = request.POST
    first, last = _range(given, today)
    why = given.get("why", "")
    ranges: Ranges = ranges_of(given.get("hours", "")) if given.get("open") == "hours" else []
    days = [first + number * _ONE_DAY for number in range((last - first).days + 1)]
    told = spoken((a, b) for a, b in ranges) if ranges else _("closed")
    words = _("%(days)s: %(hours)s") % {"days": _span(first, last), "hours": told}
    reason = DayReason(why) if why in set(DayReason) else DayReason.NONE
    return Deed(words, ruled.asked_again(request), partial(edits.set_days, days, ranges, reason))


def _usual(request: StaffRequest, today: date) -> Deed:
    first, last = _range(request.POST, today)
    words = _("%(days)s: hours as usual") % {"days": _span(first, last)}
    return Deed(words, ruled.asked_again(request), partial(closings.unset_days, first, last))


def _range(given: Mapping[str, Any], today: date) -> tuple[date, date]:
    """Read a first and a last day. Raises Unclear."""
    until = str(given.get("last", "")).strip()
    first = times.day_of(given.get("first"))
    last = times.day_of(until) if until else first
    if first is None or last is None or first < today:
        raise Unclear(_("Please choose a day from today on."))
    if last < first:
        raise Unclear(_("The last day is before the first one. Please look at both once more."))
    if (last - first).days >= MOST_DAYS:
        raise Unclear(_("These are too many days; %(most)d at most.") % {"most": MOST_DAYS})
    return first, last


def _span(first: date, last: date) -> str:
    if first == last:
        return wording.full_day(first)
    return _("%(first)s to %(last)s") % {"first": wording.full_day(first), "last": wording.day(last)}


def closing_words(closing: Values) -> str:
    """Say which days a closing that comes back is."""
    name = wording.long_weekday(MONDAY + timedelta(days=int(closing["weekday"])))
    if closing.get("every"):
        return _("Closed every %(n)d weeks: %(weekday)s") % {"n": closing["every"], "weekday": name}
    numbers = wording.joined([str(each) for each in closing.get("nth", ())])
    return _("Closed: %(weekday)s no. %(numbers)s of the month") % {"weekday": name, "numbers": numbers}


def coming(known: ShopRules, row: Shop, today: date) -> list[dict[str, Any]]:
    """Return the holidays of the year to come, by name, and what the shop does then."""
    language = {"ja": "ja"}.get(wording.spoken_language(), "en_US")
    names: dict[date, str] = {}
    for year in (today.year, today.year + 1):
        names |= holiday_names(row.holiday_region, language, year)
    own = {day: _("the shop's own") for day in row.own_holidays}
    found = []
    for day in sorted(public_holidays(row.holiday_region) | set(row.own_holidays)):
        if today <= day <= today + AHEAD:
            there = engine_hours.merged(engine_hours.of_shop(known, day))
            hours = spoken(there) if there else _("closed")
            found.append({"on": day, "name": names.get(day) or own.get(day, ""), "hours": hours})
    return found


def own_days(rows: Sequence[Override]) -> list[dict[str, Any]]:
    """Put days that follow each other and are alike together."""
    found: list[dict[str, Any]] = []
    for row in rows:
        alike = found and (found[-1]["ranges"], found[-1]["why"]) == (row.ranges, row.why)
        if alike and found[-1]["last"] + _ONE_DAY == row.date:
            found[-1]["last"] = row.date
            continue
        found.append({"first": row.date, "last": row.date, "ranges": row.ranges, "why": row.why})
    for each in found:
        each["days"] = _span(each["first"], each["last"])
        each["hours"] = spoken((a, b) for a, b in each["ranges"]) if each["ranges"] else _("closed")
        each["reason"] = wording.day_reasons().get(each["why"], "") if each["why"] else ""
    return found


def _page(request: StaffRequest, face: Face, today: date, *, wrong: str = "") -> HttpResponse:
    with in_shop(face.id):
        row, known = Shop.objects.get(), rules.known().rules
        hours = OpeningHours.objects.filter(resource_id=None, service_id=None).first()
        special = Override.objects.filter(resource_id=None, service_id=None, date__gte=today)
        days = own_days(list(special.order_by("date")))
    eighth = hours.holiday if hours else None
    given: Mapping[str, Any] = request.POST if wrong else {}
    asks_holidays = given.get("deed") == "holidays"
    context = {
        "shop": face,
        "way": "hours",
        "today": today,
        "regions": {code: region_words(code) for code in dict.fromkeys([*REGIONS, row.holiday_region])},
        "region": given.get("region") if asks_holidays else row.holiday_region,
        "rules": rule_words(),
        "rule": given.get("rule") if asks_holidays else row.holiday_rule,
        "eighth": given.get("eighth") if asks_holidays else " ".join(plain(each) for each in eighth or ()),
        "closings": [
            {"number": number, "named": _named(each), "words": closing_words(each)}
            for number, each in enumerate(hours.closings if hours else ())
        ],
        "weekdays": [(number, wording.long_weekday(MONDAY + number * _ONE_DAY)) for number in range(7)],
        "numbers": range(1, 6),
        "days": days,
        "reasons": wording.day_reasons(),
        "coming": coming(known, row, today),
        "given": given,
        "kept": "kept" in request.GET,
        "wrong": wrong,
    }
    return render(request, "web/console/holidays.html", context, status=422 if wrong else 200)
