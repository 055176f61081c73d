"""Members, in real browsers: invited, joined with a passkey that is there, going over, a right that ends."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.system import (
    TOP,
    System,
    at_any_hour,
    axe,
    looks,
    picture,
    running,
    visit,
    watch,
    with_passkey,
)

MAY_NOT = "この操作の権限がありません"


def _joined(browser: Browser, system: System, mail: str, *, english: bool = False) -> Page:
    page = visit(browser, bypass_csp=True, english=english).new_page()
    with_passkey(page)
    page.goto(system.link(mail, r"/console/join#\S+"))
    page.get_by_role("button", name="Make a passkey" if english else "パスキーを作る").click()
    page.wait_for_url(f"{system.origin}/console/")
    return page


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Two shops of this file's own: both owners join here."""
    with running(at_any_hour(tmp_path_factory.mktemp("shops")), TOP / "examples" / "yoga.toml") as started:
        yield started


@pytest.fixture(scope="module")
def salon_owner(browser: Browser, system: System) -> Page:
    return _joined(browser, system, "aoi@salon.example")


@pytest.fixture(scope="module")
def yoga_owner(browser: Browser, system: System) -> Page:
    return _joined(browser, system, "mai@yoga.example", english=True)


def _invites(system: System, owner: Page) -> None:
    """The studio's owner invites somebody who works for the salon, and sends it once more."""
    owner.goto(f"{system.origin}/console/members")
    assert looks(owner.context, owner.url, "members-members") == []
    owner.locator("#name").fill("青木 葵")
    owner.locator("#mail").fill("aoi-at-yoga@example.jp")
    owner.locator("#role").select_option("manager")
    owner.locator("#handle").fill("aoi")
    owner.get_by_role("button", name="Send the invitation").click()
    expect(owner.locator("main")).to_contain_text("on its way")
    owner.get_by_role("link", name="青木 葵").click()
    assert looks(owner.context, owner.url, "members-invited") == []
    owner.get_by_role("button", name="Send again").click()
    expect(owner.locator("main")).to_contain_text("on its way")


def _takes(system: System, member: Page) -> None:
    """She takes it with the passkey that she has, and is in the studio."""
    member.goto(system.link("aoi-at-yoga@example.jp", r"/console/join#\S+", 2))
    picture(member, "members-join")
    assert axe(member) == []
    member.get_by_role("button", name="持っているパスキーを使う").click()
    member.wait_for_url(f"{system.origin}/console/")
    expect(member.locator(".rail")).to_contain_text("aoi.salon")


def _goes_over(system: System, member: Page) -> None:
    """She goes over to the salon, and back to the studio, where she is a manager."""
    member.get_by_role("link", name="お店", exact=True).click()
    assert looks(member.context, member.url, "members-shops") == []
    member.get_by_role("button", name="美容室 あさぎへ移る").click()
    member.wait_for_url(f"{system.origin}/console/")
    member.goto(f"{system.origin}/console/members")
    expect(member.locator("main")).to_contain_text("haruto.salon")
    member.goto(f"{system.origin}/console/shops")
    member.get_by_role("button").filter(has_text="へ移る").click()
    member.wait_for_url(f"{system.origin}/console/")
    member.goto(f"{system.origin}/console/hours")
    expect(member.locator("h1")).to_have_text("営業時間")


def _becomes_reception(system: System, owner: Page, member: Page) -> None:
    """The page that her new role does not include refuses at once, in words; so does a permission taken."""
    owner.goto(f"{system.origin}/console/members/aoi.salon")
    owner.locator("#role").select_option("reception")
    owner.get_by_role("button", name="See what that changes").click()
    expect(owner.locator("main")).to_contain_text("change hours, and who can be booked")
    picture(owner, "members-sure")
    assert axe(owner) == []
    owner.get_by_role("button", name="Change the role").click()
    expect(owner.locator("dd.big")).to_have_text("Reception")
    member.reload()
    expect(member.locator("main")).to_contain_text(MAY_NOT)
    member.goto(f"{system.origin}/console/customers")
    expect(member.locator("nav")).to_contain_text("お客様")
    expect(member.locator("nav")).not_to_contain_text("営業時間")
    owner.goto(f"{system.origin}/console/members/roles")
    assert looks(owner.context, owner.url, "members-roles") == []
    owner.goto(f"{system.origin}/console/members/roles/reception")
    assert looks(owner.context, owner.url, "members-role") == []
    owner.get_by_label("search and open customers").uncheck()
    owner.get_by_role("button", name="Save").click()
    expect(owner.locator("main")).to_contain_text("Saved.")
    member.reload()
    expect(member.locator("main")).to_contain_text(MAY_NOT)


def _ends(system: System, owner: Page, member: Page) -> None:
    """She works there no more: her next page leads to sign-in."""
    owner.goto(f"{system.origin}/console/members/aoi.salon")
    owner.get_by_role("button", name="See what ends").click()
    picture(owner, "members-end")
    owner.get_by_role("button", name="End it").click()
    expect(owner.locator("main")).to_contain_text("Who worked here")
    member.goto(f"{system.origin}/console/")
    expect(member).to_have_url(f"{system.origin}/console/sign-in?next=%2Fconsole%2F")


def test_one_person_works_for_two_shops_and_her_rights_end_at_once(
    system: System, salon_owner: Page, yoga_owner: Page
) -> None:
    owner, member = yoga_owner, salon_owner
    complaints = [watch(owner), watch(member)]
    _invites(system, owner)
    _takes(system, member)
    _goes_over(system, member)
    _becomes_reception(system, owner, member)
    _ends(system, owner, member)
    # A browser complains only of what was refused: two pages, by 403.
    assert complaints[0] == []
    assert all("403" in each for each in complaints[1])
    assert len(complaints[1]) == 2
