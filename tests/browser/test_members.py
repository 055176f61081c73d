"""Members, in real browsers: invited, joined with a passkey that is there, going over, a right that ends."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.system import System, axe, visit, watch, with_passkey

SCREENS = [(False, False), (True, True), (True, False), (False, True)]


def _joined(browser: Browser, system: System, mail: str, *, english: bool = False) -> Page:
    page = visit(browser, bypass_csp=True, english=english).new_page()
    with_passkey(page)
    page.goto(system.link(mail, r"/console/join#\S+"))
    page.get_by_role("button", name="Make a passkey" if english else "パスキーを作る").click()
    expect(page).to_have_url(f"{system.origin}/console/")
    return page


def _looks(context: BrowserContext, address: str, picture: Path) -> list[str]:
    """What axe finds in each screen and theme, with a picture of each."""
    found: list[str] = []
    for wide, dark in SCREENS:
        page = context.new_page()
        page.emulate_media(color_scheme="dark" if dark else "light")
        page.set_viewport_size({"width": 1280, "height": 900} if wide else {"width": 390, "height": 844})
        page.goto(address)
        found += axe(page)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append("wider than the screen")
        page.screenshot(path=picture.with_name(f"{picture.name}-{wide:d}{dark:d}.png"), full_page=True)
        page.close()
    return found


@pytest.fixture(scope="module")
def salon_owner(browser: Browser, system: System) -> Page:
    return _joined(browser, system, "aoi@salon.example")


@pytest.fixture(scope="module")
def yoga_owner(browser: Browser, system: System) -> Page:
    return _joined(browser, system, "mai@yoga.example", english=True)


def test_one_person_works_for_two_shops_and_her_rights_end_at_once(
    system: System, salon_owner: Page, yoga_owner: Page, tmp_path: Path
) -> None:
    owner, member = yoga_owner, salon_owner
    complaints = [watch(owner), watch(member)]

    # The studio's owner invites somebody who works for the salon.
    owner.goto(f"{system.origin}/console/members")
    assert _looks(owner.context, owner.url, tmp_path / "members") == []
    owner.locator("#name").fill("青木 葵")
    owner.locator("#mail").fill("aoi-at-yoga@example.jp")
    owner.locator("#role").select_option("manager")
    owner.locator("#handle").fill("aoi")
    owner.get_by_role("button", name="Send the invitation").click()
    expect(owner.locator("main")).to_contain_text("on its way")
    expect(owner.locator("main")).to_contain_text("青木 葵")
    owner.get_by_role("link", name="青木 葵").click()
    assert _looks(owner.context, owner.url, tmp_path / "invited") == []
    owner.get_by_role("button", name="Send again").click()
    expect(owner.locator("main")).to_contain_text("on its way")

    # She takes it with the passkey that she has, and is in the studio.
    member.goto(system.link("aoi-at-yoga@example.jp", r"/console/join#\S+", 2))
    member.screenshot(path=tmp_path / "join.png", full_page=True)
    assert axe(member) == []
    member.get_by_role("button", name="持っているパスキーを使う").click()
    expect(member).to_have_url(f"{system.origin}/console/")
    expect(member.locator(".rail")).to_contain_text("aoi.salon")

    # And goes over to the salon, and back.
    member.get_by_role("link", name="お店", exact=True).click()
    assert _looks(member.context, member.url, tmp_path / "shops") == []
    member.get_by_role("button", name="美容室 あさぎへ移る").click()
    expect(member).to_have_url(f"{system.origin}/console/")
    member.goto(f"{system.origin}/console/members")
    expect(member.locator("main")).to_contain_text("haruto.salon")
    member.goto(f"{system.origin}/console/shops")
    member.get_by_role("button").filter(has_text="へ移る").click()
    member.goto(f"{system.origin}/console/hours")
    expect(member.locator("h1")).to_be_visible()

    # Her role becomes another: the page that she may no longer see refuses at once, in words.
    owner.goto(f"{system.origin}/console/members/aoi.salon")
    owner.locator("#role").select_option("reception")
    owner.get_by_role("button", name="See what that changes").click()
    expect(owner.locator("main")).to_contain_text("change hours, and who can be booked")
    owner.screenshot(path=tmp_path / "sure.png", full_page=True)
    assert axe(owner) == []
    owner.get_by_role("button", name="Change the role").click()
    expect(owner.locator("dd.big")).to_have_text("Reception")
    member.reload()
    expect(member.locator("main")).to_contain_text("この操作はできません")
    member.goto(f"{system.origin}/console/customers")
    expect(member.locator("nav")).not_to_contain_text("営業時間")

    # The role loses a permission; then she works there no more.
    owner.goto(f"{system.origin}/console/members/roles")
    assert _looks(owner.context, owner.url, tmp_path / "roles") == []
    owner.goto(f"{system.origin}/console/members/roles/reception")
    assert _looks(owner.context, owner.url, tmp_path / "role") == []
    owner.get_by_label("search and open customers").uncheck()
    owner.get_by_role("button", name="Save").click()
    expect(owner.locator("main")).to_contain_text("Saved.")
    assert member.reload() is not None
    expect(member.locator("main")).to_contain_text("この操作はできません")
    owner.goto(f"{system.origin}/console/members/aoi.salon")
    owner.get_by_role("button", name="See what ends").click()
    owner.screenshot(path=tmp_path / "end.png", full_page=True)
    owner.get_by_role("button", name="End it").click()
    expect(owner.locator("main")).to_contain_text("Who worked here")
    member.goto(f"{system.origin}/console/")
    expect(member).to_have_url(f"{system.origin}/console/sign-in?next=%2Fconsole%2F")

    # What a browser complains of is only what was refused: two pages by 403.
    assert complaints[0] == []
    assert all("403" in each for each in complaints[1])
    assert len(complaints[1]) == 2
