"""Searching by any part: every spelling finds, every change is followed, every search is on record."""

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from noren import errors, people
from noren.people import Row
from noren_vault import own_records
from noren_vault.errors import LedgerUnavailable
from noren_vault.people import People
from noren_vault.vault import Vault
from tests.servers import VaultProcess, wait_for
from tests.vault.cast import SALON, YOGA, Cast, customer, customers, sql
from tests.vault.conftest import Bench, ask

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
    "渡邊",
    "花子 渡邊",
    "たなべ",
    "ﾅﾍﾞ",
    "8765",
    "090-8765",
    "65-43",
    "090 8765 43",
    "090ー8765",
    "+81 (0)90 8765",
    "+8190876",
    "ANAKO.W",
    "ko.w@exam",
    "ワタ 4321",
    "渡　hanako.w　８７６５",
]

_BUILDS = (
    "SELECT e.actor, e.shop_id, e.note, e.outcome, e.fields, array_agg(p.person) "
    "FROM vault.ledger_entry e LEFT JOIN vault.ledger_person p USING (entry) "
    "WHERE e.kind = 'search_build' GROUP BY e.entry ORDER BY e.entry"
)


@pytest.fixture(scope="module", autouse=True)
def _hanako(cast: Cast) -> None:
    people.import_rows(SALON, [Row("hanako", HANAKO)])


@pytest.mark.parametrize("query", QUERIES)
def test_it_finds_by_every_spelling(cast: Cast, query: str) -> None:
    """Half and full width, hiragana and katakana, hyphens and country code: the same person."""
    found = people.search(cast.staff.grant, query)
    assert list(found.persons.values()) == [{"name": HANAKO["name"], "kana": HANAKO["kana"]}]
    assert found.found == 1


@pytest.mark.parametrize(
    "query",
    [
        "渡辺",
        "花子渡邊",
        "87654321x",
        "渡邊 一郎",
        "4321 8765",
        "+80",
        "%",
        "'; --",
        "x" * 300,
        "\x01",
    ],
)
def test_it_finds_nobody_by_what_is_not_there(cast: Cast, query: str) -> None:
    """Another character, another order within a word, one word too many, signs, control characters."""
    assert people.search(cast.staff.grant, query).found == 0


def test_it_finds_nobody_of_another_shop(cast: Cast) -> None:
    """The text is the shop's own."""
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
    [found] = sql(module_vault, "SELECT kind, ref, note FROM vault.ledger_entry WHERE entry = %s", told.entry)
    assert found == ("search", "", "found:0")


def test_it_finds_the_new_and_not_the_old_value_after_an_update(cast: Cast) -> None:
    """The text follows an update, and forgets a removed value."""
    [person] = customers(SALON, 600, 1)
    people.update(cast.staff.grant, person, {"mail": "moved@example.jp", "phone": ""})
    assert list(people.search(cast.staff.grant, "moved@example.jp").persons) == [person]
    assert not people.search(cast.staff.grant, "hanako600@example.jp").persons
    assert not people.search(cast.staff.grant, "090-1234-0600").persons


def test_it_shows_twenty_at_most_and_tells_how_many_there_are(cast: Cast, module_vault: VaultProcess) -> None:
    """Many of one name: twenty are shown, all are counted, on record, too; more cannot be asked for."""
    people.import_rows(YOGA, [Row(f"same{n}", {"name": "鈴木 一郎"}) for n in range(25)])
    told = people.search(cast.outsider.grant, "鈴木一郎")
    assert (len(told.persons), told.found) == (20, 25)
    fewer = people.search(cast.outsider.grant, "鈴木一郎", limit=3)
    assert (len(fewer.persons), fewer.found) == (3, 25)
    assert list(fewer.persons) == list(told.persons)[:3]
    with pytest.raises(errors.BudgetExceeded):
        people.search(cast.outsider.grant, "鈴木一郎", limit=21)
    people.doctor()
    notes = sql(module_vault, "SELECT note FROM vault.ledger_entry WHERE entry = %s", told.entry)
    assert notes == [("found:25",)]


def test_it_lists_who_begins_so_first_then_by_kana(cast: Cast) -> None:
    """A name that begins with what is asked for comes before one that only holds it; each part by kana."""
    rows = {
        "a": ("小本田", "コホンダ"),
        "b": ("本田 二", "ホンダ ニ"),
        "c": ("本田 一", "ホンダ イチ"),
        "d": ("山本田", "ヤマホンダ"),
    }
    people.import_rows(YOGA, [Row(f"o{key}", {"name": n, "kana": k}) for key, (n, k) in rows.items()])
    for query in ("本田", "ﾎﾝﾀﾞ"):
        told = people.search(cast.outsider.grant, query)
        assert [one["name"] for one in told.persons.values()] == ["本田 一", "本田 二", "小本田", "山本田"]


def test_it_debits_who_was_found(cast: Cast) -> None:
    """A person found is a person seen."""
    signed = cast.manager.sign_in()
    before = people.search(signed.grant, "居ない人").budget
    after = people.search(signed.grant, "渡邊花子").budget
    assert (after.today, after.left) == (before.today + 1, before.left - 1)


def test_it_records_that_everybody_was_opened_for_it(fresh_cast: Cast, vault: VaultProcess) -> None:
    """Making the text is the vault's act, once; a change opens the changed alone; nobody was told either."""
    person = fresh_cast.customers[3]
    people.search(fresh_cast.staff.grant, "hanako3@")
    people.search(fresh_cast.staff.grant, "hanako3@")
    people.update(fresh_cast.staff.grant, person, {"mail": "new3@example.jp"})
    people.search(fresh_cast.staff.grant, "new3@")
    fields = ["name", "kana", "mail", "phone", "guests", "tags"]
    wanted = [
        ("vault", SALON, "everybody", "done", fields, [None]),
        ("vault", SALON, "changed", "done", fields, [person]),
    ]
    # The outcomes come a moment after.
    wait_for(lambda: sql(vault, _BUILDS) == wanted)


def test_it_makes_no_text_without_the_ledger(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """While no entry can be written nobody is opened, neither for the text nor for what was changed."""
    opened: list[str] = []
    real = People.open

    def watched(self: People, shop: int, sealed: Any, names: Any) -> Any:
        opened.append(sealed.person)
        return real(self, shop, sealed, names)

    async def act(vault: Vault) -> None:
        for path in (bench.configured.ledger / "segments").iterdir():
            path.unlink()
        with pytest.raises(LedgerUnavailable):
            await vault.search.find(SALON, "山田", 20)
        assert not opened

    bench.run(_three)
    monkeypatch.setattr(People, "open", watched)
    bench.run(act)


async def _three(vault: Vault, shop: int = SALON) -> list[str]:
    rows = [{"key": f"k{n}", "fields": customer(n)} for n in range(3)]
    done = await ask(vault, "import", shop=shop, rows=rows)
    return list(done["persons"].values())


def test_it_forgets_who_was_erased_at_once(bench: Bench) -> None:
    """What was erased is out of the memory when the erasure is done, not at the next search."""

    async def act(vault: Vault) -> None:
        first, *_ = await _three(vault)
        assert (await vault.search.find(SALON, "山田", 20)).number == 3
        hay = vault.search._shops[SALON].hay
        assert hay is not None
        assert b"hanako0@" in hay._text
        async with vault.records._database.transaction() as connection:
            await vault.records._people.destroy(connection, SALON, [first])
        assert b"hanako0@" not in hay._text
        assert (await vault.search.find(SALON, "山田", 20)).number == 2

    bench.run(act)


def test_it_lets_go_of_the_shop_searched_longest_ago(bench: Bench) -> None:
    """Together the texts stay below the bound; one that is searched again is made again."""
    bench.configured = replace(bench.configured, search_bytes=900)

    async def act(vault: Vault) -> None:
        for shop in (1, 2, 3):
            await _three(vault, shop)
        for shop in (1, 2, 1, 3):
            assert (await vault.search.find(shop, "hanako1@", 20)).number == 1
        assert list(vault.search.held) == [1, 3]
        assert sum(vault.search.held.values()) <= 900

    bench.run(act)


def test_it_lets_go_of_what_nobody_searches(bench: Bench) -> None:
    """An hour after the last search nothing is held in clear."""

    async def act(vault: Vault) -> None:
        await _three(vault)
        await vault.search.find(SALON, "山田", 20)
        bench.clock += 3_599_999
        vault.search.forget_idle()
        assert list(vault.search.held) == [SALON]
        bench.clock += 1
        vault.search.forget_idle()
        assert not vault.search.held

    bench.run(act)


def test_it_finds_the_whole_mail_by_its_token(bench: Bench) -> None:
    """The blind index knows a mail: whole, in any case, in its own shop."""

    async def act(vault: Vault) -> None:
        first, *_ = await _three(vault)
        people = vault.records._people
        database, keys = people._database, people._keys
        assert await own_records.whose(database, keys, SALON, "HANAKO0@example.jp") == first
        assert await own_records.whose(database, keys, SALON, "hanako0@example") is None
        assert await own_records.whose(database, keys, YOGA, "hanako0@example.jp") is None

    bench.run(act)


def test_it_needs_the_key_to_be_searched(module_vault: VaultProcess) -> None:
    """Only mails have a token, and nobody can compute one without the key."""
    fields = sql(module_vault, "SELECT DISTINCT field FROM vault.blind")
    tokens = {bytes(row[0]) for row in sql(module_vault, "SELECT token FROM vault.blind")}
    assert fields == [("mail",)]
    for text in ("hanako.w@example.jp", f"mail\x00{SALON}\x00hanako.w@example.jp"):
        assert hashlib.sha256(text.encode()).digest() not in tokens
