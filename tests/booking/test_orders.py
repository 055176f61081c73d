"""The order of writes does not matter: the same bookings in any order and zone leave the same sheets."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from noren.booking import actions
from noren.errors import NorenError
from noren.shops.tenancy import shop
from tests.booking.scene import NOW, House
from tests.booking.test_history import DAY, midnight, parlour

ZONES = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc"))
SHEETS = """
SELECT resource_id, plane, day, core::text, padded::text FROM booking_sheet
WHERE shop_id = %s AND padded <> 0::bit(1440) ORDER BY 1, 2, 3
"""
Wish = tuple[str, str | None, datetime]
"""Service, whom, when: who serves is said, so that no choice depends on the order."""

wishes = st.lists(
    st.tuples(
        st.sampled_from([("cut", "aoi"), ("cut", "ren"), ("colour", "aoi"), ("hall", None), ("kit", None)]),
        st.integers(0, 95),
    ),
    min_size=2,
    max_size=6,
)


def held(house: House, those: Sequence[Wish]) -> list[tuple[int, Wish]]:
    """Hold what can be held; give the holds with what was wished."""
    found = []
    for wish in those:
        service, whom, at = wish
        asked = None if whom is None else house.resources[whom]
        request = actions.HoldRequest(house.services[service], at, asked, 1)
        try:
            found.append((actions.hold(house.id, request, now=NOW).id, wish))
        except NorenError:
            continue
    return found


def sheets(house: House) -> list[tuple[object, ...]]:
    names = {number: key for key, number in house.resources.items()}
    with shop(house.id), connection.cursor() as cursor:
        cursor.execute(SHEETS, [house.id])
        return sorted((names[row[0]], *row[1:]) for row in cursor.fetchall())


@pytest.mark.usefixtures("module_app_db")
@pytest.mark.parametrize("policy", ["shared", "added"])
def test_the_order_of_writes_does_not_matter(policy: str) -> None:
    @settings(max_examples=12, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(zone=st.sampled_from(ZONES), picked=wishes, data=st.data())
    def whatever_is_wished(
        zone: str, picked: list[tuple[tuple[str, str | None], int]], data: st.DataObject
    ) -> None:
        begin = midnight(DAY, ZoneInfo(zone))
        asked = [(service, whom, begin + timedelta(minutes=15 * n)) for (service, whom), n in picked]
        one, other = parlour(policy, zone), parlour(policy, zone)
        kept = held(one, asked)
        order = data.draw(st.permutations(kept))
        again = held(other, [wish for _, wish in order])
        assert len(again) == len(kept), "what fits together fits in any order"
        assert sheets(one) == sheets(other)
        for hold_id, _ in data.draw(st.permutations(kept)):
            actions.release(one.id, hold_id, now=NOW)
        assert sheets(one) == []
        assert one.findings() == other.findings() == []

    whatever_is_wished()
