"""How the engine's tests run against a mutant: called one after another, nothing remembered between them.

mutmut runs them once, then forks for each mutant. What pytest has collected by then is called directly: to
collect it anew for each of some thousand mutants would take four fifths of the time.
"""

import os
import resource
import signal
from types import FrameType

import hypothesis
import pytest

from noren.engine import plan, visits, wall

_MEMORY = 3 << 30
"""A mutant that collects without end fails instead of taking the machine with it."""
_SECONDS = 4
"""Of the processor's own time, for one test: a mutant that never ends fails, also on a busy machine."""
_CACHES = (plan.plan, visits.kept, wall.calendar)
_collected: dict[str, pytest.Function] = {}


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
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    hypothesis.settings.load_profile("mutants")


def pytest_collection_finish(session: pytest.Session) -> None:
    _collected.update((item.nodeid, item) for item in session.items if isinstance(item, pytest.Function))


@pytest.fixture(autouse=True)
def _afresh() -> None:
    """Compile anew in each test, so that it is seen which code it reaches, and a mutant's is reached."""
    for cache in _CACHES:
        cache.cache_clear()


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Call the tests that mutmut names against the mutant it names, those of the changed file first."""
    module, mutant, _ = os.environ.get("MUTANT_UNDER_TEST", "").partition(".x")
    tests = [_collected.get(each) for each in config.args]
    if not mutant or None in tests:
        return None
    signal.signal(signal.SIGVTALRM, _too_long)
    own = f"test_{module.rpartition('.')[2]}"
    for test in sorted(filter(None, tests), key=lambda test: test.path.stem != own):
        if not _passes(test):
            return int(pytest.ExitCode.TESTS_FAILED)
    return int(pytest.ExitCode.OK)


def _passes(test: pytest.Function) -> bool:
    for cache in _CACHES:
        cache.cache_clear()
    signal.setitimer(signal.ITIMER_VIRTUAL, _SECONDS, _SECONDS)
    try:
        test.obj(**(test.callspec.params if hasattr(test, "callspec") else {}))
    except (Exception, pytest.fail.Exception):  # noqa: BLE001 - whatever a mutant does wrong is noticed
        return False
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return True


def _too_long(_signal: int, _frame: FrameType | None) -> None:
    raise TimeoutError("This mutant does not end.")
