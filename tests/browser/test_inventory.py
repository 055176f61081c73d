"""The inventory of secrets in each screen: the list, what is reached, one; and what lies in the folder."""

import re
import stat
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from noren.incidents.secret_list import SECRETS
from tests.browser.system import System, at_any_hour, looks, operator_of, running, watch

# What nobody else may read, and is no secret: databases, logs, mails that were caught, the pages' files.
_ELSE = (
    "app/static/*",
    "app/pg/*",
    "vault/pg/*",
    "*/pg-log/*",
    "mail/*",
    "log/*",
    "ledger/*",
    "run/children.json",
    "run/lock",
    "run/*.lock",
)


@pytest.fixture(scope="module")
def salon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("secrets")
    folder.chmod(0o755)
    with running(at_any_hour(folder)) as started:
        yield started


def test_an_operator_asks_what_is_reached_and_writes_it_down(salon: System, browser: Browser) -> None:
    page = operator_of(salon, browser)
    complaints = watch(page)
    page.goto(f"{salon.origin}/operations/secrets")
    expect(page.locator("h1")).to_have_text("秘密情報")
    assert looks(page.context, page.url, "secrets") == []
    page.locator("#from-1").select_option("vault-side")
    page.locator("#since").fill("2026-01-01T00:00")
    page.get_by_role("button", name="手の届く範囲を表示する").click()
    expect(page.locator("#stores ~ ul")).to_contain_text("全員のデータの平文", timeout=15_000)
    assert looks(page.context, page.url, "secrets-reached") == []

    page.locator("#title").fill("DNS の管理画面")
    page.locator("#how").fill("管理画面でパスワードを替える")
    page.locator("#reaches").select_option(["smtp-password"])
    page.get_by_role("button", name="加える").click()
    expect(page.locator("h1")).to_have_text("DNS の管理画面", timeout=15_000)
    page.locator("#place").select_option("wiki")
    page.locator("#place-text").fill("設計の頁")
    page.get_by_role("button", name="記録する").click()
    expect(page.locator("main")).to_contain_text("設計の頁", timeout=15_000)
    page.locator("#why").fill("漏れたので替えた")
    page.get_by_role("button", name="新しくした").click()
    expect(page.locator("#anew ~ ul")).to_contain_text("漏れたので替えた", timeout=15_000)
    assert looks(page.context, page.url, "secret") == []
    page.goto(f"{salon.origin}/operations/secrets/epoch-key")
    assert looks(page.context, page.url, "secret-seen") == []
    page.get_by_role("button", name="English").click()
    page.goto(f"{salon.origin}/operations/secrets?from=wiki&from=&since=2026-01-01T00:00&zone=UTC")
    expect(page.locator("#all ~ ul")).to_contain_text(re.compile("made anew"))
    assert looks(page.context, page.url, "secrets-en") == []
    assert complaints == []


def test_every_file_that_others_may_not_read_is_in_it(salon: System) -> None:
    """Whatever the system makes and keeps from others is a secret of the list, or said here to be none."""
    known = {at.partition(":")[0] for one in SECRETS for at in one.at}
    var = Path(salon.var)
    found = [
        str(path.relative_to(var))
        for path in var.rglob("*")
        if path.is_file() and not path.is_symlink() and not stat.S_IMODE(path.stat().st_mode) & 0o077
    ]
    left = [name for name in found if not any(fnmatch(name, one) for one in (*known, *_ELSE))]
    assert left == []
    for kind in ("app/secrets.json", "vault/secrets.json", "keys/epoch-*", "run/door-keys.json"):
        assert [name for name in found if fnmatch(name, kind)], kind
