"""One booking: in process against the same statements, jobs included, through psycopg alone; and over HTTP.

A booking is a look, a hold and its confirmation: two transactions, durable when they return. In process the
vault is not asked; over HTTP it stores the customer, so that figure holds its durable writes as well. Sixteen
clients at once, on many days and on one day of one member of staff: any answer but 201 ends the bench.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from http.client import HTTPConnection
from typing import Any
from uuid import uuid4

import psycopg

from bench import measure
from bench.system import System, system

BOOKINGS = 20
CLIENTS = 16
LIMIT = 0.60
Statement = tuple[str, list[Any] | dict[str, Any]]
Hold = tuple[int, str, str]


def main() -> None:
    with system() as running:
        _measure(running)


def _measure(running: System) -> None:
    # Django is set up by now: what needs it is imported here.
    from bench.salon import quick, salon  # noqa: PLC0415
    from noren.runtime import databases, env  # noqa: PLC0415

    house = salon()
    short = quick(house)
    starts, quarters, clients = _starts(house), _quarters(house), range(CLIENTS)
    captured = _captured(house, starts)
    words = databases.app(env.read(), "web")
    with psycopg.connect(**words, autocommit=True, cursor_factory=psycopg.ClientCursor) as plain:  # type: ignore[arg-type]
        taken = measure.interleaved(
            {
                "ours": lambda: _each(lambda: _book(house, *next(starts))),
                "plain": lambda: _prepared_each(plain, house, captured, starts),
                "http": lambda: _each(lambda: _post(running, house, house.service, *next(starts))),
                "together": lambda: _together(running, house, house.service, [next(starts) for _ in clients]),
                "one_day": lambda: _together(running, house, short, next(quarters)),
            }
        )
    for name, limit in (("ours", f">={LIMIT}"), ("http", "-"), ("together", "-"), ("one_day", "-")):
        figure = {"ours": "booking_in_process", "http": "booking_http"}.get(name, f"booking_http_16_{name}")
        measure.figure(figure, taken[name], "ms", limit=limit, ratio=taken["plain"] / taken[name])
    measure.figure("booking_psycopg_alone", taken["plain"], "ms")


def _starts(house: Any) -> Iterator[tuple[datetime, int]]:
    """Give times at which somebody is free for certain, each once."""
    from noren.shops.models import Staff  # noqa: PLC0415
    from noren.shops.tenancy import shop  # noqa: PLC0415

    with shop(house.id):
        staff = list(Staff.objects.values_list("id", flat=True))
    for day in range(1, 80):
        for hour in (0, 2, 5, 7, 9):  # UTC: 9:00 to 18:00 in Tokyo, two hours apart
            for each in staff:
                yield house.first + timedelta(days=day, hours=hour), each


def _quarters(house: Any) -> Iterator[list[tuple[datetime, int]]]:
    """Give the sixteen quarters of an hour of one morning of one member of staff, each morning once."""
    from noren.shops.models import Staff  # noqa: PLC0415
    from noren.shops.tenancy import shop  # noqa: PLC0415

    with shop(house.id):
        staff = Staff.objects.order_by("id")[0].id
    for day in range(90, 120):
        morning = house.first + timedelta(days=day)
        yield [(morning + timedelta(minutes=15 * number), staff) for number in range(CLIENTS)]


def _together(running: System, house: Any, service: int, wanted: Sequence[tuple[datetime, int]]) -> float:
    """Post all at once; return milliseconds a booking."""
    begin = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as clients:
        for posted in [clients.submit(_post, running, house, service, *each) for each in wanted]:
            posted.result()
    return (time.perf_counter() - begin) / len(wanted) * 1000


def _each(deed: Callable[[], Any]) -> float:
    """Return milliseconds a deed."""
    begin = time.perf_counter()
    for _ in range(BOOKINGS):
        deed()
    return (time.perf_counter() - begin) / BOOKINGS * 1000


def _book(house: Any, start: datetime, staff: int) -> int:
    from noren import clock  # noqa: PLC0415
    from noren.booking import actions  # noqa: PLC0415

    wish = actions.HoldRequest(house.service, start, staff, 1, uuid4().hex)
    held = actions.hold(house.id, wish, now=clock.now())
    actions.confirm(house.id, held.id, uuid4(), now=clock.now(), locale="ja", consent=1)
    return held.id


def _captured(house: Any, starts: Iterator[tuple[datetime, int]]) -> tuple[list[Statement], int]:
    """Book, and return every statement that Django was given; and the booking's id."""
    from django.db import connection  # noqa: PLC0415

    kept: list[Statement] = []

    def keep(execute: Callable[..., Any], query: Any, params: Any, many: bool, context: Any) -> Any:
        text = query if isinstance(query, str) else query.as_string(context["connection"].connection)
        kept.append((text, params if isinstance(params, dict) else list(params or [])))
        return execute(query, params, many, context)

    _book(house, *next(starts))
    with connection.execute_wrapper(keep):
        booking_id = _book(house, *next(starts))
    return kept, booking_id


def _prepared_each(
    plain: "psycopg.Connection[Any]", house: Any, captured: tuple[list[Statement], int], starts: Iterator[Any]
) -> float:
    """Decide in advance what to write; measure the statements alone."""
    holds = [_decided(house, *next(starts)) for _ in range(BOOKINGS)]
    todo = iter(holds)
    return _each(lambda: _replay(plain, captured, next(todo)))


def _decided(house: Any, start: datetime, staff: int) -> Hold:
    """Return the revision of the rules, the row's values and the claims, as `booking_hold` takes them."""
    from noren import clock  # noqa: PLC0415
    from noren.booking import referee  # noqa: PLC0415
    from noren.booking.asked import Asked  # noqa: PLC0415
    from noren.booking.decide import decide  # noqa: PLC0415
    from noren.shops.tenancy import shop  # noqa: PLC0415

    now = clock.now()
    with shop(house.id):
        decision = decide(Asked(house.service, start, staff, 1), now=now)
        values = decision.values | {"expires_at": (now + timedelta(minutes=10)).isoformat()}
        rules = decision.known.rules
        return rules.revision, json.dumps(values), referee.plain(rules, decision.claims)


def _replay(plain: "psycopg.Connection[Any]", captured: tuple[list[Statement], int], hold: Hold) -> None:
    """Run the captured statements with this hold's values: a transaction from each SET LOCAL to the next.

    What reads in one round trip is no transaction's where none has begun: it gets one of its own.
    """
    statements, old_id = captured
    enter = next(text for text, _ in statements if text.startswith("SET LOCAL"))
    new_id, inside = None, False
    for text, params in statements:
        if "$1" in text:
            values = [list(value) if isinstance(value, range) else value for value in params]
            _read(plain, text, values, None if inside else enter)
            continue
        if text.startswith("SET LOCAL"):
            if inside:
                plain.execute("COMMIT")
            plain.execute("BEGIN")
            inside = True
        if isinstance(params, dict):
            plain.execute(text, params).fetchall()
        elif "booking_hold(" in text:
            given = [*params[:2], hold[0], params[3], *hold[1:], params[6], uuid4().bytes * 2, *params[8:]]
            row = plain.execute(text, given).fetchone()
            new_id = row[0] if row is not None else None
        else:
            cursor = plain.execute(text, [new_id if value == old_id else value for value in params] or None)
            if cursor.description is not None:
                cursor.fetchall()
    plain.execute("COMMIT")


def _read(plain: "psycopg.Connection[Any]", text: str, values: list[Any], enter: str | None) -> None:
    if enter is not None:
        plain.execute("BEGIN")
        plain.execute(enter)
    psycopg.RawCursor(plain).execute(text, values, binary=True).fetchall()
    if enter is not None:
        plain.execute("COMMIT")


def _post(running: System, house: Any, service: int, start: datetime, staff: int) -> None:
    customer = {"name": "計測 花子", "mail": "hanako@example.com"}
    wanted = {"service": service, "start": start.isoformat(), "staff": staff, "customer": customer}
    connection = HTTPConnection("localhost", running.port)
    headers = {"Content-Type": "application/json"}
    connection.request("POST", f"/api/v1/shops/{house.slug}/bookings", json.dumps(wanted), headers)
    answer = connection.getresponse()
    told = answer.read()
    connection.close()
    if answer.status != 201:
        raise RuntimeError(told.decode())


if __name__ == "__main__":
    main()
