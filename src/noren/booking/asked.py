"""What somebody wants of a shop's time: the question that is decided."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from noren.booking.models import Booking
from noren.engine.model import Claim


@dataclass(frozen=True, slots=True)
class Beside:
    """Another date of the same wish, decided and not yet written: `[start, end)` in minutes, its claims."""

    start: int
    end: int
    claims: tuple[Claim, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants. `own`: a booking whose claims do not stand in the way (the one to be moved).

    `person` where she is known. `since`: notice and horizon are as they were then (an approval, an offer).
    `over`: staff insist, and nobody is asked. `course`: dates of a course may be taken, by staff or all
    together. `beside`: what stands in the way, and counts, as if it were written. `also`: the other services
    of the same visit. `desk`: the shop's own people ask, for whom no stop of online bookings is. `walk_in`:
    she is here; staff say who serves, she has asked for nobody.
    """

    service_id: int
    start: datetime
    staff: int | None
    party: int
    own: int | None = None
    nights: int = 0
    person: UUID | None = None
    since: datetime | None = None
    over: bool = False
    course: bool = False
    beside: tuple[Beside, ...] = ()
    also: tuple[int, ...] = ()
    desk: bool = False
    walk_in: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether it is asked as by anybody, for now."""
        return self.own is None and self.person is None and self.since is None and not self.over


def again(
    booking: Booking,
    start: datetime,
    staff: int | None,
    *,
    over: bool = False,
    since: datetime | None = None,
    course: bool = False,
    desk: bool = True,
) -> Asked:
    """Return what a booking that is there is asked for, at another time or by another."""
    return Asked(
        booking.service_id,
        start,
        staff,
        booking.party,
        own=booking.id,
        nights=booking.agreed["nights"],
        person=booking.person_id,
        since=since,
        over=over,
        course=course,
        also=booking.also,
        desk=desk,
    )
