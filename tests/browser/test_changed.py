"""What a change does to others, looked at: bookings that it touches, a date called off, a class moved, who is
told, and one's own page.
"""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.console_walk import owner_of, seed, touched
from tests.browser.studio import Studio
from tests.browser.system import PHONE, TOP, System, at_any_hour, look, looks, running, visit, watch

MOVED = """
from datetime import timedelta
from noren import clock
from noren.booking import sessions
from noren.booking.models import ClassSession
from noren.shops import directory
from noren.shops.tenancy import shop
yoga = directory.shop_id("yoga")
with shop(yoga):
    one = ClassSession.objects.filter(booked__gt=0, cancelled=False).order_by("start").first()
then = one.start + timedelta(minutes=15)
sessions.move_session(yoga, one.id, then, one.staff_id, now=clock.now(), by="system")
"""

WIDER = """[...document.querySelectorAll(".timeline .field > *")].filter(
  (one) => one.getBoundingClientRect().right > one.parentElement.getBoundingClientRect().right + 1).length"""


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("changed")
    folder.chmod(0o755)
    with running(at_any_hour(folder), TOP / "examples" / "yoga.toml") as started:
        yield started


def _in_both(page: Page, found: list[str]) -> Callable[[str], None]:
    """Return what looks at a page as it stands, in each screen and theme."""

    def seen(name: str) -> None:
        found.extend(look(page, name))

    return seen


def _looked(context: BrowserContext, address: str, name: str) -> list[str]:
    return [
        fault
        for language in ("ja", "en")
        for fault in looks(context, f"{address}?lang={language}", f"{name}-{language}")
    ]


def test_what_a_salon_changes(shops: System, browser: Browser) -> None:
    """The bookings of a day that is closed, what the team is told, and her own shifts."""
    found: list[str] = []
    with visit(browser, wide=True, bypass_csp=True) as context:
        page = context.new_page()
        complaints = watch(page)
        owner_of(shops, page)
        seed(shops, page)
        touched(shops, page, _in_both(page, found))
        for name in ("messages/told", "me"):
            found += _looked(context, f"{shops.origin}/console/{name}", name.replace("/", "-"))
        page.goto(f"{shops.origin}/console/messages/told")
        expect(page.locator("main")).to_contain_text("新しい予約")
        assert complaints == []
    assert found == [], "\n".join(found)


def test_a_date_is_called_off_and_a_class_is_moved(shops: System, browser: Browser) -> None:
    """Who booked the class that moved sees both times, and keeps it; of the other all are told."""
    found: list[str] = []
    studio = Studio(shops)
    _, tokens = studio.fill(0)
    shops.inside(MOVED)
    with visit(browser, bypass_csp=True) as context:
        page = context.new_page()
        page.goto(f"{shops.origin}/b/{tokens[0]}")
        expect(page.locator("section.notice h1")).to_have_text("お店がクラスの日時または担当を変更しました")
        found += _looked(context, page.url, "class-moved")
        page.locator("section.notice button.next").press("Enter")
        expect(page.locator("section.notice")).to_have_count(0)
        found += look(page, "class-kept")
    with visit(browser, wide=True, bypass_csp=True) as context:
        page = context.new_page()
        owner_of(shops, page, "mai@yoga.example")
        page.goto(f"{shops.origin}/console/offers/{studio.service}/dates")
        # A date with somebody in it, and one without: each asks before it is called off.
        for booked, name in (("12", "full"), ("0", "empty")):
            page.goto(f"{shops.origin}/console/offers/{studio.service}/dates")
            line = page.locator(".touched li", has_text=f"予約{booked}／定員12")
            line.first.locator("button[name=off]").click()
            expect(page.locator("button[name=sure]")).to_be_visible()
            found += look(page, f"offer-off-{name}")
        page.locator("button[name=sure]").press("Enter")
        expect(page.locator("main")).to_contain_text("中止", timeout=15_000)
        found += look(page, "offer-dates-off")
        page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        assert page.evaluate(WIDER) == 0, "a field stands out of its line"
    assert found == [], "\n".join(found)
