"""One running system for a run of the browser tests, and a browser for each of their files."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.system import TOP, System, at_any_hour, chromium, running

# What must come is waited for as long as a machine with much else to do needs.
expect.set_options(timeout=30_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark them, so that `-m "not browser"` leaves them out."""
    for item in items:
        if "tests/browser" in item.nodeid:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The example shops, the salon open day and night."""
    folder = tmp_path_factory.mktemp("shops")
    others = [TOP / "examples" / f"{name}.toml" for name in ("yoga", "court", "cottage")]
    with running(at_any_hour(folder), *others) as started:
        yield started


# A browser lives no longer than its file: with Playwright's loop in this thread Django refuses its database.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path
