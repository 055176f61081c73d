"""The words of the inquiry desk: what an inquiry is about, how it stands, when the desk is open."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from noren.incidents import inquiry_pace
from noren.incidents.inquiry_given import NoFile
from noren.web import wording

ABOUT: Final[Mapping[str, str | Promise]] = {
    "booking": gettext_lazy("A booking"),
    "account": gettext_lazy("My account and signing in"),
    "data": gettext_lazy("My personal data"),
    "notice": gettext_lazy("A notice"),
    "press": gettext_lazy("Press"),
    "other": pgettext_lazy("of an inquiry", "Something else"),
}
STATES: Final[Mapping[str, str | Promise]] = {
    "waiting": pgettext_lazy("of an inquiry", "waits for an answer"),
    "answered": pgettext_lazy("of an inquiry", "answered"),
    "closed": pgettext_lazy("of an inquiry", "closed"),
}
FILES: Final[Mapping[NoFile, str | Promise]] = {
    NoFile.TOO_MANY: gettext_lazy("At most three files can be sent at once."),
    NoFile.TOO_LARGE: gettext_lazy("A file is too long: 50,000 characters are the most."),
    NoFile.NO_TEXT: gettext_lazy(
        "Only text files can be taken. We cannot look into pictures and documents for card numbers and "
        "passwords, so we do not keep any. Please say in words what is to be seen there."
    ),
}
_MONDAY: Final = date(2026, 11, 30)


def local(at: datetime) -> str:
    """2026年11月28日（土） 18:00 by the desk's own clock."""
    zone = inquiry_pace.office().zone
    there = at.astimezone(zone)
    words = {"day": wording.full_day(there), "time": f"{there:%H:%M}"}
    if zone.key == "Asia/Tokyo":
        return _("%(day)s, %(time)s Japan time") % words
    return _("%(day)s, %(time)s (%(zone)s)") % {**words, "zone": zone.key}


def hours() -> str:
    """When the desk is open."""
    office = inquiry_pace.office()
    days = (
        _("weekdays")
        if office.days == frozenset(range(5))
        else ", ".join(wording.weekday(_MONDAY + timedelta(days=day)) for day in sorted(office.days))
    )
    told = {"days": days, "opens": f"{office.opens:%H:%M}", "closes": f"{office.closes:%H:%M}"}
    zone = office.zone.key
    told["zone"] = _("Japan time") if zone == "Asia/Tokyo" else zone
    if office.country:
        return _("%(days)s %(opens)s–%(closes)s (%(zone)s), not on public holidays") % told
    return _("%(days)s %(opens)s–%(closes)s (%(zone)s)") % told


def short(at: datetime) -> str:
    """An instant in a list."""
    there = at.astimezone(inquiry_pace.office().zone)
    return f"{wording.day(there)} {there:%H:%M}"


def is_late(at: datetime, now: datetime) -> bool:
    """Whether what was promised has not come."""
    return at.astimezone(UTC) < now
