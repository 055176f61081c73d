"""What a shop asks, by program: listed with its services, answered with a booking, told by no answer."""

from typing import Any

import pytest
from django.test import Client
from psycopg.sql import SQL, Identifier

from noren.shops.models import Service, Shop
from noren.shops.rules import change
from noren.shops.tenancy import shop
from tests.api.salon import Salon
from tests.api.test_booking import CUSTOMER, bookings, post
from tests.booking.asks import ALL, ALLERGY, question
from tests.servers import AppDatabase

pytestmark = pytest.mark.usefixtures("module_vault")
GOOD: dict[str, Any] = {
    "answers": {
        "length": "long",
        "wishes": ["quiet"],
        "words": "<b>短め</b>",
        "photos": 1,
        "allergy": "ジアミン",
    },
    "health_consent": 1,
    "guests": [{"name": "山田 花", "kana": "ヤマダ ハナ"}],
    "for_somebody_else": True,
}


@pytest.fixture
def asking(house: Salon) -> Salon:
    """The salon asks: a wish of everybody, the rest with its cut."""
    ask(house, ALL)
    return house


def ask(house: Salon, questions: list[dict[str, Any]], **columns: Any) -> None:
    with shop(house.id), change():
        Shop.objects.update(questions=[each for each in questions if each["key"] == "wishes"])
        rest = [each for each in questions if each["key"] != "wishes"]
        Service.objects.filter(id=house.cut).update(questions=rest, **columns)


def test_it_lists_what_is_asked_in_the_callers_language(asking: Salon) -> None:
    answer = Client(headers={"Accept-Language": "en"}).get(f"/api/v1/shops/{asking.slug}/services")
    cut, lesson = (each["asks"] for each in answer.json()["services"])
    assert [each["key"] for each in cut["questions"]] == ["wishes", "length", "words", "photos", "allergy"]
    assert cut["questions"][1] == {
        "key": "length",
        "kind": "one",
        "required": True,
        "health": False,
        "question": "length?",
        "help": "",
        "choices": [{"key": "short", "words": "the short"}, {"key": "long", "words": "the long"}],
    }
    assert cut["health_consent"].startswith("Salon Aoba asks this to prepare your visit")
    assert (cut["version"], cut["health_required"], cut["guests"]) == (1, False, "")
    assert [each["key"] for each in lesson["questions"]] == ["wishes"]
    assert lesson["health_consent"] is None


def test_it_keeps_what_is_said_in_the_vault_alone(asking: Salon, app_db: AppDatabase) -> None:
    told = post(asking, **GOOD)
    [booking] = bookings(asking)
    assert booking.agreed["asked"] == {
        "version": 1,
        "fields": ["answers", "health", "guests"],
        "consents": [{"key": "health", "version": 1, "words": 1}, {"key": "photos", "version": 1}],
        "for_other": True,
    }
    shown = Client().get(f"/api/v1/bookings/{told['token']}").json()
    stores = repr(told) + repr(shown) + whole(app_db)
    for value in ("短め", "ジアミン", "山田 花", "ヤマダ"):
        assert value not in stores


def whole(app_db: AppDatabase) -> str:
    """Every row of every table of the app's side."""
    found = []
    with app_db.connect("owner") as connection:
        tables = connection.execute(
            "SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema = 'public'"
        ).fetchall()
        assert ("public", "booking_booking") in tables
        for schema, table in tables:
            named = SQL("SELECT x::text FROM {} x").format(Identifier(schema, table))
            found += connection.execute(named).fetchall()
    assert any("2026-11-25" in row for (row,) in found)
    return "\n".join(row for (row,) in found)


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"answers": {}}, {"answers.length": "empty"}),
        ({"answers": {"length": "bald"}}, {"answers.length": "choice"}),
        ({"answers": {"length": "long", "of-another-shop": "x"}}, {"answers.of-another-shop": "unknown"}),
        ({"answers": {"length": "long", "photos": 9}}, {"answers.photos": "changed"}),
        ({"answers": {"length": "long", "allergy": "x"}}, {"health_consent": "consent"}),
        ({"answers": {"length": "long", "words": "a\u0000"}}, {"answers.words": "control"}),
        ({"answers": {"length": "long"}, "guests": [{"name": "花"}]}, {"guests.0.name": "unknown"}),
    ],
)
def test_it_marks_what_cannot_be_and_books_nothing(
    asking: Salon, changes: dict[str, Any], fields: dict[str, str]
) -> None:
    told = post(asking, 422, **changes)
    assert {each["field"]: each["reason"] for each in told["fields"]} == fields
    assert all(row.status == "released" for row in bookings(asking))


@pytest.mark.parametrize(
    "changes",
    [
        {"answers": {"length": "あ" * 8000}},
        {"answers": {"length": True}},
        {"answers": {"length": {"a": 1}}},
        {"answers": ["long"]},
        {"health_consent": "1"},
        {"guests": [{"name": ""}]},
        {"guests": [{"name": "花", "mail": "x@example.jp"}]},
    ],
)
def test_it_refuses_other_shapes(asking: Salon, changes: dict[str, Any]) -> None:
    post(asking, 422, **{**GOOD, **changes})
    assert bookings(asking) == []


def test_who_gives_no_consent_where_it_is_needed_is_told_to_call(house: Salon) -> None:
    ask(house, [{**ALLERGY, "required": True}])
    assert post(house, 422)["fields"] == [{"field": "health_consent", "reason": "call"}]
    assert (
        Client().get(f"/api/v1/shops/{house.slug}/services").json()["services"][0]["asks"]["health_required"]
    )


def test_the_same_key_gives_the_same_booking_whatever_is_asked_since(asking: Salon) -> None:
    """Said again as before it is the same, after an edit too; said otherwise it is another's key."""
    first = post(asking, key="k-1", **GOOD)
    assert post(asking, key="k-1", **GOOD) == first
    ask(asking, [*ALL, question("new", required=True)])
    assert post(asking, key="k-1", **GOOD) == first
    other = {**GOOD, "answers": {**GOOD["answers"], "length": "short"}}
    assert post(asking, 422, key="k-1", **other)["code"] == "idempotency_key_reused"


def test_a_series_is_asked_once_for_all_its_dates(asking: Salon) -> None:
    wanted = {
        "service": asking.cut,
        "starts": ["2026-11-25T14:00:00+09:00", "2026-11-26T14:00:00+09:00"],
        "customer": CUSTOMER,
    }
    address = f"/api/v1/shops/{asking.slug}/series"
    refused = Client().post(address, wanted, content_type="application/json")
    assert (refused.status_code, refused.json()["fields"][0]["field"]) == (422, "answers.length")
    booked = Client().post(address, wanted | GOOD, content_type="application/json")
    assert booked.status_code == 201, booked.content
    one, two = [row for row in bookings(asking) if row.status == "confirmed"]
    assert one.agreed["asked"] == two.agreed["asked"]
    assert one.agreed["asked"]["fields"] == ["answers", "health", "guests"]
    assert one.person_id == two.person_id
