"""A month of free times, any of ten staff, over HTTP: against psycopg alone reading the same rows.

Both from two processes at once, as many as the web has. The plain side does what the answer needs of the
database, in the same kind of transaction, and nothing else: no engine, no JSON, no HTTP. Over HTTP each
process keeps four connections open: the system deals them out to the web's processes, and of two both could
fall to one.
"""

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
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
LIMIT = 0.40

STATE = """
SELECT s.rules_revision, EXISTS (
    SELECT FROM booking_booking b WHERE b.shop_id = s.shop_id AND b.status = 'held' AND b.expires_at <= %s)
FROM shops_shop s WHERE s.shop_id = %s
"""
SHEETS = """
SELECT resource_id, plane, day, core, padded FROM booking_sheet
WHERE shop_id = %s AND resource_id = ANY (%s) AND plane = 1 AND day >= %s AND day < %s
"""


@dataclass(frozen=True, slots=True)
class Plain:
    """What the plain side reads."""

    conninfo: dict[str, str]
    shop_id: int
    staff: list[int]
    first: Any
    last: Any


def ask(port: int, path: str, seconds: float) -> float:
    """Ask again and again over some connections at once; return answers a second."""
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        asked = [pool.submit(_ask, port, path, seconds) for _ in range(CONNECTIONS)]
        return sum(one.result() for one in asked)


def _ask(port: int, path: str, seconds: float) -> float:
    words = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return _rate(partial(_answer, connection, words), seconds)


def read(plain: Plain, seconds: float) -> float:
    """Read the month's rows again and again; return reads a second."""
    with psycopg.connect(**plain.conninfo, autocommit=True) as connection:  # type: ignore[arg-type]
        return _rate(partial(_month, connection, plain), seconds)


def _rate(deed: Callable[[], None], seconds: float) -> float:
    done, begin = 0, time.perf_counter()
    while time.perf_counter() - begin < seconds:
        deed()
        done += 1
    return done / (time.perf_counter() - begin)


def _answer(connection: socket.socket, words: bytes) -> None:
    connection.sendall(words)
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


def _month(connection: "psycopg.Connection[Any]", plain: Plain) -> None:
    with connection.transaction():
        connection.execute(f"SET LOCAL noren.shop = '{plain.shop_id}'")
        connection.execute(STATE, [plain.first, plain.shop_id]).fetchone()
        wanted = [plain.shop_id, plain.staff, plain.first, plain.last]
        connection.execute(SHEETS, wanted, binary=True).fetchall()


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
    from datetime import timedelta  # noqa: PLC0415

    from bench.salon import fill, salon  # noqa: PLC0415
    from noren.runtime import databases, env  # noqa: PLC0415
    from noren.shops.models import Staff  # noqa: PLC0415
    from noren.shops.tenancy import shop  # noqa: PLC0415

    house = salon()
    fill(house, BOOKINGS)
    with shop(house.id):
        staff = list(Staff.objects.values_list("id", flat=True))
    first = house.first - timedelta(days=1)
    plain = Plain(databases.app(env.read(), "web"), house.id, staff, first, first + timedelta(days=33))
    query = f"service={house.service}&from={house.first:%Y-%m-%d}&to={house.last:%Y-%m-%d}"
    month = f"/api/v1/shops/{house.slug}/availability?{query}"
    taken = measure.interleaved(
        {
            "http": lambda: together(ask, running.port, month, SECONDS),
            "psycopg": lambda: together(read, plain, SECONDS),
            "empty": lambda: together(ask, running.port, "/healthz", SECONDS),
        }
    )
    ratio = taken["http"] / taken["psycopg"]
    measure.figure("http_month_any_of_10", taken["http"], "1/s", limit=f">={LIMIT}", ratio=ratio)
    measure.figure("http_month_psycopg_alone", taken["psycopg"], "1/s")
    measure.figure("http_empty_view", taken["empty"], "1/s", ratio=taken["empty"] / taken["psycopg"])


if __name__ == "__main__":
    main()
