"""The API behind the running web server: the race for one slot, and what schemathesis finds."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from threading import Barrier
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from noren import clock
from noren.booking.models import Booking
from noren.shops.models import Service
from noren.shops.rules import change
from noren.shops.tenancy import shop
from tests.api.salon import Salon, salon
from tests.api.server import granian
from tests.servers import AppDatabase, VaultProcess

PARALLEL = 50
ROUNDS = 20
TOKYO = ZoneInfo("Asia/Tokyo")


@dataclass(frozen=True)
class Served:
    house: Salon
    port: int

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        connection = HTTPConnection("localhost", self.port, timeout=60)
        given = {"Content-Type": "application/json"} | {k.replace("_", "-"): v for k, v in headers.items()}
        connection.request(method, f"/api/v1{path}", None if body is None else json.dumps(body), given)
        answer = connection.getresponse()
        told = json.loads(answer.read())
        connection.close()
        return answer.status, told

    def book(self, at: datetime, staff: int, number: int = 0, **headers: str) -> tuple[int, Any]:
        customer = {"name": f"客 {number}", "mail": f"c{number}@example.com"}
        wanted = {"service": self.house.cut, "start": at.isoformat(), "staff": staff, "customer": customer}
        return self.send("POST", f"/shops/{self.house.slug}/bookings", wanted, **headers)


@pytest.fixture(scope="module")
def served(module_app_db: AppDatabase, module_vault: VaultProcess) -> Iterator[Served]:
    house = salon()
    with shop(house.id), change():
        Service.objects.update(waiting={"hours": 4})
    with granian(module_app_db, module_vault) as port:
        yield Served(house, port)


def at(days: int, hour: int) -> datetime:
    day = clock.now().astimezone(TOKYO) + timedelta(days=days)
    return day.replace(hour=hour, minute=0, second=0, microsecond=0)


def together(
    served: Served, when: datetime, *, customers: int = PARALLEL, **headers: str
) -> list[tuple[int, Any]]:
    start = Barrier(PARALLEL)

    def post(number: int) -> tuple[int, Any]:
        start.wait()
        return served.book(when, served.house.staff[0], number % customers, **headers)

    with ThreadPoolExecutor(PARALLEL) as pool:
        return list(pool.map(post, range(PARALLEL)))


@pytest.mark.parametrize("day", range(1, ROUNDS + 1))
def test_case_044_fifty_at_once_for_one_slot_make_one_booking(served: Served, day: int) -> None:
    when = at(day, 14)
    answers = together(served, when)
    assert Counter(status for status, _ in answers) == {201: 1, 409: PARALLEL - 1}
    for status, told in answers:
        if status == 409:
            assert told["code"] == "slot_taken"
            assert told["nearest"]
            assert {"at": when.isoformat()} not in told["nearest"]
    with shop(served.house.id):
        assert Booking.objects.filter(start=when, status="confirmed").count() == 1


def test_case_048_fifty_at_once_with_one_key_are_one_booking_and_one_answer(served: Served) -> None:
    when = at(1, 17)
    answers = together(served, when, customers=1, Idempotency_Key="the-same")
    assert Counter(status for status, _ in answers) == {201: PARALLEL}
    assert len({json.dumps(told, sort_keys=True) for _, told in answers}) == 1
    with shop(served.house.id):
        assert Booking.objects.filter(start=when, status="confirmed").count() == 1


def test_fifty_customers_at_once_with_one_key_are_one_who_books(served: Served) -> None:
    when = at(2, 17)
    answers = together(served, when, Idempotency_Key="1")
    assert Counter(status for status, _ in answers) == {201: 1, 422: PARALLEL - 1}
    assert {told["code"] for status, told in answers if status == 422} == {"idempotency_key_reused"}


def test_it_shows_the_race_is_one(served: Served) -> None:
    """The control: fifty posts for fifty different times all succeed, so the losers lost to each other."""
    hours = [(day, hour) for day in range(10, 17) for hour in range(10, 18)][:PARALLEL]
    with ThreadPoolExecutor(PARALLEL) as pool:
        answers = list(pool.map(lambda when: served.book(at(*when), served.house.staff[1]), hours))
    assert Counter(status for status, _ in answers) == {201: PARALLEL}


# With a shop that exists, a well-formed wish can still not be had: 422 says which rule, 410 which link, 401
# that it takes a key (test_keyed.py has one).
KNOWN_SHOP = """
[parameters]
"path.slug" = "salon"
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "401", "404", "409", "410", "422"]
"""


@pytest.mark.parametrize("config", ["", KNOWN_SHOP], ids=["any-shop", "known-shop"])
def test_schemathesis_finds_nothing(served: Served, tmp_path: Path, config: str) -> None:
    (tmp_path / "schemathesis.toml").write_text(config)
    command = [
        *(str(Path(sys.executable).parent / "schemathesis"), "run"),
        f"http://localhost:{served.port}/api/v1/openapi.json",
        *("--max-examples", "25", "--seed", "20261122", "--no-color", "--generation-database", "none"),
    ]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout[-6000:] + found.stderr[-2000:]
