"""Numbers of day sheets: each given once, none left out, whoever else asks in the same moment."""

from datetime import timedelta

from noren.booking import day_sheets
from noren.booking.day_sheets import Told
from noren.booking.models import DaySheet
from noren.shops.tenancy import shop
from tests.api.salon import NOON, salon
from tests.booking.rush import at_once
from tests.servers import AppDatabase

TOGETHER = 12


def test_its_numbers_run_on_when_many_are_made_at_once(app_db: AppDatabase) -> None:
    assert app_db
    ours, theirs = salon(), salon("yoga")
    day = (NOON + timedelta(days=1)).date()

    def make() -> int:
        return day_sheets.issue(ours.id, day, Told(1), now=NOON, by="staff:aoi.salon").number

    numbers = [each for each in at_once([make] * TOGETHER) if isinstance(each, int)]
    assert sorted(numbers) == list(range(1, TOGETHER + 1))
    assert day_sheets.issue(theirs.id, day, Told(0), now=NOON, by="staff:sora.yoga").number == 1
    with shop(ours.id):
        assert DaySheet.objects.count() == TOGETHER
    newest = day_sheets.latest(ours.id, day, now=NOON)
    assert newest is not None
    assert newest.number == TOGETHER
    assert day_sheets.latest(ours.id, day, now=newest.until) is None, "it is over"
    assert day_sheets.latest(ours.id, NOON.date(), now=NOON) is None, "of another day"
