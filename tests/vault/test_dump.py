"""What a thief of the vault's database has: ciphertext."""

import hashlib
import random
import secrets
import unicodedata
from collections.abc import Iterator

import jaconv
import psycopg
import pytest

from noren import people
from noren.people import Purpose, Row
from noren_vault import sealing
from tests.environment import GIVEN, PATHS
from tests.servers import VaultProcess, wait_for
from tests.vault.cast import SALON, Cast, sql

_FAMILY = ["佐藤", "鈴木", "高橋", "田中", "渡邊", "伊藤", "山本", "中村", "小林", "加藤"]
_KANA = [
    "サトウ",
    "スズキ",
    "タカハシ",
    "タナカ",
    "ワタナベ",
    "イトウ",
    "ヤマモト",
    "ナカムラ",
    "コバヤシ",
    "カトウ",
]
_GIVEN = ["花子", "一郎", "美咲", "大輔", "陽菜"]
_GIVEN_KANA = ["ハナコ", "イチロウ", "ミサキ", "ダイスケ", "ヒナ"]


def _seeded(number: int) -> dict[str, str]:
    chance = random.Random(number)
    family, given = chance.randrange(10), chance.randrange(5)
    return {
        "name": f"{_FAMILY[family]} {_GIVEN[given]}{number:03d}",
        "kana": f"{_KANA[family]} {_GIVEN_KANA[given]}{number:03d}",
        "mail": f"seeded.{number:03d}.{chance.randrange(10**6)}@example.jp",
        "phone": f"090-{chance.randrange(1000, 9999)}-{number:04d}",
        "card_last4": f"{chance.randrange(10**4):04d}",
        "note": f"覚書-{number:03d}-{chance.randrange(10**6)}",
        "answers": f"回答-{number:03d}-{chance.randrange(10**6)}",
        "health": f"持病-{number:03d}-{chance.randrange(10**6)}",
        "guests": f"同伴-{number:03d}-{chance.randrange(10**6)}",
        "tags": f"{chance.randrange(10**14, 10**15)}",
        "notes": f"控え-{number:03d}-{chance.randrange(10**6)}",
        "chart": f"施術-{number:03d}-{chance.randrange(10**6)}",
    }


def _spellings(text: str) -> Iterator[bytes]:
    """The ways a value could lie somewhere in clear."""
    wide = unicodedata.normalize("NFKC", text)
    if text.isdecimal() and len(text) == 4:
        # Four digits stand in many a number by chance: here as a value of their own.
        yield from (form.format(text).encode() for form in ('"{}"', "\t{}\t", 'text":"{}', "\t{}\n"))
        yield hashlib.sha256(text.encode()).digest()
        return
    forms = {text, wide, wide.casefold(), jaconv.kata2hira(wide), jaconv.z2h(wide), wide.replace(" ", "")}
    forms |= {wide.replace("-", ""), f"+81{wide.replace('-', '')[1:]}" if wide.startswith("090") else wide}
    for form in forms:
        raw = form.encode()
        yield raw
        yield form.encode("utf-16-le")
        yield hashlib.sha256(raw).digest()
        yield hashlib.sha256(raw).hexdigest().encode()


def _dump(vault: VaultProcess) -> bytes:
    """Every row of every table of the vault's database, as text and with its binary columns as they are."""
    tables = sql(
        vault,
        "SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname IN ('vault', 'keystore')",
    )
    assert {("vault.field",), ("keystore.person_key",)} <= set(tables)
    whole = bytearray()
    with psycopg.connect(vault.database_url) as connection:
        for (table,) in tables:
            for form in (b"text", b"binary"):
                words = b"COPY (SELECT * FROM " + table.encode() + b") TO STDOUT (FORMAT " + form + b")"
                with connection.cursor().copy(words) as copy:
                    whole += b"".join(copy)
    return bytes(whole)


@pytest.fixture
def values(fresh_cast: Cast) -> list[str]:
    """Two hundred persons: imported, put, changed, searched, revealed and mailed."""
    rows = [Row(f"key-{number:03d}", _seeded(number)) for number in range(150)]
    done = people.import_rows(SALON, rows)
    for number in range(150, 200):
        person = people.put(SALON, f"hold-{number}", _seeded(number), session=f"s{number}")
    people.update(fresh_cast.owner.grant, person, {"name": "改名 花子999", "mail": "renamed.999@example.jp"})
    people.search(fresh_cast.staff.grant, _seeded(7)["name"])
    people.reveal(
        fresh_cast.staff.grant, Purpose.CUSTOMER, list(done.persons.values())[:50], ["name", "mail"]
    )
    people.send(SALON, person, "booked:1", subject="x {name}", text="{kana}")
    return [text for number in range(200) for text in _seeded(number).values()] + [
        "改名 花子999",
        "renamed.999@example.jp",
    ]


def test_it_leaves_no_plaintext_in_its_database(values: list[str], vault: VaultProcess) -> None:
    """No seeded value, in any spelling, encoding or plain hash, is in any row of any table."""
    dump = _dump(vault)
    assert b"aoi.salon" in dump
    assert not [text for text in values for form in _spellings(text) if form in dump]


def test_it_leaves_no_plaintext_in_its_ledger_and_log(values: list[str], vault: VaultProcess) -> None:
    """The ledger's files, which anybody may read, and the log hold none either."""
    files = b"".join(path.read_bytes() for path in vault.ledger.rglob("*") if path.is_file())
    whole = files + vault.log.encode()
    assert b"aoi.salon" in whole
    assert not [text for text in values for form in _spellings(text) if form in whole]


def test_it_would_find_a_plaintext(values: list[str], vault: VaultProcess) -> None:
    """The control: one value written in clear into any table is found by the same search."""
    sql(vault, "UPDATE vault.message SET reason = %s", values[0])
    dump = _dump(vault)
    assert [form for form in _spellings(values[0]) if form in dump]


def test_it_gives_no_way_from_hashes_to_mails(values: list[str], vault: VaultProcess) -> None:
    """Hashes of every mail there could be, without the key, match no token: here of all that are stored."""
    tokens = {bytes(row[0]) for row in sql(vault, "SELECT token FROM vault.blind")}
    mails = [text for text in values if "@" in text]
    for shape in ("{}", "mail\x00" + str(SALON) + "\x00{}", "mail{}", "{}\n"):
        assert not tokens & {hashlib.sha256(shape.format(one).encode()).digest() for one in mails}
    assert len(tokens) > 200


def test_it_says_nothing_of_a_phone(values: list[str], vault: VaultProcess) -> None:
    """Nothing in the tables depends on a phone but its sealed value: no number can be tried out at all."""
    assert sql(vault, "SELECT DISTINCT field FROM vault.blind") == [("mail",)]
    columns = sql(
        vault,
        "SELECT table_name, column_name FROM information_schema.columns "
        "WHERE table_schema = 'vault' AND table_name IN ('person', 'field', 'blind') AND data_type = 'bytea'",
    )
    assert set(columns) == {
        ("person", "key_hash"), ("person", "content"), ("field", "sealed"), ("blind", "token"),
        ("person", "index_key"), ("blind", "index_key"),
    }  # fmt: skip


def test_it_stands_against_trying_mails_with_another_key(values: list[str], vault: VaultProcess) -> None:
    """Tokens are whole HMACs: with a wrong key no mail matches, with the right one every stored one."""
    tokens = {bytes(row[0]) for row in sql(vault, "SELECT token FROM vault.blind")}
    stored = [text for text in values if "@" in text and text != _seeded(199)["mail"]]  # it was changed
    tried = (f"seeded.{number // 1000:03d}.{number % 1000}@example.jp" for number in range(100_000))
    assert {len(token) for token in tokens} == {32}
    wrong = sealing.index_key(b"\0\0\0\1", secrets.token_bytes(32))
    assert not tokens & {wrong.token("mail", SALON, one) for one in (*stored, *tried)}
    [path] = vault.keys.glob("index-*.key")
    right = sealing.index_key(b"\0\0\0\1", path.read_bytes())
    assert len(tokens & {right.token("mail", SALON, one) for one in stored}) == len(set(stored))


@pytest.mark.skipif(GIVEN.vault_database_url is not None, reason="another server's files are out of reach")
def test_it_leaves_no_plaintext_in_the_servers_files(fresh_cast: Cast, vault: VaultProcess) -> None:
    """The write-ahead log and the tables' files hold no value; one written in clear is found there."""
    [[oldest]] = sql(vault, "SELECT pg_walfile_name(pg_current_wal_lsn())")
    seeded = [_seeded(number) for number in range(400, 410)]
    people.import_rows(SALON, [Row(f"wal-{number}", one) for number, one in enumerate(seeded)])
    people.update(fresh_cast.owner.grant, fresh_cast.customers[0], {"note": "覚書-改めて-987654"})
    found = [text for one in seeded for name, text in one.items() if name != "card_last4"]
    found.append("覚書-改めて-987654")
    assert not _in_files(vault, found, oldest)
    sql(vault, "UPDATE vault.shop SET slug = %s WHERE slug = 'yoga'", found[0])
    assert _in_files(vault, found, oldest) == [found[0]]


def _in_files(vault: VaultProcess, texts: list[str], oldest: str) -> list[str]:
    """Which texts are in the database's tables or in the log from its `oldest` file on."""
    [[written]] = sql(vault, "SELECT pg_current_wal_insert_lsn()")
    wait_for(lambda: sql(vault, "SELECT pg_current_wal_flush_lsn() >= %s::pg_lsn", written) == [(True,)])
    [[database]] = sql(vault, "SELECT oid::text FROM pg_database WHERE datname = current_database()")
    log = [path for path in (PATHS.vault_pg / "pg_wal").iterdir() if len(path.name) == 24]
    files = [path for path in log if path.name >= oldest] + list(
        (PATHS.vault_pg / "base" / database).iterdir()
    )
    content = b"".join(path.read_bytes() for path in files)
    assert len(content) > 2**24
    return [text for text in texts if text.encode() in content or text.encode("utf-16-le") in content]
