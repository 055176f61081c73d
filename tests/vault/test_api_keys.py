"""Keys for programs at the vault: what each is good for, what ends it, what is on record."""

import zlib
from typing import Any

import psycopg
import pytest

from noren_vault import api_key_text
from noren_vault.api_keys import MOST, SCOPES
from noren_vault.errors import (
    ApiKeyRefused,
    BadRequest,
    BudgetHeld,
    FreshSignInNeeded,
    GrantRefused,
    NoSuchApiKey,
    NoSuchPerson,
    PurposeRefused,
    Replayed,
    ScopeNeeded,
    TooManyApiKeys,
    VaultError,
)
from noren_vault.freshness import FRESH_MS
from noren_vault.vault import Vault
from tests.servers import Sink
from tests.vault.accounts import PASSWORD, check, joined
from tests.vault.cast import SALON, YOGA, customer, invitation_of
from tests.vault.conftest import START, Bench, ask

DAY = 86_400_000
T0 = START / 1000
LABEL = "会計ソフト"
NOBODY = "00000000-0000-0000-0000-000000000000"


async def _grant(vault: Vault, mail: Sink) -> str:
    await joined(vault, mail, "aoi")
    return str((await check(vault, "aoi", session="a" * 32))["grant"])


async def _made(
    vault: Vault, grant: str, *scopes: str, days: int = 30, label: str = "会計ソフト"
) -> dict[str, Any]:
    return await ask(
        vault, "make_api_key", grant=grant, label=LABEL, scopes=list(scopes or SCOPES), days=days
    )


async def _use(vault: Vault, key: str, scope: str = "bookings:read", shop: int = SALON) -> dict[str, Any]:
    return await ask(vault, "use_api_key", key=key, shop=shop, scope=scope)


async def _reveal(vault: Vault, key: str, persons: list[str], **more: Any) -> dict[str, Any]:
    asked = {"shop": SALON, "purpose": "customer", "fields": ["name", "mail"]} | more
    asked.setdefault("nonce", str(len(vault.record.ledger.checkpoint()) + vault.record.ledger.size))
    return await ask(vault, "reveal_by_key", key=key, persons=persons, **asked)


async def _put(vault: Vault, number: int, shop: int = SALON) -> str:
    answer = await ask(vault, "put", shop=shop, key=f"k{number}", fields=customer(number))
    await ask(vault, "keep", shop=shop, person=answer["person"])
    return str(answer["person"])


async def _refuses(error: type[VaultError], deed: Any) -> VaultError:
    with pytest.raises(error) as caught:
        await deed
    return caught.value


async def _entries(vault: Vault, credential: str) -> list[tuple[str, str, str, str, str]]:
    await ask(vault, "scope", since=T0 - 1, until=T0 + 1e9, credential=credential)
    return [
        (one.kind, one.note, one.purpose, one.actor, one.ref)
        for _, one in vault.record.ledger.entries()
        if one.credential == credential
    ]


@pytest.mark.parametrize("shop", [1, 42, 9_999_999_999_999_999], ids=str)
def test_it_is_written_so_that_scanners_find_it(shop: int) -> None:
    """A stable word, the shop in clear, 256 bits, and a checksum that anybody can work out."""
    key = api_key_text.make(shop)
    word, number, chance, told = key.split("_")
    assert (word, number, len(chance), len(told)) == ("noren", str(shop), 43, 6)
    assert len(key) <= 100
    signs = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    total = 0
    for sign in told:
        total = total * 62 + signs.index(sign)
    assert total == zlib.crc32(key.rpartition("_")[0].encode())
    assert api_key_text.read(key)[0] == shop
    assert api_key_text.make(shop) != key


def test_it_refuses_every_other_sign(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sign changed, anywhere, is found by the checksum before any table is read."""
    key = api_key_text.make(7)
    for place in range(len(key)):
        other = key[:place] + ("a" if key[place] != "a" else "b") + key[place + 1 :]
        with pytest.raises(ApiKeyRefused):
            api_key_text.read(other)
    for wrong in (
        None,
        7,
        "",
        "noren_7",
        key + "a",
        key[:-1],
        f" {key}",
        key.replace("_7_", "_07_"),
        "x" * 5000,
    ):
        with pytest.raises(ApiKeyRefused):
            api_key_text.read(wrong)

    async def act(vault: Vault) -> None:
        async def never(*_: Any) -> None:
            raise AssertionError("a table was read")

        monkeypatch.setattr("noren_vault.database.Database.row", never)
        await _refuses(ApiKeyRefused, _use(vault, key[:-1] + ("a" if key[-1] != "a" else "b")))
        with pytest.raises(AssertionError, match="a table was read"):
            await _use(vault, key)
        monkeypatch.undo()

    bench.run(act)


def test_it_is_good_for_its_scopes_only(bench: Bench, mail: Sink) -> None:
    """Every set of scopes against every scope: what is not in it is refused, and known from no key."""

    async def act(vault: Vault) -> None:
        grant = await _grant(vault, mail)
        for number in range(1, 1 << len(SCOPES)):
            given = [one for place, one in enumerate(SCOPES) if number >> place & 1]
            key = (await _made(vault, grant, *given))["key"]
            for scope in SCOPES:
                if scope in given:
                    await _use(vault, key, scope)
                else:
                    refusal = await _refuses(ScopeNeeded, _use(vault, key, scope))
                    assert refusal.facts == {"scope": scope}
            if "people:read" not in given:
                person = await _put(vault, number)
                await _refuses(ScopeNeeded, _reveal(vault, key, [person]))

    bench.run(act)


def test_it_gives_one_refusal_for_all_reasons(bench: Bench, mail: Sink) -> None:
    """Unknown, another shop's, ended, expired: the same error with the same facts."""

    async def act(vault: Vault) -> None:
        grant = await _grant(vault, mail)
        ended, short = await _made(vault, grant), await _made(vault, grant, days=1)
        await _use(vault, ended["key"])
        await ask(vault, "end_api_key", grant=grant, name=ended["name"])
        bench.clock += DAY - 1
        await _use(vault, short["key"])
        bench.clock += 1
        forged = api_key_text.make(SALON)
        tries = [
            (ended["key"], SALON),
            (short["key"], SALON),
            (short["key"], YOGA),
            (forged, SALON),
            ("", SALON),
        ]
        refusals = [await _refuses(ApiKeyRefused, _use(vault, key, shop=shop)) for key, shop in tries]
        assert {(type(one), str(one.facts)) for one in refusals} == {(ApiKeyRefused, "{}")}
        for key, shop in tries:
            await _refuses(ApiKeyRefused, _reveal(vault, key, [NOBODY], shop=shop))

    bench.run(act)


def test_it_ends_for_the_next_use(bench: Bench, mail: Sink) -> None:
    """No clock is turned between the end and the refusal: nothing is kept that could say yes."""

    async def act(vault: Vault) -> None:
        grant = await _grant(vault, mail)
        made, person = await _made(vault, grant), await _put(vault, 1)
        await _use(vault, made["key"])
        await _reveal(vault, made["key"], [person])
        await ask(vault, "end_api_key", grant=grant, name=made["name"])
        await _refuses(ApiKeyRefused, _use(vault, made["key"]))
        await _refuses(ApiKeyRefused, _reveal(vault, made["key"], [person]))
        await ask(vault, "end_api_key", grant=grant, name=made["name"])
        noted = [one[:2] for one in await _entries(vault, made["name"])]
        assert noted.count(("register", "api_key_ended")) == 1
        assert noted.count(("refused", "api_key:ended")) == 1

    bench.run(act)


def test_it_stops_a_reveal_that_is_under_way(bench: Bench, mail: Sink) -> None:
    """Between the entry and the first person the key is ended: nobody is told, and the record says so."""

    async def act(vault: Vault) -> None:
        grant = await _grant(vault, mail)
        made, person = await _made(vault, grant), await _put(vault, 1)
        write = vault.record.write
        hit: list[int] = []

        async def ends(kind: str, *args: Any, **named: Any) -> int:
            entry = await write(kind, *args, **named)
            if kind == "intent" and not hit:
                hit.append(entry)
                await ask(vault, "end_api_key", grant=grant, name=made["name"])
            return entry

        vault.record.write = ends  # type: ignore[method-assign]
        await _refuses(ApiKeyRefused, _reveal(vault, made["key"], [person]))
        found = await ask(vault, "scope", since=T0 - 1, until=T0 + 60, credential=made["name"])
        assert [one["person"] for one in found["persons"]] == []
        assert [one["person"] for one in found["spared"]] == [person]

    bench.run(act)


def test_it_names_whom_a_key_has_read(bench: Bench, mail: Sink) -> None:
    """`scope` by the key's name gives exactly the persons and the fields that its holder was told."""

    async def act(vault: Vault) -> None:
        grant = await _grant(vault, mail)
        one, other = await _made(vault, grant), await _made(vault, grant)
        persons = [await _put(vault, number) for number in range(6)]
        stranger = await _put(vault, 7, shop=YOGA)
        told = await _reveal(vault, one["key"], [*persons[:3], stranger])
        assert set(told["persons"]) == set(persons[:3])
        assert told["persons"][persons[0]] == {"name": customer(0)["name"], "mail": customer(0)["mail"]}
        await _reveal(vault, one["key"], [persons[3]], purpose="day", fields=["kana"])
        await _reveal(vault, other["key"], [persons[4]])
        await _refuses(NoSuchPerson, _reveal(vault, one["key"], [stranger]))
        found = await ask(vault, "scope", since=T0 - 1, until=T0 + 60, credential=one["name"])
        seen = {each["person"]: sorted(each["fields"]) for each in found["persons"]}
        assert seen == {**{key: ["mail", "name"] for key in persons[:3]}, persons[3]: ["kana"]}
        assert {each["state"] for each in found["persons"]} == {"exposed"}
        assert found["spared"] == []

    bench.run(act)


def test_it_holds_a_key_to_names_contacts_and_the_desks_limits(bench: Bench, mail: Sink) -> None:
    """No free text, no search, no writing; 300 an hour by itself, also after a restart."""
    kept: list[Any] = []

    async def act(vault: Vault) -> None:
        grant = await _grant(vault, mail)
        made, person = await _made(vault, grant), await _put(vault, 1)
        for purpose, field in (
            ("customer", "note"),
            ("customer", "health"),
            ("day", "mail"),
            ("own", "name"),
        ):
            await _refuses(
                PurposeRefused, _reveal(vault, made["key"], [person], purpose=purpose, fields=[field])
            )
        await _refuses(Replayed, _twice(vault, made["key"], person))
        for method in ("search", "update", "whoami", "members", "api_keys"):
            await _refuses(
                VaultError, ask(vault, method, grant=made["key"], query="山", person=person, fields={})
            )
        rows = [{"key": f"r{n}", "fields": customer(n)} for n in range(300)]
        done = await ask(vault, "import", shop=SALON, rows=rows)
        persons = list(done["persons"].values())
        for first in range(0, 200, 100):
            await _reveal(vault, made["key"], persons[first : first + 100], fields=["name"])
        kept.extend((made["key"], persons))

    async def later(vault: Vault) -> None:
        key, persons = kept
        await _refuses(BudgetHeld, _reveal(vault, key, persons[200:300], fields=["name"]))
        bench.clock += 3_600_001
        await _reveal(vault, key, persons[200:300], fields=["name"])

    bench.run(act)
    bench.run(later)


async def _twice(vault: Vault, key: str, person: str) -> None:
    for _ in range(2):
        await _reveal(vault, key, [person], nonce="the-same")


def test_it_lets_those_who_manage_make_keys_freshly_signed_in(bench: Bench, mail: Sink) -> None:
    """Five minutes after signing in nobody makes one any more; ending and looking goes on."""

    async def act(vault: Vault) -> None:
        grant = await _grant(vault, mail)
        made = await _made(vault, grant)
        bench.clock += FRESH_MS - 1
        await _made(vault, grant)
        bench.clock += 1
        await _refuses(FreshSignInNeeded, _made(vault, grant))
        await ask(vault, "end_api_key", grant=grant, name=made["name"])
        await _refuses(NoSuchApiKey, ask(vault, "end_api_key", grant=grant, name="key-0"))
        with psycopg.connect(bench.configured.database_url, autocommit=True) as connection:
            connection.execute("UPDATE vault.membership SET role = 'staff'")
        for method, more in (
            ("api_keys", {}),
            ("make_api_key", {"label": "x", "scopes": ["bookings:read"], "days": 1}),
            ("end_api_key", {"name": made["name"]}),
        ):
            await _refuses(GrantRefused, ask(vault, method, grant=grant, **more))

    bench.run(act)


def test_it_refuses_what_no_page_sends(bench: Bench, mail: Sink) -> None:
    """Scopes are a closed list, a key has a label and an end, and a shop has so many at most."""

    async def act(vault: Vault) -> None:
        grant = await _grant(vault, mail)
        wrongs: tuple[dict[str, Any], ...] = (
            {"scopes": []},
            {"scopes": ["people:write"]},
            {"scopes": ["people:read", "people:read"]},
            {"label": " "},
            {"label": "x" * 61},
            {"days": 0},
            {"days": 367},
        )
        for wrong in wrongs:
            asked = {"label": "x", "scopes": ["people:read"], "days": 1} | wrong
            await _refuses(BadRequest, ask(vault, "make_api_key", grant=grant, **asked))
        names = [(await _made(vault, grant))["name"] for _ in range(MOST)]
        refusal = await _refuses(TooManyApiKeys, _made(vault, grant))
        assert refusal.facts == {"most": MOST}
        await ask(vault, "end_api_key", grant=grant, name=names[0])
        await _made(vault, grant)

    bench.run(act)


def test_it_keeps_a_hash_and_nothing_that_opens(bench: Bench, mail: Sink) -> None:
    """Neither the key nor its label stands in the tables, the ledger or the list; when it was used does."""
    kept: list[Any] = []

    async def act(vault: Vault) -> None:
        grant = await _grant(vault, mail)
        made = await _made(vault, grant)
        bench.clock += 60_000
        await _use(vault, made["key"])
        [shown] = (await ask(vault, "api_keys", grant=grant))["keys"]
        assert (shown["label"], shown["by"], shown["holds"]) == (LABEL, "aoi.salon", True)
        assert (shown["made"], shown["used"]) == (T0, T0 + 60)
        assert made["key"] not in str(shown)
        kept.append(made["key"])

    bench.run(act)
    secret = kept[0].split("_")[2]
    with psycopg.connect(bench.configured.database_url, autocommit=True) as connection:
        rows = str(connection.execute("SELECT k::text FROM vault.api_key k").fetchall())
    ledger = b"".join(one.read_bytes() for one in (bench.configured.ledger / "segments").iterdir())
    for stored in (rows, ledger.decode("latin-1")):
        assert secret not in stored
        assert secret.encode().hex() not in stored
    assert LABEL.encode().hex() not in rows


def test_it_notes_uses_without_noting_each_look(bench: Bench, mail: Sink) -> None:
    """Reading again within a minute is the same look; each write is one by itself."""

    async def act(vault: Vault) -> None:
        grant = await _grant(vault, mail)
        made = await _made(vault, grant)
        for _ in range(3):
            await _use(vault, made["key"])
            await _use(vault, made["key"], "bookings:write")
        bench.clock += 60_000
        await _use(vault, made["key"])
        name = made["name"]
        assert await _entries(vault, name) == [
            ("register", "api_key", "", "aoi.salon", "bookings:read+bookings:write+people:read"),
            ("signin", "api_key", "bookings:read", name, ""),
            *[("signin", "api_key", "bookings:write", name, "")] * 3,
            ("signin", "api_key", "bookings:read", name, ""),
        ]

    bench.run(act)


def test_it_stays_ended_after_an_older_database(bench: Bench, mail: Sink) -> None:
    """A restored database may hold a key as if it were good: its end is on record, and done again."""
    kept: list[Any] = []

    async def act(vault: Vault) -> None:
        grant = await _grant(vault, mail)
        made, other = await _made(vault, grant), await _made(vault, grant)
        await ask(vault, "end_api_key", grant=grant, name=made["name"])
        kept.extend((made["key"], other["key"]))

    async def again(vault: Vault) -> None:
        ended, other = kept
        await _refuses(ApiKeyRefused, _use(vault, ended))
        await _use(vault, other)

    bench.run(act)
    with psycopg.connect(bench.configured.database_url, autocommit=True) as connection:
        connection.execute("UPDATE vault.api_key SET revoked_at = NULL")
    bench.run(again)


def test_an_administrator_ends_a_key_that_leaked(bench: Bench, mail: Sink) -> None:
    """By its name in the record, from the shell, without any of the shop."""

    async def act(vault: Vault) -> None:
        grant = await _grant(vault, mail)
        made, other = await _made(vault, grant), await _made(vault, grant)
        told = await ask(vault, "end_grants", whose="credential", name=made["name"])
        assert told["ended"] == 1
        await _refuses(ApiKeyRefused, _use(vault, made["key"]))
        await _use(vault, other["key"])
        assert ("register", "api_key_ended", "", "admin", "") in await _entries(vault, made["name"])

    bench.run(act)


def test_its_maker_gives_no_more_than_she_may(bench: Bench, mail: Sink) -> None:
    """A manager from whom customers were taken makes no key that sees them; without the shop, none at all."""

    async def act(vault: Vault) -> None:
        owner = await _grant(vault, mail)
        mei = {"handle": "mei", "role": "manager", "staff": None, "name": "mei", "mail": "mei@x.example.jp"}
        await ask(vault, "add_member", grant=owner, member=mei)
        invite = invitation_of(mail, "mei@x.example.jp")
        manager = str((await ask(vault, "password_set", invite=invite, password=PASSWORD))["grant"])
        assert (await _made(vault, manager))["key"]
        taken = {"grant": owner, "role": "manager", "given": False}
        await ask(vault, "permit", **taken, permission="customers.see")
        await _refuses(GrantRefused, _made(vault, manager, "people:read"))
        await _refuses(GrantRefused, _made(vault, manager, "bookings:read", "people:read"))
        assert (await _made(vault, manager, "bookings:read"))["key"]
        await ask(vault, "permit", **taken, permission="shop.change")
        await _refuses(GrantRefused, _made(vault, manager, "bookings:read"))
        await _refuses(GrantRefused, ask(vault, "api_keys", grant=manager))

    bench.run(act)
