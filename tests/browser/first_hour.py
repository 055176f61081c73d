"""A shop's first hour, from the kind of shop to what it will look like, a step a picture."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Locator, Page

from tests.browser.system import System
from tests.servers import wait_for

SHOP_MAIL = "hello@hajime.example"


@dataclass
class Hand:
    """Counts what a person does."""

    page: Page
    taps: int = 0
    fields: int = 0

    def tap(self, what: Locator) -> None:
        what.click()
        self.taps += 1

    def write(self, label: str, text: str) -> None:
        self.page.get_by_label(re.compile(f"^{label}")).first.fill(text)
        self.fields += 1

    def go_on(self) -> None:
        self.tap(self.page.get_by_role("button", name="次へ").last)


def code_of(system: System, mail: str) -> str:
    def there() -> list[str]:
        bodies = [one.get_body(("plain",)) for one in system.mails(mail)]
        texts = [body.get_content() for body in bodies if body is not None]
        return [found[1] for text in texts if (found := re.search(r"code is (\d{6})", text))]

    wait_for(lambda: bool(there()), 40)
    return there()[-1]


def answer(hand: Hand, seen: Callable[[str], None]) -> None:
    """Go through the steps as somebody who takes what stands there."""
    seen("kind")
    hand.tap(hand.page.get_by_role("button", name=re.compile("美容室")))
    seen("about")
    hand.write("お店の名前", "はじめの一席")
    hand.write("住所", "東京都台東区谷中0-0-0")
    hand.write("電話番号", "03-0000-0000")
    hand.write("メール", SHOP_MAIL)
    hand.go_on()
    seen("hours")
    hand.go_on()
    seen("team")
    hand.write("お名前（1行に1人）", "葵 / Aoi")
    hand.go_on()
    seen("services")
    hand.go_on()
    seen("words")
    hand.write("責任者", "青木 葵")
    hand.go_on()
    seen("look")
