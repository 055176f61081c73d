"""The customer's link: made again and again, kept nowhere."""

from uuid import uuid4

import pytest
from django.test import override_settings

from noren.booking import links, relink
from noren.booking.links import Link
from noren.booking.models import Booking
from noren.errors import LinkRevoked, LinkUnknown
from noren.shops.tenancy import shop
from tests.booking.scene import House, salon

pytestmark = pytest.mark.usefixtures("module_app_db")


def booked() -> tuple[House, int]:
    house = salon()
    return house, house.book("cut", "2026-11-05 10:00").id


def test_it_opens_its_booking() -> None:
    house, booking_id = booked()
    assert links.resolve(links.token(house.id, booking_id, 1)) == Link(house.id, booking_id)


def test_it_is_the_same_each_time() -> None:
    assert links.token(3, 40, 1) == links.token(3, 40, 1)
    assert links.token(3, 40, 1).startswith("3.14.1.")


def test_it_is_revoked_by_a_new_generation() -> None:
    house, booking_id = booked()
    old = links.token(house.id, booking_id, 1)
    with shop(house.id):
        Booking.objects.filter(id=booking_id).update(generation=2)
    with pytest.raises(LinkRevoked):
        links.resolve(old)
    assert links.resolve(links.token(house.id, booking_id, 2)).booking_id == booking_id


def test_it_is_made_invalid_for_all_of_a_person_who_is_erased() -> None:
    """Hers at once, and nobody else's; nothing is mailed."""
    house = salon()
    hers, others = house.book("cut", "2026-11-05 10:00"), house.book("cut", "2026-11-06 10:00")
    person = uuid4()
    with shop(house.id):
        Booking.objects.filter(id=hers.id).update(person_id=person)
    assert relink.revoke_all(house.id, person) == 1
    with pytest.raises(LinkRevoked):
        links.resolve(links.token(house.id, hers.id, 1))
    assert links.resolve(links.token(house.id, others.id, 1)).booking_id == others.id


@pytest.mark.parametrize("change", [(1, 0, 0), (0, 1, 0), (0, 0, 1)])
def test_its_numbers_cannot_be_changed(change: tuple[int, int, int]) -> None:
    house, booking_id = booked()
    mac = links.token(house.id, booking_id, 1).rpartition(".")[2]
    numbers = (house.id + change[0], booking_id + change[1], 1 + change[2])
    said = links.token(*numbers).rpartition(".")[0]
    with pytest.raises(LinkUnknown):
        links.resolve(f"{said}.{mac}")


@pytest.mark.parametrize(
    "text", ["", ".", "...", "1.1.1.", "1.1.1.AAAA", "あ.1.1.x", "1" * 500, "1.1.1.\x00"]
)
def test_it_knows_no_other_words(text: str) -> None:
    with pytest.raises(LinkUnknown):
        links.resolve(text)


def test_it_knows_no_booking_that_is_not_there() -> None:
    house, _ = booked()
    with pytest.raises(LinkUnknown):
        links.resolve(links.token(house.id, 999_999, 1))


def test_another_key_opens_nothing() -> None:
    house, booking_id = booked()
    token = links.token(house.id, booking_id, 1)
    with override_settings(LINK_KEY=b"another"), pytest.raises(LinkUnknown):
        links.resolve(token)


def test_it_makes_none_without_a_key() -> None:
    with override_settings(LINK_KEY=b""), pytest.raises(RuntimeError):
        links.token(1, 1, 1)
