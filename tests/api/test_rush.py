"""A rush in small: everybody is answered, each place is given once, and no loser reaches the vault."""

import resource
import socket
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest

from bench.rush import posts, rush
from noren.booking import classes, doctor
from noren.booking.models import ClassSession
from noren.shops.models import Service
from noren.shops.rules import change
from noren.shops.tenancy import shop
from tests.api.salon import salon
from tests.api.server import granian
from tests.api.test_http import Served, at
from tests.servers import AppDatabase, VaultProcess

POSTS = 300
SEATS = 20


@pytest.fixture(scope="module")
def served(module_app_db: AppDatabase, module_vault: VaultProcess) -> Iterator[Served]:
    house = salon()
    with granian(module_app_db, module_vault) as port:
        yield Served(house, port)


def persons(vault: VaultProcess) -> int:
    with psycopg.connect(vault.database_url) as conn:
        row = conn.execute("SELECT count(*) FROM vault.person").fetchone()
    return 0 if row is None else int(row[0])


def test_a_rush_for_the_starts_of_a_day(served: Served, module_vault: VaultProcess) -> None:
    """Three stylists, four starts: twelve places."""
    before = persons(module_vault)
    starts = [at(3, hour) for hour in (10, 12, 14, 16)]
    answers = rush(served.port, posts(served.house.slug, served.house.cut, starts, POSTS), 0.2)
    assert Counter(asked.status for asked in answers) == {201: 12, 409: POSTS - 12}
    assert persons(module_vault) - before == 12
    assert doctor.of_shop(served.house.id) == []


def test_a_rush_for_a_class(served: Served, module_vault: VaultProcess) -> None:
    house = served.house
    with shop(house.id), change():
        daily = [{"weekday": weekday, "start": 1020} for weekday in range(7)]
        Service.objects.filter(id=house.lesson).update(capacity=SEATS, timetable=daily)
    day = at(5, 17)
    classes.schedule(house.id, now=day - timedelta(days=5))
    before = persons(module_vault)
    answers = rush(served.port, posts(house.slug, house.lesson, [day], POSTS), 0.2)
    assert Counter(asked.status for asked in answers) == {201: SEATS, 409: POSTS - SEATS}
    assert persons(module_vault) - before == SEATS
    with shop(house.id):
        assert ClassSession.objects.get(service_id=house.lesson, start=day).booked == SEATS
    assert doctor.of_shop(house.id) == []


def test_who_keeps_a_connection_open_keeps_nobody_out(served: Served) -> None:
    """Thousands of browsers that say nothing are no reason not to answer, nor not to reach the vault: each
    process holds more descriptors then than select() can count.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(4096, hard)), hard))
    idle = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(3000)]
    try:
        starts = [at(day, 10) for day in range(10, 18)]
        booked = [served.book(start, served.house.staff[0], number) for number, start in enumerate(starts)]
        assert [status for status, _ in booked] == [201] * len(starts)
    finally:
        for connection in idle:
            connection.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
