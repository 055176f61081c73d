"""The two operators at the pages: what they do in a drill they do in a browser, with a passkey."""

import html
import http.client
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from noren import clock
from noren.drill.browser import Browser
from noren.drill.cast import Operators
from noren.drill.stage import Member, Stage

_ALERT: Final = re.compile(r'role="alert"[^>]*>(.*?)</(?:section|p|div)>', re.DOTALL)
_MINUTES: Final = 60


@dataclass
class Seat:
    """Somebody of the platform in a browser, signed in."""

    member: Member
    browser: Browser

    def open(self, path: str) -> str:
        """Open a page and give it. Raises RuntimeError where it does not come."""
        status = self.browser.get(path)
        if status != http.client.OK:
            raise RuntimeError(f"{path} answered {status}")
        return self.browser.page

    def press(self, path: str, /, *, of: str = "", **form: str) -> str:
        """Send a page's form; gives where it leads. Raises RuntimeError with what the page says."""
        status = self.browser.post(path, form, of=of)
        if status != http.client.FOUND:
            raise RuntimeError(f"{path} answered {status}: {_refused(self.browser.page)}")
        return self.browser.location

    def took(self, path: str, /, *, of: str = "", **form: str) -> bytes:
        """Send a form that is answered with a file; gives its bytes. Raises RuntimeError."""
        status = self.browser.post(path, form, of=of)
        if status != http.client.OK:
            raise RuntimeError(f"{path} answered {status}: {_refused(self.browser.page)}")
        return self.browser.content

    def confirm(self, path: str) -> str:
        """Open a page and do with the passkey what it asks for; gives where it leads."""
        self.open(path)
        begin, finish = self.browser.said("begin"), self.browser.said("finish")
        token = self.browser.hidden("csrfmiddlewaretoken")
        if not begin:
            raise RuntimeError(f"{path} asks for no passkey: {_refused(self.browser.page)}")
        options = self.browser.send(begin, {}, token)["options"]
        answer = self.member.passkey.get(options)
        return str(self.browser.send(finish, {"answer": answer}, token)["next"])


def _refused(page: str) -> str:
    found = _ALERT.search(page)
    return html.unescape(re.sub(r"<[^>]+>|\s+", " ", found[1])).strip() if found else ""


@dataclass
class House:
    """Both of them, and the incident that they work on once there is one."""

    stage: Stage
    first: Seat
    second: Seat
    incident: str = ""
    known: datetime = field(default_factory=clock.now)

    @property
    def place(self) -> str:
        """The incident's address."""
        return f"/operations/incidents/{self.incident}"

    def opens(self, place: str) -> None:
        """Work on the incident of this address from now on, with the second operator."""
        self.incident = place.rpartition("/")[2]
        handle = self.second.member.handle
        self.first.press(f"{self.place}/member", of=self.place, handle=handle, standing="in")

    def write(self, kind: str, **said: str) -> None:
        """Write a record into the incident's book."""
        self.first.press(f"{self.place}/add", of=self.place, kind=kind, **said)

    def lend(self, what: str) -> None:
        """The first asks for a power, the second agrees with a passkey, the first enters it."""
        ask = {"what": what, "words": "漏えいの対象者を確かめる", "minutes": str(_MINUTES)}
        power = self.first.press("/operations/powers/ask", of="/operations/powers", **ask)
        self.second.confirm(power)
        self.first.press(f"{power}/deed", of=power, deed="enter")

    def ask(self, since: datetime, until: datetime, **named: str) -> str:
        """Put a question into the book (`way`, `named`); gives its record's address."""
        return self.first.press(f"{self.place}/scope", **spell(since, until), **named)

    def publish(self, deed: str, notice: str, text: Mapping[str, str], number: int = 0) -> str:
        """Publish an update (`new`, `next`, `correct` with its number) by two; gives its address."""
        begun = {"deed": deed, "notice": notice, "number": str(number)}
        draft = self.first.press("/operations/news", **begun)
        self.first.open(draft)
        revision = self.first.browser.hidden("revision")
        preview = self.first.press(draft, deed="preview", revision=revision, **text)
        return self.second.confirm(self.first.press(preview, deed="ask"))


def spell(since: datetime, until: datetime) -> dict[str, str]:
    """Two instants as the forms take them."""
    return {"since": since.isoformat(), "until": until.isoformat(), "zone": "UTC"}


def house(stage: Stage, pair: Operators) -> House:
    """Sign both in, each in a browser, with a passkey."""
    return House(stage, _seat(stage, pair.first), _seat(stage, pair.second))


def _seat(stage: Stage, member: Member) -> Seat:
    seat = Seat(member, Browser(stage.system.port, language="en"))
    seat.confirm("/operations/sign-in")
    return seat
