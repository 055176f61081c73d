"""Marked people walk through every flow; then everything that lies at rest is searched for their marks.

Only the mail to the customer and the page that an authorised colleague opened may hold them.
"""

import json
import logging
import re
from base64 import b64encode
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.client import HTTPConnection
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client
from psycopg import sql

from noren import clock, people
from noren.booking import links
from noren.booking.models import Booking
from noren.incidents import commands
from noren.runtime import logs
from noren.shops.tenancy import shop
from tests.api.salon import Salon, salon
from tests.api.server import granian, worker
from tests.environment import PATHS, TOP
from tests.servers import AppDatabase, Sink, VaultProcess, wait_for
from tests.web.conftest import joined
from tests.web.flow import Visitor

BY_PAGE = {
    "name": "印付 頁子zqxpage",
    "kana": "インツキ ページコ",
    "mail": "zqxpage@example.com",
    "phone": "090-7357-1928",
    "note": "zqxpage 前髪は短めで",
}
BY_API = {
    "name": "印付 網子zqxapi",
    "kana": "インツキ アミコ",
    "mail": "zqxapi@example.com",
    "phone": "080-8642-9753",
    "note": "zqxapi はさみが苦手",
}
REFUSED = {"name": "印付 断子zqxbad", "kana": "インツキ コトワリコ", "mail": "zqxbad@", "phone": "070-1111"}
COLLEAGUE = people.Member("aoi", "owner", "aoi", "印付 葵zqxstaff", "zqxstaff@example.com")
KEY = "zqxkey-of-the-caller"
NUMBERS = ("7357-1928", "73571928", "8642-9753", "86429753")
MARKS = ("zqxpage", "zqxapi", "zqxbad", "zqxstaff", "zqxkey", "印付", "インツキ", *NUMBERS)


@dataclass(frozen=True)
class Walk:
    """What the walk has left: pages by who saw them, mails, logs."""

    authorised: str
    others: str
    mails: str
    logs: str


@pytest.fixture(scope="module")
def walk(module_app_db: AppDatabase, module_vault: VaultProcess, module_mail: Sink) -> Walk:
    """Every flow, once: page, API, refusals, console, search, cancellation, mail, scope."""
    PATHS.static.mkdir(exist_ok=True)
    house = salon()
    people.found_shop(house.id, house.slug, [COLLEAGUE])
    written = StringIO()
    own_log = logging.StreamHandler(written)
    own_log.setFormatter(logs.formatter())
    logging.getLogger().addHandler(own_log)
    try:
        colleague = joined(_invite(module_mail), "console")
        with worker(module_app_db, module_vault) as worker_log, granian(module_app_db, module_vault) as port:
            others = [*_by_page(house), *_by_api(house, port, module_mail)]
            authorised = _console(house, colleague)
            others += _at_the_desk(house, colleague)
            others += _scope()
            mails = [message.get_body(("plain",)).get_content() for message in _letters(module_mail)]
            _wait_for_jobs(module_app_db)
            told = [written.getvalue(), module_vault.log, worker_log.read_text()]
    finally:
        logging.getLogger().removeHandler(own_log)
    told.append((TOP / "granian.log").read_text())
    return Walk("".join(authorised), "".join(others), "".join(mails), "".join(told))


def _invite(mail: Sink) -> str:
    body = mail.wait()[-1].get_body(("plain",))
    found = re.search(r"/join#(\S+)", "" if body is None else body.get_content())
    assert found is not None
    return found[1]


def _at(hour: int) -> datetime:
    tomorrow = clock.now().astimezone(ZoneInfo("Asia/Tokyo")) + timedelta(days=1)
    return tomorrow.replace(hour=hour, minute=0, second=0, microsecond=0)


def _by_page(house: Salon) -> list[str]:
    """Book by the page, after a refusal; see the booking by its link. The form is her own page."""
    customer, seen = Visitor(), []
    customer.open(f"/salon/book/{house.cut}/")
    customer.press("at", str(int(_at(14).timestamp())))
    customer.press("step", "final", **REFUSED)
    assert customer.page.status_code == 422
    customer.press("step", "final", **BY_PAGE)
    customer.press("step", "book")
    assert customer.now_at.startswith("/b/"), customer.text
    seen.append(customer.text)
    visitor = Visitor()
    for address in ("/", "/salon/", customer.now_at, customer.now_at.split("?")[0] + "/booking.ics"):
        visitor.open(address)
        seen.append(visitor.text)
    return seen


def _by_api(house: Salon, port: int, mail: Sink) -> list[str]:
    """Book by the API on the running server, be refused there in several ways, and cancel once all is told:
    nobody is told of a booking that stands no longer.
    """
    wanted = {"service": house.cut, "start": _at(16).isoformat(), "customer": BY_API}
    path = f"/api/v1/shops/{house.slug}/bookings"
    made = _sent(port, "POST", path, wanted, KEY)
    assert "confirmed" in made, made
    answers = [made, _sent(port, "POST", path, wanted | {"customer": REFUSED}, KEY + "2")]
    answers.append(_sent(port, "POST", path, wanted | {"start": "1999-01-01T00:00:00Z"}, KEY + "3"))
    answers.append(_sent(port, "POST", path, {"customer": BY_API}, KEY + "4"))
    answers.append(_sent(port, "GET", f"/b/{BY_API['mail']}", None, KEY))
    token = json.loads(made)["token"]
    answers.append(_sent(port, "GET", f"/api/v1/bookings/{token}", None, KEY))
    mail.wait(3)
    return [*answers, _sent(port, "DELETE", f"/api/v1/bookings/{token}", None, KEY)]


def _sent(port: int, method: str, path: str, body: Any, key: str) -> str:
    connection = HTTPConnection("localhost", port, timeout=60)
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    told = connection.getresponse().read().decode()
    connection.close()
    return told


def _console(house: Salon, colleague: Client) -> list[str]:
    """The day with names, a customer's card, a search: for somebody who may."""
    with shop(house.id):
        person = Booking.objects.filter(status="confirmed").values_list("person_id", flat=True).first()
    pages = [
        colleague.post(f"/console/day?date={_at(14):%Y-%m-%d}"),
        colleague.post(f"/console/customers/{person}", {"show": "card"}),
        colleague.post("/console/customers", {"query": BY_PAGE["mail"]}),
        colleague.get("/console/"),
    ]
    assert {page.status_code for page in pages} == {200}
    return [page.content.decode() for page in pages]


def _at_the_desk(house: Salon, colleague: Client) -> list[str]:
    """Deeds whose reasons are free texts, and the pages that tell no name: why not, moving, her own."""
    with shop(house.id):
        booking = Booking.objects.get(status="confirmed")
    there, mark = f"/console/bookings/{booking.id}", BY_PAGE["note"]
    wish = {"insist": "1", "date": f"{_at(14):%Y-%m-%d}", "time": "15:00"}
    assert colleague.post(f"{there}/move", {**wish, "reason": mark}).status_code == 422
    assert colleague.post(f"{there}/move", {**wish, "reason": "agreed"}).status_code == 302
    asked = f"/console/why?service={house.cut}&date={_at(14):%Y-%m-%d}&time=15:00"
    pages = [colleague.get(f"{there}/move"), colleague.get(asked)]
    pages.append(Client().get(f"/b/{links.token(house.id, booking.id, booking.generation)}"))
    assert {page.status_code for page in pages} == {200}
    return [page.content.decode() for page in pages]


def _scope() -> list[str]:
    printed = StringIO()
    with redirect_stdout(printed):
        assert commands.scope(["--actor", "aoi.salon", "--since", "1h"]) == commands.DONE
    return [printed.getvalue()]


def _letters(mail: Sink) -> list[Any]:
    """The invitation, two confirmations, one cancellation, one move."""
    return mail.wait(5)


def _wait_for_jobs(database: AppDatabase) -> None:
    """Wait until only jobs for later are left: reminders, and the end of holds."""
    due = "SELECT count(*) FROM procrastinate_jobs WHERE status <> 'succeeded' AND scheduled_at IS NULL"

    def done() -> bool:
        with database.connect("owner") as conn:
            return conn.execute(due).fetchone() == (0,)

    wait_for(done, 60)


def _found(text: str) -> list[str]:
    """Return the marks in a text, as they are, as hex (bytea) and as base64."""
    return [mark for mark in MARKS if any(form in text for form in _forms(mark.encode()))]


def _forms(mark: bytes) -> Iterator[str]:
    yield mark.decode()
    yield mark.hex()
    for before in range(3):
        # Base64 shows a text in three ways, by where in it the text begins; its edges mix with the rest.
        yield b64encode(bytes(before) + mark).decode().rstrip("=")[-(-before * 8 // 6) : -1]


def _tables(conn: "psycopg.Connection[Any]") -> Iterator[tuple[str, str]]:
    """Every table that can be read, whole, as text."""
    names = conn.execute(
        "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') "
        "AND has_table_privilege(c.oid, 'SELECT')"
    ).fetchall()
    for schema, name in names:
        whole = sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(schema, name))
        yield f"{schema}.{name}", "\n".join(text for (text,) in conn.execute(whole).fetchall())


def test_it_shows_the_marks_to_those_who_may_see_them(walk: Walk) -> None:
    """The control: without it a search that finds nothing would prove nothing."""
    assert {"zqxpage", "印付", "インツキ", "7357-1928"} <= set(_found(walk.authorised))
    assert {"zqxpage", "zqxapi", "印付"} <= set(_found(walk.mails))


def test_it_tells_them_to_nobody_else(walk: Walk) -> None:
    assert _found(walk.others) == []


def test_it_writes_them_into_no_log(walk: Walk) -> None:
    assert len(walk.logs) > 0
    assert _found(walk.logs) == []


def test_it_keeps_them_out_of_every_table_of_the_app_jobs_and_sessions_included(
    walk: Walk, module_app_db: AppDatabase
) -> None:
    with module_app_db.connect("owner") as conn:
        tables = dict(_tables(conn))
        sessions = conn.execute("SELECT session_data FROM django_session").fetchall()
    assert {"public.booking_booking", "public.procrastinate_jobs", "public.messages_message"} <= set(tables)
    assert "1" in tables["public.booking_booking"]
    assert {name: _found(text) for name, text in tables.items() if _found(text)} == {}
    assert sessions
    assert _found(repr([SessionStore().decode(data) for (data,) in sessions])) == []


def test_it_keeps_them_sealed_in_every_table_of_the_vault(walk: Walk, module_vault: VaultProcess) -> None:
    with psycopg.connect(module_vault.database_url) as conn:
        tables = dict(_tables(conn))
    assert sum(len(text) for text in tables.values()) > 1000
    assert {name: _found(text) for name, text in tables.items() if _found(text)} == {}


def test_it_keeps_them_out_of_the_ledger(walk: Walk, module_vault: VaultProcess) -> None:
    files = [path for path in module_vault.ledger.rglob("*") if path.is_file()]
    assert files
    for path in files:
        content = path.read_bytes()
        assert _found(content.decode("latin-1")) == [], path
        assert not [mark for mark in MARKS if mark.encode() in content], path
