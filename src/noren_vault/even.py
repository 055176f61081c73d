"""Answers that leave at a fixed moment: what the vault did in between cannot be told from how long it took.

At the next multiple of a step after the request came; one step is longer than what the methods here take on a
machine that is not overloaded. Refusals leave so, too.
"""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

STEP_SECONDS: Final = 0.25
# Methods whose answer must not tell whether somebody is known.
METHODS: Final = frozenset(
    {
        "password_check",
        "totp_check",
        "recovery_use",
        "mailed_check",
        "own_begin",
        "own_finish",
        "reset_begin",
        "exposed",
    }
)


@asynccontextmanager
async def evenly(method: str, step: float = STEP_SECONDS) -> AsyncIterator[None]:
    """Hold the answer of such a method back until its moment; with step 0, and of others, nothing is held."""
    if method not in METHODS or not step:
        yield
        return
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        yield
    finally:
        steps = max(1, math.ceil((loop.time() - began) / step))
        await asyncio.sleep(began + steps * step - loop.time())
