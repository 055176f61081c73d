"""What staff can do about a booking now, and the reasons they may give.

Those are codes: a free text would sooner or later hold somebody's illness.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from noren.booking.models import Status
from noren.web import wording
from noren.web.visits import Visit


@dataclass(frozen=True, slots=True)
class Deeds:
    """The deeds that fit. `later` says of check-in when it will be one of them."""

    approve: bool
    check_in: bool
    no_show: bool
    check_out: bool
    open: bool
    later: str

    @property
    def any(self) -> bool:
        return self.approve or self.check_in or self.no_show or self.check_out or self.open


# Of whoever may look and not change.
NONE = Deeds(approve=False, check_in=False, no_show=False, check_out=False, open=False, later="")


def of(visit: Visit, *, left: bool, now: datetime) -> Deeds:
    """Return what fits the booking's status and the time. `left`: she has checked out."""
    opens, closes = _check_in_between(visit)
    comes = visit.status in (Status.CONFIRMED, Status.NO_SHOW) and (closes is None or now < closes)
    confirmed = visit.status == Status.CONFIRMED
    return Deeds(
        approve=visit.status == Status.PENDING,
        check_in=comes and now >= opens,
        no_show=confirmed and now >= visit.start,
        check_out=visit.status == Status.CHECKED_IN and not left,
        open=visit.open,
        later=_("Check-in is possible from %(when)s.") % {"when": _when(opens, now)}
        if confirmed and now < opens
        else "",
    )


def _check_in_between(visit: Visit) -> tuple[datetime, datetime | None]:
    rule: dict[str, Any] = visit.agreed["check_in"]
    free = rule["release_minutes"]
    opens = visit.start - timedelta(minutes=rule["opens_minutes"])
    return opens, None if free is None else visit.start + timedelta(minutes=free)


def _when(at: datetime, now: datetime) -> str:
    today = now.astimezone(at.tzinfo).date() == at.date()
    return wording.clock(at) if today else f"{wording.day(at)} {wording.clock(at)}"


def cancelling() -> dict[str, str]:
    """Why a shop cancels."""
    return {
        "customer": _("The customer asked for it"),
        "shop": _("The shop cannot serve"),
        "double": _("It was booked twice"),
        "mistake": _("It was booked by mistake"),
        "other": _("Something else"),
    }


def methods() -> dict[str, str]:
    """How a visit was paid."""
    return {"cash": _("cash"), "card": _("card"), "other": _("otherwise")}


def declining() -> dict[str, str]:
    """Why a shop says no."""
    return {
        "full": _("The time is not free after all"),
        "staff": _("Whoever should serve cannot"),
        "unsuitable": _("It cannot be done here"),
        "other": _("Something else"),
    }


def insisting() -> dict[str, str]:
    """Why staff book over what is there."""
    return {
        "agreed": _("It is agreed with the customer"),
        "fits": _("It fits all the same"),
        "helper": _("Somebody else helps out"),
        "other": _("Something else"),
    }
