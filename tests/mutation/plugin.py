"""How the engine's tests run against a mutant: fast ones first, the same each time, nothing remembered."""

import resource

import hypothesis
import pytest

from noren.engine import availability, plan, wall

_MEMORY = 3 << 30
"""A mutant that collects without end fails instead of taking the machine with it."""
_CACHES = (plan.plan, wall.calendar, availability._free)


def pytest_configure() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
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
    items.sort(key=lambda item: getattr(getattr(item, "obj", None), "is_hypothesis_test", False))


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    """Compile anew in each test, so that it is seen which code it reaches, and a mutant's is reached."""
    for cache in _CACHES:
        cache.cache_clear()
