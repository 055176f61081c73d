"""A list of bookings comes in: first its customers, out of the vault by steps, then the bookings."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from noren import people
from noren.booking import readings, work
from noren.booking.models import Booking, Status, WorkLine
from noren.people import lists
from noren.people.columns import Reading
from noren.shops.tenancy import shop
from noren.web.looked import about
from tests.api.salon import NOON, Salon
from tests.servers import VaultProcess
from tests.vault.cast import sql
from tests.web.desk.test_budget import Person
from tests.web.desk.test_incoming import HERE, LOOK, WHY, chosen, counted, file, looked, run

BOOK = "予約日,開始時刻,メニュー,担当,顧客番号,氏名,電話番号,メール"


def _booking(number: int, *, day: str = "2026/12/14", **changed: str) -> str:
    """A line of a list of bookings, one after the other from early on; each cell can be said."""
    cells = {
        "at": f"{day},{number // 4 + 1}:{number % 4 * 15:02}",
        "what": "Cut,",
        "id": "",
        "who": f"列 {number}",
        "phone": "",
        "mail": f"retsu{number}@x.example",
    }
    return ",".join({**cells, **changed}.values())


def begun(three: dict[str, Person], *rows: str) -> tuple[str, str]:
    """Ask to bring bookings in, and take them: the page of the list, and that of the work."""
    owner = three["aoi"]
    _, page = looked(owner, file(BOOK, *rows), kind="bookings")
    said = {**chosen(page), "kind": "bookings", "join": "1", "anyway": "1"}
    address = str(owner.client.post(LOOK, {**said, **WHY, "file": file(BOOK, *rows)})["Location"])
    taken = owner.client.post(f"{address}/take", {"file": file(BOOK, *rows)})
    return address, str(taken["Location"])


def step(made: Salon, there: str) -> None:
    work.step(made.id, int(there.rpartition("/")[2]), now=NOON)


def text_of(person: Person, there: str) -> str:
    """The page without its marks, as it is read."""
    page = person.client.get(there).content.decode().partition("<main")[2]
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def booked(day: str = "2026-12-1") -> list[tuple[str, Any]]:
    """Which bookings of those days stand, and for whom."""
    rows = Booking.objects.filter(status=Status.CONFIRMED).order_by("start", "id")
    found = [(f"{row.start + timedelta(hours=9):%Y-%m-%d %H:%M}", row.person_id) for row in rows]
    return [each for each in found if each[0].startswith(day)]


@contextmanager
def at_a_step(number: int) -> Iterator[None]:
    """As if a worker were at the work's step."""
    query = """
    UPDATE procrastinate_jobs SET status = %s::procrastinate_job_status
    WHERE task_name = 'noren.booking.tasks.step' AND (args ->> 'work_id')::bigint = %s
    """
    with connection.cursor() as cursor:
        cursor.execute(query, ["doing", number])
        yield
        cursor.execute(query, ["succeeded", number])


def test_bookings_wait_for_their_customers_who_come_in_first(
    three: dict[str, Person], made: Salon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped and gone on with in the middle; each line finds hers: by an address of an earlier piece, by a
    number alone, and by the line of two that says more. What lies here of a person until then is a hash.
    """
    monkeypatch.setattr(lists, "ROWS_A_STEP", 4)
    owner = three["aoi"]
    earlier = people.import_rows(made.id, [people.Row("id:K77", {"name": "常連"})]).persons["id:K77"]
    rows = [_booking(4 * n) for n in range(6)]
    rows += [
        _booking(24, id="A9", who="", mail=""),
        _booking(28, id="A9", who="列 九", mail=""),
        _booking(32, id="K77", who="", mail=""),
        _booking(36, who="別名", mail="retsu0@x.example"),
    ]
    address, there = begun(three, *rows)
    assert text_of(owner, there).count("First the customers 0 / 9 Then the bookings 0 / 10") == 1
    assert "First the customers · 0 / 9" in text_of(owner, "/console/work")
    with shop(made.id):
        waiting = list(WorkLine.objects.filter(work_id=int(there.rpartition("/")[2])).order_by("line"))
    assert {each.person_id for each in waiting} == {None}
    assert all(re.fullmatch(r"[0-9a-f]{64}", each.person_key) for each in waiting)
    assert waiting[6].person_key == waiting[7].person_key
    step(made, there)
    owner.client.post(f"{there}/deed", {"deed": "stop"})
    step(made, there)
    page = text_of(owner, there)
    assert "First the customers 4 / 9 Then the bookings 0 / 10" in page
    assert "lie sealed in the vault, for a day at most" in page
    # Once more is the same work, and leaves nothing in the vault.
    again = owner.client.post(f"{address}/take", {"file": file(BOOK, *rows)})
    assert again["Location"] == there
    owner.client.post(f"{there}/deed", {"deed": "resume"})
    done = run(made, int(there.rpartition("/")[2]))
    assert (done.total, done.done, done.odd) == (10, 10, 0)
    page = text_of(owner, there)
    assert "First the customers 9 / 9 Then the bookings 10 / 10" in page
    assert people.search(owner.grant, "列").found == 7
    with shop(made.id):
        found = [person for _, person in booked()]
        assert not WorkLine.objects.exclude(person_key="").exists()
    assert len(found) == 10
    assert found[6] == found[7]
    assert found[8] == earlier
    assert found[9] == found[0]
    told = people.reveal(owner.grant, people.Purpose.CUSTOMER, [found[6]], ["name"]).persons
    assert [each["name"] for each in told.values()] == ["列 九"]
    undone = str(owner.client.post(f"{there}/deed", {"deed": "undo", "sure": "1"})["Location"])
    assert run(made, int(undone.rpartition("/")[2])).done == 10
    owner.client.post(f"{address}/undo", {"sure": "1"})
    assert people.search(owner.grant, "列").found == 0


def test_customers_of_bookings_are_undone_and_nothing_more_comes(
    three: dict[str, Person], made: Salon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not while they come in, nor while a worker is at a step; after it no customer and no booking comes."""
    monkeypatch.setattr(lists, "ROWS_A_STEP", 4)
    owner = three["aoi"]
    address, there = begun(three, *(_booking(4 * n, day="2026/12/15") for n in range(10)))
    number = int(there.rpartition("/")[2])
    step(made, there)
    refused = owner.client.post(f"{address}/undo", {"sure": "1"})
    assert (refused.status_code, "stop that first" in refused.content.decode()) == (409, True)
    work.stop(made.id, number)
    with at_a_step(number):
        assert owner.client.post(f"{address}/undo", {"sure": "1"}).status_code == 409
    undone = owner.client.post(f"{address}/undo", {"sure": "1"})
    assert "4 / 4" in owner.client.get(str(undone["Location"])).content.decode()
    page = text_of(owner, there)
    assert "Nothing more comes in with this list" in page
    assert "4 / 10" in page
    assert owner.client.post(f"{there}/deed", {"deed": "resume"}).status_code == 404
    assert run(made, number).state == "stopped"
    assert people.search(owner.grant, "列").found == 0
    with shop(made.id):
        assert booked() == []


def test_a_list_of_bookings_whose_day_is_over_says_how_to_go_on(
    three: dict[str, Person], made: Salon, module_vault: VaultProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The vault lets go of what is left; asked for anew all come in, and those who were there stay one."""
    monkeypatch.setattr(lists, "ROWS_A_STEP", 4)
    owner = three["aoi"]
    rows = [_booking(4 * n, day="2026/12/16") for n in range(6)]
    address, there = begun(three, *rows)
    step(made, there)
    transfer = address.rpartition("/")[2]
    sql(module_vault, "UPDATE vault.transfer SET expires_at = 1 WHERE transfer = %s", transfer)
    assert run(made, int(there.rpartition("/")[2])).state == "stopped"
    page = text_of(owner, there)
    assert "Nothing more comes in with this list. To go on, ask for it anew" in page
    assert "Go on" not in page
    assert people.search(owner.grant, "列").found == 4
    with shop(made.id):
        assert booked() == []
    again, anew = begun(three, *rows)
    assert anew != there
    assert run(made, int(anew.rpartition("/")[2])).odd == 0
    assert people.search(owner.grant, "列").found == 6
    with shop(made.id):
        assert len(booked()) == 6
    work.undo(made.id, int(anew.rpartition("/")[2]), now=NOON, by="staff:aoi.salon")
    assert again != address


def test_all_are_in_when_the_list_ends_after_the_last_of_them(
    three: dict[str, Person], made: Salon, module_vault: VaultProcess
) -> None:
    """Who came is written down, so the bookings go on, whatever has become of the list."""
    address, there = begun(three, _booking(0, day="2026/12/17", who="終 一", mail="owari@x.example"))
    step(made, there)
    transfer = address.rpartition("/")[2]
    sql(module_vault, "UPDATE vault.transfer SET expires_at = 1 WHERE transfer = %s", transfer)
    one = run(made, int(there.rpartition("/")[2]))
    assert (one.state, one.done, one.odd) == ("done", 1, 0)


def test_one_bad_line_holds_all_bookings(three: dict[str, Person], made: Salon) -> None:
    """It is told of with its line and what is wrong, at the look and when it is taken; nothing is left."""
    owner = three["aoi"]
    rows = [
        _booking(0, who="良 一"),
        _booking(4, who="悪 一", mail="nowhere", phone="12"),
        _booking(8, id="N0", who="", mail=""),
    ]
    _, page = looked(owner, file(BOOK, *rows), kind="bookings")
    assert "One bad line holds all" in page
    faults = re.findall(r"<li>(Line [^<]+)</li>", page.partition('class="faults"')[2])
    assert faults == [
        "Line 3: Mail is no mail address",
        "Line 3: Phone is no phone number; a number of another country begins with +",
        "Line 4: Name is missing",
    ]
    assert counted(page)["Lines with faults"] == "2"
    assert 'value="ask"' not in page
    transfer = people.ask_import(
        owner.grant,
        fields=["name", "mail", "phone"],
        rows=3,
        about=about("\r\n".join([BOOK, *rows]).encode()),
        reason="moving",
        words="x",
    )
    names = ["date", "time", "service", "staff", "id", "name", "phone", "mail"]
    readings.keep(made.id, transfer, Reading.said("bookings", "utf-8", ",", names), now=NOON)
    refused = owner.client.post(f"{HERE}/{transfer}/take", {"file": file(BOOK, *rows)})
    assert refused.status_code == 422
    page = refused.content.decode()
    assert "Nothing was taken" in page
    assert "Line 4: Name is missing" in page
    assert work.of_transfer(made.id, transfer) == []
    assert people.search(owner.grant, "良 一").found == 0
