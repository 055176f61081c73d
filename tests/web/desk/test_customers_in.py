"""A list of customers comes in by the real worker, which is killed on the way: nobody is lost, or doubled."""

from pathlib import Path

import pytest

from noren import people
from noren.booking import work
from noren.booking.models import WorkState
from noren.people import lists
from tests.api.salon import NOON, Salon
from tests.killable import working
from tests.servers import AppDatabase, Sink, VaultProcess, wait_for
from tests.vault.cast import customer
from tests.web.desk.test_budget import Person

ROWS = 600
BY = "staff:aoi.salon"
WHY = {"reason": "moving", "words": "引っ越し"}
FIELDS = ("name", "kana", "mail", "phone")


@pytest.fixture
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
    """Ask, agree, and leave the rows in the vault; gives the import."""
    owner, manager = two
    transfer = people.ask_import(owner.grant, fields=FIELDS, rows=len(rows), about="", **WHY)
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
