"""Stores taken whole: who had rows then, which fields, in clear or as cipher, and where the key was."""

from typing import Any

import pytest

from noren_vault.errors import NothingTaken
from noren_vault.record import Path as Way
from noren_vault.records import PROVISIONAL_MS
from noren_vault.vault import Vault
from tests.vault.cast import customer
from tests.vault.conftest import START, Bench, ask

HOUR = 3_600_000
T0 = START / 1000


async def _put(vault: Vault, number: int) -> str:
    answer = await ask(vault, "put", shop=1, key=f"k{number}", fields=customer(number))
    return str(answer["person"])


async def _store(vault: Vault, since: float, until: float | None = None, **named: Any) -> dict[str, Any]:
    return await ask(vault, "scope", since=since, until=since if until is None else until, **named)


def _ids(persons: list[dict[str, Any]]) -> set[str]:
    return {one["person"] for one in persons}


def test_it_says_who_had_rows_then(bench: Bench) -> None:
    """Somebody not kept counts until the erasure, nobody before they came."""

    async def act(vault: Vault) -> None:
        first = await _put(vault, 1)
        bench.clock += HOUR // 2
        second = await _put(vault, 2)
        await ask(vault, "keep", shop=1, person=second)
        bench.clock = START + PROVISIONAL_MS + 1000
        assert await vault.records.erase_unkept(bench.clock) == 1
        bench.clock += HOUR
        for at, expected in (
            (T0 - 1, set()),
            (T0 + 60, {first}),
            (T0 + 2000, {first, second}),
            (T0 + 3600, {first, second}),
            (T0 + 3700, {second}),
        ):
            found = await _store(vault, at, store="host")
            assert _ids(found["persons"]) == expected, at
            assert {one["state"] for one in found["persons"]} <= {"exposed"}
        whole = await _store(vault, T0, T0 + 7000, store="host")
        assert _ids(whole["persons"]) == {first, second}
        [one] = [one for one in whole["persons"] if one["person"] == first]
        assert sorted(one["fields"]) == ["kana", "mail", "name", "phone"]
        # From the taking on, and to the erasure: then there was nothing left to take.
        assert one["fields"]["name"][:2] == [T0, T0 + 3601]

    bench.run(act)


@pytest.mark.parametrize(
    ("stores", "state", "forms"),
    [
        (["app"], "not", ["ids"]),
        (["vault"], "not", ["cipher"]),
        (["keys"], "not", ["keys"]),
        (["vault", "keys"], "exposed", ["keys", "readable"]),
        (["app", "keys"], "not", ["keys", "ids"]),
        (["host"], "exposed", ["readable"]),
    ],
)
def test_it_knows_what_each_store_is_worth(
    bench: Bench, stores: list[str], state: str, forms: list[str]
) -> None:
    """Cipher is readable with the keys and not without them; opaque ids tell nobody's fields."""

    async def act(vault: Vault) -> None:
        person = await _put(vault, 1)
        found = await _store(vault, T0, T0 + 60, store=stores)
        told = [one for one in [*found["persons"], *found["spared"]] if one["person"] == person]
        assert [one["state"] for one in told] == [state]
        assert [one["form"] for one in found["stores"]] == forms
        assert [one["persons"] for one in found["stores"]] == [{"1": 1}] * len(stores)
        assert [one["unbounded"] for one in found["stores"]] == [one == "host" for one in stores]
        assert found["keyside"]["intact"]
        assert found["keyside"]["counts"]["start"] == 1

    bench.run(act)


def test_it_opens_what_was_wrapped_under_a_key_that_was_taken(bench: Bench) -> None:
    """An epoch key alone opens nothing; with the vault's database it opens whom it wrapped."""

    async def act(vault: Vault) -> None:
        person = await _put(vault, 1)
        [path] = bench.configured.keys.glob("epoch-*")
        key = path.stem.rpartition("-")[2]
        assert _ids((await _store(vault, T0, key=key))["spared"]) == {person}
        assert _ids((await _store(vault, T0, key=key, store="vault"))["persons"]) == {person}
        for wrong in ("00000000", "epoch"):
            with pytest.raises(NothingTaken):
                await _store(vault, T0, key=wrong)

    bench.run(act)


def test_it_puts_a_store_and_a_path_together(bench: Bench) -> None:
    """Who took the database and looked as well: cipher for all, what was seen for those who were."""

    async def act(vault: Vault) -> None:
        seen, other = await _put(vault, 1), await _put(vault, 2)
        await vault.record.write("intent", Way("a.b"), shop=1, persons=[seen], fields=["name"])
        found = await _store(vault, T0, T0 + 1, store="vault", actor="a.b")
        assert [(one["person"], list(one["fields"])) for one in found["persons"]] == [(seen, ["name"])]
        assert _ids(found["spared"]) == {other}

    bench.run(act)


def test_it_knows_no_backup_that_is_not_on_record(bench: Bench) -> None:
    """A backup is asked for by the id that the ledger has."""

    async def act(vault: Vault) -> None:
        for kind in ("backup", "door", "key"):
            with pytest.raises(NothingTaken) as refused:
                await ask(vault, "scope", since=T0, until=T0, **{kind: "nightly-1"})
            assert refused.value.facts == {"kind": kind, "name": "nightly-1"}

    bench.run(act)


def test_it_takes_a_backup_as_of_its_making(bench: Bench) -> None:
    """Whenever it was taken away: who was there when it was made."""

    async def act(vault: Vault) -> None:
        first = await _put(vault, 1)
        bench.clock += 1000
        await vault.record.write("backup", Way("vault"), ref="backup:b1")
        bench.clock += 1000
        await _put(vault, 2)
        found = await _store(vault, T0 + 900, backup="b1")
        assert _ids(found["spared"]) == {first}
        assert found["stores"][0]["since"] == T0 + 1
        both = await _store(vault, T0 + 900, backup="b1", store="keys")
        assert _ids(both["persons"]) == {first}

    bench.run(act)


def test_it_takes_a_backup_from_its_beginning_until_it_was_made(bench: Bench) -> None:
    """Who came while it was being made may be in it; whoever came after it was made is not."""

    async def act(vault: Vault) -> None:
        first = await _put(vault, 1)
        await vault.record.write("backup", Way("vault"), ref="backup:b1", note="begun")
        bench.clock += 1000
        meanwhile = await _put(vault, 2)
        bench.clock += 1000
        begun = await _store(vault, T0 + 5000, backup="b1")
        assert _ids(begun["spared"]) == {first, meanwhile}
        await vault.record.write("backup", Way("vault"), ref=f"backup:b1/manifest:{'0' * 64}", note="made")
        bench.clock += 1000
        await _put(vault, 3)
        made = await _store(vault, T0 + 5000, backup="b1")
        assert _ids(made["spared"]) == {first, meanwhile}

    bench.run(act)


def test_it_takes_a_trial_for_no_touch_of_the_key_side(bench: Bench) -> None:
    """A nightly trial puts nothing back; a restore that serves does."""

    async def act(vault: Vault) -> None:
        await _put(vault, 1)
        await vault.record.write("restore", Way("vault"), ref="backup:b1/size:1", note="verified")
        bench.clock += 1000
        assert (await _store(vault, T0 - 1, T0 + 5000, store="vault"))["keyside"]["intact"]
        await vault.record.write("restore", Way("vault"), ref="backup:b1/size:1", note="restored")
        assert not (await _store(vault, T0 - 1, T0 + 5000, store="vault"))["keyside"]["intact"]

    bench.run(act)


def test_it_counts_a_door_as_long_as_it_stood_open(bench: Bench) -> None:
    """A foreign session touches the key side from its start to its end, whenever it was told of."""

    async def act(vault: Vault) -> None:
        async def intact(at: float) -> bool:
            return bool((await _store(vault, at, at + 1, store="vault"))["keyside"]["intact"])

        await _put(vault, 1)
        bench.clock += HOUR
        way = Way("postgres", "noren_vault", "pg-vault-7")
        await vault.record.write("door", way, ref=f"vault/started:{START + HOUR // 2}", note="stranger")
        hours = (0.2, 0.7, 1, 2)
        assert [await intact(T0 + 3600 * one) for one in hours] == [True, False, False, False]
        bench.clock += HOUR
        await vault.record.write("door", way, ref=f"vault/ended:{START + HOUR * 3 // 2}", note="ended")
        assert [await intact(T0 + 3600 * one) for one in (*hours, 3)] == [True, False, False, True, True]

    bench.run(act)


def test_it_takes_an_export_by_its_id(bench: Bench) -> None:
    """Who was in one export file, and nobody of another."""

    async def act(vault: Vault) -> None:
        ids = [await _put(vault, number) for number in range(3)]
        for name, some in (("e1", ids[:2]), ("e2", ids[2:])):
            await vault.record.write(
                "export", Way("a.b"), shop=1, persons=some, fields=["name"], ref=f"export:{name}"
            )
        for name in ("e1", "export:e1"):
            found = await _store(vault, T0, T0 + 1, export=name)
            assert _ids(found["persons"]) == set(ids[:2])

    bench.run(act)


def test_a_canary_of_a_backup_is_named_apart(bench: Bench) -> None:
    """She stands where the proof needs her, and in no figure: neither of a store nor of the untouched."""

    async def act(vault: Vault) -> None:
        person = await _put(vault, 1)
        begun = await ask(vault, "backup_begin", backup="20270110T180500Z-0a1b2c3d")
        canary = begun["canary"]["person"]
        bench.clock += HOUR
        at = bench.clock / 1000
        found = await _store(vault, at, store="host")
        assert (_ids(found["persons"]), found["canaries"]) == ({person, canary}, [canary])
        assert found["stores"][0]["persons"] == {"1": 1}
        found = await _store(vault, at, store="vault")
        assert (_ids(found["spared"]), found["canaries"]) == ({person, canary}, [canary])
        found = await _store(vault, T0, at, actor="nobody", untouched=True)
        assert (found["canaries"], set(found["untouched"]), found["untouched"]["1"]["persons"]) == (
            [],
            {"1"},
            1,
        )

    bench.run(act)
