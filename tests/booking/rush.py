"""Many at once: threads with connections of their own, let go at one moment, or one amid another."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest
from django.db import connection

from tests.servers import AppDatabase

T = TypeVar("T")
# Of this database: on a given server other tests wait in others.
WAITING = """SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE NOT granted AND datname = current_database()"""


def at_once(deeds: Sequence[Callable[[], T]]) -> list[T | BaseException]:
    """Run all deeds at the same moment; give what each returned or raised."""
    gate = threading.Barrier(len(deeds))
    results: list[T | BaseException | None] = [None] * len(deeds)

    def run(index: int) -> None:
        connection.ensure_connection()
        try:
            gate.wait(60)
            results[index] = deeds[index]()
        except BaseException as error:  # noqa: BLE001 - what a thread raised is its result
            results[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(deeds))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return [result for result in results if result is not None]


def before_first(
    patch: pytest.MonkeyPatch, name: str, deed: Callable[[], object], original: Callable[..., T]
) -> list[object]:
    """Do `deed` by another, wholly, just before the first call of `original`, which is found at `name`.

    What it gave is in the list.
    """
    given: list[object] = []
    begun = threading.Event()

    def instead(*args: Any, **kwargs: Any) -> T:
        if not begun.is_set():
            begun.set()
            given.extend(at_once([deed]))
        return original(*args, **kwargs)

    patch.setattr(name, instead)
    return given


def met(
    database: AppDatabase,
    patch: pytest.MonkeyPatch,
    name: str,
    first: Callable[[], object],
    second: Callable[[], object],
) -> list[object]:
    """Stop `first` in its transaction, at its call of `name`, until `second` waits for its locks; give what
    both gave. The call of `name` itself is left out.
    """
    reached, waited = threading.Event(), threading.Event()

    def stop(*_args: Any, **_kwargs: Any) -> None:
        reached.set()
        waited.wait(60)

    def after() -> object:
        reached.wait(60)
        return second()

    def watch() -> object:
        reached.wait(60)
        until_somebody_waits(database)
        waited.set()
        return None

    patch.setattr(name, stop)
    return at_once([first, after, watch])[:2]


def until_somebody_waits(database: AppDatabase) -> None:
    """Return when a transaction waits for another's lock."""
    with database.connect(autocommit=True) as conn:
        for _ in range(1000):
            if conn.execute(WAITING).fetchone() != (0,):
                return
            time.sleep(0.02)
    raise AssertionError("nobody waits")


@contextmanager
def without(database: AppDatabase, function: str, *cuts: tuple[str, str]) -> Iterator[None]:
    """Take what protects it out of an SQL function, and put it back: for controls."""
    with database.connect("owner", autocommit=True) as owner:
        call = "SELECT pg_get_functiondef(%s::regproc)"
        (source,) = owner.execute(call, [function]).fetchone() or ("",)
        text = blind = str(source)
        for old, new in cuts:
            assert old in blind, old
            blind = blind.replace(old, new)
        owner.execute(blind.encode())
        try:
            yield
        finally:
            owner.execute(text.encode())
