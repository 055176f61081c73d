"""Any two features combine: each pair is booked, moved and cancelled, and leaves nothing behind."""

from datetime import timedelta
from itertools import combinations

import pytest

from noren.booking import actions
from noren.booking.models import Booking, Status
from noren.shops.tenancy import shop
from tests.booking.combined import APART, FEATURES, Life, sessions_cancelled, together
from tests.booking.scene import NOW, House

pytestmark = pytest.mark.usefixtures("module_app_db")
PAIRS = [pair for pair in combinations(FEATURES, 2) if not any(apart <= set(pair) for apart in APART)]


@pytest.mark.parametrize("pair", PAIRS, ids="+".join)
def test_any_two_features_combine(pair: tuple[str, str]) -> None:
    life = together(set(pair))
    offered = life.offered()
    assert offered, "the first days are not all taken"
    bookings = life.book(offered[0].at)
    life.content()
    for booking in bookings:
        for deed in life.plan.after:
            deed(life, booking)
        stands(life, booking)
    moved(life, bookings[0])
    life.cancel_all(bookings)
    life.content()
    assert [start.minute for start in life.offered()] == [start.minute for start in offered]
    for give in life.given:
        give()
    sessions_cancelled(life.house)
    life.content()
    assert taken_by_nobody(life.house)


def stands(life: Life, booking: Booking) -> None:
    """It is confirmed, and its own time does not stand in its own way."""
    now = life.house.booking(booking.id)
    assert now.status == Status.CONFIRMED
    assert now.takes
    again = [start for start in life.offered() if start.at == now.start]
    if life.plan.staff is not None:
        assert not again, "whom she asked for cannot serve another at the same time"
    own = [start for start in life.offered(own=booking.id) if start.at == now.start]
    assert own or life.plan.override, "her own time does not stand in her own way"


def moved(life: Life, booking: Booking) -> None:
    """It goes to another day, and to a time that overlaps where it was."""
    there = life.house.booking(booking.id)
    before = [start.at for start in life.offered(own=booking.id)]
    later = next(at for at in before if at >= there.start + timedelta(days=1))
    life.move(booking, later)
    life.content()
    assert life.house.booking(booking.id).start == later
    life.move(booking, there.start)
    life.content()
    again = life.house.booking(booking.id)
    assert (again.start, again.end) == (there.start, there.end)


def taken_by_nobody(house: House) -> bool:
    """Expired holds may wait to be swept; whoever asks does not see them, and their own jobs end them."""
    with shop(house.id):
        holds = list(Booking.objects.filter(status=Status.HELD).values_list("id", flat=True))
    for hold in holds:
        actions.expire(house.id, hold, now=NOW + timedelta(days=1))
    return house.sheet_rows() == 0 and house.findings() == []
