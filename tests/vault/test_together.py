"""Many who ask at once share a question, and each gets what was read after it asked."""

import asyncio
from collections.abc import Sequence

import pytest

from noren_vault.together import Together


class Shelf:
    """Something slow to read that changes."""

    def __init__(self) -> None:
        self.values = {"a": 1, "b": 2}
        self.asked: list[list[str]] = []
        self.together = Together(self._fetch)

    async def _fetch(self, keys: Sequence[str]) -> dict[str, int]:
        self.asked.append(sorted(keys))
        read = dict(self.values)
        await asyncio.sleep(0.01)
        if "bad" in keys:
            raise LookupError
        return {key: read[key] for key in keys if key in read}


def test_it_asks_once_for_all_who_come_meanwhile() -> None:
    """Whoever comes while a question is under way waits for the next, and is not answered by the first."""

    async def act() -> None:
        shelf = Shelf()
        first = asyncio.create_task(shelf.together.get("a"))
        await asyncio.sleep(0.001)
        shelf.values["a"] = 7
        rest = [asyncio.create_task(shelf.together.get(key)) for key in ("a", "b", "a", "nobody")]
        assert await first == 1
        assert await asyncio.gather(*rest) == [7, 2, 7, None]
        assert shelf.asked == [["a"], ["a", "b", "nobody"]]

    asyncio.run(act())


def test_it_hands_a_fault_to_each_and_goes_on() -> None:
    """All who shared the question get its fault; the next question is asked as if nothing had been."""

    async def act() -> None:
        shelf = Shelf()
        told = await asyncio.gather(
            *(shelf.together.get(key) for key in ("a", "bad")), return_exceptions=True
        )
        assert [type(one) for one in told] == [LookupError, LookupError]
        assert await shelf.together.get("b") == 2

    asyncio.run(act())


def test_it_answers_the_others_when_one_goes_away() -> None:
    """A connection that is cut takes no other's answer along."""

    async def act() -> None:
        shelf = Shelf()
        gone, other = (asyncio.create_task(shelf.together.get("a")) for _ in range(2))
        await asyncio.sleep(0.001)
        gone.cancel()
        assert await other == 1
        with pytest.raises(asyncio.CancelledError):
            await gone

    asyncio.run(act())
