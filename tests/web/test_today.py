"""The console's first page: who comes, by name while the vault tells, by number when it does not."""

import re
import shutil
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from noren import clock, people
from noren.shops.models import Service
from noren.shops.rules import change
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon
from tests.servers import VaultProcess
from tests.web.conftest import TOMORROW, booked

LATER = NOON + timedelta(hours=2)


def _text(client: Client, address: str) -> str:
    return client.get(address).content.decode()


def test_it_shows_todays_arrivals_with_names_in_one_recorded_batch(made: Salon, staff: Client) -> None:
    booked(made, LATER)
    booked(made, LATER + timedelta(hours=1), name="髙橋 健一", mail="ken@example.jp")
    booked(made, TOMORROW, name="明日 あさこ", mail="asako@example.jp")
    page = _text(staff, "/console/")
    assert "山田 花子" in page
    assert "髙橋 健一" in page
    assert "明日 あさこ" not in page
    assert "24時間に2件を閲覧しました。" in page
    told = people.scope(since=datetime.now(UTC) - timedelta(hours=1), until=datetime.now(UTC))
    batch = [found for found in told.persons if "today" in found.purposes]
    assert len(batch) == 2
    assert set.intersection(*[set(found.entries) for found in batch])


def test_it_shows_what_is_free_still_and_who_is_not_here_yet(
    made: Salon, staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Noon to seven with a cut at two: two gaps, each leading to a booking in it."""
    first = booked(made, LATER).booking
    page = _text(staff, "/console/")
    assert "次の空き：<b>12:00–14:00</b>" in page or "次の空き：<b>12:00–19:00</b>" in page
    hers = re.findall(
        rf'href="/console/new\?date=2026-11-24&amp;time=(\d+)%3A00&amp;staff={first.staff_id}"', page
    )
    assert hers == ["12", "15"]
    assert re.search(r'data-due="\d+" hidden>未来店', page), "it is not time yet"
    for minutes, missed in ((-80, False), (-40, False), (4, False), (5, True)):
        at = LATER + timedelta(minutes=minutes)
        monkeypatch.setattr(clock, "now", lambda at=at: at)
        page = _text(staff, "/console/")
        assert bool(re.search(r'data-due="\d+">未来店', page)) == missed
    assert "14:05–19:00" in page
    for minutes in range(45, 291, 49):
        at = LATER + timedelta(minutes=minutes)
        monkeypatch.setattr(clock, "now", lambda at=at: at)
        page = _text(staff, "/console/")
    assert "本日の空きはもうありません" in page


def test_it_leads_to_what_waits_for_a_yes(made: Salon, staff: Client) -> None:
    """Of whichever day: a request for next week is not found by looking at today."""
    assert "承認待ち" not in _text(staff, "/console/")
    with shop(made.id), change():
        Service.objects.filter(id=made.cut).update(approval="keeps")
    asked = booked(made, TOMORROW + timedelta(days=6)).booking
    page = _text(staff, "/console/")
    assert "承認待ちの予約が1件あります" in page
    found = re.search(r'href="(/console/calendar/list[^"]*)"', page)
    assert found is not None
    assert f"/console/bookings/{asked.id}" in _text(staff, found[1].replace("&amp;", "&"))


def test_it_says_what_to_do_when_nobody_comes(made: Salon, staff: Client) -> None:
    assert made
    page = _text(staff, "/console/")
    assert "今日の予約はまだありません" in page
    assert 'href="/salon/"' in page


def test_it_goes_on_by_numbers_when_the_vault_is_away(
    made: Salon, staff: Client, vault: VaultProcess
) -> None:
    made_booking = booked(made, LATER).booking
    vault.stop()
    page = _text(staff, "/console/")
    assert "予約の受付は続いています" in page
    assert "カット" in page
    assert str(made_booking.person_id)[:6] in page
    assert "山田 花子" not in page
    assert staff.get("/console/day").status_code == 200
    assert staff.get(f"/console/bookings/{made_booking.id}").status_code == 200


def test_without_the_vault_it_names_the_sheet_that_was_made_last(
    made: Salon, staff: Client, vault: VaultProcess
) -> None:
    booked(made, LATER)
    for _ in range(2):
        assert staff.post("/console/day-sheet", {"date": f"{NOON:%Y-%m-%d}"}).status_code == 200
    named = "紙の控え No.2"
    assert named not in _text(staff, "/console/")
    vault.stop()
    for address in ("/console/", "/console/day"):
        page = _text(staff, address)
        assert named in page, address
        assert "aoi.salon" in page
    assert named not in _text(staff, f"/console/day?date={TOMORROW:%Y-%m-%d}")
    refused = staff.post("/console/day-sheet", {"date": f"{NOON:%Y-%m-%d}", "phones": "1"})
    assert refused.status_code == 503
    assert "山田 花子" not in refused.content.decode()


def test_without_the_vault_data_and_safety_shows_what_it_has(
    made: Salon, staff: Client, vault: VaultProcess
) -> None:
    assert made
    staff.post("/console/day-sheet", {"date": f"{NOON:%Y-%m-%d}"})
    vault.stop()
    page = _text(staff, "/console/safety")
    assert "いまは表示できません" in page
    assert '<th scope="row">1</th>' in page
    assert staff.get("/console/figures").status_code == 200


def test_it_refuses_a_tap_while_the_record_cannot_be_written(
    made: Salon, staff: Client, vault: VaultProcess
) -> None:
    made_booking = booked(made, LATER).booking
    shutil.rmtree(vault.ledger / "segments")
    day = f"/console/day?date={LATER:%Y-%m-%d}"
    card = f"/console/customers/{made_booking.person_id}"
    taps = [(f"/console/bookings/{made_booking.id}", {"show": "card"}), (card, {"show": "card"}), (day, {})]
    for address, tap in [*taps, ("/console/customers", {"query": "山田花子"})]:
        answer = staff.post(address, tap)
        assert answer.status_code == 503, address
        assert "閲覧の記録を書き込めないため" in answer.content.decode()
        assert "山田 花子" not in answer.content.decode()
    assert staff.get("/console/").status_code == 200
    assert "ledger_unavailable" in vault.log
