"""A message to many, in a browser: on a phone from the pick to the last mail, and at a desk in English."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, expect

from tests.browser import walk
from tests.browser.console_walk import owner_of
from tests.browser.system import System, at_any_hour, look, running, visit, watch
from tests.servers import wait_for


@pytest.fixture(scope="module")
def salon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running(at_any_hour(tmp_path_factory.mktemp("shop"))) as started:
        yield started


def _booked(salon: System, browser: Browser, mail: str) -> None:
    with visit(browser) as context:
        page = context.new_page()
        walk.choose_service(page, salon.origin, "カット")
        walk.choose_time(page, 3)
        walk.fill(page, mail=mail)
        walk.confirm(page)
    assert salon.mail(mail)


def _subjects(salon: System, to: str) -> list[str]:
    return [str(mail["Subject"]) for mail in salon.mails(to)]


def test_a_shop_writes_to_all_of_some_days(salon: System, browser: Browser) -> None:
    """Picked, written with a field put by its button, tried, counted, sent; seen at each step."""
    faults: list[str] = []
    for name in ("hanako", "kumiko"):
        _booked(salon, browser, f"{name}@example.jp")
    with visit(browser, bypass_csp=True) as context:
        page = context.new_page()
        complaints = watch(page)
        owner_of(salon, page)
        page.get_by_role("link", name="メッセージ").click()
        page.get_by_role("link", name="一斉連絡").click()
        faults += look(page, "many-none")
        today = datetime.now(ZoneInfo("Asia/Tokyo")).date()
        page.locator("#date").fill(today.isoformat())
        page.locator("#until").fill((today + timedelta(days=30)).isoformat())
        page.get_by_role("button", name="文面へ進む").click()
        expect(page.get_by_text("予約 2 件 · 2人")).to_be_visible()
        faults += look(page, "many-draft")
        page.locator("#id_subject_ja").fill("断水のお知らせ")
        box = page.locator("#id_opening_ja")
        box.focus()
        fields = page.locator("#in-ja").get_by_role("group", name="差し込み項目：本文")
        fields.get_by_role("button").first.click()
        expect(box).to_have_value("{name}")
        page.keyboard.type("様、当日は午前中断水します。")
        expect(page.locator("#preview")).to_contain_text("山田 花子様、当日は午前中断水します。")
        page.get_by_role("button", name=re.compile("自分にテスト送信.*日本語")).click()
        expect(page.get_by_role("status")).to_contain_text("テストメールをあなたにお送りします")
        wait_for(lambda: "【テスト】断水のお知らせ" in _subjects(salon, "aoi@salon.example"), 60)
        page.get_by_role("button", name="保存して宛先を確かめる").click()
        expect(page.get_by_role("alert")).to_contain_text("送信しますか？")
        faults += look(page, "many-ask")
        page.get_by_role("button", name="2人に送信する").click()
        expect(page.get_by_text("2 / 2")).to_be_visible(timeout=60_000)
        faults += look(page, "many-sent")
        for name in ("hanako", "kumiko"):
            assert _subjects(salon, f"{name}@example.jp").count("断水のお知らせ") == 1
        page.get_by_role("link", name="一斉連絡のメール一覧").click()
        expect(page.locator(".log > li")).to_have_count(2)
        faults += look(page, "many-log")
        page.goto(f"{salon.origin}/console/work")
        faults += look(page, "many-work")
        page.get_by_role("button", name="English").click()
        page.goto(f"{salon.origin}/console/messages/many")
        faults += look(page, "many-list-en")
        page.locator("#until").fill((today + timedelta(days=9)).isoformat())
        page.get_by_role("button", name="Go on to the words").click()
        page.locator("#id_opening_en").fill("Dear {nmae}")
        expect(page.locator("#preview")).to_contain_text("{nmae} is no field here")
        faults += look(page, "many-draft-en")
        assert complaints == []
    assert faults == []
