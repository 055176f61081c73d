"""The yoga studio whose classes are full, as a program fills them."""

import json
import re
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from typing import Any

from tests.browser.system import System
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
