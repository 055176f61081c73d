"""A customer reads who looked at her data: from her booking's page to a proof in her hand, by keys alone."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

import noren_verify
from tests.browser import walk
from tests.browser.system import System, look, visit, watch, with_passkey

MAIL = "sakura@example.jp"


@pytest.fixture(scope="module")
def looked_at(browser: Browser, system: System) -> str:
    """Sakura's booking, at which Mei has looked: the link of it."""
    with visit(browser) as customers:
        page = customers.new_page()
        walk.choose_service(page, system.origin, "カット")
        walk.choose_time(page, 2)
        walk.fill(page, name="渡邉 さくら", mail=MAIL)
        walk.confirm(page)
        link = page.url.split("?", maxsplit=1)[0]
    with visit(browser, wide=True, bypass_csp=True) as desk:
        page = desk.new_page()
        with_passkey(page)
        page.goto(system.link("mei@salon.example", r"/console/join#\S+"))
        page.get_by_role("button", name="パスキーを作る").click()
        expect(page).to_have_url(f"{system.origin}/console/")
        page.goto(f"{system.origin}/console/customers")
        page.locator("input[name=query]").fill("さくら")
        page.keyboard.press("Enter")
        page.get_by_role("link", name=re.compile("さくら")).first.click()
        page.locator("button[name=show]").first.click()
        expect(page.get_by_text(MAIL)).to_be_visible()
    return link


def _code(system: System, number: int) -> str:
    """The newest code that was mailed to her, once there are so many."""

    def codes() -> list[str]:
        bodies = [mail.get_body(("plain",)) for mail in system.mails(MAIL)]
        texts = [body.get_content() for body in bodies if body is not None]
        return [found[1] for text in texts if (found := re.search(r"Your code is (\d{6})", text))]

    from tests.servers import wait_for  # noqa: PLC0415 - beside its only use

    wait_for(lambda: len(codes()) >= number, 40)
    return codes()[-1]


def test_it_walks_from_her_booking_to_a_proof_by_keys_alone(
    browser: Browser, system: System, looked_at: str, tmp_path: Path
) -> None:
    context: BrowserContext = visit(browser, bypass_csp=True)
    page = context.new_page()
    complaints, faults = watch(page), []
    page.goto(looked_at)
    page.get_by_role("link", name="わたしの情報を見た人").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("わたしの情報を見た人")
    faults += look(page, "door-ja")
    page.locator("#mail").focus()
    page.keyboard.type(MAIL)
    page.keyboard.press("Enter")
    expect(page.locator("#code")).to_be_visible()
    faults += look(page, "code-ja")
    page.locator("#code").focus()
    page.keyboard.type(_code(system, 1))
    page.keyboard.press("Enter")
    expect(page.locator("ol.looks")).to_contain_text("スタッフが、お客様のページで")
    expect(page.locator("ol.looks")).to_contain_text("スタッフが、検索で")
    assert "さくら" not in page.locator("ol.looks").inner_text()
    faults += look(page, "list-ja")
    with page.expect_download() as kept:
        page.locator("ol.looks a").first.focus()
        page.keyboard.press("Enter")
    kept.value.save_as(tmp_path / "line.tlog-proof")
    key = page.locator("pre.paper").inner_text().split()[2]
    assert noren_verify.main(["--key", key, "--proof", str(tmp_path / "line.tlog-proof")]) == 0
    page.get_by_role("button", name="English").click()
    expect(page.locator("ol.looks")).to_contain_text("on your customer page")
    faults += look(page, "list-en")
    page.get_by_role("button", name="Leave").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#mail")).to_be_visible()
    faults += look(page, "door-en")
    assert not [one for one in context.cookies() if "grant" in one["name"]]
    assert faults == []
    assert complaints == []
    context.close()


def test_it_needs_no_script(browser: Browser, system: System, looked_at: str) -> None:
    """The wrong code is refused with the address kept, in a browser without scripts."""
    assert looked_at
    with visit(browser, scripts=False) as context:
        page = context.new_page()
        page.goto(f"{system.origin}/salon/my-data")
        page.locator("#mail").fill("nobody@example.jp")
        page.get_by_role("button", name="確認コードを送る").click()
        page.locator("#code").fill("123456")
        page.get_by_role("button", name="マイデータを表示").click()
        expect(page.get_by_role("alert")).to_be_visible()
        assert page.locator("input[name=mail]").input_value() == "nobody@example.jp"
