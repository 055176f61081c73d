"""A rush (一斉受付): two thousand posts begun within one second for a hundred places, from the same machine.

Once for the hundred seats of a class, once for a hundred starts of ten staff. Everybody must be answered,
exactly a hundred with a booking, and nobody else may have reached the vault. The times hold the load program
as well, which has no cores of its own.
"""

import json
import selectors
import socket
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bench import measure
from bench.system import System, system

POSTS, PLACES = 2000, 100
SECONDS = 1.0
LIMIT = 5.0
PATIENCE = 60.0
# Minutes of a UTC day at which ten staff can begin one after the other: five times ten places a day.
STARTS = (0, 90, 300, 390, 480)


@dataclass(slots=True)
class Asked:
    """One post: `status` stays 0 where no whole answer came."""

    words: bytes
    due: float
    begun: float = 0.0
    took: float = 0.0
    status: int = 0
    got: bytearray = field(default_factory=bytearray)


def rush(port: int, posts: Sequence[bytes], seconds: float = SECONDS) -> list[Asked]:
    """Begin every post at its moment, each on a connection of its own; wait for all answers."""
    begin = time.perf_counter()
    todo = [Asked(words, begin + seconds * at / len(posts)) for at, words in enumerate(posts)]
    waiting = selectors.DefaultSelector()
    begun = 0
    while begun < len(todo) or waiting.get_map():
        now = time.perf_counter()
        while begun < len(todo) and todo[begun].due <= now:
            _begin(waiting, port, todo[begun])
            begun += 1
        if now > begin + PATIENCE:
            break
        for key, _ in waiting.select(0.002 if begun < len(todo) else 1.0):
            if _go_on(key.fileobj, key.data):  # type: ignore[arg-type]
                waiting.unregister(key.fileobj)
                key.fileobj.close()  # type: ignore[union-attr]
            elif not key.data.begun:
                key.data.begun = time.perf_counter()
                waiting.modify(key.fileobj, selectors.EVENT_READ, key.data)
    waiting.close()
    return todo


def _begin(waiting: selectors.BaseSelector, port: int, asked: Asked) -> None:
    connection = socket.socket()
    connection.setblocking(False)
    connection.connect_ex(("127.0.0.1", port))
    waiting.register(connection, selectors.EVENT_WRITE, asked)


def _go_on(connection: socket.socket, asked: Asked) -> bool:
    """Send, or take what has come; true when there is no more to do."""
    try:
        if not asked.begun:
            connection.sendall(asked.words)
            return False
        part = connection.recv(65536)
    except OSError:
        return True
    asked.got += part
    head, end, body = bytes(asked.got).partition(b"\r\n\r\n")
    if not part:
        return True
    if not end or len(body) < int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0]):
        return False
    asked.status, asked.took = int(head[9:12]), time.perf_counter() - asked.due
    return True


def posts(slug: str, service: int, starts: Sequence[datetime], number: int = POSTS) -> list[bytes]:
    """Return so many bookings by as many customers, spread over the starts."""
    return [_post(slug, service, starts[at % len(starts)], at) for at in range(number)]


def _post(slug: str, service: int, start: datetime, number: int) -> bytes:
    customer = {"name": f"客 {number}", "mail": f"c{number}@example.com"}
    wanted = {"service": service, "start": start.isoformat(), "customer": customer}
    body = json.dumps(wanted).encode()
    head = (
        f"POST /api/v1/shops/{slug}/bookings HTTP/1.1\r\nHost: localhost\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def main() -> None:
    with system() as running:
        _measure(running)


def _measure(running: System) -> None:
    # Django is set up by now: what needs it is imported here.
    from bench.salon import lesson, salon  # noqa: PLC0415

    figures: dict[str, list[list[float]]] = {}
    for number in range(measure.ROUNDS):
        house = salon(f"rush-{number}")
        days = [house.first + timedelta(days=2), house.first + timedelta(days=3)]
        starts = [day + timedelta(minutes=minutes) for day in days for minutes in STARTS]
        figures.setdefault("starts", []).append(_rushed(running, house.slug, house.service, starts))
        service, start = lesson(house, PLACES)
        figures.setdefault("class", []).append(_rushed(running, house.slug, service, [start]))
    for name, rounds in figures.items():
        p99, median, rate = (statistics.median(column) for column in zip(*rounds, strict=True))
        measure.figure(f"rush_{name}_p99", p99, "s", limit=f"<{LIMIT}s")
        measure.figure(f"rush_{name}_median", median, "s")
        measure.figure(f"rush_{name}_answers", rate, "1/s")


def _rushed(running: System, slug: str, service: int, starts: Sequence[datetime]) -> list[float]:
    """Rush once; return p99, median, and answers a second."""
    before = _persons()
    answers = rush(running.port, posts(slug, service, starts))
    told = Counter(asked.status for asked in answers)
    assert told == {201: PLACES, 409: POSTS - PLACES}, told
    assert _persons() - before == PLACES, "a loser reached the vault"
    took = sorted(asked.took for asked in answers)
    last = max(asked.due + asked.took for asked in answers) - answers[0].due
    return [took[-1 - POSTS // 100], took[POSTS // 2], POSTS / last]


def _persons() -> int:
    """Count those whom the vault has been given."""
    import psycopg  # noqa: PLC0415

    from noren.runtime import databases, env  # noqa: PLC0415

    with psycopg.connect(**databases.vault(env.read(), "vault")) as vault:  # type: ignore[arg-type]
        row: Any = vault.execute("SELECT count(*) FROM vault.person").fetchone()
    return int(row[0])


if __name__ == "__main__":
    main()
