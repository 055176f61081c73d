"""An owner arranges her menu by keys alone, and a customer sees and books what she made of it."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import walk
from tests.browser.system import System, at_any_hour, looks, running, visit, watch, with_passkey


@pytest.fixture(scope="module")
def salon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running(at_any_hour(tmp_path_factory.mktemp("shop"))) as started:
        yield started


def test_an_owner_arranges_her_menu(salon: System, browser: Browser) -> None:
    faults: list[str] = []
    context = visit(browser, bypass_csp=True)
    page, stranger = context.new_page(), visit(browser).new_page()
    complaints = watch(page)
    with_passkey(page)
    page.goto(salon.link("aoi@salon.example", r"/console/join#\S+"))
    page.get_by_role("button", name="パスキーを作る").click()
    page.wait_for_url(re.compile("/console/$"))

    def seen(name: str) -> None:
        for lang in ("en", "ja"):
            address = re.sub(r"[?#].*", "", page.url)
            faults.extend(looks(context, f"{address}?in={lang}&lang={lang}", f"{name}-{lang}"))

    _reordered(page, salon, stranger)
    seen("offers")
    _resting(page, salon)
    seen("offer")
    _booked(stranger, salon)
    _slower(page, salon, stranger)
    _policy(page, salon, seen)
    page.goto(f"{salon.origin}/console/offers/new")
    seen("offer-new")
    assert complaints == []
    assert faults == [], "\n".join(faults)


def _names(page: Page) -> list[str]:
    return [text.strip() for text in page.locator(".menu .name").all_text_contents()]


def _reordered(page: Page, salon: System, stranger: Page) -> None:
    """The arrow keeps the focus, so that Enter moves it on."""
    page.goto(f"{salon.origin}/console/offers")
    first, second, third, *_rest = _names(page)
    page.locator(".menu li[data-id]").first.get_by_role("button", name=re.compile("下へ")).focus()
    for expected in ([second, first, third], [second, third, first]):
        page.keyboard.press("Enter")
        expect(page.locator(".menu .name").nth(0)).to_have_text(expected[0])
        assert _names(page)[:3] == expected
        expect(page.locator(":focus")).to_have_attribute("value", re.compile("-down$"))
    stranger.goto(f"{salon.origin}/salon/")
    assert stranger.locator(".services .title").first.text_content() == second
    handle = page.locator(".menu li[data-id]").nth(2).locator(".handle")
    box, top = handle.bounding_box(), page.locator(".menu li[data-id]").first.bounding_box()
    assert box is not None
    assert top is not None
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 20, top["y"] + 4, steps=6)
    with page.expect_navigation():
        page.mouse.up()
    assert _names(page)[:3] == [first, second, third], "dragged back to where it was"


def _resting(page: Page, salon: System) -> None:
    """A new service: work, time to take effect, work; the bar follows what is typed."""
    page.goto(f"{salon.origin}/console/offers/new")
    page.locator("#id_name").focus()
    for text in ("髪質改善", "30", "9900"):
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    page.locator("#id_name").press("Enter")
    page.wait_for_url(re.compile(r"/console/offers\?kept"))
    page.get_by_role("link", name="髪質改善", exact=True).focus()
    page.keyboard.press("Enter")
    bar = page.locator(".bar rect")
    expect(bar).to_have_count(1)
    page.locator("#id_seg-1-minutes").focus()
    page.keyboard.type("40")
    expect(bar).to_have_count(2)
    expect(bar.nth(1)).to_have_attribute("data-kind", "free")
    page.locator("[name='seg-1-roles']").nth(1).focus()
    page.keyboard.press("Space")
    page.locator("#id_seg-2-minutes").focus()
    page.keyboard.type("20")
    for number in (0, 1):
        page.locator("[name='seg-2-roles']").nth(number).focus()
        page.keyboard.press("Space")
    expect(bar.nth(2)).to_have_attribute("x", "70")
    expect(bar.nth(2)).to_have_attribute("data-kind", "work")
    expect(page.locator(".total")).to_contain_text("90")
    page.get_by_role("button", name="保存する").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_be_visible()
    expect(page.locator(".total")).to_have_text("1時間30分")


def _booked(stranger: Page, salon: System) -> None:
    walk.choose_service(stranger, salon.origin, "髪質改善")
    expect(stranger.locator(".chosen")).to_contain_text("1時間30分")
    walk.choose_time(stranger, 2)
    walk.fill(stranger)
    walk.confirm(stranger)
    expect(stranger.get_by_role("heading", level=1)).to_have_text("ご予約を承りました。")


def _slower(page: Page, salon: System, stranger: Page) -> None:
    """Who takes two hours has her own length and price on the customer's page."""
    page.goto(f"{salon.origin}/console/offers")
    page.get_by_role("link", name="髪質改善", exact=True).click()
    page.locator("details", has=page.locator("table.own")).locator("summary").focus()
    page.keyboard.press("Enter")
    row = page.locator("table.own tbody tr").first
    name = (row.locator("th").text_content() or "").split("\n")[0].split("指名")[0].strip()
    row.locator("input").nth(0).fill("12000")
    row.locator("input").nth(1).fill("60")
    page.get_by_role("button", name="保存する").click()
    expect(page.get_by_role("status")).to_be_visible()
    stranger.goto(f"{salon.origin}/salon/")
    offer = stranger.locator(".offer", has_text="髪質改善")
    expect(offer).to_contain_text("1時間30分–2時間")
    offer.click()
    expect(stranger.locator(".chosen")).to_contain_text("1時間30分–2時間")
    stranger.get_by_role("link", name=re.compile(name)).first.click()
    expect(stranger.locator(".chosen")).to_contain_text("2時間")
    expect(stranger.locator(".chosen")).to_contain_text("12,000")


def _policy(page: Page, salon: System, seen: Callable[[str], None]) -> None:
    """Sentences with numbers, and what customers would read before anything is saved."""
    page.get_by_role("link", name="予約とキャンセルの条件").click()
    page.locator("#id_tier-0-n").fill("24")
    page.locator("#id_tier-0-unit").select_option("hours")
    page.locator("#id_tier-0-at").fill("")
    page.locator("#id_tier-0-percent").fill("55")
    page.get_by_role("button", name="お客様への表示を先に確認する").click()
    expect(page.locator(".read").first).to_contain_text("55%")
    page.get_by_role("button", name="保存する").click()
    expect(page.get_by_role("status")).to_be_visible()
    seen("policy")
    page.goto(f"{salon.origin}/console/policies")
    seen("policies")
