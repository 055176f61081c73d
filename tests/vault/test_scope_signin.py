"""Stores taken whole: what people sign in with, and what came of their signing in."""

from typing import Any
from uuid import UUID

import psycopg
import pyotp
import pytest

from noren_vault.providers import Kind
from noren_vault.record import Path as Way
from noren_vault.vault import Vault
from tests.servers import Sink
from tests.vault.accounts import OTHER, PASSWORD, check, joined
from tests.vault.cast import SALON, customer
from tests.vault.conftest import START, Bench, ask

MINUTE = 60_000
T0 = START / 1000
Things = dict[str, dict[str, Any]]


async def _taken(
    vault: Vault, since: float, until: float | None = None, **named: Any
) -> list[dict[str, Any]]:
    answer = await ask(vault, "scope", since=since, until=since if until is None else until, **named)
    told: list[dict[str, Any]] = answer["accounts"]
    return told


async def _of(vault: Vault, handle: str, at: float, **named: Any) -> Things:
    """An account's things at a time, by kind."""
    return {one["kind"]: one for one in await _taken(vault, at, **named) if one["actor"] == handle}


def test_it_names_the_password_of_the_time(bench: Bench, mail: Sink) -> None:
    """One set before T is named, one set after is not; who set another one lost the one before."""

    async def act(vault: Vault) -> None:
        await joined(vault, mail, "aoi", "mei")
        first = (await _of(vault, "aoi.salon", T0 + 60, store="vault"))["password"]
        bench.clock += 10 * MINUTE
        signed = await check(vault, "aoi", session="a" * 32)
        bench.clock += MINUTE
        await ask(vault, "password_set", old=PASSWORD, grant=signed["grant"], password=OTHER)
        second = (await _of(vault, "aoi.salon", T0 + 3600, store="host"))["password"]
        assert first["credential"] != second["credential"]
        assert first["credential"].startswith("pw-")
        for since, until, expected in (
            (T0 - 60, T0 - 1, set()),
            (T0 + 60, T0 + 120, {first["credential"]}),
            (T0 + 3600, T0 + 3700, {second["credential"]}),
            (T0 + 60, T0 + 3600, {first["credential"], second["credential"]}),
        ):
            lain = await _taken(vault, since, until, store="vault")
            told = {
                one["credential"] for one in lain if (one["actor"], one["kind"]) == ("aoi.salon", "password")
            }
            assert told == expected, (since, until)
        assert UUID(second["person"])
        assert second["first"] == T0 + 3600

    bench.run(act)


@pytest.mark.parametrize(
    ("named", "forms"),
    [
        ({"store": ["vault"]}, "cipher cipher hashed cipher cipher hashed"),
        ({"store": ["app"]}, ""),
        ({"store": ["app", "keys"]}, ""),
        ({"store": ["vault", "keys"]}, "guessable readable hashed readable readable hashed"),
        ({"store": ["host"]}, "guessable readable hashed readable readable hashed"),
        ({"store": ["vault"], "key": "pepper"}, "guessable readable hashed readable cipher hashed"),
        ({"store": ["vault"], "key": "epoch"}, "cipher cipher hashed cipher readable hashed"),
    ],
    ids=str,
)
def test_it_knows_what_each_thing_is_worth(
    bench: Bench, mail: Sink, named: dict[str, Any], forms: str
) -> None:
    """Each kind lies under the key of its own kind; hashes of chance are worth nothing with any."""
    kinds = ("password", "totp", "recovery", "mail_index", "address", "invitation")

    async def act(vault: Vault) -> None:
        await joined(vault, mail, "aoi")
        signed = await check(vault, "aoi", session="a" * 32, address="192.0.2.1")
        seed = await ask(vault, "totp_begin", grant=signed["grant"])
        code = pyotp.TOTP(seed["secret"]).at(bench.clock // 1000)
        await ask(vault, "totp_finish", grant=signed["grant"], code=code)
        await ask(vault, "recovery_make", grant=signed["grant"])
        asked = dict(named)
        if "key" in named:
            [path] = bench.configured.keys.glob(f"{named['key']}-*")
            asked["key"] = path.stem.rpartition("-")[2]
        found = await _of(vault, "aoi.salon", T0 + 60, **asked)
        assert [found[one]["form"] for one in kinds if found] == forms.split()
        worth = {"guessable": "exposed", "readable": "exposed", "cipher": "not", "hashed": "not"}
        assert all(one["state"] == worth[one["form"]] for one in found.values())
        assert all(one["entries"] for one in found.values())

    bench.run(act)


def test_it_lets_a_seed_end(bench: Bench, mail: Sink) -> None:
    """Seed and codes lie from their making until the account asks for them no more."""

    async def act(vault: Vault) -> None:
        await joined(vault, mail, "aoi")
        signed = await check(vault, "aoi", session="a" * 32)
        bench.clock += MINUTE
        seed = await ask(vault, "totp_begin", grant=signed["grant"])
        code = pyotp.TOTP(seed["secret"]).at(bench.clock // 1000)
        await ask(vault, "totp_finish", grant=signed["grant"], code=code)
        await ask(vault, "recovery_make", grant=signed["grant"])
        bench.clock += MINUTE
        await ask(vault, "totp_end", grant=signed["grant"])
        bench.clock += 10 * MINUTE
        told = {
            at: {"totp", "recovery"} & set(await _of(vault, "aoi.salon", at, store="vault"))
            for at in (T0 + 30, T0 + 90, T0 + 300)
        }
        assert told == {T0 + 30: set(), T0 + 90: {"totp", "recovery"}, T0 + 300: set()}

    bench.run(act)


def test_it_counts_an_erased_customer_until_then(bench: Bench, mail: Sink) -> None:
    """What she signed in with goes with her; that she came in, and from where, lies there on."""

    async def act(vault: Vault) -> None:
        await joined(vault, mail, "aoi")
        person = (await ask(vault, "put", shop=SALON, key="k", fields=customer(1)))["person"]
        await ask(vault, "keep", shop=SALON, person=person)
        handle = f"person:{person}"
        way = {"actor": handle, "credential": "pw-1", "session": f"s-{'0' * 32}"}
        await vault.record.write("register", Way(*way.values()), shop=SALON, note="password")
        await vault.record.write("signin", Way(*way.values()), shop=SALON)
        bench.clock += MINUTE
        await ask(vault, "erase", shop=SALON, person=person, reason="asked")
        bench.clock += 10 * MINUTE
        assert set(await _of(vault, handle, T0 + 30, store="host")) == {"password", "mail_index", "address"}
        after = await _of(vault, handle, T0 + 600, store="host")
        assert set(after) == {"address"}
        assert after["address"]["person"] == person
        narrowed = await _taken(vault, T0 + 30, store="host", person=person)
        assert {one["actor"] for one in narrowed} == {handle}
        assert await _taken(vault, T0 + 30, store="host", shop=SALON + 1) == []

    bench.run(act)


def test_it_adds_what_only_the_tables_know(bench: Bench, mail: Sink) -> None:
    """After a restore with an older ledger an account that no entry names is named from the tables."""

    async def act(vault: Vault) -> None:
        await joined(vault, mail, "aoi")
        password = (await _of(vault, "aoi.salon", T0 + 60, store="vault"))["password"]
        with psycopg.connect(bench.configured.database_url, autocommit=True) as connection:
            connection.execute("UPDATE vault.password SET credential = 'pw-lost', set_at = set_at - 1000")
        lain = await _taken(vault, T0 + 60, store=["vault", "keys"])
        told = {one["credential"]: one for one in lain if one["kind"] == "password"}
        assert set(told) == {password["credential"], "pw-lost"}
        assert told["pw-lost"]["entries"] == []
        assert told["pw-lost"]["state"] == "exposed"
        assert await _taken(vault, T0 - 60, store="vault") == []

    bench.run(act)


def test_it_takes_what_it_does_not_know_for_something(bench: Bench, mail: Sink) -> None:
    """A way to sign in that somebody adds later counts before anybody thinks of it here."""

    async def act(vault: Vault) -> None:
        await vault.record.write("register", Way("aoi.salon", "xx-1"), shop=SALON, note="something_new")
        found = await _of(vault, "aoi.salon", T0 + 60, store=["vault", "keys"])
        assert (found["other"]["form"], found["other"]["key"]) == ("readable", Kind.PEPPER)

    bench.run(act)


def test_it_says_possibly_after_a_door(bench: Bench, mail: Sink) -> None:
    """Who stood at the vault's database may have read what is clear there, and has the cipher."""

    async def act(vault: Vault) -> None:
        await joined(vault, mail, "aoi")
        await vault.record.write("register", Way("aoi.salon", "pk-1"), shop=SALON)
        bench.clock += MINUTE
        way = Way("postgres", "noren_vault", "pg-vault-7")
        await vault.record.write("door", way, ref=f"vault/started:{START + MINUTE}", note="stranger")
        bench.clock += MINUTE
        found = await _of(vault, "aoi.salon", T0 + 60, until=T0 + 120, door="pg-vault-7")
        assert {kind: one["state"] for kind, one in found.items()} == {
            "passkey": "possibly",
            "password": "possibly",
            "mail_index": "possibly",
            "invitation": "not",
        }

    bench.run(act)
