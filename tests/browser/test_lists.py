"""A list leaves, in two browsers: asked for, agreed to with a passkey, taken as a file, and traced."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.system import System, at_any_hour, looks, running, visit, watch, with_passkey

CUSTOMERS = 150


@pytest.fixture(scope="module")
def salon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A salon with 150 customers and one beside."""
    folder = tmp_path_factory.mktemp("lists")
    folder.chmod(0o755)
    file = folder / "customers.csv"
    with file.open("w", newline="") as out:
        rows = [[f"客 {number}", f"kyaku{number}@example.jp"] for number in range(CUSTOMERS)]
        csv.writer(out).writerows([["name", "mail"], *rows])
    with running(at_any_hour(folder)) as started:
        done = started.noren("customers", "import", str(file), "--shop", "salon", "--reason", "moving")
        assert f"{CUSTOMERS} customers are there" in done.stdout, done.stderr
        yield started


def _joined(browser: Browser, salon: System, mail: str) -> Page:
    page = visit(browser, bypass_csp=True).new_page()
    with_passkey(page)
    page.goto(salon.link(mail, r"/console/join#\S+"))
    page.get_by_role("button", name="パスキーを作る").click()
    expect(page).to_have_url(f"{salon.origin}/console/")
    return page


@pytest.fixture(scope="module")
def owner(browser: Browser, salon: System) -> Page:
    return _joined(browser, salon, "aoi@salon.example")


@pytest.fixture(scope="module")
def manager(browser: Browser, salon: System) -> Page:
    return _joined(browser, salon, "haruto@salon.example")


def test_a_list_leaves_by_two_people_and_is_known_again(
    salon: System, owner: Page, manager: Page, tmp_path: Path
) -> None:
    complaints = [watch(owner), watch(manager)]
    owner.goto(f"{salon.origin}/console/lists")
    assert looks(owner.context, owner.url, "lists") == []
    owner.locator("#out-words").fill("別の台帳へ移すため")
    owner.get_by_role("button", name="名簿を申請する").click()
    expect(owner.locator("main")).to_contain_text("別の人の同意待ち")
    assert looks(owner.context, owner.url, "waits") == []
    manager.goto(owner.url)
    assert looks(manager.context, manager.url, "agree") == []
    manager.get_by_role("button", name="パスキーで同意する").click()
    expect(manager.locator("main")).to_contain_text("受け取れます")
    owner.reload()
    assert looks(owner.context, owner.url, "ready") == []
    with owner.expect_download() as begun:
        owner.get_by_role("button", name="ファイルを受け取る").click()
    file = tmp_path / "taken.csv"
    begun.value.save_as(file)
    rows = file.read_text(encoding="utf-8-sig").splitlines()
    assert rows[0] == '"氏名","フリガナ","メールアドレス","電話番号"'
    assert len(rows) == 1 + CUSTOMERS + 5
    owner.reload()
    expect(owner.locator("main")).to_contain_text("受け渡し済み")
    assert looks(owner.context, owner.url, "taken") == []
    found = salon.noren("trace", str(file)).stdout
    export = re.search(r"comes from export (\w+) of salon: moving", found)
    assert export is not None, found
    scope = salon.noren("scope", "--export", export[1], "--since", "1h").stdout
    assert f"{CUSTOMERS} persons" in scope or f"{CUSTOMERS} " in scope
    assert complaints == [[], []]
