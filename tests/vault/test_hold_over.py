"""A hold's day of looking again: it becomes a sign when it comes, once, and says nothing of the incident."""

import asyncio
from typing import Any

from noren_vault.vault import Vault
from tests.servers import Sink
from tests.vault.cast import SALON
from tests.vault.conftest import Bench, ask
from tests.vault.operators import two

DAY = 86_400_000


async def _signs(vault: Vault, number: int) -> list[dict[str, Any]]:
    """Wait until so many signs are there."""
    for _ in range(600):
        found: list[dict[str, Any]] = (await ask(vault, "signs"))["signs"]
        if len(found) >= number:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError("no sign was seen")


async def _held(vault: Vault, days: int) -> tuple[str, str]:
    incident = (await ask(vault, "open_incident", words="{}"))["incident"]
    return incident, (await ask(vault, "hold", incident=incident, shop=SALON, days=days))["hold"]


def test_the_day_of_looking_again_rings_once(bench: Bench, mail: Sink) -> None:
    """Not before its day, and not again; every operator is told by mail, without incident or shop."""

    async def act(vault: Vault) -> str:
        await two(vault, bench.configured.database_url, mail)
        incident, hold = await _held(vault, 2)
        bench.clock += 2 * DAY - 1
        await vault.tidy()
        assert (await ask(vault, "signs"))["signs"] == []
        bench.clock += 1
        await vault.tidy()
        (sign,) = await _signs(vault, 1)
        assert (sign["what"], sign["times"], sign["state"]) == ("hold_over", 1, "new")
        assert sign["facts"]["ref"] == f"hold:{hold}"
        assert incident not in str(sign)
        assert "shop" not in sign["facts"]
        assert await vault.aftermath.holds.ring() == 0
        await vault.aftermath.signs.signs.ring_due()
        await vault.aftermath.signs.signs.bells.ring()
        return hold

    hold = bench.run(act)
    parts = [one.get_body(("plain",)) for one in mail.messages]
    told = [one.get_content() for one in parts if one is not None and "保全" in one.get_content()]
    assert len(told) == 1  # the first operator has no address
    assert "/operations/signs/" in told[0]
    assert hold not in told[0]

    async def again(vault: Vault) -> int:
        return await vault.aftermath.holds.ring()

    bench.clock += DAY
    assert bench.run(again) == 0


def test_what_was_released_rings_no_more(bench: Bench) -> None:
    """Whoever released it has looked."""

    async def act(vault: Vault) -> int:
        incident, hold = await _held(vault, 1)
        await ask(vault, "release_hold", incident=incident, hold=hold)
        bench.clock += 2 * DAY
        return await vault.aftermath.holds.ring()

    assert bench.run(act) == 0
