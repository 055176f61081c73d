"""A parent books for her child at a clinic that asks: on a phone, without scripts, and what the desk sees."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser import walk
from tests.browser.system import TOP, System, look, visit, watch, with_passkey

CHILD = {"name": "山田 つぼみ", "kana": "ヤマダ ツボミ"}


@pytest.fixture(scope="module")
def clinic(system: System) -> System:
    done = system.noren("shop", "import", str(TOP / "examples" / "clinic.toml"), check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return system


def chosen(context: BrowserContext, clinic: System, service: str) -> Page:
    page = context.new_page()
    walk.choose_service(page, clinic.origin, service, "clinic")
    page.goto(f"{page.url}?from={datetime.now(UTC).date() + timedelta(days=3)}")
    walk.choose_time(page)
    return page


def answer(page: Page) -> None:
    walk.fill(page)
    page.get_by_label("ほかの人").check()
    page.locator("[id='id_guests.0.name']").fill(CHILD["name"])
    page.locator("[id='id_guests.0.kana']").fill(CHILD["kana"])
    page.get_by_label("初めて", exact=True).check()
    page.get_by_label("インフルエンザ").check()
    page.get_by_label("健康についての回答が保管されること").check()
    page.get_by_label("アレルギー、治療中の病気").fill("卵アレルギー")


def test_a_parent_books_for_her_child(clinic: System, browser: Browser) -> None:
    """What is missing is marked and nothing lost; the final screen shows all, the mail none of it."""
    with visit(browser, bypass_csp=True) as context:
        page = chosen(context, clinic, "予防接種")
        complaints = watch(page)
        expect(page.locator("[id='id_guests.0.name']")).to_be_hidden()
        faults = look(page, "questions-empty")
        answer(page)
        page.locator("button[value=final]").click()
        expect(page.get_by_text("印のついた項目をご確認ください。")).to_be_visible()
        page.get_by_role("link", name="印のついた項目をご確認ください。").click()
        expect(page.locator("[id='id_answers.side-effects']")).to_be_focused()
        expect(page.get_by_label("アレルギー、治療中の病気")).to_have_value("卵アレルギー")
        faults += look(page, "questions-marked")
        page.get_by_label("予防接種の効果と副反応").check()
        page.locator("button[value=final]").click()
        for words in (CHILD["name"], CHILD["kana"], "インフルエンザ", "卵アレルギー", "同意しました"):
            expect(page.locator("dl.facts")).to_contain_text(words)
        faults += look(page, "questions-final")
        page.locator("button[value=book]").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("ご予約を承りました。")
        faults += look(page, "questions-own")
        mail = clinic.mails(walk.CUSTOMER["mail"])
        assert all("卵" not in str(each) and "つぼみ" not in str(each) for each in mail)
        # A refused form is a 422, and the browser says so.
        assert [said for said in complaints if "422" not in said] == []
        assert faults == []


def test_it_asks_without_javascript_and_in_english(clinic: System, browser: Browser) -> None:
    with visit(browser, scripts=False, english=True) as context:
        page = chosen(context, clinic, "Check-up")
        walk.fill(page)
        page.get_by_label("Yes", exact=True).check()
        expect(page.locator("[id='id_guests.0.name']")).to_be_hidden()
        page.get_by_label("For somebody else").check()
        page.locator("[id='id_guests.0.name']").fill("Tsubomi")
        page.locator("button[value=final]").click()
        expect(page.locator("dl.facts")).to_contain_text("Is this the first visit here?")
        page.locator("button[value=book]").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("You are booked.")


def test_the_doctor_sees_whom_to_expect_and_asks_for_the_rest(clinic: System, browser: Browser) -> None:
    with visit(browser, wide=True, bypass_csp=True) as context:
        page = context.new_page()
        with_passkey(page)
        page.goto(clinic.link("kaede@clinic.example", r"/console/join#\S+"))
        page.get_by_role("button", name="パスキーを作る").click()
        page.wait_for_url("**/console/")
        page.goto(f"{clinic.origin}/console/customers")
        page.locator("input[name=query]").fill("つぼみ")
        page.keyboard.press("Enter")
        page.get_by_role("link", name="山田 花子").first.click()
        faults = look(page, "questions-customer")
        page.locator(".arrivals a").first.click()
        expect(page.get_by_text(CHILD["name"])).to_be_visible()
        expect(page.get_by_text("卵アレルギー")).to_be_hidden()
        faults += look(page, "questions-desk")
        page.get_by_role("button", name="健康についての回答を表示").click()
        expect(page.get_by_text("卵アレルギー")).to_be_visible()
        faults += look(page, "questions-health")
        assert faults == []
