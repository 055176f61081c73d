"""A shop's policies in sentences: until when one books and changes, how far ahead, what else holds."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from noren.engine.model import HorizonKind
from noren.shops.reading import Values
from noren.web import wording


def lines(columns: Values) -> list[str]:
    """Return the sentences."""
    found = [
        _("Booking: until %(when)s.") % {"when": before(columns["lead"])},
        _("Changing the time: until %(when)s.") % {"when": before(columns["change"])},
        ahead(columns["horizon"]),
    ]
    free = columns["fees"].get("free_minutes", 0)
    if free:
        found.append(
            ngettext(
                "Within %(n)d minute after booking, cancelling costs nothing.",
                "Within %(n)d minutes after booking, cancelling costs nothing.",
                free,
            )
            % {"n": free}
        )
    release = columns["check_in"].get("release_minutes")
    if release:
        found.append(
            ngettext(
                "Who has not come %(n)d minute after the start loses the time.",
                "Who has not come %(n)d minutes after the start loses the time.",
                release,
            )
            % {"n": release}
        )
    waiting = columns["waiting"]
    if waiting:
        found.append(
            ngettext(
                "Who waits for a full time has %(n)d hour to answer an offer.",
                "Who waits for a full time has %(n)d hours to answer an offer.",
                waiting.get("hours", 4),
            )
            % {"n": waiting.get("hours", 4)}
        )
    return found


def before(deadline: Values) -> str:
    """Say a deadline: "2 hours before the start", "20:00 on the day before"."""
    if deadline.get("at") is not None:
        days = deadline["days"]
        at = wording.clock_of_minute(deadline["at"])
        if days == 1:
            return _("%(clock)s on the day before") % {"clock": at}
        told = ngettext("%(clock)s, %(n)d day before", "%(clock)s, %(n)d days before", days)
        return told % {"clock": at, "n": days}
    minutes = deadline.get("minutes", 0)
    if not minutes:
        return _("the start")
    if minutes % 1440 == 0 and minutes > 1440:
        days = minutes // 1440
        return ngettext("%(n)d day before the start", "%(n)d days before the start", days) % {"n": days}
    return _("%(length)s before the start") % {"length": wording.length_words(minutes)}


def ahead(horizon: Values) -> str:
    """Say how far ahead one may book."""
    kind, days = horizon.get("kind", HorizonKind.DAYS), horizon.get("days", 90)
    if kind == HorizonKind.OPEN_DAYS:
        told = ngettext(
            "Bookings are taken for the next %(n)d day on which we are open.",
            "Bookings are taken for the next %(n)d days on which we are open.",
            days,
        )
        return told % {"n": days}
    if kind == HorizonKind.RELEASE:
        told = ngettext(
            "Each day opens for booking %(n)d day before, at %(clock)s.",
            "Each day opens for booking %(n)d days before, at %(clock)s.",
            days,
        )
        return told % {"n": days, "clock": wording.clock_of_minute(horizon.get("at", 0))}
    if kind == HorizonKind.RANGE:
        return _("Bookings are taken from %(first)s to %(last)s.") % {
            "first": horizon.get("first") or "…",
            "last": horizon.get("last") or "…",
        }
    told = ngettext("Bookings are taken %(n)d day ahead.", "Bookings are taken %(n)d days ahead.", days)
    return told % {"n": days}
