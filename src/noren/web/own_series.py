"""What was booked together, on the page of each of its dates: all of them, and an end to those to come."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from noren.booking import agreement, links, series
from noren.booking.actions import OPEN
from noren.booking.models import Booking
from noren.shops.tenancy import shop as in_shop
from noren.web import visits, wording
from noren.web.shopfront import Face
from noren.web.visits import Visit


@dataclass(frozen=True, slots=True)
class Rest:
    """What can be cancelled at once: from `since` on, `count` dates, for `fee` in all."""

    since: datetime
    count: int
    fee: int

    @property
    def stamp(self) -> int:
        return int(self.since.timestamp())

    @property
    def cost(self) -> str:
        """In words."""
        return _("Cancelling now: %(cost)s") % {
            "cost": wording.yen(self.fee) if self.fee else _("free of charge")
        }


def of(face: Face, visit: Visit, now: datetime) -> dict[str, Any]:
    """Return what the page of one of them says of all; nothing of a booking that was made alone."""
    if visit.series_id is None:
        return {}
    with in_shop(face.id):
        rows = series.standing(visit.series_id)
        if len(rows) < 2:
            return {}
        every = [(each, _link(row)) for each, row in zip(visits.of(rows, face), rows, strict=True)]
        return {"series": every, "rest": _rest(rows, now)}


def _link(row: Booking) -> str:
    return reverse("own", args=[links.token(row.shop_id, row.id, row.generation)])


def _rest(rows: list[Booking], now: datetime) -> Rest | None:
    """From the first date on that she may still cancel; None where fewer than two are left."""
    left = [row for row in rows if row.status in OPEN and now <= agreement.deadline(row, "cancel")]
    if len(left) < 2:
        return None
    return Rest(left[0].start, len(left), sum(agreement.fee(row, now=now).fee for row in left))
