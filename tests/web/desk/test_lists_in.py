"""A list comes in by the real worker, which is killed on the way: nothing is lost or doubled."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from noren import people
from noren.booking import incoming, work
from noren.booking.models import Booking, LineState, Status, Work, WorkLine, WorkState
from noren.people import lists
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon
from tests.killable import working
from tests.servers import AppDatabase, Sink, VaultProcess, wait_for
from tests.vault.cast import customer, sql
from tests.web.desk.test_budget import Person

ROWS = 600
BOOKED = 240
A_PIECE = 20
SECRET = b"i" * 32
# The worker finds the persons of a line by the tests' own secret.
SAME_SECRET = f"settings.IDEMPOTENCY_KEY = {SECRET!r}\n"
BY = "staff:aoi.salon"
WHY = {"reason": "moving", "words": "引っ越し"}
FIELDS = ("name", "kana", "mail", "phone")


@pytest.fixture(scope="module")
def two(made: Salon, module_vault: VaultProcess, module_mail: Sink) -> tuple[Person, Person]:
    """The owner, and the manager who agrees."""
    assert module_vault
    roles = {"aoi": "owner", "mei": "manager"}
    members = [people.Member(name, role, name, name, f"{name}@salon.example") for name, role in roles.items()]
    people.found_shop(made.id, made.slug, members)
    invited = {message["To"]: message.get_content() for message in module_mail.messages}
    links = [invited[f"{name}@salon.example"].partition("/join#")[2].split()[0] for name in roles]
    return Person(links[0]), Person(links[1])


def left(two: tuple[Person, Person], rows: list[people.Row]) -> str:
    """Ask, have it agreed to where that is needed, and leave the rows in the vault; gives the import."""
    owner, manager = two
    transfer = people.ask_import(owner.grant, fields=FIELDS, rows=len(rows), about="", **WHY)
    if len(rows) > lists.ALONE:
        options = people.agree_begin(manager.grant, transfer)
        people.agree_finish(manager.grant, transfer, manager.passkey.get(options))
    assert lists.leave_import(owner.grant, transfer, rows, join=False) == ()
    return transfer


def test_a_killed_worker_loses_nobody_and_doubles_nobody(
    two: tuple[Person, Person],
    made: Salon,
    module_app_db: AppDatabase,
    module_vault: VaultProcess,
    tmp_path: Path,
) -> None:
    """Killed twice, once with the vault: all are there once, under one import, none at two steps."""
    owner = two[0]
    transfer = left(two, [people.Row(f"c{number}", customer(number)) for number in range(ROWS)])
    one = work.bring_customers(made.id, transfer, ROWS, now=NOON, by=BY)
    reached = 0
    for kills in range(2):
        with working(module_app_db, tmp_path, vault=module_vault) as process:
            wait_for(lambda: work.one(made.id, one.id).done > reached)  # noqa: B023 - asked at once
            process.kill()
            if kills == 1:
                module_vault.kill()
        if kills == 1:
            module_vault.start()
        reached = work.one(made.id, one.id).done
    assert work.one(made.id, one.id).state == WorkState.RUNNING
    assert 0 < reached < ROWS
    with working(module_app_db, tmp_path, vault=module_vault):
        wait_for(lambda: work.one(made.id, one.id).state == WorkState.DONE)
    assert work.one(made.id, one.id).done == ROWS
    brought = dict(lists.import_brought(owner.grant, transfer))
    assert len(brought) == ROWS
    assert all(brought.values())
    found = people.search(owner.grant, "hanako").found
    assert found == ROWS


def lines_of(made: Salon, rows: Sequence[people.Row], first: datetime) -> list[WorkLine]:
    """A booking for each of them, three at an hour, one of each who serves."""
    return [
        WorkLine(
            shop_id=made.id,
            line=n + 2,
            key=f"{row.key} {first}",
            service_id=made.cut,
            asked_staff_id=made.staff[n % 3],
            start=first + timedelta(hours=n // 3),
            person_key=incoming.person_key(made.id, row.key, SECRET),
            state=LineState.WAITING,
        )
        for n, row in enumerate(rows)
    ]


def soon(days: int) -> datetime:
    """A full hour some days from now, by the worker's clock."""
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=days)


def test_a_killed_worker_loses_no_booking_and_doubles_none(
    two: tuple[Person, Person],
    made: Salon,
    module_app_db: AppDatabase,
    module_vault: VaultProcess,
    tmp_path: Path,
    *,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Killed twice while customers come in, once with the vault, and once among the bookings: each person and
    each booking is there once, and it is hers.
    """
    monkeypatch.setattr(lists, "ROWS_A_STEP", A_PIECE)
    rows = [people.Row(f"b{number}", customer(2000 + number)) for number in range(BOOKED)]
    transfer = left(two, rows)
    ask = work.Ask(transfer, lines_of(made, rows, soon(3)), BOOKED)
    number = work.bring(made.id, ask, now=NOON, by=BY).id

    def now() -> Work:
        return work.one(made.id, number)

    reached = 0
    for kills in range(2):
        with working(module_app_db, tmp_path, more=SAME_SECRET, vault=module_vault) as process:
            wait_for(lambda: work.customers(now())[0] > reached)  # noqa: B023 - asked at once
            process.kill()
            if kills == 1:
                module_vault.kill()
        if kills == 1:
            module_vault.start()
        reached = work.customers(now())[0]
    assert work.customers_first(now())
    assert 0 < reached < BOOKED
    with working(module_app_db, tmp_path, more=SAME_SECRET, vault=module_vault) as process:
        wait_for(lambda: now().done > 0)
        process.kill()
    assert now().state == WorkState.RUNNING
    assert 0 < now().done < BOOKED
    with working(module_app_db, tmp_path, more=SAME_SECRET, vault=module_vault):
        wait_for(lambda: now().state == WorkState.DONE)
    assert (now().done, now().odd) == (BOOKED, 0)
    brought = dict(lists.import_brought(two[0].grant, transfer))
    with shop(made.id):
        made_of = list(WorkLine.objects.filter(work_id=number, state=LineState.MADE).order_by("line"))
        booked = dict(Booking.objects.filter(status=Status.CONFIRMED).values_list("id", "person_id"))
    assert len(brought) == len(made_of) == len(booked) == BOOKED
    assert set(booked.values()) == set(brought)
    assert [booked[each.booking_id or 0] for each in made_of] == [each.person_id for each in made_of]
    some = {made_of[n].person_id or UUID(int=0): n for n in range(0, BOOKED, 12)}
    told = people.reveal(two[0].grant, people.Purpose.CUSTOMER, list(some), ["mail"]).persons
    assert {one: values["mail"] for one, values in told.items()} == {
        one: customer(2000 + n)["mail"] for one, n in some.items()
    }


def dies(made: Salon, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Do a step that dies when the vault has told who came, before that is written down."""

    def dead(*_: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(work, "_came", dead)
        with pytest.raises(SystemExit):
            work.step(made.id, number, now=NOON)


@pytest.mark.parametrize("hasty", [False, True])
def test_the_vault_keeps_a_piece_until_its_ids_are_written_down(
    two: tuple[Person, Person],
    made: Salon,
    module_vault: VaultProcess,
    monkeypatch: pytest.MonkeyPatch,
    *,
    hasty: bool,
) -> None:
    """Died in between, all is told once more. The twin: a vault that lets go at once, and of whom it told
    nobody knows any more.
    """
    monkeypatch.setattr(lists, "ROWS_A_STEP", A_PIECE)
    rows = [people.Row(f"k{hasty}{n}", customer(4000 + 100 * hasty + n)) for n in range(45)]
    transfer = left(two, rows)
    ask = work.Ask(transfer, lines_of(made, rows, NOON + timedelta(days=30 + 10 * hasty)), len(rows))
    number = work.bring(made.id, ask, now=NOON, by=BY).id
    dies(made, number, monkeypatch)
    if hasty:
        sql(module_vault, "DELETE FROM vault.transfer_rows WHERE transfer = %s AND place = 0", transfer)
    while work.one(made.id, number).state == WorkState.RUNNING:
        work.step(made.id, number, now=NOON)
    lost = A_PIECE if hasty else 0
    assert dict(work.counts(made.id, number)) == ({"made": 45 - lost, "odd": lost} if hasty else {"made": 45})
    assert {each.why for each in work.odd_lines(made.id, number, 100)} == ({"person"} if hasty else set())
    assert len(dict(lists.import_brought(two[0].grant, transfer))) == 45
