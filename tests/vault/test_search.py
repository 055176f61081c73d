"""Searching by the blind index: every spelling finds, and every search is on record."""

import pytest

from noren import errors, people
from noren.people import Row
from tests.servers import VaultProcess
from tests.vault.cast import SALON, YOGA, Cast, customers, sql

HANAKO = {
    "name": "渡邊 花子",
    "kana": "ワタナベ ハナコ",
    "mail": "Hanako.W@Example.jp",
    "phone": "０９０－８７６５－４３２１",
}
QUERIES = [
    "渡邊 花子",
    "渡邊花子",
    "渡邊　花子",
    "わたなべはなこ",
    "ワタナベ　ハナコ",
    "ﾜﾀﾅﾍﾞ ﾊﾅｺ",
    "hanako.w@example.jp",
    "ＨＡＮＡＫＯ.W@example.jp",
    "09087654321",
    "090-8765-4321",
    "+81 90 8765 4321",
    "０９０８７６５４３２１",
]


@pytest.fixture(scope="module", autouse=True)
def _hanako(cast: Cast) -> None:
    people.import_rows(SALON, [Row("hanako", HANAKO)])


@pytest.mark.parametrize("query", QUERIES)
def test_it_finds_by_every_spelling(cast: Cast, query: str) -> None:
    """Half and full width, hiragana and katakana, hyphens and country code: the same person."""
    found = people.search(cast.staff.grant, query)
    assert list(found.persons.values()) == [{"name": HANAKO["name"], "kana": HANAKO["kana"]}]


@pytest.mark.parametrize("query", ["渡邊", "わたなべ", "花子渡邊", "8765", "hanako", "%", "'; --", "x" * 300])
def test_it_finds_only_the_whole(cast: Cast, query: str) -> None:
    """A part of a name, mail or phone finds nobody: the index holds whole values only."""
    assert not people.search(cast.staff.grant, query).persons


def test_it_finds_nobody_of_another_shop(cast: Cast) -> None:
    """The same name in another shop is another token."""
    assert not people.search(cast.outsider.grant, "渡邊花子").persons


def test_it_finds_nobody_who_never_finished_booking(cast: Cast) -> None:
    """A provisional person belongs to no shop yet; once kept, she is found."""
    person = people.put(SALON, "half-way", {"name": "途中 止子", "mail": "tochu@example.jp"})
    assert people.search(cast.staff.grant, "tochu@example.jp").persons == {}
    people.keep(SALON, person)
    assert list(people.search(cast.staff.grant, "tochu@example.jp").persons) == [person]


def test_it_finds_no_member(cast: Cast) -> None:
    """Who works for the shop is in no search."""
    assert not people.search(cast.owner.grant, "ren@staff.example.jp").persons


def test_it_records_a_search_that_found_nobody(cast: Cast, module_vault: VaultProcess) -> None:
    """Finding nobody tells something, too: the entry is there, without the query."""
    told = people.search(cast.staff.grant, "居ない人")
    people.doctor()
    [[kind, ref]] = sql(module_vault, "SELECT kind, ref FROM vault.ledger_entry WHERE entry = %s", told.entry)
    assert (kind, ref) == ("search", "")


def test_it_finds_the_new_and_not_the_old_value_after_an_update(cast: Cast) -> None:
    """The index follows an update, and forgets a removed value."""
    [person] = customers(SALON, 600, 1)
    people.update(cast.staff.grant, person, {"mail": "moved@example.jp", "phone": ""})
    assert list(people.search(cast.staff.grant, "moved@example.jp").persons) == [person]
    assert not people.search(cast.staff.grant, "hanako600@example.jp").persons
    assert not people.search(cast.staff.grant, "090-1234-0600").persons


def test_it_shows_twenty_at_most(cast: Cast) -> None:
    """Many of one name: twenty are shown, more cannot be asked for."""
    people.import_rows(YOGA, [Row(f"same{n}", {"name": "鈴木 一郎"}) for n in range(25)])
    assert len(people.search(cast.outsider.grant, "鈴木一郎").persons) == 20
    assert len(people.search(cast.outsider.grant, "鈴木一郎", limit=3).persons) == 3
    with pytest.raises(errors.BudgetExceeded):
        people.search(cast.outsider.grant, "鈴木一郎", limit=21)


def test_it_debits_who_was_found(cast: Cast) -> None:
    """A person found is a person seen."""
    signed = cast.manager.sign_in()
    before = people.search(signed.grant, "居ない人").budget
    after = people.search(signed.grant, "渡邊花子").budget
    assert (after.today, after.left) == (before.today + 1, before.left - 1)


def test_it_needs_the_key_to_be_searched(module_vault: VaultProcess) -> None:
    """Nobody can find a phone in the tables by computing hashes of phones without the key."""
    import hashlib  # noqa: PLC0415 - what the attacker has

    tokens = {bytes(row[0]) for row in sql(module_vault, "SELECT token FROM vault.blind")}
    for text in ("+819087654321", "09087654321", f"phone\x00{SALON}\x00+819087654321"):
        assert hashlib.sha256(text.encode()).digest() not in tokens
