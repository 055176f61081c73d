"""A vault that kills itself at one point of its first reveal: `python mortal.py POINT serve`.

What lies between the entry and the answer makes no system call by which a tracer could tell it.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from noren_vault import server
from noren_vault.__main__ import main
from noren_vault.people import People
from noren_vault.record import Record

write, open_person, tell, outcome_later = Record.write, People.open, server._write, Record.outcome_later


def die() -> None:
    """End as by `kill -9`: nothing is flushed, nobody is told."""
    os.kill(os.getpid(), signal.SIGKILL)


def before_the_entry() -> None:
    async def dying(self: Record, kind: str, *args: Any, **kwargs: Any) -> int:
        if kind == "intent":
            die()
        return await write(self, kind, *args, **kwargs)

    Record.write = dying  # type: ignore[method-assign]


def after_the_entry() -> None:
    async def dying(self: Record, kind: str, *args: Any, **kwargs: Any) -> int:
        entry = await write(self, kind, *args, **kwargs)
        if kind == "intent":
            die()
        return entry

    Record.write = dying  # type: ignore[method-assign]


def after_the_opening() -> None:
    def dying(self: People, *args: Any, **kwargs: Any) -> Any:
        open_person(self, *args, **kwargs)
        die()

    People.open = dying  # type: ignore[method-assign]


def before_the_answer() -> None:
    async def dying(writer: Any, answer: Any) -> bool:
        if "persons" in answer.get("ok", {}):
            die()
        return await tell(writer, answer)

    server._write = dying


def after_the_answer() -> None:
    def dying(*_: Any) -> None:
        die()

    Record.outcome_later = dying  # type: ignore[method-assign, assignment]


def never() -> None:
    """The control."""


POINTS: dict[str, Callable[[], None]] = {
    point.__name__: point
    for point in (
        before_the_entry,
        after_the_entry,
        after_the_opening,
        before_the_answer,
        after_the_answer,
        never,
    )
}

if __name__ == "__main__":
    POINTS[sys.argv[1]]()
    sys.exit(main(sys.argv[2:]))
