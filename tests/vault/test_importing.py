"""Importing: row by row, by key, quickly."""

import itertools

import pytest

from noren import people
from noren.people import BadRow, Row
from tests.servers import VaultProcess
from tests.vault.cast import SALON, Cast, customer, in_parallel, sql

BAD = [
    Row("b1", {"name": "", "mail": "a@example.jp"}),
    Row("b2", {"name": "花子", "mail": "nowhere", "phone": "12"}),
    Row("b3", {"name": "あ" * 201}),
]


_shops = itertools.count(100)


@pytest.fixture
def shop() -> int:
    """A shop of this test's own, on the module's vault."""
    return next(_shops)


def _count(vault: VaultProcess, shop: int) -> int:
    [[count]] = sql(vault, "SELECT count(DISTINCT key_hash) FROM vault.person WHERE shop_id = %s", shop)
    return int(count)


def _entries(vault: VaultProcess, shop: int) -> list[int]:
    people.doctor()
    query = (
        "SELECT count(p.person) FROM vault.ledger_entry e JOIN vault.ledger_person p USING (entry) "
        "WHERE e.kind = 'import' AND e.shop_id = %s GROUP BY e.entry ORDER BY e.entry"
    )
    return [row[0] for row in sql(vault, query, shop)]


def test_it_takes_the_good_and_names_the_bad(module_vault: VaultProcess, shop: int) -> None:
    """Good rows are imported, each bad field has its row's key and a reason."""
    done = people.import_rows(shop, [Row("g1", customer(1)), *BAD, Row("g2", customer(2))])
    assert set(done.persons) == {"g1", "g2"}
    assert done.bad == (
        BadRow("b1", "name", "empty"),
        BadRow("b2", "mail", "mail"),
        BadRow("b2", "phone", "phone"),
        BadRow("b3", "name", "too_long"),
    )


def test_it_takes_none_when_one_is_bad_and_all_are_wanted(module_vault: VaultProcess, shop: int) -> None:
    """All or nothing: one bad row, and nothing was written, over several requests too."""
    rows = [Row(f"r{n}", customer(n)) for n in range(1200)]
    done = people.import_rows(shop, [*rows, BAD[0]], all_or_nothing=True)
    assert (done.persons, done.bad) == ({}, (BadRow("b1", "name", "empty"),))
    assert _count(module_vault, shop) == 0
    assert len(people.import_rows(shop, rows, all_or_nothing=True).persons) == 1200


def test_it_doubles_nobody_when_run_twice(module_vault: VaultProcess, shop: int) -> None:
    """A second run gives the same ids, changes nothing and imports only what is new."""
    rows = [Row(f"r{n}", customer(n)) for n in range(700)]
    first = people.import_rows(shop, rows)
    second = people.import_rows(shop, [*rows, Row("new", customer(700))])
    assert second.persons.items() >= first.persons.items()
    assert _count(module_vault, shop) == 701


def test_it_writes_at_most_five_hundred_persons_to_an_entry(module_vault: VaultProcess, shop: int) -> None:
    """1,200 rows are three entries with each person named once."""
    people.import_rows(shop, [Row(f"r{n}", customer(n)) for n in range(1200)])
    assert _entries(module_vault, shop) == [500, 500, 200]


def test_it_records_what_passes_by_a_second_time(module_vault: VaultProcess, shop: int) -> None:
    """The values came in again, stored or not: each run is an entry with all of its persons."""
    rows = [Row(f"r{n}", customer(n)) for n in range(3)]
    people.import_rows(shop, rows)
    people.import_rows(shop, [*rows, Row("new", customer(3))])
    people.import_rows(shop, rows)
    assert _entries(module_vault, shop) == [3, 4, 3]


def test_it_imports_the_same_rows_at_once_by_several(module_vault: VaultProcess, shop: int) -> None:
    """Four imports of the same rows at the same time give everybody once, and all the same ids."""
    rows = [Row(f"r{n}", customer(n)) for n in range(300)]
    done = in_parallel(4, lambda _: people.import_rows(shop, rows).persons)
    assert all(one == done[0] for one in done)
    assert _count(module_vault, shop) == 300


def test_it_names_a_key_that_comes_twice(module_vault: VaultProcess, shop: int) -> None:
    """Of two rows with one key the first is taken and the second named."""
    done = people.import_rows(shop, [Row("k", customer(1)), Row("k", customer(2))])
    assert (set(done.persons), done.bad) == ({"k"}, (BadRow("k", "key", "double"),))


def test_it_reports_its_progress(module_vault: VaultProcess, shop: int) -> None:
    """The steps told add up to the rows."""
    steps: list[int] = []
    people.import_rows(shop, [Row(f"r{n}", customer(n)) for n in range(1100)], progress=steps.append)
    assert steps == [500, 500, 100]


def test_it_keeps_the_imported(cast: Cast) -> None:
    """Imported persons need no keeping and can be seen at once."""
    done = people.import_rows(SALON, [Row("kept", customer(9))])
    told = people.reveal(cast.staff.grant, "customer", [done.persons["kept"]], ["mail", "phone"])
    assert told.persons[done.persons["kept"]] == {"mail": "hanako9@example.jp", "phone": "090-1234-0009"}


@pytest.mark.parametrize("row", [Row("", customer(1)), Row("x" * 201, customer(1))])
def test_it_refuses_a_key_that_is_none(module_vault: VaultProcess, shop: int, row: Row) -> None:
    """A row's key is the importer's own duty: without one nothing could be run twice."""
    with pytest.raises(RuntimeError, match="key"):
        people.import_rows(shop, [row])
