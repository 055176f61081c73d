"""The index made anew in one go: the same rows as those that followed entry by entry, or the old ones."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from noren_vault import index, reindex
from noren_vault.ledger import LedgerDamaged
from noren_vault.record import Outcome, Path
from noren_vault.vault import Vault
from tests.vault.conftest import Bench

WHO = Path("aoi.salon", "c", "s")
ROWS = "SELECT e::text FROM vault.ledger_entry e ORDER BY entry"
PERSONS = "SELECT p::text FROM vault.ledger_person p ORDER BY entry, person"


async def _write(vault: Vault) -> None:
    """Intents with outcomes soon and late, one with two, one with none, a person twice in one entry."""
    entries = []
    for number in range(12):
        persons = [str(uuid4()) for _ in range(number % 4)]
        entries.append(
            await vault.record.write(
                "intent", WHO, shop=1, persons=[*persons, *persons[:1]], fields=["name", "kana"]
            )
        )
        await vault.record.outcome(entries[-1], Outcome.RELEASED, WHO)
    await vault.record.write("intent", WHO, shop=1)
    await vault.record.outcome(entries[0], Outcome.FAILED, WHO)


async def _rows(vault: Vault) -> list[Any]:
    await vault.index.reach(vault.record.ledger.size, 10)
    return [await vault.records._database.rows(query) for query in (ROWS, PERSONS)]


@pytest.mark.parametrize("block", [3, 4, 5_000])
def test_it_makes_the_same_rows_in_blocks_of_any_size(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    """Outcomes in the block of their entry and in a later one, lists, hashes: all as before."""
    monkeypatch.setattr(reindex, "_BLOCK", block)

    async def act(vault: Vault) -> None:
        await _write(vault)
        before = await _rows(vault)
        assert len(before[0]) == vault.record.ledger.size > 20
        assert await vault.index.rebuild() == len(before[0])
        assert await _rows(vault) == before
        assert await vault.index.differs() == ""

    bench.run(act)


def test_it_keeps_the_old_index_when_making_it_anew_breaks_off(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A damaged file in the middle of it: the error is told, the rows stay, and following goes on."""

    async def act(vault: Vault) -> None:
        await _write(vault)
        before = await _rows(vault)
        monkeypatch.setattr(reindex, "_BLOCK", 5)
        real = vault.record.ledger.payloads

        def broken(start: int, end: int) -> Any:
            if start >= 10:
                raise LedgerDamaged(start, "damaged")
            return real(start, end)

        monkeypatch.setattr(vault.record.ledger, "payloads", broken)
        with pytest.raises(LedgerDamaged):
            await vault.index.rebuild()
        assert await _rows(vault) == before
        await vault.record.write("intent", WHO, shop=1)
        assert len((await _rows(vault))[0]) == len(before[0]) + 1

    bench.run(act)


def test_it_starts_anew_on_persons_without_their_entries(bench: Bench) -> None:
    """A crash between the two commits of a rebuild leaves one table ahead: the next start makes both anew."""
    kept: list[Any] = []

    async def fill(vault: Vault) -> None:
        await _write(vault)
        kept.append(await _rows(vault))
        await vault.index.stop()
        await vault.records._database.run(
            "INSERT INTO vault.ledger_person SELECT entry + 1000, person FROM vault.ledger_person"
        )

    async def check(vault: Vault) -> None:
        found = await _rows(vault)
        assert found[1] == kept[0][1]
        assert found[0][: len(kept[0][0])] == kept[0][0]

    bench.run(fill)
    bench.run(check)


def test_it_breaks_its_pause_off_for_who_waits(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries are copied together after a pause; a question in the middle of it does not wait for its end."""
    monkeypatch.setattr(index, "_TOGETHER_SECONDS", 3600)

    async def act(vault: Vault) -> None:
        for _ in range(3):
            await vault.record.write("intent", WHO, shop=1)
            await asyncio.sleep(0.1)  # the follower has the news by now, and pauses
            size = vault.record.ledger.size
            assert vault.index.size < size
            await vault.index.reach(size, 30)

    bench.run(act)
