"""What a page of figures is asked for: dates, of whom, of what; and where its numbers lead."""

from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from noren.booking.figures import Asked
from noren.web import times
from noren.web.desk import Unclear

LONGEST = 400
"""Days."""
SPANS: dict[str, tuple[str | Promise, int]] = {
    "4w": (gettext_lazy("4 weeks"), 28),
    "3m": (gettext_lazy("3 months"), 91),
    "12m": (gettext_lazy("12 months"), 365),
}
OWN = "own"


@dataclass(frozen=True, slots=True)
class Wanted:
    """The form as it was filled. `span`: 4w, 3m, 12m or own; `by`: week or month."""

    span: str
    asked: Asked
    by: str

    def address(self, name: str = "console_figures", **more: object) -> str:
        """Where the same is told, or something of it."""
        told = {
            "span": self.span,
            "from": self.asked.first,
            "to": self.asked.last,
            "staff": self.asked.staff,
            "service": self.asked.service,
            "by": self.by,
            **more,
        }
        return f"{reverse(name)}?{urlencode({key: each for key, each in told.items() if each is not None})}"


def read(given: QueryDict, today: date) -> Wanted:
    """Read the form: whole days up to yesterday, or dates of one's own. Raises Unclear."""
    span = given.get("span", "4w")
    own = _dates(given, today) if span == OWN else None
    if span not in SPANS:
        span = OWN if own else "4w"
    yesterday = today - timedelta(days=1)
    first, last = own or (today - timedelta(days=SPANS[span][1]), yesterday)
    by = given.get("by", "")
    if by not in ("week", "month"):
        by = "week" if (last - first).days < 100 else "month"
    asked = Asked(first, last, times.number(given.get("staff")), times.number(given.get("service")))
    return Wanted(span, asked, by)


def usual(today: date) -> Wanted:
    """What is told where nothing, or nothing that can be, was asked."""
    return read(QueryDict(), today)


def _dates(given: QueryDict, today: date) -> tuple[date, date]:
    first, last = (times.day_of(given.get(name)) for name in ("from", "to"))
    if first is None or last is None:
        raise Unclear(_("Please choose both dates."))
    if not first <= last:
        raise Unclear(_("The first date must not be after the last."))
    if (last - first).days >= LONGEST:
        raise Unclear(_("Please choose at most %(most)d days.") % {"most": LONGEST})
    if last > today:
        raise Unclear(_("Please choose dates up to today: what is to come has no figures yet."))
    return first, last
