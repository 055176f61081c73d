"""A stranger reports something; an operator makes an incident of it, with a log beside; in each screen."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.system import System, at_any_hour, looks, operator_of, running, visit, watch

LOG = b"2026-11-28T03:01:30Z sshd accepted key for ren\n2026-11-28T05:00:00Z cron ran\n"


@pytest.fixture(scope="module")
def salon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("signs")
    folder.chmod(0o755)
    with running(at_any_hour(folder)) as started:
        yield started


def _report(salon: System, browser: Browser) -> str:
    """As a stranger, by keys alone but for the file; gives the number."""
    page = visit(browser, bypass_csp=True).new_page()
    complaints = watch(page)
    page.goto(f"{salon.origin}/security/report")
    assert looks(page.context, page.url, "report") == []
    page.locator("#text").focus()
    page.keyboard.type("予約番号を変えると、ほかの人の名前が見えます。")
    page.keyboard.press("Tab")
    page.keyboard.type("mitsuketa@kenkyu.example")
    page.locator("#files").set_input_files({"name": "memo.txt", "mimeType": "text/plain", "buffer": b"memo"})
    page.locator("main button[type=submit]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text(re.compile("受け付けました"), timeout=15_000)
    number = page.locator("main strong").inner_text()
    page.get_by_role("button", name="English").click()
    page.goto(f"{salon.origin}/security/report")
    expect(page.locator("h1")).to_have_text("Report a security problem")
    assert looks(page.context, page.url, "report-en") == []
    assert complaints == []
    return number


def test_a_report_becomes_an_incident_with_a_log_on_its_timeline(salon: System, browser: Browser) -> None:
    page = operator_of(salon, browser)
    complaints = watch(page)
    page.goto(f"{salon.origin}/operations/signs")
    assert looks(page.context, page.url, "signs-none") == []
    number = _report(salon, browser)
    # Whatever an operator came for, her first page leads there.
    home = f"{salon.origin}/operations/"
    with visit(browser, english=True, bypass_csp=True) as other:
        other.add_cookies(page.context.cookies())  # type: ignore[arg-type]
        assert looks(other, home, "operations-waits-en") == []
    page.goto(home)
    page.get_by_role("link", name="外部からの通報").click()
    expect(page).to_have_url(re.compile(number))
    expect(page.locator("main")).to_contain_text("mitsuketa@kenkyu.example")
    assert looks(page.context, page.url, "sign") == []
    page.get_by_role("button", name="引き受ける").click()
    expect(page.locator("dl.facts")).to_contain_text("引き受け済み", timeout=15_000)
    page.goto(f"{salon.origin}/operations/signs")
    assert looks(page.context, page.url, "signs") == []
    page.go_back()
    page.get_by_role("button", name="これをもとに事故を開く").click()
    expect(page).to_have_url(re.compile("/operations/incidents/"), timeout=15_000)
    expect(page.locator(".timeline")).to_contain_text("予約番号を変えると")
    incident = page.url
    page.get_by_text("ファイルを取り込む").click()
    page.locator("#file").set_input_files({"name": "auth.log", "mimeType": "text/plain", "buffer": LOG})
    page.locator("#source").fill("踏み台")
    page.locator("#skew").fill("90")
    page.locator("form:has(#file) button").click()
    expect(page.locator("h1")).to_have_text("auth.log", timeout=15_000)
    expect(page.locator("main")).to_contain_text("2026-11-28 03:00:00 UTC")
    assert looks(page.context, page.url, "evidence") == []
    page.locator("#words").fill("sshd")
    page.get_by_role("button", name="探す").click()
    page.get_by_role("link", name="経過に並べて表示する").click()
    expect(page.locator(".timeline")).to_contain_text("accepted key for ren", timeout=15_000)
    expect(page.locator(".timeline")).not_to_contain_text("cron ran")
    assert looks(page.context, page.url, "incident-lines") == []
    page.get_by_role("button", name="English").click()
    page.goto(incident)
    expect(page.locator("main")).to_contain_text("Take a file in")
    page.goto(f"{salon.origin}/operations/signs")
    page.get_by_role("link", name="A report from outside").click()
    assert looks(page.context, page.url, "sign-en") == []
    assert complaints == []
