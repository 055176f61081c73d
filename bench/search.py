"""Searching a shop of 100,000 people by parts, from a web process: against one plain `bytes.find`.

The plain find goes over the same bytes, made here of the same people, for something that is not there. While
the vault makes its text, reveals of one name go on and are timed.
"""

import random
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from uuid import UUID

from bench import measure
from bench.reveal import resident, signed_in
from bench.system import System, system

PEOPLE = 100_000
ROUNDS = 20
# Twenty persons a query at most: together fewer than an owner's hour allows.
QUERIES = [
    "佐藤", "ヤマモト", "ﾅｶﾑﾗ", "中村 花子", "たかはら だいすけ", "8765", "090-1234",
    "+81 90 55", "@example.jp", "USER77", "user4 佐藤", "山本 0901", "居ない人", "guest00012345@example.jp",
]  # fmt: skip
# A hundred family names, each of one in a hundred people: about as many as the commonest have.
_FIRST = [
    "山 ヤマ",
    "川 カワ",
    "高 タカ",
    "中 ナカ",
    "村 ムラ",
    "松 マツ",
    "竹 タケ",
    "小 コ",
    "大 オオ",
    "佐 サ",
]
_SECOND = [
    "藤 トウ",
    "本 モト",
    "田 ダ",
    "村 ムラ",
    "山 ヤマ",
    "崎 サキ",
    "島 シマ",
    "口 グチ",
    "野 ノ",
    "原 ハラ",
]
_GIVEN = ["花子 ハナコ", "一郎 イチロウ", "美咲 ミサキ", "大輔 ダイスケ", "陽菜 ヒナ", "蓮 レン", "結衣 ユイ"]


def main() -> None:
    with system() as running:
        _measure(running)


def _measure(running: System) -> None:
    # Django is set up by now: what needs it is imported here.
    from noren import people  # noqa: PLC0415

    grant, rows = signed_in(running), dict(_rows())
    done = people.import_rows(1, [people.Row(key, fields) for key, fields in rows.items()])
    one = next(iter(done.persons.values()))

    def look() -> None:
        people.reveal(grant, people.Purpose.TODAY, [one], ["name"])

    quiet = [_taken(look) for _ in range(200)]
    before = resident()
    with _meanwhile(look) as busy:
        cold = _taken(lambda: people.search(grant, "居ない人"))
    measure.figure("search_cold_build_100k", cold / 1000, "s")
    measure.figure("search_memory_resident", (resident() - before) / 1e6, "MB")
    measure.figure("reveal_p50_meanwhile", statistics.median(busy), "ms", ratio=_ratio(busy, quiet))
    measure.figure("reveal_max_meanwhile", max(busy), "ms")
    text = _text(rows, done.persons)
    measure.figure("search_text_100k", len(text) / 1e6, "MB")
    plain = statistics.median(_taken(lambda: text.find("居ない人".encode())) for _ in range(20))
    measure.figure("search_plain_find", plain, "ms")
    warm = {query: [_taken(partial(people.search, grant, query)) for _ in range(ROUNDS)] for query in QUERIES}
    every = sorted(taken for several in warm.values() for taken in several)
    p50, p99 = statistics.median(every), every[len(every) * 99 // 100]
    measure.figure("search_warm_p50_100k", p50, "ms", limit="30", ratio=p50 / plain)
    measure.figure("search_warm_p99_100k", p99, "ms", ratio=p99 / plain)
    slowest = max(statistics.median(several) for several in warm.values())
    measure.figure("search_warm_slowest_query_p50", slowest, "ms", ratio=slowest / plain)


def _rows() -> Iterator[tuple[str, dict[str, str]]]:
    chance = random.Random(5)
    for number in range(PEOPLE):
        first, second = chance.choice(_FIRST).split(), chance.choice(_SECOND).split()
        given = chance.choice(_GIVEN).split()
        yield (
            f"k{number}",
            {
                "name": f"{first[0]}{second[0]} {given[0]}",
                "kana": f"{first[1]}{second[1]} {given[1]}",
                "mail": f"{chance.choice(['user', 'guest'])}{number:08d}@example.jp",
                "phone": f"090-{chance.randrange(10_000):04d}-{chance.randrange(10_000):04d}",
            },
        )


def _text(rows: dict[str, dict[str, str]], persons: dict[str, UUID]) -> bytes:
    """The bytes that the vault searches."""
    from noren_vault import fields  # noqa: PLC0415
    from noren_vault.haystack import record_of  # noqa: PLC0415
    from noren_vault.search import spelt  # noqa: PLC0415

    made = {str(persons[key]): spelt(fields.checked(values)) for key, values in rows.items()}
    return b"".join(record_of(person, made[person]) for person in sorted(made))


def _taken(deed: Callable[[], object]) -> float:
    begin = time.perf_counter()
    deed()
    return (time.perf_counter() - begin) * 1000


def _ratio(ours: list[float], plain: list[float]) -> float:
    return statistics.median(ours) / statistics.median(plain)


class _meanwhile:  # noqa: N801 - reads as a word
    """Do something again and again on another thread inside the block; gives the list of milliseconds."""

    def __init__(self, deed: Callable[[], None]) -> None:
        self._deed, self._over, self._taken = deed, threading.Event(), list[float]()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> list[float]:
        self._thread.start()
        return self._taken

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.is_set():
            self._taken.append(_taken(self._deed))
            time.sleep(0.005)


if __name__ == "__main__":
    main()
