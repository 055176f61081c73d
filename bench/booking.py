"""One booking: in process against the same statements, jobs included, through psycopg alone; and over HTTP.

A booking is a hold and its confirmation: two transactions, durable when they return. In process the vault is
not asked; over HTTP it stores the customer, so that figure holds its durable writes as well.
"""

import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from http.client import HTTPConnection
from typing import Any
from uuid import uuid4

import psycopg

from bench import measure
from bench.system import System, system

BOOKINGS = 20
Statement = tuple[str, list[Any] | dict[str, Any]]


def main() -> None:
    with system() as running:
        _measure(running)


def _measure(running: System) -> None:
    # Django is set up by now: what needs it is imported here.
    from bench.salon import salon  # noqa: PLC0415
    from noren.runtime import databases, env  # noqa: PLC0415

    house = salon()
    starts = _starts(house)
    captured = _captured(house, starts)
    words = databases.app(env.read(), "web")
    with psycopg.connect(**words, autocommit=True, cursor_factory=psycopg.ClientCursor) as plain:  # type: ignore[arg-type]
        taken = measure.interleaved(
            {
                "ours": lambda: _each(lambda: _book(house, *next(starts))),
                "plain": lambda: _prepared_each(plain, house, captured, starts),
                "http": lambda: _each(lambda: _post(running, house, *next(starts))),
            }
        )
    ratio = taken["ours"] / taken["plain"]
    measure.figure("booking_in_process", taken["ours"], "ms", ratio=ratio)
    measure.figure("booking_psycopg_alone", taken["plain"], "ms")
    measure.figure("booking_http", taken["http"], "ms", ratio=taken["http"] / taken["plain"])


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


def _decided(house: Any, start: datetime, staff: int) -> tuple[str, str]:
    """Return the row's values and the claims, as `booking_hold` takes them."""
    from noren import clock  # noqa: PLC0415
    from noren.booking import referee  # noqa: PLC0415
    from noren.booking.asked import Asked  # noqa: PLC0415
    from noren.booking.decide import decide  # noqa: PLC0415
    from noren.shops.tenancy import shop  # noqa: PLC0415

    now = clock.now()
    with shop(house.id):
        decision = decide(Asked(house.service, start, staff, 1), now=now)
        values = decision.values | {"expires_at": (now + timedelta(minutes=10)).isoformat()}
        return json.dumps(values), referee.plain(decision.known.rules, decision.claims)


def _replay(
    plain: "psycopg.Connection[Any]", captured: tuple[list[Statement], int], hold: tuple[str, str]
) -> None:
    """Run the captured statements with this hold's values: a transaction from each SET LOCAL to the next."""
    statements, old_id = captured
    new_id, inside = None, False
    for text, params in statements:
        if text.startswith("SET LOCAL"):
            if inside:
                plain.execute("COMMIT")
            plain.execute("BEGIN")
            inside = True
        if isinstance(params, dict):
            plain.execute(text, params).fetchall()
        elif "booking_hold(" in text:
            given = [*params[:4], *hold, params[6], uuid4().bytes * 2, *params[8:]]
            row = plain.execute(text, given).fetchone()
            new_id = row[0] if row is not None else None
        else:
            cursor = plain.execute(text, [new_id if value == old_id else value for value in params] or None)
            if cursor.description is not None:
                cursor.fetchall()
    plain.execute("COMMIT")


def _post(running: System, house: Any, start: datetime, staff: int) -> None:
    customer = {"name": "計測 花子", "mail": "hanako@example.com"}
    wanted = {"service": house.service, "start": start.isoformat(), "staff": staff, "customer": customer}
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
