"""Ending a task, also one that loses a cancellation."""

import asyncio
from contextlib import suppress

from noren_vault import tasks


def test_it_ends_a_task_that_loses_its_first_cancellation() -> None:
    """Cancelled while it swallows that, the task is cancelled again until it has ended."""
    seen: list[str] = []

    async def deaf() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        seen.append("lost")
        await asyncio.sleep(60)

    async def act() -> None:
        task = asyncio.create_task(deaf())
        await asyncio.sleep(0)
        await tasks.end(task)
        assert task.cancelled()
        await tasks.end(task)

    asyncio.run(asyncio.wait_for(act(), 10))
    assert seen == ["lost"]
