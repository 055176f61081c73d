"""A stylist takes her own time and has her own price: the list, what is written, and what was agreed."""

from typing import Any

import pytest

from noren.booking import actions, importing
from noren.booking.models import Booking
from noren.shops import described
from noren.shops.described import Faulty
from noren.shops.models import Service, Staff
from noren.shops.rules import change
from noren.shops.tenancy import shop
from tests.booking.scene import NOW, House, found, when
from tests.shops.test_terms import file

pytestmark = pytest.mark.usefixtures("module_app_db")
DAY = "2026-11-20"


def salon(**own: Any) -> House:
    """Aoi takes 90 minutes and costs 6,600 yen, Mei an hour for 4,400; open from nine to twelve."""
    house = found(
        {"aoi": {"fee": 550}, "mei": {}},
        {"cut": {"needs": {"staff": ("aoi", "mei")}, "minutes": 60, "price": 4400}},
        hours=((540, 720),),
    )
    given = own or {"minutes": [90], "price": 6600}
    with shop(house.id), change():
        Service.objects.update(by_staff=[{"staff": house.resources["aoi"], **given}])
    return house


def minutes(booking: Booking) -> float:
    return (booking.end - booking.start).total_seconds() / 60


def test_list_and_write_agree_on_how_long_each_takes() -> None:
    house = salon()
    assert house.starts("cut", DAY, "aoi") == ["09:00", "09:30", "10:00", "10:30"]
    assert house.starts("cut", DAY, "mei")[-1] == "11:00"
    assert house.starts("cut", DAY)[-1] == "11:00"
    for at in house.starts("cut", DAY, "aoi"):
        held = house.hold("cut", f"{DAY} {at}", "aoi")
        assert minutes(house.booking(held.id)) == 90
        actions.release(house.id, held.id, now=NOW)
    hers = house.book("cut", f"{DAY} 09:00", "aoi")
    assert (minutes(hers), hers.agreed["minutes"]) == (90, 90)
    assert house.starts("cut", DAY, "aoi") == ["10:30"]
    late = house.book("cut", f"{DAY} 11:00")
    assert (late.staff_id, minutes(late)) == (house.resources["mei"], 60)
    assert house.findings() == []


def test_her_price_is_agreed_when_she_is_asked_for_and_moves_with_her_name() -> None:
    house = salon()
    hers = house.book("cut", f"{DAY} 09:00", "aoi")
    assert (hers.agreed["price"], hers.agreed["unit_price"], hers.agreed["fee"]) == (7150, 6600, 550)
    anybody = house.book("cut", f"{DAY} 09:00")
    assert anybody.agreed["price"] == 4400
    with shop(house.id), change():
        Staff.objects.update(fee=1100)
        Service.objects.update(price=5000, by_staff=[{"staff": house.resources["aoi"], "price": 9000}])
    again = actions.move(
        house.id, hers.id, when("2026-11-21 09:00"), house.resources["aoi"], now=NOW, by="customer"
    )
    assert again.agreed["price"] == 7150, "with the same stylist nothing changes"
    other = actions.move(
        house.id, hers.id, when("2026-11-21 10:00"), house.resources["mei"], now=NOW, by="customer"
    )
    assert (other.agreed["price"], minutes(other)) == (4400 + 1100, 60)
    back = actions.move(house.id, hers.id, when("2026-11-22 09:00"), None, now=NOW, by="customer")
    assert (back.agreed["price"], back.agreed["unit_price"]) == (4400, 4400)
    assert house.findings() == []


def test_a_file_says_it_and_its_faults_are_told() -> None:
    given = described.read(file("by_staff = { ken = { minutes = [75], price = 7700 } }\n"))
    own = given.services[0].columns["by_staff"]
    assert own == [{"staff": "ken", "minutes": [75], "price": 7700}]
    done = importing.write(described.read(file("by_staff = { ken = { minutes = [75] } }\n")), now=NOW)
    with shop(done.shop_id):
        row = Service.objects.get()
        assert row.by_staff == [{"staff": row.requirements[0]["pool"][0], "minutes": [75]}]
    for words, told in (
        ("by_staff = { ken = { minutes = 75 } }", "write the minutes of each segment, like [60]"),
        ("by_staff = { ken = { minutes = [75, 5] } }", "write the minutes of each segment"),
        ("by_staff = { hall = { minutes = [75] } }", "does not serve this"),
        ("by_staff = { ken = { price = 1 } }\ncapacity = 4", "stands beside capacity"),
    ):
        with pytest.raises(Faulty) as fault:
            described.read(file(words + "\n"))
        assert told in str(fault.value)
