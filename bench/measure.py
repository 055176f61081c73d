"""How every bench measures: interleaved rounds, the median of five, one line a figure.

A line is `name value unit limit ratio`: the ratio is ours to the plain way of doing the same, the limit what
it is held to; `-` where there is none. Rates are better when larger, times when smaller.
"""

import statistics
from collections.abc import Callable, Mapping

ROUNDS = 5


def interleaved(cases: Mapping[str, Callable[[], float]], rounds: int = ROUNDS) -> dict[str, float]:
    """Run each case once a round, in turn, so that a slow moment meets all; give the medians."""
    for case in cases.values():
        case()  # Once unmeasured: caches, plans, connections.
    taken: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(rounds):
        for name, case in cases.items():
            taken[name].append(case())
    return {name: statistics.median(values) for name, values in taken.items()}


def figure(name: str, value: float, unit: str, *, limit: str = "-", ratio: float | None = None) -> None:
    """Print one figure."""
    print(f"{name} {value:.4g} {unit} {limit} {'-' if ratio is None else f'{ratio:.2f}'}", flush=True)
