"""The page of the code in a mail about a leak: what it says, in which time, and what it never says."""

from datetime import UTC, datetime

import pytest
from django.test import Client

from noren.people import tellings
from noren.people.tellings import Exposure
from tests.servers import AppDatabase

FOUND = Exposure(
    shop=1,
    fields=("account_password", "account_totp", "name"),
    ways=("customer", "export", "taken.vault", "message"),
    since=datetime(2026, 11, 28, 3, 58, tzinfo=UTC),
    until=datetime(2026, 11, 28, 16, 0, tzinfo=UTC),
    surely=False,
    kind="customer",
    notice="none-there",
    entries=5,
    erased=True,
)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("may have become known", "Your password", "also where you used the same", "been erased")),
        ("ja", ("漏れたおそれ", "パスワード", "ほかで使っている場合", "消去されました")),
        ("ja-easy", ("もれたかもしれません", "パスワード", "ほかでも おなじ", "けしました")),
    ],
)
def test_it_says_what_became_known_by_the_clock_of_japan(
    app_db: AppDatabase, monkeypatch: pytest.MonkeyPatch, language: str, words: tuple[str, ...]
) -> None:
    monkeypatch.setattr(tellings, "exposed", lambda _code, **_visit: FOUND)
    answer = Client().post(f"/exposed?lang={language}", {"code": "ABCD"})
    text = answer.content.decode()
    assert answer.status_code == 200
    assert all(one in text for one in (*words, "2026-11-28 12:58", "2026-11-29 01:00"))
    assert "/news/none-there" not in text
    assert "no-store" in answer.headers["Cache-Control"]
    assert "ABCD" not in text


def test_it_asks_for_a_code(app_db: AppDatabase) -> None:
    assert Client().post("/exposed?lang=en", {"code": " "}).status_code == 422
