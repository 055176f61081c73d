"""How the engine's tests run against a mutant: fast ones first, the same each time, nothing remembered."""

import os
import resource
import signal
from collections.abc import Iterator
from types import FrameType

import hypothesis
import pytest

from noren.engine import plan, wall

_MEMORY = 3 << 30
"""A mutant that collects without end fails instead of taking the machine with it."""
_SECONDS = 6
"""Of the processor's own time, for one test: a mutant that never ends fails, also on a busy machine."""
_CACHES = (plan.plan, wall.calendar)


def _too_long(_signal: int, _frame: FrameType | None) -> None:
    raise TimeoutError("This mutant does not end.")


def pytest_configure() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    signal.signal(signal.SIGVTALRM, _too_long)
    hypothesis.settings.register_profile(
        "mutants",
        derandomize=True,
        database=None,
        deadline=None,
        max_examples=25,
        # That a mutant is found is enough; a smaller example of it is not wanted.
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
    )
    hypothesis.settings.load_profile("mutants")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Try first the tests of the file that is changed, and last those that search."""
    module = os.environ.get("MUTANT_UNDER_TEST", "").removeprefix("noren.engine.").partition(".")[0]

    def order(item: pytest.Item) -> tuple[bool, bool]:
        searches = getattr(getattr(item, "obj", None), "is_hypothesis_test", False)
        return searches, item.path.stem != f"test_{module}"

    items.sort(key=order)


@pytest.fixture(autouse=True)
def _afresh() -> Iterator[None]:
    """Compile anew in each test, so that it is seen which code it reaches, and a mutant's is reached."""
    for cache in _CACHES:
        cache.cache_clear()
    signal.setitimer(signal.ITIMER_VIRTUAL, _SECONDS)
    yield
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
