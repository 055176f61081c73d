"""Many at once: threads with connections of their own, let go at one moment."""

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from django.db import connection

T = TypeVar("T")


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
