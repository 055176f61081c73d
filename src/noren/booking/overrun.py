"""A visit takes longer: until when, whom that touches, and who of them is told that it becomes later."""

from collections.abc import Collection
from datetime import datetime, timedelta

from noren.booking import jobs, reception
from noren.booking.models import STANDING, Booking, Claim, Event, Status
from noren.booking.transact import Actor, locked, note, of_id, tried
from noren.errors import NotOffered, NotThatStatus
from noren.shops.rules import known
from noren.shops.tenancy import shop

MINUTES = (5, 10, 20)
"""By how many minutes at a tap."""
LONGEST = timedelta(hours=3)
OPEN = (Status.CONFIRMED, Status.CHECKED_IN)
_AROUND = timedelta(days=1)


def may(booking: Booking, now: datetime) -> bool:
    """Say whether it can take longer: it has begun, is not long over, and is no class and no stay."""
    alone = booking.session_id is None and not booking.agreed["nights"]
    return alone and going_on(booking.status, booking.start, booking.end, now)


def going_on(status: str, start: datetime, end: datetime, now: datetime) -> bool:
    """Say whether it has begun, and is not long over."""
    return status in OPEN and start <= now < end + LONGEST


def touched(shop_id: int, booking: Booking, end: datetime) -> list[Booking]:
    """Return those that have begun to use by then what this one would go on using, in order."""
    with shop(shop_id):
        return _touched(booking, end)


def _touched(booking: Booking, end: datetime) -> list[Booking]:
    rules, last = known().rules, _minute(booking.end)
    mine = {each.resource_id for each in reception.claimed(booking.id) if each.end == last}
    single = [each for each in mine if each in rules.resources and rules.resources[each].stock == 1]
    rows = Claim.objects.filter(
        resource_id__in=single,
        day__gte=(booking.end - _AROUND).date(),
        day__lte=(end + _AROUND).date(),
        booking_id__isnull=False,
    )
    others = rows.exclude(booking_id=booking.id).values_list("booking_id", flat=True)
    ids = {each for each in others if each is not None}
    found = Booking.objects.filter(id__in=ids, status__in=STANDING, start__gte=booking.start, start__lt=end)
    return list(found.filter(end__gt=booking.end).order_by("start", "id"))


def before(shop_id: int, booking_id: int) -> datetime | None:
    """Return when it was to end before it was made longer last; None where it was not."""
    with shop(shop_id):
        return _before(booking_id)


def _before(booking_id: int) -> datetime | None:
    changes = ["extended", "moved"]
    last = Event.objects.filter(booking_id=booking_id, what__in=changes).order_by("-id").first()
    if last is None or last.what != "extended" or last.why == "undone":
        return None
    return datetime.fromisoformat(last.facts["from_end"])


def extend(
    shop_id: int, booking_id: int, end: datetime, *, now: datetime, by: Actor, told: Collection[int] = ()
) -> Booking:
    """Let it end then, over whatever is there: both stay. Those of `told` whom it touches are written to,
    once for so many minutes. Raises NotThatStatus, NotOffered, BookingUnknown.
    """

    def write() -> Booking:
        booking = locked(booking_id)
        if booking.end == end:
            return booking
        if not may(booking, now):
            raise NotThatStatus(status=booking.status)
        if not booking.end < end <= booking.end + LONGEST:
            raise NotOffered
        those = _touched(booking, end)
        _ends(booking, end, now=now, by=by, why="overrun" if those else "")
        for each in those:
            if each.id in told:
                _tell(each, end, now=now, by=by)
        return of_id(booking_id)

    return tried(shop_id, write)


def undo(shop_id: int, booking_id: int, *, now: datetime, by: Actor) -> Booking:
    """Let it end when it was to before; once. Who was told is not told otherwise."""

    def write() -> Booking:
        booking = locked(booking_id)
        end = _before(booking_id)
        if end is not None and end < booking.end and booking.status in OPEN:
            _ends(booking, end, now=now, by=by, why="undone")
            jobs.freed(end, booking.end)
        return of_id(booking_id)

    return tried(shop_id, write)


def _ends(booking: Booking, end: datetime, *, now: datetime, by: Actor, why: str) -> None:
    last, more = _minute(booking.end), _minute(end) - _minute(booking.end)
    claims = [
        reception.longer(each, more) if each.end == last else each for each in reception.claimed(booking.id)
    ]
    reception.end_at(booking, end, claims, now=now, by=by, what="extended", why=why)


def _tell(row: Booking, end: datetime, *, now: datetime, by: Actor) -> None:
    minutes = max(1, -(-int((end - row.start).total_seconds()) // 60))
    if row.person_id is None or row.status != Status.CONFIRMED or delay(row) == minutes:
        return
    note(row.id, "delayed", now=now, by=by, minutes=minutes)
    jobs.write_to(row, "delayed")


def delay(row: Booking) -> int:
    """Return how many minutes of delay she was told last; 0 where she was moved since. Inside the shop."""
    last = Event.objects.filter(booking_id=row.id, what__in=["delayed", "moved"]).order_by("-id").first()
    return int(last.facts["minutes"]) if last is not None and last.what == "delayed" else 0


def _minute(at: datetime) -> int:
    return int(at.timestamp()) // 60
