"""What is named as free today: what is open and not taken, from now on, where it is long enough."""

import pytest

from noren.web import gaps
from noren.web.lanes import Span

OPEN = (Span(600, 780), Span(840, 1140))


@pytest.mark.parametrize(
    ("taken", "since", "told"),
    [
        ([], 0, [(600, 780), (840, 1140)]),
        ([], 700, [(700, 780), (840, 1140)]),
        ([], 1130, []),  # ten minutes are none
        ([(600, 660), (660, 720)], 0, [(720, 780), (840, 1140)]),  # back to back
        ([(590, 610), (600, 640)], 0, [(640, 780), (840, 1140)]),  # one over another
        ([(700, 900)], 0, [(600, 700), (900, 1140)]),  # over the break
        ([(610, 700)], 0, [(700, 780), (840, 1140)]),  # ten minutes before it are none
        ([(615, 700)], 0, [(600, 615), (700, 780), (840, 1140)]),
        ([(0, 1440)], 0, []),
        ([(840, 900)], 870, [(900, 1140)]),  # now is in the middle of it
    ],
)
def test_gaps(taken: list[tuple[int, int]], since: int, told: list[tuple[int, int]]) -> None:
    found = gaps.free(OPEN, [Span(*each) for each in taken], since)
    assert [(each.start, each.end) for each in found] == told


def test_where_nothing_is_open_nothing_is_free() -> None:
    assert list(gaps.free((), [Span(600, 660)], 0)) == []
