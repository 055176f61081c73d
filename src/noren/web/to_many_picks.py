"""Which bookings a message to many is about: the form of it, read and filled, and the same in words."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any, Final

from django.http import QueryDict
from django.utils.translation import gettext as _

from noren import clock
from noren.messages.models import ToMany
from noren.messages.to_many import Pick
from noren.shops.models import Service
from noren.shops.tenancy import shop as in_shop
from noren.web import just_done, shopfront, times, why, wording
from noren.web.desk import Unclear
from noren.web.shopfront import Face

LONGEST: Final = timedelta(days=92)
_ONE: Final = timedelta(days=1)
_FIELDS: Final = ("date", "from", "until", "to", "service", "staff")


def typed(given: QueryDict) -> dict[str, str]:
    """Give back what was typed, or what an address asks for."""
    return {name: given.get(name, "") for name in _FIELDS}


def of(face: Face, row: ToMany) -> dict[str, str]:
    """Give the form's values of what was picked; a whole day has no times."""
    begin, end = row.since.astimezone(face.zone), row.until.astimezone(face.zone)
    last = end - _ONE if end.time() == time() else end
    return {
        "date": begin.date().isoformat(),
        "from": "" if begin.time() == time() else f"{begin:%H:%M}",
        "until": last.date().isoformat(),
        "to": "" if end.time() == time() else f"{end:%H:%M}",
        "service": str(row.service_id or ""),
        "staff": str(row.staff_id or ""),
    }


def read(given: QueryDict, face: Face, now: datetime) -> Pick:
    """Read the form. Raises Unclear."""
    first, last = times.day_of(given.get("date")), times.day_of(given.get("until") or given.get("date"))
    if first is None or last is None:
        raise Unclear(_("There is no such day or time. Please look at it once more."))
    since = why.instant(first.isoformat(), given.get("from") or "00:00", face)
    to = given.get("to")
    until = why.instant(last.isoformat() if to else (last + _ONE).isoformat(), to or "00:00", face)
    if since is None or until is None:
        raise Unclear(_("There is no such day or time. Please look at it once more."))
    if until <= since:
        raise Unclear(_("The end lies before the beginning."))
    if until <= now:
        raise Unclear(_("This time is over. Please choose one that is still to come."))
    if until - since > LONGEST:
        raise Unclear(_("At most three months can be picked at once."))
    service, staff = (_known(given.get(name), known) for name, known in choices(face).items())
    return Pick(since, until, service, staff)


def _known(text: str | None, known: Mapping[int, str]) -> int | None:
    number = times.number(text)
    if number is not None and number not in known:
        raise Unclear(_("Please choose once more."))
    return number


def choices(face: Face) -> dict[str, dict[int, str]]:
    """Give all services, hidden ones too, and all who serve."""
    with in_shop(face.id):
        rows = list(Service.objects.order_by("position", "id"))
    return {
        "service": {row.id: str(wording.text(row.texts, "name")) or row.key for row in rows},
        "staff": {
            each: str(known.name) for each, known in shopfront.serving(face.id).items() if known.is_staff
        },
    }


def form(face: Face, values: Mapping[str, str]) -> dict[str, Any]:
    """Give what the form shows: its values and its lists; tomorrow, where nothing is said yet."""
    tomorrow = (clock.now().astimezone(face.zone).date() + _ONE).isoformat()
    return {**values, "date": values["date"] or tomorrow, "choices": choices(face)}


def words(face: Face, row: ToMany, known: Mapping[str, Mapping[int, str]]) -> str:
    """Say which bookings: "Sat 5 December, Cut, Aoi"; `known` are the choices."""
    begin, end = row.since.astimezone(face.zone), row.until.astimezone(face.zone)
    if begin.time() == end.time() == time():
        first, last = wording.day(begin.date()), wording.day(end.date() - _ONE)
        said = [first if first == last else _("%(first)s to %(last)s") % {"first": first, "last": last}]
    else:
        said = [just_done.span(begin, end)]
    named = ((row.service_id, "service"), (row.staff_id, "staff"))
    said += [known[kind].get(number, str(number)) for number, kind in named if number is not None]
    return wording.joined(said)
