"""What somebody wants of a shop's time: the question that is decided."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from noren.booking.models import Booking


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants. `own`: a booking whose claims do not stand in the way (the one to be moved).

    `person` where she is known. `since`: notice and horizon are as they were then (an approval, an offer).
    `over`: staff insist, and nobody is asked.
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

    @property
    def is_plain(self) -> bool:
        """Whether it is asked as by anybody, for now."""
        return self.own is None and self.person is None and self.since is None and not self.over


def again(
    booking: Booking, start: datetime, staff: int | None, *, over: bool = False, since: datetime | None = None
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
    )
