"""The console's first page: who comes, by name while the vault tells, by number when it does not."""

import shutil
from datetime import UTC, datetime, timedelta

from django.test import Client

from noren import people
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
