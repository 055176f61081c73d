"""Somebody who works in the shop, and a visitor: they look at pages, over and over."""

import http.client
import json
import random
import re
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from typing import Any

from tests.accounts.passkey import Passkey
from tests.crash.clients import DAYS, Offer
from tests.crash.system import SLUG, System
from tests.servers import wait_for

OWNER = "aoi@crash.example"


class Reader(threading.Thread):
    """Looks at a page every few seconds; `answers` counts what came."""

    def __init__(self, system: System, offers: tuple[Offer, ...], seed: int, seconds: float) -> None:
        super().__init__(name="reader", daemon=True)
        self.system = system
        self.offers = offers
        self.dice = random.Random(f"{seed} reader")
        self.seconds = seconds
        self.answers: Counter[str] = Counter()
        self.ended = threading.Event()
        self._cookies: dict[str, str] = {}

    def run(self) -> None:
        self._join()
        while not self.ended.wait(self.dice.expovariate(1 / self.seconds)):
            name, path = self.dice.choice(self._pages())
            self.answers[f"{name} {self._ask('GET', path)[0]}"] += 1

    def stop(self) -> None:
        self.ended.set()
        self.join()

    def _pages(self) -> list[tuple[str, str]]:
        day = datetime.now(UTC).date() + timedelta(days=self.dice.choice(DAYS))
        return [
            ("shop", f"/{SLUG}/"),
            ("times", f"/{SLUG}/book/{self.dice.choice(self.offers).id}/"),
            ("today", "/console/"),
            ("day", f"/console/day?date={day}"),
        ]

    def _join(self) -> None:
        """Make a passkey by the link of the invitation, as the page does."""
        wait_for(lambda: bool(self._invitations()), 60)
        passkey = Passkey(self.system.origin, "localhost")
        _, page = self._ask("GET", "/console/join")
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token is not None, page
        given: dict[str, Any] = {"invite": self._invitations()[0]}
        status, told = self._ask("POST", "/console/join/begin", given, token[1])
        assert status == 200, told
        given["answer"] = passkey.create(json.loads(told)["options"])
        status, told = self._ask("POST", "/console/join/finish", given, token[1])
        assert status == 200, told

    def _invitations(self) -> list[str]:
        bodies = (mail.get_body(("plain",)) for mail in self.system.mails() if str(mail["To"]) == OWNER)
        texts = [body.get_content() for body in bodies if body is not None]
        return [found for text in texts for found in re.findall(r"/console/join#(\S+)", text)]

    def _ask(
        self, method: str, path: str, given: dict[str, Any] | None = None, token: str = ""
    ) -> tuple[int, str]:
        connection = http.client.HTTPConnection("localhost", self.system.up.port, timeout=40)
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        headers = {"Cookie": cookies, "Content-Type": "application/json", "X-CSRFToken": token}
        try:
            connection.request(method, path, None if given is None else json.dumps(given), headers)
            answer = connection.getresponse()
            text = answer.read().decode("utf-8")
            for line in answer.headers.get_all("Set-Cookie", []):
                self._cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
            return answer.status, text
        finally:
            connection.close()
