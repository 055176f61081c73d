"""The customer's whole way, from a shop's page to a kept appointment, a part a function.

One account of it serves all who walk it: by a finger, by keys alone, without scripts, with axe looking at
each state (test_journey.py), and the pictures of docs/screens (screens.py). `shot` is told each state's name.
"""

import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Locator, Page, expect

from tests.browser.system import System

Shot = Callable[[str], None]
WHO = {"name": "山田 花子", "mail": "hanako@example.jp", "phone": "090-1234-5678"}
FREE = "button[name=at]:visible"
# A keystroke-level estimate of what a person needs (Card, Moran and Newell 1980): to make up her mind, to
# reach and to tap; a letter on a phone at 36 words a minute (Palin et al. 2019, mean of 37,370 people).
TAP, LETTER = 1.35 + 1.1 + 0.1, 60 / (36.17 * 5)


@dataclass
class Hand:
    """A finger, that counts what it does."""

    taps: int = 0
    fields: int = 0
    letters: int = 0

    def press(self, what: Locator) -> None:
        self.taps += 1
        what.click()

    def write(self, what: Locator, text: str) -> None:
        self.fields += 1
        self.letters += len(text)
        what.fill(text)

    @property
    def seconds(self) -> float:
        """How long a person would need for the same, without the waiting."""
        return (self.taps + self.fields) * TAP + self.letters * LETTER


class Keys(Hand):
    """Somebody without a mouse: Tab until what is wanted has the focus."""

    def press(self, what: Locator) -> None:
        self.taps += 1
        self._reach(what)
        what.page.keyboard.press("Enter")

    def write(self, what: Locator, text: str) -> None:
        self._reach(what)
        what.page.keyboard.press("ControlOrMeta+a")
        what.page.keyboard.type(text)

    def _reach(self, what: Locator) -> None:
        for _press in range(200):
            if what.evaluate("e => e === document.activeElement"):
                return
            what.page.keyboard.press("Tab")
        raise AssertionError(f"{what} cannot be reached by keys")


@dataclass
class Way:
    """Whoever walks: her page, her hand, the system, and who is told of each state."""

    system: System
    page: Page
    hand: Hand = field(default_factory=Hand)
    shot: Shot = lambda _name: None

    def open(self, path: str) -> None:
        self.page.goto(path if path.startswith("http") else self.system.origin + path)

    def press(self, what: str, number: int = 0) -> None:
        self.hand.press(self.page.locator(what).nth(number))

    def see(self, what: str) -> None:
        expect(self.page.locator(what).first).to_be_visible()

    def fill(self, **changed: str) -> None:
        for name, text in {**WHO, **changed}.items():
            self.hand.write(self.page.locator(f"#id_{name}"), text)

    def ahead(self, days: int) -> None:
        """Look at the times of some days later: what is near may be bound by deadlines."""
        first = datetime.now(UTC).date() + timedelta(days=days)
        self.page.goto(f"{self.page.url.split('?', maxsplit=1)[0]}?from={first}")

    @property
    def own(self) -> str:
        """The address of the booking that is shown."""
        return self.page.url.split("?", maxsplit=1)[0]


def _final(way: Way, shown: str) -> None:
    """From the form to the final screen."""
    way.fill()
    way.press("button[value=final]")
    way.see("button[value=book]")
    way.shot(shown)


def _goes_through(way: Way, final: str, done: str) -> None:
    """From the form to the booking."""
    _final(way, final)
    way.press("button[value=book]")
    expect(way.page).to_have_url(re.compile(r"/b/"))
    way.shot(done)


def book(way: Way, *, days: int = 0, states: bool = False) -> str:
    """From the shop's page to a booking; gives the booking's address. `states`: also what goes wrong."""
    way.open("/salon/")
    way.shot("shop")
    way.press(".services a")
    way.see(FREE)
    if days:
        way.ahead(days)
    way.shot("times")
    way.press(FREE)
    way.see("#id_note")
    way.shot("who")
    if states:
        way.press("button[value=final]")
        way.see("#id_name_error")
        way.shot("who-wrong")
    _goes_through(way, "final", "done")
    return way.own


def staff_first(way: Way) -> None:
    """From who serves to what she does."""
    way.open("/salon/")
    way.press(".team a")
    way.see(".services a")
    way.shot("staff-first")


def several_services(way: Way) -> None:
    """A visit of a cut and what may be added to it."""
    way.open("/salon/book/1/")
    way.ahead(3)
    way.press("#adding summary")
    way.shot("visit-adding")
    for number in (1, 2):
        way.press("#adding a")
        expect(way.page.locator(".chosen .parts li")).to_have_count(number + 1)
    way.shot("visit-times")
    way.press(FREE)
    way.see("#id_note")
    _goes_through(way, "visit-final", "visit-done")


def several_dates(way: Way) -> None:
    """A court every week."""
    way.open("/court/")
    way.press(".services a:has-text('コート1時間'), .services a:has-text('Court, 1 hour')")
    way.see(FREE)
    way.ahead(4)
    way.press(FREE, 1)
    way.see("#id_note")
    way.press("a[href*='/dates?']")
    way.see("input[name=date]")
    way.shot("series-report")
    way.press("button[value=hold]")
    way.see("#id_note")
    _goes_through(way, "series-final", "series-done")


def questions(way: Way) -> None:
    """A vaccination for her child: whom it is for, what the clinic asks, her health."""
    way.open("/clinic/")
    way.press(".services a")
    way.see(FREE)
    way.ahead(3)
    way.press(FREE)
    way.see("#id_note")
    way.fill()
    way.page.locator(".whom input[type=radio]").nth(1).check()
    way.page.locator("[id='id_guests.0.name']").fill("山田 つぼみ")
    way.page.locator("input[name='answers.first-visit']").first.check()
    way.page.locator("input[name='answers.vaccines']").first.check()
    way.page.locator(".health input[type=checkbox]").first.check()
    way.page.locator(".health textarea").first.fill("卵アレルギー")
    way.shot("questions")
    way.page.locator("[id='id_answers.side-effects']").check()
    way.press("button[value=final]")
    way.see("button[value=book]")
    way.shot("questions-final")


def late(way: Way, own: str) -> None:
    way.open(own)
    way.press("button[name=minutes]")
    way.see("#late .notice")
    way.shot("late")


def move_and_cancel(way: Way, own: str) -> None:
    way.open(own)
    way.shot("own")
    way.press("a[href$='/move']")
    way.see(FREE)
    way.shot("move")
    way.press(FREE, 1)
    way.see("button[value=move]")
    way.shot("move-sure")
    way.press("button[value=move]")
    expect(way.page).to_have_url(re.compile(r"\?moved$"))
    way.shot("moved")
    way.press("details:has(form[action$=cancel]) summary")
    way.shot("cancelling")
    way.press("form[action$=cancel] button")
    way.see("a[href*='/salon/book/']")
    way.shot("cancelled")


def lose_a_race(way: Way, rival: Page) -> None:
    """She looks at a stylist's times while somebody else takes the one that she presses."""
    address = "/salon/book/1/?staff=1"
    way.open(address)
    at = way.page.locator(FREE).first.get_attribute("value")
    rival.goto(way.system.origin + address)
    rival.locator(f"button[name=at][value='{at}']:visible").first.click()
    expect(rival.locator("#id_note")).to_be_visible()
    way.press(f"button[name=at][value='{at}']:visible")
    way.see("#taken")
    way.shot("taken")


def request(way: Way) -> None:
    """A lesson that the shop approves first."""
    way.open("/yoga/")
    way.shot("classes")
    way.press(".services a")
    way.see(".sessions button")
    way.shot("timetable")
    way.open("/yoga/")
    way.press(".services a:has-text('プライベート'), .services a:has-text('Private')")
    way.see(FREE)
    way.press(FREE)
    way.see("#id_note")
    _goes_through(way, "request-final", "request-done")


def stay(way: Way) -> None:
    way.open("/cottage/")
    way.press(".services a")
    way.see(FREE)
    way.shot("stay-times")
    way.press(FREE)
    way.see("#id_note")
    _final(way, "stay-final")


def nothing_there(way: Way) -> None:
    """Closed, run out, unknown."""
    way.open("/salon/book/1/?from=2199-01-01")
    way.shot("nothing-free")
    way.open("/salon/book/1/you?held=x")
    way.shot("hold-over")
    way.open("/b/1.1.1.aaaaaaaaaaaaaaaaaaaaaa")
    way.shot("link-unknown")
    way.open("/salon/legal")
    way.shot("legal")
    way.open("/salon/privacy")
    way.shot("privacy")


def wait(way: Way, service: int, start: str) -> None:
    """From the times of a class that is full to a place on its list."""
    at = datetime.fromisoformat(start)
    way.open(f"/yoga/book/{service}/?from={at.date()}")
    way.see("details.full")
    if way.page.locator("details.full:not([open])").count():
        way.press("details.full summary")
    way.shot("full")
    way.press(f"details.full a[href*='at={int(at.timestamp())}']")
    way.see("#id_name")
    way.shot("wait")
    way.fill()
    way.press("button.next")
    expect(way.page).to_have_url(re.compile(r"/w/"))
    way.shot("waiting")


@contextmanager
def without_the_vault(system: System) -> Iterator[None]:
    """The vault answers nobody."""
    vault = system.up.child("vault")
    os.kill(vault, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(vault, signal.SIGCONT)


def vault_down(way: Way) -> None:
    """What she wrote is still there, and nothing is booked."""
    way.open("/salon/book/1/")
    way.press(FREE)
    way.see("#id_note")
    way.fill()
    way.press("button[value=final]")
    way.see("button[value=book]")
    with without_the_vault(way.system):
        way.press("button[value=book]")
        expect(way.page.locator("[role=alert]")).to_be_visible(timeout=60_000)
        way.shot("vault-down")
    assert way.page.locator("#id_name").input_value() == WHO["name"]


def account(way: Way, code: Callable[[], str]) -> None:
    """Into the account by a mailed code (`code` waits for it): her bookings, her data, its end."""
    way.open("/salon/account")
    way.shot("account-door")
    way.hand.write(way.page.locator("#mail"), WHO["mail"])
    way.page.keyboard.press("Enter")
    way.see("#code")
    way.shot("account-code")
    way.hand.write(way.page.locator("#code"), code())
    way.page.keyboard.press("Enter")
    way.see("li.visit")
    way.shot("account")
    way.open("/salon/account/data")
    way.shot("account-data")
    way.open("/salon/account/end")
    way.shot("account-end")
    way.open("/salon/my-data/kept")
    way.shot("my-data-kept")
    way.open("/salon/my-data")
    way.shot("my-data")
