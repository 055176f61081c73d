"""The customer's way in a browser, a step a function."""

import re

from playwright.sync_api import Page, expect

CUSTOMER = {
    "name": "山田 花子",
    "kana": "ヤマダ ハナコ",
    "mail": "hanako@example.jp",
    "phone": "090-1234-5678",
}


def choose_service(page: Page, origin: str, service: str, shop: str = "salon") -> None:
    page.goto(f"{origin}/{shop}/")
    page.get_by_role(
        "link", name=re.compile(rf"^{re.escape(service)}\b|^{re.escape(service)} ")
    ).first.click()


def choose_time(page: Page, number: int = 0) -> str:
    """Take a free time of the day that stands open, by default the first; give its name (POSIX seconds)."""
    slot = page.locator("button[name=at]:visible").nth(number)
    at = slot.get_attribute("value") or ""
    slot.click()
    expect(page.locator("#id_note")).to_be_visible()
    return at


def fill(page: Page, **changed: str) -> None:
    for field, text in {**CUSTOMER, **changed}.items():
        page.locator(f"#id_{field}").fill(text)


def confirm(page: Page) -> None:
    page.locator("button[value=final]").click()
    page.locator("button[value=book]").click()
    expect(page).to_have_url(re.compile(r"/b/"))
