"""The waiting list from end to end: joined by a program, offered by the worker, told by mail, taken on the
page.
"""

import json
import re
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.system import System, look, visit, watch
from tests.servers import wait_for

JIRO = {"name": "佐藤 二郎", "mail": "jiro@example.jp"}


class Studio:
    """The yoga studio, as a program speaks to it."""

    def __init__(self, system: System) -> None:
        self.port = system.up.port
        services = self.send("GET", "/shops/yoga/services")["services"]
        self.service = next(each["id"] for each in services if each["key"] == "yin")

    def send(self, method: str, path: str, body: Any = None) -> Any:
        connection = HTTPConnection("localhost", self.port, timeout=60)
        headers = {"Content-Type": "application/json", "Accept-Language": "ja"}
        connection.request(method, f"/api/v1{path}", None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        told = json.loads(answer.read())
        connection.close()
        assert answer.status < 300, told
        return told

    def fill(self, nth: int) -> tuple[str, list[str]]:
        """Book out a date of the class; give its start and the tokens of the bookings."""
        today = datetime.now(UTC).date()
        asked = f"service={self.service}&from={today + timedelta(days=3)}&to={today + timedelta(days=24)}"
        days = self.send("GET", f"/shops/yoga/availability?{asked}")["days"]
        start = [each for day in days for each in day["starts"] if each["left"] == 12][nth]["at"]
        return start, [self.ask("bookings", start, number, party=3)["token"] for number in range(4)]

    def ask(self, what: str, start: str, number: int, **more: Any) -> Any:
        customer = {"name": f"客 {number}", "mail": f"full{number}@example.jp"}
        wanted = {"service": self.service, "start": start, "customer": customer, **more}
        return self.send("POST", f"/shops/yoga/{what}", wanted)


@pytest.fixture(scope="module")
def studio(system: System) -> Studio:
    return Studio(system)


def offered(system: System, studio: Studio, nth: int, mail: str) -> str:
    """Wait for a place of a full class until the mail says that there is one; give its link."""
    start, tokens = studio.fill(nth)
    studio.ask("waiting", start, 0, customer={**JIRO, "mail": mail}, party=2)
    studio.send("DELETE", f"/bookings/{tokens[0]}")
    wait_for(lambda: any("空きが出ました" in str(each["Subject"]) for each in system.mails(mail)), 40)
    [told] = [each for each in system.mails(mail) if "空きが出ました" in str(each["Subject"])]
    body = told.get_body(("plain",))
    assert body is not None
    found = re.search(rf"{re.escape(system.origin)}/w/\S+", body.get_content())
    assert found is not None
    return found[0]


def test_it_is_offered_told_and_booked(system: System, studio: Studio, browser: Browser) -> None:
    link = offered(system, studio, 0, "jiro@example.jp")
    with visit(browser) as context:
        page = context.new_page()
        complaints = watch(page)
        page.goto(link)
        expect(page.get_by_role("heading", level=1)).to_have_text("空きをお取りしています。")
        page.get_by_role("button", name="この内容で予約する").click()
        expect(page).to_have_url(re.compile(r"/b/.*\?new"))
        expect(page.get_by_role("heading", level=1)).to_have_text("ご予約を承りました。")
        assert complaints == []
    wait_for(
        lambda: any("ご予約を承りました" in str(m["Subject"]) for m in system.mails("jiro@example.jp")), 40
    )


@pytest.mark.parametrize("english", [False, True])
def test_it_has_no_fault_in_any_state(
    system: System, studio: Studio, browser: Browser, english: bool
) -> None:
    mail = f"states{english}@example.jp".lower()
    link = offered(system, studio, 1 + english, mail)
    start, _ = studio.fill(3 + english)
    waits = studio.ask("waiting", start, 0, customer={**JIRO, "mail": mail})["link"]
    faults = []
    with visit(browser, bypass_csp=True, english=english) as context:
        page = context.new_page()
        page.goto(waits)
        page.locator("summary").click()
        faults += look(page, "waiting-waiting")
        page.locator("form[action$=leave] button").click()
        expect(page.locator("form[action$=leave]")).to_have_count(0)
        faults += look(page, "waiting-left")
        page.goto(link)
        faults += look(page, "waiting-offered")
        page.locator("form[action$=accept] button").click()
        page.wait_for_url("**/b/**")
        page.goto(link)
        faults += look(page, "waiting-booked")
    assert faults == []
