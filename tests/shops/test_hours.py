"""Opening hours as a file describes them: rotations of weeks, and hours of another zone."""

from datetime import UTC, date, datetime

import pytest

from noren.booking import availability, importing
from noren.shops import described, rules
from noren.shops.models import OpeningHours, Service
from noren.shops.tenancy import shop
from tests.servers import AppDatabase

FILE = """
slug = "atelier"
zone = "Asia/Tokyo"
name = "工房"
[hours]
mon = "10:00-12:00"
{hours}
[[staff]]
key = "aoi"
name = "葵"
{staff}
[[services]]
key = "lesson"
name = "教室"
segments = [{{ minutes = 60, roles = ["staff"] }}]
needs = {{ staff = ["aoi"] }}
grid = {{ interval = 60 }}
[[members]]
handle = "aoi"
role = "owner"
name = "葵"
mail = "aoi@atelier.example"
"""
NOW = datetime(2026, 11, 1, tzinfo=UTC)
ROTATION = 'since = 2026-11-02\n[[hours.alternate]]\ntue = "13:00-14:00"\n'


def file(hours: str = "", staff: str = "") -> str:
    return FILE.format(hours=hours, staff=staff)


def offered(given: described.ShopGiven, last: int) -> dict[str, list[str]]:
    """The starts of November's days up to `last`."""
    done = importing.write(given)
    assert not importing.write(given).changed, "a second time nothing changes"
    with shop(done.shop_id):
        service = Service.objects.get(key="lesson").id
    found = availability.month(
        done.shop_id, service, date(2026, 11, 1), date(2026, 11, last), now=NOW, staff=None
    )
    return {f"{day:%m-%d}": [f"{start.at:%H:%M}" for start in those] for day, those in found.days.items()}


def test_weeks_alternate_from_the_week_of_since(app_db: AppDatabase) -> None:
    assert app_db
    assert offered(described.read(file(ROTATION)), 17) == {
        "11-02": ["10:00", "11:00"],
        "11-10": ["13:00"],
        "11-16": ["10:00", "11:00"],
    }


def test_hours_of_another_zone_are_read_there(app_db: AppDatabase) -> None:
    """Somebody in Kolkata who works from half past seven there, three and a half hours later in Tokyo."""
    assert app_db
    staff = '[staff.hours]\nzone = "Asia/Kolkata"\nmon = "07:30-09:00"\n'
    assert offered(described.read(file(staff=staff)), 9) == {"11-02": ["11:00"], "11-09": ["11:00"]}


def test_a_rotation_is_kept_and_leaves_when_the_file_leaves_it_out(app_db: AppDatabase) -> None:
    assert app_db
    done = importing.write(described.read(file(ROTATION)))
    with shop(done.shop_id):
        assert rules.known().rules.hours.since == date(2026, 11, 2)
    assert importing.write(described.read(file())).changed
    with shop(done.shop_id):
        row = OpeningHours.objects.get(resource_id=None, service_id=None)
        assert (row.alternate, row.since, row.zone) == ([], None, None)


@pytest.mark.parametrize(
    ("hours", "told"),
    [
        (ROTATION.replace("since = 2026-11-02\n", ""), "hours.since: is missing; write a date in the week"),
        ("since = 2026-11-02\n", "hours.alternate: is missing beside since"),
        (ROTATION.replace("tue", "die"), "hours.alternate[1].die: is not known here"),
        ('zone = "Kolkata"\n', "hours.zone: 'Kolkata' is no time zone"),
    ],
)
def test_it_says_what_is_wrong_with_a_rotation(hours: str, told: str) -> None:
    with pytest.raises(described.Faulty) as caught:
        described.read(file(hours))
    assert any(fault.startswith(told) for fault in caught.value.faults), caught.value.faults


DATED = """[staff.hours]
mon = "10:00-12:00"
first = 2026-11-09
last = 2026-11-24
[[staff.hours.later]]
first = 2026-11-16
mon = "11:00-12:00"
"""


def test_staff_begin_and_leave_and_have_other_weeks_from_a_date_on(app_db: AppDatabase) -> None:
    assert app_db
    assert offered(described.read(file(staff=DATED)), 30) == {
        "11-09": ["10:00", "11:00"],
        "11-16": ["11:00"],
        "11-23": ["11:00"],
    }


@pytest.mark.parametrize(
    ("written", "instead", "told"),
    [
        ("last = 2026-11-24", "last = 2026-11-01", "staff[1].hours.last: 2026-11-01 is before first"),
        ("first = 2026-11-16\n", "", "staff[1].hours.later[1].first: is missing; write the date"),
    ],
)
def test_it_says_what_is_wrong_with_dates_of_staff(written: str, instead: str, told: str) -> None:
    with pytest.raises(described.Faulty) as caught:
        described.read(file(staff=DATED.replace(written, instead)))
    assert any(fault.startswith(told) for fault in caught.value.faults), caught.value.faults
    with pytest.raises(described.Faulty):
        described.read(file("first = 2026-11-01\n"))
