"""Millions of bookings at once: plain SQL as the owner, true down to claims, sheets and events.

Other shops are copies of the measured one, under ids of their own; `noren doctor` finds nothing in any.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import psycopg
from psycopg import sql

from bench.salon import STAFF, Salon
from noren import clock
from noren.runtime import databases, env

DAYS, A_DAY = 143, 7
A_SHOP = STAFF * DAYS * A_DAY
_SHOPS = ("shops_shop", "shops_resource", "shops_staff", "shops_service", "shops_openinghours")
# One row a booking: staff, day and number of the day give its time and its id.
_EACH = """
FROM (SELECT id AS staff, row_number() OVER (ORDER BY id) - 1 AS place FROM shops_staff
        WHERE shop_id = {shop}) s
    CROSS JOIN generate_series(0, {days} - 1) AS d (day) CROSS JOIN generate_series(0, {a_day} - 1) AS n (at)
"""
_ID = "{base} + (s.place * {days} + d.day) * {a_day} + n.at"
_START = "({first}::date + d.day + n.at * interval '90 minutes')::timestamp AT TIME ZONE 'UTC'"
_SHEETS = """
INSERT INTO booking_sheet (shop_id, resource_id, plane, day, core, padded)
SELECT {shop}, s.id, 1, {first}::date + d.day, m.core, m.padded
FROM shops_staff s CROSS JOIN generate_series(0, {days} - 1) AS d (day) CROSS JOIN (
    SELECT bit_or(booking_mask(n.at * 90, n.at * 90 + 60)) AS core,
        bit_or(booking_mask(n.at * 90, n.at * 90 + 70)) AS padded
    FROM generate_series(0, {a_day} - 1) AS n (at)) m
WHERE s.shop_id = {shop}
"""


def load(house: Salon, bookings: int) -> list[int]:
    """Add so many bookings: the measured shop's own past, then other shops. Gives the ids of those shops."""
    words = databases.app(env.read(), "owner") | {"options": "-c role=noren_owner -c synchronous_commit=off"}
    with psycopg.connect(**words, autocommit=True) as owner:  # type: ignore[arg-type]
        loader = _Loader(owner, house)
        loader.past()
        while loader.made < bookings:
            loader.other_shop()
        owner.execute("VACUUM (ANALYZE)")
        return loader.shops


class _Loader:
    """Copies one booking of the measured shop, with what else belongs to it."""

    def __init__(self, owner: "psycopg.Connection[Any]", house: Salon) -> None:
        self.owner, self.house = owner, house
        self.made, self.shops = 0, list[int]()
        found = self._one("SELECT id FROM booking_booking WHERE shop_id = {shop} ORDER BY id LIMIT 1")
        self.template = int(found)

    def past(self) -> None:
        """Fill the measured shop up to the month that is asked for."""
        self._bookings(self.house.id, self.house.first.date() - timedelta(days=DAYS + 3))

    def other_shop(self) -> None:
        """Found a copy, and book its last months and its next one."""
        slug = f"other-{len(self.shops) + 1}-of-{self.house.slug}"
        shop_id = int(self._one("INSERT INTO shops_directory (slug) VALUES ({slug}) RETURNING id", slug=slug))
        for table in _SHOPS:
            self._copy(
                table, {"shop_id": "{other}"}, "FROM {table} t WHERE t.shop_id = {shop}", other=shop_id
            )
        self._bookings(shop_id, self.house.first.date() - timedelta(days=DAYS - 30))
        self.shops.append(shop_id)

    def _bookings(self, shop_id: int, first: date) -> None:
        base = int(self._one("SELECT coalesce(max(id), 0) + 1 FROM booking_booking WHERE shop_id = {shop}"))
        words: dict[str, Any] = {"first": first, "base": base + A_SHOP, "other": shop_id, "now": clock.now()}
        start, booking = _START, {"shop_id": "{other}"}
        self._copy(
            "booking_booking",
            booking
            | {"id": _ID, "staff_id": "s.staff", "start": start, '"end"': f"{start} + interval '1 hour'"}
            | {"wall": f"to_char({start} AT TIME ZONE t.zone, 'YYYY-MM-DD\"T\"HH24:MI')"}
            | {"person_id": "gen_random_uuid()", "idempotency": "NULL", "reminder_job": "NULL"},
            f"{_EACH} JOIN booking_booking t ON t.shop_id = {{shop}} AND t.id = {{template}}",
            **words,
        )
        self._copy(
            "booking_claim",
            booking
            | {"resource_id": "s.staff", "booking_id": _ID, "day": "{first}::date + d.day"}
            | {"core_from": "n.at * 90", "core_to": "n.at * 90 + 60"}
            | {"padded_from": "n.at * 90", "padded_to": "n.at * 90 + 70"},
            f"{_EACH} JOIN booking_claim t ON t.shop_id = {{shop}} AND t.booking_id = {{template}}",
            without_id=True,
            **words,
        )
        self._copy(
            "booking_event",
            booking | {"booking_id": _ID},
            f"{_EACH} JOIN booking_event t ON t.shop_id = {{shop}} AND t.booking_id = {{template}}",
            without_id=True,
            **words,
        )
        self._run(_SHEETS.replace("{shop}", "{other}"), **words)
        self._run("SELECT setval(pg_get_serial_sequence('booking_booking', 'id'), {base} + {all})", **words)
        self.made += A_SHOP

    def _copy(
        self, table: str, values: Mapping[str, str], rest: str, *, without_id: bool = False, **words: Any
    ) -> None:
        """Insert rows like `t`, with some values of their own; what else the table has is the template's."""
        found = self.owner.execute(
            "SELECT quote_ident(column_name) FROM information_schema.columns WHERE table_name = %s", [table]
        )
        names = [name for (name,) in found if not (without_id and name == "id")]
        picked = ", ".join(values.get(name, f"t.{name}") for name in names)
        rest = rest.replace("{table}", table)
        self._run(f"INSERT INTO {table} ({', '.join(names)}) SELECT {picked} {rest}", **words)

    def _run(self, text: str, **words: Any) -> "psycopg.Cursor[Any]":
        standard = {"shop": self.house.id, "days": DAYS, "a_day": A_DAY, "all": 2 * A_SHOP}
        given = standard | {"template": getattr(self, "template", None)} | words
        literals = {name: sql.Literal(value) for name, value in given.items()}
        return self.owner.execute(sql.SQL(text).format(**literals))

    def _one(self, text: str, **words: Any) -> Any:
        row = self._run(text, **words).fetchone()
        return None if row is None else row[0]
