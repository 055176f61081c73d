"""What a shop's own program does with a key: the scopes, the refusals, and where the key never lies."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from typing import Any
from uuid import UUID

import pytest
from django.test import Client, override_settings

from noren import clock, people
from noren.booking import history
from noren.booking.models import Booking
from noren.shops.models import Service
from noren.shops.rules import change
from noren.shops.tenancy import shop
from tests.accounts.house import OWNER, invitations, join
from tests.api.salon import NOON, Salon, salon
from tests.api.server import granian
from tests.environment import PATHS, TOP
from tests.servers import AppDatabase, Sink, VaultProcess
from tests.web.test_signin_dump import dump_of

CUSTOMER = {
    "name": "山田 花子",
    "kana": "やまだ はなこ",
    "mail": "hanako@example.com",
    "phone": "090-1234-5678",
}
DAYS = "from=2026-11-24&to=2026-12-20"
STARTS = iter(NOON + timedelta(days=day, hours=hour) for day in range(1, 21) for hour in range(6))


@dataclass(frozen=True)
class House:
    """Two shops, the grant of the first one's owner, and of the other's."""

    salon: Salon
    grant: str
    other: Salon
    other_grant: str
    mail: Sink

    def key(self, *scopes: str) -> people.NewApiKey:
        return people.make_api_key(self.grant, label="試験", scopes=scopes or people.SCOPES, days=30)


@pytest.fixture(scope="module")
def house(module_app_db: AppDatabase, module_vault: VaultProcess, module_mail: Sink) -> Iterator[House]:
    assert module_app_db
    assert module_vault
    PATHS.static.mkdir(exist_ok=True)
    keys = override_settings(LINK_KEY=b"l" * 32, IDEMPOTENCY_KEY=b"i" * 32, ROOT_URLCONF="tests.api.urls")
    with keys, pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: NOON)
        one, two = salon(), salon("yoga")
        people.found_shop(one.id, one.slug, [OWNER])
        grant = join(invitations(module_mail, 1)[OWNER.mail]).grant
        people.found_shop(two.id, two.slug, [OWNER])
        other = join(invitations(module_mail, 2)[OWNER.mail]).grant
        yield House(one, grant, two, other, module_mail)


@pytest.fixture(autouse=True)
def _tidy(house: House) -> Iterator[None]:
    """A shop has so many keys at most."""
    yield
    for one in people.api_keys(house.grant):
        if one.holds:
            people.end_api_key(house.grant, one.name)


def booked(house: House, *, approval: str = "") -> tuple[int, UUID]:
    """A booking of a new customer; gives its id and hers."""
    with shop(house.salon.id), change():
        Service.objects.filter(id=house.salon.cut).update(approval=approval)
    wanted = {"service": house.salon.cut, "start": next(STARTS).isoformat(), "customer": CUSTOMER}
    answer = Client().post("/api/v1/shops/salon/bookings", wanted, content_type="application/json")
    assert answer.status_code == 201, answer.content
    with shop(house.salon.id):
        row = Booking.objects.latest("id")
    assert row.person_id is not None
    return row.id, row.person_id


def ask(key: str, method: str, path: str, body: Any = None, **headers: str) -> Any:
    """Ask with a key; gives the response."""
    given = {"Authorization": f"Bearer {key}", "Accept-Language": "en"} | headers
    address = f"/api/v1/shops/{path}"
    if method == "GET":
        return Client().get(address, headers=given)
    return Client().post(address, body or {}, content_type="application/json", headers=given)


def look(*persons: UUID, purpose: str = "customer", fields: tuple[str, ...] = ("name",)) -> dict[str, Any]:
    return {"purpose": purpose, "persons": [str(one) for one in persons], "fields": list(fields)}


def endpoints(booking: int, person: UUID) -> list[tuple[str, str, str, Any]]:
    """Each with the scope it needs."""
    return [
        ("bookings:read", "GET", f"salon/bookings?{DAYS}", None),
        ("bookings:write", "POST", f"salon/bookings/{booking}/confirm", None),
        ("bookings:write", "POST", f"salon/bookings/{booking}/cancel", None),
        ("people:read", "POST", "salon/people", look(person)),
    ]


@pytest.mark.parametrize("scope", people.SCOPES)
def test_it_opens_what_its_scope_names_and_nothing_else(house: House, scope: str) -> None:
    """One scope against every endpoint: 200 where it is asked for, else one refusal that names what lacks."""
    booking, person = booked(house, approval="keeps")
    key = house.key(scope).key
    for needs, method, path, body in endpoints(booking, person):
        answer = ask(key, method, path, body)
        if needs == scope:
            assert answer.status_code == 200, (path, answer.content)
            assert answer["Cache-Control"] == "no-store"
        else:
            told = answer.json()
            assert (answer.status_code, told["code"]) == (403, "scope_needed"), path
            assert needs in told["message"]


def test_it_covers_every_endpoint_that_takes_a_key(house: House) -> None:
    """A new endpoint with a key stands in the matrix above; all is in the description."""
    described = Client().get("/api/v1/openapi.json").json()
    found = {
        (method.upper(), path)
        for path, methods in described["paths"].items()
        for method, one in methods.items()
        if one.get("security")
    }
    mine = {
        (
            method,
            "/api/v1/shops/"
            + path.partition("?")[0].replace("salon", "{slug}").replace("777", "{booking_id}"),
        )
        for _, method, path, _ in endpoints(777, UUID(int=0))
    }
    assert found == mine


def test_it_says_one_thing_to_every_key_that_is_none(house: House) -> None:
    """No key, a broken one, another shop's, an ended one, a shop that is not there: not to be told apart."""
    booking, person = booked(house)
    ended, good = house.key(), house.key().key
    people.end_api_key(house.grant, ended.name)
    other = people.make_api_key(house.other_grant, label="x", scopes=people.SCOPES, days=1).key
    told = set()
    for _, method, path, body in endpoints(booking, person):
        elsewhere = path.replace("salon", "nowhere", 1)
        tries = [(ended.key, path), (other, path), ("noren_1_x", path), (good[:-1], path), (good, elsewhere)]
        answers = [ask(key, method, where, body) for key, where in tries]
        heads = ("", "Basic eDp5", good, "Bearer")
        answers += [ask("", method, path, body, Authorization=value) for value in heads]
        for answer in answers:
            assert answer.status_code == 401, (path, answer.content)
            assert answer["WWW-Authenticate"] == "Bearer"
            told.add(answer.content)
    assert len(told) == 1
    assert ask(good, "GET", f"salon/bookings?{DAYS}").status_code == 200
    assert ask(good, "GET", f"yoga/bookings?{DAYS}").content in told


def test_it_shows_bookings_by_ids(house: House) -> None:
    """Whose they are is an opaque id; no word of the customer is in the answer, nor a link that opens it."""
    booking, person = booked(house)
    answer = ask(house.key("bookings:read").key, "GET", f"salon/bookings?{DAYS}")
    [mine] = [one for one in answer.json()["bookings"] if one["id"] == booking]
    assert (mine["person"], mine["status"], mine["price"], mine["currency"]) == (
        str(person),
        "confirmed",
        6600,
        "JPY",
    )
    assert datetime.fromisoformat(mine["start"]).utcoffset() == timedelta(hours=9)
    assert not [text for text in (*CUSTOMER.values(), "token", "link") if text in answer.content.decode()]
    key = house.key("bookings:read").key
    for first, last in (
        ("x", "y"),
        ("2026-11-25", ""),
        ("2026-11-25", "2026-11-24"),
        ("2026-11-01", "2026-12-02"),
    ):
        assert ask(key, "GET", f"salon/bookings?from={first}&to={last}").status_code == 422


def test_it_confirms_and_cancels_for_the_shop(house: House) -> None:
    """The history says which key did it; a second time, and what is not there, are refused in words."""
    booking, _ = booked(house, approval="keeps")
    made = house.key("bookings:write")
    confirmed = ask(made.key, "POST", f"salon/bookings/{booking}/confirm")
    assert (confirmed.status_code, confirmed.json()["status"]) == (200, "confirmed")
    assert ask(made.key, "POST", f"salon/bookings/{booking}/confirm").status_code == 409
    cancelled = ask(made.key, "POST", f"salon/bookings/{booking}/cancel")
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    assert ask(made.key, "POST", f"salon/bookings/{booking}/cancel").json()["code"] == "already_cancelled"
    assert ask(made.key, "POST", "salon/bookings/999999999/cancel").status_code == 404
    by = [change.by for change in history.of(house.salon.id, booking)]
    assert by[-2:] == [f"key:{made.name}"] * 2


def test_scope_by_its_name_gives_exactly_whom_it_has_read(house: House) -> None:
    """What the holder got over HTTP, and nobody else, stands in the answer by credential."""
    [(_, one), (_, two), (_, three)] = [booked(house) for _ in range(3)]
    made, other = house.key(), house.key()
    answer = ask(made.key, "POST", "salon/people", look(one, two, fields=("name", "mail")))
    assert answer.status_code == 200
    assert answer.json()["persons"] == {
        str(each): {"name": CUSTOMER["name"], "mail": CUSTOMER["mail"]} for each in (one, two)
    }
    ask(other.key, "POST", "salon/people", look(three))
    now = datetime.now(UTC)
    found = people.scope(credential=made.name, since=now - timedelta(hours=1), until=now + timedelta(hours=1))
    read = {each.person: each.fields for each in found.persons}
    assert read == {one: ("mail", "name"), two: ("mail", "name")}
    assert found.spared == ()


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"purpose": "search"}, 422, "bad_field"),
        ({"purpose": "day", "fields": ["mail"]}, 403, "purpose_refused"),
        ({"fields": ["note"]}, 422, "bad_field"),
        ({"persons": []}, 422, "bad_field"),
        ({"persons": [str(UUID(int=n)) for n in range(101)]}, 422, "bad_field"),
        ({"persons": [str(UUID(int=7))]}, 404, "no_such_person"),
    ],
    ids=["purpose", "day-mail", "note", "nobody", "too-many", "stranger"],
)
def test_it_tells_names_and_contacts_for_a_purpose(
    house: House, changed: dict[str, Any], status: int, code: str
) -> None:
    """No free text, no purpose of other pages, no person of nobody."""
    _, person = booked(house)
    answer = ask(house.key("people:read").key, "POST", "salon/people", look(person) | changed)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_an_end_bites_at_the_next_request(house: House) -> None:
    """No cached yes is left: the very next request is refused, in any process."""
    _, person = booked(house)
    made = house.key()
    assert ask(made.key, "POST", "salon/people", look(person)).status_code == 200
    people.end_api_key(house.grant, made.name)
    assert ask(made.key, "POST", "salon/people", look(person)).status_code == 401
    assert ask(made.key, "GET", f"salon/bookings?{DAYS}").status_code == 401


def test_it_lies_in_no_store_and_no_log(
    house: House, module_app_db: AppDatabase, module_vault: VaultProcess
) -> None:
    """After use by way of the real server: not in the app's database, and in neither side's log."""
    _, person = booked(house)
    made = house.key()
    asked = [
        ("GET", f"/api/v1/shops/salon/bookings?{DAYS}", None),
        ("POST", "/api/v1/shops/salon/people", json.dumps(look(person))),
    ]
    with granian(module_app_db, module_vault) as port:
        for key, status in ((made.key, 200), (made.key[:-1], 401)):
            for method, path, body in asked:
                connection = HTTPConnection("localhost", port, timeout=60)
                head = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
                connection.request(method, path, body, head)
                found = connection.getresponse().status
                connection.close()
                assert found == status
    secret = made.key.split("_")[2].encode()
    logs = {"web": (TOP / "granian.log").read_bytes(), "vault": module_vault.log.encode()}
    assert b"ApiKeyRefused" in logs["vault"]
    stores = {"app": dump_of(module_app_db), **logs}
    assert made.name.encode() not in stores["app"]
    assert [name for name, data in stores.items() if secret in data] == []
