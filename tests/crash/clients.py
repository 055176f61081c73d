"""Eight customers' programs: they book, repeat, look and cancel at random, and remember what they were told.

A request without a certain answer (none, or one of 500 and above) is asked again until there is one: a
booking under its Idempotency-Key. So at the end each client knows of every booking of its own how it stands.
"""

import http.client
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

from tests.crash.system import SLUG
from tests.crash.trouble import Trouble

CLIENTS = 8
PATIENCE = 180.0  # seconds until a request that nobody answers is a fault
API = "/api/v1"
DAYS = range(3, 10)
"""The days from today that are booked: late enough that every booking has a reminder that waits."""
DEEDS = {"book": 40, "repeat": 8, "list": 20, "look": 12, "cancel": 20}


@dataclass(frozen=True, slots=True)
class Answer:
    """`unsure`: an earlier try of the same request had no certain answer."""

    status: int
    body: dict[str, Any]
    unsure: bool


@dataclass(frozen=True, slots=True)
class Lost:
    """A try without a certain answer: when, and the status (0: none)."""

    sent: float
    answered: float
    status: int
    what: str


@dataclass(slots=True)
class Told:
    """One booking as its client was told of it. `status` is the last one that was acknowledged."""

    key: str
    wish: dict[str, Any]
    token: str
    status: str
    start: datetime
    end: datetime
    staff: int | None

    @property
    def mail(self) -> str:
        return str(self.wish["customer"]["mail"])


@dataclass(frozen=True, slots=True)
class Offer:
    """A service: its id, how large a party it takes, and whom one may ask for."""

    id: int
    key: str
    most: int
    staff: tuple[int, ...]


@dataclass
class Load:
    """What the clients share: how many operations are left, and what was not as it must be."""

    port: int
    operations: int
    trouble: Trouble
    offers: tuple[Offer, ...]
    rate: float | None = None
    """Operations a second, all clients together; None: as fast as they are answered."""
    done: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    lost: list[Lost] = field(default_factory=list)
    _taken: "count[int]" = field(default_factory=count)
    _ended: threading.Event = field(default_factory=threading.Event)

    @property
    def number(self) -> int:
        """How many operations are done."""
        return sum(self.done.values())

    def left(self) -> bool:
        """Take one more operation, if there is one."""
        return next(self._taken) < self.operations and not self._ended.is_set()

    def stop(self) -> None:
        """Let the clients end what they are about."""
        self._ended.set()


class Client(threading.Thread):
    """One client; its dice are its own, so that its choices follow from the seed."""

    def __init__(self, load: Load, seed: int, number: int) -> None:
        super().__init__(name=f"client {number}", daemon=True)
        self.load = load
        self.name_of_keys = f"{seed}-{number}"
        self.dice = random.Random(f"{seed} {number}")
        self.told: list[Told] = []
        self._free: dict[int, list[str]] = {}
        self._keys = count()

    def run(self) -> None:
        while self.load.left():
            if self.load.rate is not None:
                time.sleep(self.dice.expovariate(self.load.rate / CLIENTS))
            (deed,) = self.dice.choices(list(DEEDS), list(DEEDS.values()))
            getattr(self, f"_{deed}")()
            self.load.done[deed] += 1

    # -- the deeds

    def _book(self) -> None:
        offer = self.dice.choice(self.load.offers)
        key = f"{self.name_of_keys}-{next(self._keys)}"
        asked = self.dice.choice(offer.staff) if offer.staff and self.dice.random() < 0.3 else "any"
        wish = {
            "service": offer.id,
            "start": self._start(offer),
            "staff": asked,
            "party": self.dice.randint(1, offer.most),
            "customer": {"name": f"客 {key}", "mail": f"c{key}@crash.example", "phone": "090-1234-5678"},
        }
        answer = self._ask("POST", f"/shops/{SLUG}/bookings", wish, key)
        if answer.status == 201:
            self._was_told(key, wish, answer.body)
        else:
            self._refused("book", answer, {"slot_taken", "not_offered", "party_too_large"})

    def _was_told(self, key: str, wish: dict[str, Any], body: Mapping[str, Any]) -> None:
        start, end = (datetime.fromisoformat(body[edge]) for edge in ("start", "end"))
        self.told.append(Told(key, wish, body["token"], body["status"], start, end, body["staff"]))
        if body["status"] != "confirmed" or start != datetime.fromisoformat(wish["start"]):
            self.load.wrong.append(f"{key}: asked for {wish['start']}, told {body['status']} {start}")

    def _repeat(self) -> None:
        """Send a booking once more, under its own key: there is still one, and it stands as it stood."""
        if self.told:
            told = self.dice.choice(self.told)
            self._stands(told, self._ask("POST", f"/shops/{SLUG}/bookings", told.wish, told.key), 201)

    def _look(self) -> None:
        if self.told:
            told = self.dice.choice(self.told)
            self._stands(told, self._ask("GET", f"/bookings/{told.token}"), 200)

    def _stands(self, told: Told, answer: Answer, status: int) -> None:
        found = (answer.status, answer.body.get("status"), answer.body.get("token"))
        if found != (status, told.status, told.token):
            self.load.wrong.append(f"{told.key}: {told.status} was told, and now {found[:2]}")

    def _list(self) -> None:
        offer = self.dice.choice(self.load.offers)
        self._free[offer.id] = self._listed(offer)

    def _cancel(self) -> None:
        standing = [told for told in self.told if told.status == "confirmed"]
        if not standing:
            return
        told = self.dice.choice(standing)
        answer = self._ask("DELETE", f"/bookings/{told.token}")
        again = answer.unsure and answer.body.get("code") == "already_cancelled"
        if again or (answer.status, answer.body.get("status")) == (200, "cancelled"):
            told.status = "cancelled"
        else:
            self._refused("cancel", answer, set())

    def _refused(self, deed: str, answer: Answer, allowed: set[str]) -> None:
        code = answer.body.get("code", "")
        self.load.answers[f"{deed} {code}"] += 1
        if code not in allowed:
            self.load.wrong.append(f"{deed}: {answer.status} {code}")

    # -- what is free

    def _start(self, offer: Offer) -> str:
        """Choose a start that was free when it was last looked at; or any, which may be none."""
        free = self._free.get(offer.id)
        if free and self.dice.random() < 0.9:
            return self.dice.choice(free)
        day = datetime.now(UTC).date() + timedelta(days=self.dice.choice(DAYS))
        return f"{day}T{self.dice.randint(8, 19):02}:{self.dice.choice((0, 30)):02}:00+09:00"

    def _listed(self, offer: Offer) -> list[str]:
        today: date = datetime.now(UTC).date()
        first, last = (today + timedelta(days=day) for day in (DAYS[0], DAYS[-1]))
        path = f"/shops/{SLUG}/availability?service={offer.id}&from={first}&to={last}"
        answer = self._ask("GET", path)
        if answer.status != 200:
            self._refused("list", answer, set())
            return []
        return [start["at"] for day in answer.body["days"] for start in day["starts"]]

    # -- asking

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None, key: str = "") -> Answer:
        begin, unsure = time.monotonic(), False
        while True:
            sent = time.monotonic()
            status, told = self._send(method, path, body, key)
            answered = time.monotonic()
            if 0 < status < 500:
                return Answer(status, told, unsure)
            what = f"{method} {told.get('code', '')}".rstrip()
            self.load.lost.append(Lost(sent, answered, status, what))
            if answered - begin > PATIENCE:
                self.load.wrong.append(f"{method} {path.partition('?')[0]}: no certain answer, last {status}")
                return Answer(status, told, unsure)
            unsure = True
            time.sleep(0.1 + self.dice.random() * 0.4)

    def _send(
        self, method: str, path: str, body: dict[str, Any] | None, key: str
    ) -> tuple[int, dict[str, Any]]:
        """Send over a connection of its own, which may come to any of the web's processes."""
        connection = http.client.HTTPConnection("127.0.0.1", self.load.port, timeout=40)
        headers = {"Host": "localhost", "Content-Type": "application/json", "Accept-Language": "ja"}
        if key:
            headers["Idempotency-Key"] = key
        try:
            connection.request(method, API + path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            words = answer.read()
        except (OSError, http.client.HTTPException) as fault:
            return 0, {"code": repr(fault)}
        finally:
            connection.close()
        try:
            return answer.status, json.loads(words)
        except ValueError:
            return answer.status, {"code": f"no JSON: {words[:200]!r}"}


def offers(port: int) -> tuple[Offer, ...]:
    """Ask the shop what it offers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=40)
    connection.request("GET", f"{API}/shops/{SLUG}/services", headers={"Host": "localhost"})
    told = json.loads(connection.getresponse().read())
    connection.close()
    return tuple(
        Offer(each["id"], each["key"], each["party"]["max"], tuple(one["id"] for one in each["staff"]))
        for each in told["services"]
    )


def start(load: Load, seed: int, clients: int = CLIENTS) -> list[Client]:
    """Start the clients."""
    started = [Client(load, seed, number) for number in range(clients)]
    for client in started:
        client.start()
    return started
