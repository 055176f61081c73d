"""A page that asks for a puzzle: solved by the browser's own script, by keys alone; and without scripts."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from noren_vault.levels import ADDRESS
from tests.browser.system import System, at_any_hour, look, running, visit, watch


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A salon of this file's own: how much was asked from here is counted."""
    with running(at_any_hour(tmp_path_factory.mktemp("shops"))) as started:
        yield started


def _ask(page: Page, system: System, number: int) -> None:
    page.goto(f"{system.origin}/salon/my-data")
    page.locator("#mail").fill(f"nobody{number}@example.jp")
    page.keyboard.press("Enter")


def test_it_solves_a_puzzle_by_keys_alone(browser: Browser, system: System) -> None:
    """After many mails from one address the form asks; it is sent again, and goes on once it is solved."""
    faults: list[str] = []
    with visit(browser) as context:
        page = context.new_page()
        for number in range(ADDRESS.short):
            _ask(page, system, number)
            expect(page.locator("#code")).to_be_visible()
        complaints = watch(page)
        _ask(page, system, 99)
        expect(page.locator("[data-challenge]")).to_be_visible()
        assert page.locator("#mail").input_value() == "nobody99@example.jp"
        page.locator("#mail").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#code")).to_be_visible(timeout=60_000)
        # The browser's own words for the status of the first answer, which is meant.
        assert [one for one in complaints if "429" not in one] == []
    with visit(browser, scripts=False) as context:
        page = context.new_page()
        _ask(page, system, 99)
        page.get_by_role("button", name="確認コードを送る").click()
        # Playwright switches scripts off after the page was read, so what stands for that case is not shown.
        assert "1分待ってから" in page.content()
        assert page.locator("input[name=proof]").input_value().endswith(":")
    for language in ("ja", "en"):
        with visit(browser, bypass_csp=True, english=language == "en") as context:
            page = context.new_page()
            _ask(page, system, 99)
            expect(page.locator("[data-challenge-words]")).not_to_be_empty(timeout=60_000)
            faults += look(page, f"challenge-{language}")
    assert faults == []
