"""Running late, in a customer's words: what she can say, what she has said, and whether it still fits."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from noren.booking import late
from noren.booking.models import Status
from noren.booking.transact import of_id
from noren.shops.tenancy import shop as in_shop
from noren.web import wording
from noren.web.shopfront import Face
from noren.web.visits import Visit


@dataclass(frozen=True, slots=True)
class Lateness:
    """`minutes` she has said (0: none), `choices` for another tap; `lines` tell what follows from it."""

    minutes: int
    choices: tuple[int, ...]
    lines: tuple[str, ...] = ()
    fits: bool = True


def of(face: Face, visit: Visit, now: datetime) -> Lateness | None:
    """None where it is not the time for it."""
    if visit.status != Status.CONFIRMED or not late.may(visit.start, now):
        return None
    minutes = late.told(face.id, [visit.id]).get(visit.id, 0)
    choices = tuple(each for each in late.MINUTES if each != minutes)
    if not minutes:
        return Lateness(0, choices)
    with in_shop(face.id):
        booking = of_id(visit.id)
    slack = late.slack(face.id, booking, now=now)
    lines = (_fits(visit, minutes, slack), _release(visit, minutes))
    return Lateness(minutes, choices, tuple(filter(None, lines)), slack is None or minutes <= slack)


def _fits(visit: Visit, minutes: int, slack: int | None) -> str:
    if slack is None:
        return "" if visit.nights else _("The class begins on time; please join when you arrive.")
    if minutes <= slack:
        return _("Your whole time is still there: nothing follows it so soon.")
    short = minutes - slack
    return ngettext(
        "Somebody follows, or the shop closes: your time may be shorter by up to %(n)d minute.",
        "Somebody follows, or the shop closes: your time may be shorter by up to %(n)d minutes.",
        short,
    ) % {"n": short}


def _release(visit: Visit, minutes: int) -> str:
    release = visit.agreed["check_in"]["release_minutes"]
    if release is None or minutes < release:
        return ""
    at = visit.start + timedelta(minutes=release)
    return _("Please note: who has not checked in by %(clock)s loses the time. Please call the shop.") % {
        "clock": wording.clock(at)
    }
