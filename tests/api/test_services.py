"""GET /api/v1/shops/{slug}/services, and what every answer has in common."""

import json

import pytest
from django.test import Client

from tests.api.salon import Salon


def test_it_lists_what_is_offered(house: Salon) -> None:
    response = Client().get("/api/v1/shops/salon/services")
    told = response.json()
    assert (told["name"], told["zone"], told["currency"]) == ("サロン青葉", "Asia/Tokyo", "JPY")
    cut, lesson = told["services"]
    assert cut == {
        "id": house.cut,
        "key": "cut",
        "name": "カット",
        "about": "",
        "minutes": 60,
        "price": 6600,
        "party": {"min": 1, "max": 1},
        "is_class": False,
        "is_course": False,
        "series_most": 100,
        "stay": None,
        "approval": False,
        "staff": [
            {"id": each, "name": name} for each, name in zip(house.staff, ("aoi", "ren", "mio"), strict=True)
        ],
        "additions": [],
        "is_together": True,
        "asks": {
            "version": 1,
            "questions": [],
            "health_consent": None,
            "health_required": False,
            "guests": "",
        },
    }
    assert lesson["is_class"] is True


@pytest.mark.parametrize(
    ("accept", "name"), [("en-GB,en;q=0.9", "Salon Aoba"), ("ja", "サロン青葉"), ("fr", "サロン青葉")]
)
def test_it_speaks_the_callers_language(house: Salon, accept: str, name: str) -> None:
    response = Client().get("/api/v1/shops/salon/services", headers={"Accept-Language": accept})
    assert response.json()["name"] == name
    assert "Accept-Language" in response["Vary"]


def test_it_refuses_in_the_callers_language(house: Salon) -> None:
    response = Client().get("/api/v1/shops/nowhere/services", headers={"Accept-Language": "en"})
    assert response.json() == {"status": 404, "code": "shop_unknown", "message": "There is no such shop."}


@pytest.mark.parametrize("path", ["", "nothing", "shops", "shops/salon", "bookings/", "shops/SALON/x"])
def test_it_answers_in_its_own_shape_where_there_is_nothing(house: Salon, path: str) -> None:
    response = Client().get(f"/api/v1/{path}")
    assert response.status_code == 404
    assert response.json()["code"] == "nothing_here"


def test_it_describes_itself(house: Salon) -> None:
    told = Client().get("/api/v1/openapi.json").json()
    assert told["openapi"].startswith("3.1")
    assert sorted(told["paths"]) == [
        "/api/v1/bookings/{token}",
        "/api/v1/bookings/{token}/move",
        "/api/v1/shops/{slug}/availability",
        "/api/v1/shops/{slug}/bookings",
        "/api/v1/shops/{slug}/bookings/{booking_id}/cancel",
        "/api/v1/shops/{slug}/bookings/{booking_id}/confirm",
        "/api/v1/shops/{slug}/people",
        "/api/v1/shops/{slug}/series",
        "/api/v1/shops/{slug}/series/look",
        "/api/v1/shops/{slug}/services",
        "/api/v1/shops/{slug}/waiting",
        "/api/v1/waiting/{token}",
        "/api/v1/waiting/{token}/accept",
    ]
    problems = {
        status: answer["content"]["application/json"]["schema"]
        for path in told["paths"].values()
        for deed in path.values()
        for status, answer in deed["responses"].items()
        if int(status) >= 400
    }
    assert all(shape == {"$ref": "#/components/schemas/Problem"} for shape in problems.values())


def test_it_shows_no_page_from_elsewhere(house: Salon) -> None:
    assert Client().get("/api/v1/docs").status_code == 404


def test_it_says_which_deeds_there_are(house: Salon) -> None:
    response = Client().put("/api/v1/shops/salon/services")
    assert response.status_code == 405
    assert response["Allow"] == "GET"


def test_it_answers_our_own_faults_in_its_shape_and_without_their_words(
    house: Salon, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_words: object) -> None:
        raise ValueError("a secret")

    monkeypatch.setattr("noren.api.offers.services", broken)
    response = Client().get("/api/v1/shops/salon/services")
    assert (response.status_code, response.json()["code"]) == (500, "our_fault")
    assert "secret" not in json.dumps(response.json())
