"""A month of free times, any of ten staff, over HTTP: against psycopg alone reading the same rows.

Both from two processes at once, as many as the web has. The plain side does what the answer needs of the
database, in the same kind of transaction, and nothing else: no engine, no JSON, no HTTP. Over HTTP each
process keeps four connections open: the system deals them out to the web's processes, and of two both could
fall to one.

`month` is asked while nothing changes; before each `changed` the bench writes one of the month's sheets, so
that nothing which was kept is true (the write's cost counts against us). Once with nothing but the month's
600 bookings in the database, then with as many more as BOOKINGS says (200000; the long form is
`make bench-availability BOOKINGS="200000 10000000"`, 25 GB and an hour). `held` is what is left of the rate
with none, each measured against the empty view of its moment.
"""

import os
import selectors
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from multiprocessing import get_context
from typing import Any

import psycopg

from bench import measure
from bench.system import System, system

PROCESSES = 2
CONNECTIONS = 4
SECONDS = 2.0
BOOKINGS = 600
LIMIT, HELD = 0.40, 0.90

STATE = """
SELECT s.rules_revision, EXISTS (
    SELECT FROM booking_booking b WHERE b.shop_id = s.shop_id AND b.status = 'held' AND b.expires_at <= %s)
FROM shops_shop s WHERE s.shop_id = %s
"""
SHEETS = """
SELECT resource_id, plane, day, core, padded FROM booking_sheet
WHERE shop_id = %s AND resource_id = ANY (%s) AND plane = 1 AND day >= %s AND day < %s
"""


TOUCH = """
UPDATE booking_sheet SET core = core WHERE shop_id = %s AND resource_id = ANY (%s) AND plane = 1 AND day = %s
"""


@dataclass(frozen=True, slots=True)
class Plain:
    """What the plain side reads, and as whom; the owner's words are for writing."""

    conninfo: dict[str, str]
    owner: dict[str, str]
    shop_id: int
    staff: list[int]
    first: Any
    last: Any


def ask(port: int, path: str, seconds: float, touch: Plain | None = None) -> float:
    """Ask again and again over some connections at once; return answers a second."""
    words = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n".encode()
    write = _toucher(touch) if touch is not None else bool
    waiting = selectors.DefaultSelector()
    for _ in range(CONNECTIONS):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        waiting.register(connection, selectors.EVENT_READ)
        connection.sendall(words)

    def answered() -> int:
        ready = waiting.select()
        for key, _ in ready:
            _answer(key.fileobj)  # type: ignore[arg-type]
            write()
            key.fileobj.sendall(words)  # type: ignore[union-attr]
        return len(ready)

    rate = _rate(answered, seconds)
    for key in list(waiting.get_map().values()):
        key.fileobj.close()  # type: ignore[union-attr]
    return rate


def _toucher(plain: Plain) -> Callable[[], object]:
    """Give a function that makes one row of the month another version of itself."""
    owner = psycopg.connect(**plain.owner, autocommit=True, prepare_threshold=0)  # type: ignore[arg-type]
    days = [plain.first + (plain.last - plain.first) * number / 33 for number in range(33)]
    wanted = iter([(day, each) for day in days for each in plain.staff] * 10_000)

    def write() -> object:
        day, each = next(wanted)
        return owner.execute(TOUCH, [plain.shop_id, [each], day.date()])

    return write


def read(plain: Plain, seconds: float) -> float:
    """Read the month's rows again and again; return reads a second."""
    with psycopg.connect(**plain.conninfo, autocommit=True) as connection:  # type: ignore[arg-type]
        return _rate(partial(_month, connection, plain), seconds)


def _rate(deed: Callable[[], int], seconds: float) -> float:
    """Do it again and again; a deed says how many it was."""
    done, begin = 0, time.perf_counter()
    while time.perf_counter() - begin < seconds:
        done += deed()
    return done / (time.perf_counter() - begin)


def _answer(connection: socket.socket) -> None:
    got = connection.recv(65536)
    while b"\r\n\r\n" not in got:
        got += connection.recv(65536)
    head, _, body = got.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(head.decode())
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
    left = length - len(body)
    while left > 0:
        left -= len(connection.recv(65536))


def _month(connection: "psycopg.Connection[Any]", plain: Plain) -> int:
    with connection.transaction():
        connection.execute(f"SET LOCAL noren.shop = '{plain.shop_id}'")
        connection.execute(STATE, [plain.first, plain.shop_id]).fetchone()
        wanted = [plain.shop_id, plain.staff, plain.first, plain.last]
        connection.execute(SHEETS, wanted, binary=True).fetchall()
    return 1


@contextmanager
def processes() -> Iterator[Callable[[Callable[..., float], Any], float]]:
    """Give a function that runs a rate in every process at once and returns the sum."""
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:

        def together(rate: Callable[..., float], *words: Any) -> float:
            return sum(future.result() for future in [pool.submit(rate, *words) for _ in range(PROCESSES)])

        yield together


def main() -> None:
    with system() as running, processes() as together:
        _measure(running, together)


def _measure(running: System, together: Callable[..., float]) -> None:
    # Django is set up by now: what needs it is imported here.
    from bench.load import load  # noqa: PLC0415
    from bench.salon import fill, salon  # noqa: PLC0415
    from noren.booking import doctor  # noqa: PLC0415

    house = salon()
    fill(house, BOOKINGS)
    alone = figures(running.port, house, "0", together)
    for bookings in os.environ.get("BOOKINGS", "200000").split():
        others = load(house, int(bookings))
        assert not [fault for each in (house.id, *others[-1:]) for fault in doctor.of_shop(each)]
        among = figures(running.port, house, bookings, together)
        measure.figure(f"http_month_held_at_{bookings}", among / alone, "-", limit=f">={HELD}")


def figures(port: int, house: Any, name: str, together: Callable[..., float]) -> float:
    """Measure the month; return its rate in empty views."""
    from noren.shops.models import Staff  # noqa: PLC0415
    from noren.shops.tenancy import shop  # noqa: PLC0415

    with shop(house.id):
        plain = _plain(house, list(Staff.objects.values_list("id", flat=True)))
    query = f"service={house.service}&from={house.first:%Y-%m-%d}&to={house.last:%Y-%m-%d}"
    month = f"/api/v1/shops/{house.slug}/availability?{query}"
    taken = measure.interleaved(
        {
            "month": lambda: together(ask, port, month, SECONDS),
            "changed": lambda: together(ask, port, month, SECONDS, plain),
            "psycopg": lambda: together(read, plain, SECONDS),
            "empty": lambda: together(ask, port, "/healthz", SECONDS),
        }
    )
    limits = {"month": f">={LIMIT}", "changed": f">={LIMIT}"}
    for each, rate in taken.items():
        ratio = None if each == "psycopg" else rate / taken["psycopg"]
        measure.figure(f"http_{each}_at_{name}", rate, "1/s", limit=limits.get(each, "-"), ratio=ratio)
    return taken["month"] / taken["empty"]


def _plain(house: Any, staff: list[int]) -> Plain:
    from noren.runtime import databases, env  # noqa: PLC0415

    given = env.read()
    owner = databases.app(given, "owner") | {"options": "-c role=noren_owner -c synchronous_commit=off"}
    first = house.first - timedelta(days=1)
    return Plain(databases.app(given, "web"), owner, house.id, staff, first, first + timedelta(days=33))


if __name__ == "__main__":
    main()
