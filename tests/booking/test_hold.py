"""Holds, bookings, cancelling: one way through, on a real database."""

import pytest

from noren.errors import SlotTaken
from tests.booking.scene import salon

pytestmark = pytest.mark.usefixtures("module_app_db")


def test_it_books_and_gives_back() -> None:
    house = salon()
    before = house.starts("cut", "2026-11-03")
    booking = house.book("cut", "2026-11-03 10:00")
    assert "10:00" in before
    assert "10:00" not in house.starts("cut", "2026-11-03")
    with pytest.raises(SlotTaken) as refusal:
        house.hold("cut", "2026-11-03 10:00")
    assert [f"{start.at:%H:%M}" for start in refusal.value.facts["nearest"]]
    assert house.findings() == []
    assert booking.person_id
