"""The engine alone: a month of one resource, any of ten, 30 staff for 60 days with segments and chairs, and a
visit of two services beside one of its services.

The plain way is the bare shift-and of the same integers, written out for 60 minutes. Measured is the
processor's own time: nothing is waited for here, and what else runs on the machine is not the engine's.
"""

import random
import time
from collections.abc import Callable
from datetime import UTC, date, datetime

from bench.measure import figure, interleaved
from noren.engine import availability, sheet, visits, windows
from noren.engine.model import (
    Claim,
    Grid,
    GridKind,
    Hours,
    Range,
    Requirement,
    Resource,
    Segment,
    Service,
    ShopRules,
    Taken,
    Window,
)
from noren.engine.plan import plan

NOW = int(datetime(2026, 11, 22, tzinfo=UTC).timestamp())
FIRST, LAST, FAR = date(2026, 12, 1), date(2026, 12, 31), date(2027, 1, 29)
WEEK = ((Range(540, 780), Range(840, 1140)),) * 7
STAFF, CHAIRS = tuple(range(1, 31)), tuple(range(101, 116))

CUT = (Segment(60, ("staff",)),)
COLOUR = (Segment(30, ("staff", "chair")), Segment(30, ("chair",)), Segment(45, ("staff", "chair")))


def _service(number: int, segments: tuple[Segment, ...], *needs: Requirement, kind: GridKind) -> Service:
    return Service(number, segments, needs, after=10, grid=Grid(kind, 30))


RULES = ShopRules(
    shop_id=1,
    revision=1,
    zone="Asia/Tokyo",
    hours=Hours(WEEK),
    resources={
        **{each: Resource(each, "staff", Hours(WEEK)) for each in STAFF},
        **{each: Resource(each, "chair") for each in CHAIRS},
    },
    services={
        1: _service(1, CUT, Requirement("staff", STAFF[:1]), kind=GridKind.OPENING),
        2: _service(2, CUT, Requirement("staff", STAFF[:10]), kind=GridKind.OPENING),
        3: _service(
            3, COLOUR, Requirement("staff", STAFF), Requirement("chair", CHAIRS), kind=GridKind.OPENING
        ),
        4: _service(4, CUT, Requirement("staff", STAFF[:10]), kind=GridKind.PACKED),
        5: _service(
            5, COLOUR, Requirement("staff", STAFF), Requirement("chair", CHAIRS), kind=GridKind.OPENING
        ),
    },
)


def _taken(window: Window) -> dict[int, tuple[Taken, ...]]:
    """Four bookings a day for each resource."""
    dice = random.Random(7)
    found = {}
    for each in RULES.resources:
        starts = [
            (window.day + day) * 1440 + dice.randrange(0, 600, 15)
            for day in range(window.days)
            for _ in range(4)
        ]
        claims = [Claim(each, 1, start, start + 60, start, start + 70) for start in starts]
        found[each] = sheet.planes(window, 1, claims)
    return found


def _bare(free: int) -> int:
    """Sixty free minutes from each minute on, written out."""
    free &= free << 1
    free &= free << 2
    free &= free << 4
    free &= free << 8
    free &= free << 16
    return free & free << 28


def _timed(work: Callable[[], object], repeat: int) -> Callable[[], float]:
    """Give the microseconds of one call."""

    def case() -> float:
        begin = time.thread_time()
        for _ in range(repeat):
            work()
        return (time.thread_time() - begin) / repeat * 1e6

    return case


def _ask(service: int, window: Window, taken: dict[int, tuple[Taken, ...]]) -> Callable[[], object]:
    """Ask for the starts, each of them told."""
    return lambda: availability.starts(RULES, service, window, taken, now=NOW).minutes()


def _ask_visit(window: Window, taken: dict[int, tuple[Taken, ...]]) -> Callable[[], object]:
    """Ask for the starts of two services in one visit, composed anew each time as a request does."""

    def work() -> object:
        rules = visits.composed(RULES, 3, (5,))
        return availability.starts(rules, 3, window, taken, now=NOW).minutes()

    return work


def _compile(window: Window) -> Callable[[], object]:
    def work() -> object:
        plan.cache_clear()
        return plan(RULES, 2, window)

    return work


def main() -> None:
    month = windows.of_dates(RULES, 1, FIRST, LAST)
    packed = windows.of_dates(RULES, 4, FIRST, LAST)
    long = windows.of_dates(RULES, 3, FIRST, FAR)
    taken, taken_packed, taken_long = _taken(month), _taken(packed), _taken(long)
    free = [sheet.full(month) ^ taken[each][0].padded for each in STAFF[:10]]
    found = interleaved(
        {
            "bare": _timed(lambda: _bare(free[0]), 500),
            "fit": _timed(lambda: sheet.fit(free[0], 60), 500),
            "one": _timed(lambda: availability.starts(RULES, 1, month, taken, now=NOW), 200),
            "one_told": _timed(_ask(1, month, taken), 200),
            "bare_ten": _timed(lambda: [_bare(each) for each in free], 100),
            "ten": _timed(_ask(2, month, taken), 100),
            "packed": _timed(_ask(4, packed, taken_packed), 20),
            "large": _timed(_ask(3, long, taken_long), 20),
            "visit": _timed(_ask_visit(long, taken_long), 20),
            "compile": _timed(_compile(month), 3),
        }
    )
    bare, bare_ten = found["bare"], found["bare_ten"]
    figure("engine-bare-month", bare, "us")
    figure("engine-fit-month", found["fit"], "us", limit="<20us", ratio=bare / found["fit"])
    figure("engine-starts-month-one", found["one"], "us", limit="<20us", ratio=bare / found["one"])
    figure("engine-starts-month-one-told", found["one_told"], "us", ratio=bare / found["one_told"])
    figure("engine-bare-month-ten", bare_ten, "us")
    figure("engine-starts-month-any-of-10", found["ten"], "us", limit="<300us", ratio=bare_ten / found["ten"])
    figure("engine-starts-month-any-of-10-packed", found["packed"], "us")
    figure("engine-30-staff-60-days-segments", found["large"] / 1000, "ms", limit="<20ms")
    alone, visit = found["large"] / 1000, found["visit"] / 1000
    figure("engine-visit-of-two-beside-one", visit, "ms", limit=f"<{2 * alone:.2f}ms", ratio=alone / visit)
    figure("engine-compile-month-any-of-10", found["compile"] / 1000, "ms")


if __name__ == "__main__":
    main()
