"""Whatever is sent to the customer's addresses, no answer is a 500, and nothing is half done."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from django.test import Client
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from noren.booking import doctor
from noren.booking.models import Booking, Status
from noren.shops.models import Service
from noren.shops.rules import change
from noren.shops.tenancy import shop
from tests.api.salon import Salon
from tests.servers import AppDatabase, VaultProcess
from tests.web.conftest import TOMORROW, booked
from tests.web.flow import CUSTOMER, Visitor

FORM = "application/x-www-form-urlencoded"
# Every name that a form or an address of this way knows, and some that none knows.
NAMES = (
    *CUSTOMER,
    *("at", "held", "step", "staff", "party", "nights", "from", "day", "guest", "fee", "minutes"),
    *("next", "code", "password", "lang", "csrfmiddlewaretoken", "new", "step ", "held[]", "__proto__"),
    *("also", "date", "every", "times", "until", "whom", "guests.0.name", "guests.0.kana", "guests.99.name"),
    *("answers.allergy", "answers.length", "answers.words", "answers.nobody", "health", "consent", "sure"),
)
# What breaks readers of numbers, days, tokens and text.
NASTY = (
    *(b"", b"0", b"-1", b"1", b"99999999999", b"9" * 400, b"1e9", b"\xd9\xa1\xd9\xa2", b"NaN", b"None"),
    *(b"2026-11-25", b"0001-01-01", b"9999-12-31", b"2026-02-30", b"-5-1-1", b"1764036000", b"-62135596800"),
    *(b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"\xe2\x80\xae", b"a\r\nb: c", b"<script>", b"{{7*7}}", b"%00"),
    *(b"final", b"book", b"who", b"//evil.example", b"\xf0\x9f\x92\x87" * 900, b":" * 50, b"W10:x:y"),
)
WORDS = st.text(max_size=30).map(lambda text: text.encode("utf-8", "replace"))
VALUES = st.one_of(st.sampled_from(NASTY), st.binary(max_size=40), WORDS)
FIELDS = st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=8)

# What is right, so that some tries come far: a field of it is replaced by the drawn ones.
RIGHT = {name: text.encode() for name, text in CUSTOMER.items()} | {"step": b"book"}


def _encoded(fields: list[tuple[str, bytes]]) -> str:
    return "&".join(f"{quote_from_bytes(name.encode())}={quote_from_bytes(value)}" for name, value in fields)


def _tried(client: Client, address: str, fields: list[tuple[str, bytes]]) -> None:
    """Ask and send; the test client raises what a view let through, and a 500 is one, too."""
    sent = _encoded(fields)
    for answer in (client.get(f"{address}?{sent}"), client.post(address, sent, content_type=FORM)):
        assert answer.status_code < 500, (address, sent, answer.status_code)


def _addresses(made: Salon) -> dict[str, str]:
    token = booked(made, TOMORROW).token
    own = {name: f"/b/{token}/{name}" for name in ("move", "late", "cancel", "keep", "relink", "booking.ics")}
    return own | {
        "shop": "/salon/",
        "times": f"/salon/book/{made.cut}/",
        "class": f"/salon/book/{made.lesson}/",
        "nobody": "/salon/book/999999999999/",
        "embed": f"/salon/embed/book/{made.cut}/",
        "own": f"/b/{token}",
        "wait": f"/salon/book/{made.cut}/wait",
        "dates": f"/salon/book/{made.cut}/dates",
        "kept": "/salon/my-data/kept",
        "erase": "/salon/account/erase",
        "certificate": "/salon/account/certificate",
        "waiting": "/w/1.1.1.aaaaaaaaaaaaaaaaaaaaaa",
        "door": "/salon/account",
        "code": "/salon/account/code",
        "enter": "/salon/account/enter",
        "password": "/salon/account/password",
        "my_data": "/salon/my-data/enter",
        "language": "/language",
    }


def _asks(made: Salon) -> None:
    """The cut asks: a choice, about health, and in words."""

    def question(
        key: str, kind: str, *, health: bool = False, choices: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        shown = [{"key": each, "words": {"ja": each}} for each in choices]
        words: dict[str, Any] = {"question": {"ja": key}, "help": {}, "choices": shown}
        return {"key": key, "kind": kind, "required": False, "health": health, **words}

    asked = [
        question("length", "one", choices=("short", "long")),
        question("allergy", "long", health=True),
        question("words", "consent"),
    ]
    with shop(made.id), change():
        Service.objects.filter(id=made.cut).update(questions=asked)


def _many(count: int) -> Callable[[Any], Any]:
    return settings(max_examples=count, suppress_health_check=list(HealthCheck), deadline=None)


@pytest.mark.usefixtures("vault")
def test_no_address_of_the_way_breaks(made: Salon) -> None:
    addresses = _addresses(made)

    @_many(300)
    @example("password", [("mail", b"a\x00@example.jp"), ("password", b"a\x00b")])
    @example("code", [("mail", b"a\x00@example.jp")])
    @example("enter", [("mail", b"a@example.jp"), ("code", b"1\x002")])
    @given(st.sampled_from(sorted(addresses)), FIELDS)
    def tried(name: str, fields: list[tuple[str, bytes]]) -> None:
        _tried(Client(headers={"Accept-Language": "ja"}), addresses[name], fields)

    tried()


def test_the_form_breaks_at_no_step(made: Salon, app_db: AppDatabase, vault: VaultProcess) -> None:
    """A held time and a right form, of which some fields are others: refused or booked, never in between."""
    assert app_db
    assert vault
    _asks(made)
    customer = Visitor()
    customer.open(f"/salon/book/{made.cut}/")
    customer.press("at")
    held = customer.forms()[0].values["held"].encode()
    address = f"/salon/book/{made.cut}/you"

    @_many(150)
    @example({}, True)
    @given(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4), st.booleans())
    def tried(changed: dict[str, bytes], known: bool) -> None:
        whole = RIGHT | ({"held": held} if known else {}) | changed
        _tried(Client(), address, list(whole.items()))

    tried()
    with shop(made.id):
        rows = list(Booking.objects.all())
    assert all((row.person_id is None) == (row.status == Status.HELD) for row in rows)
    assert any(row.person_id for row in rows)
    assert doctor.of_shop(made.id) == []
