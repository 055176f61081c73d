"""A message to many, in the console: picked, written, tried, counted, sent, stopped, and who is called."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from noren.booking import actions
from noren.booking.models import Booking, Status
from noren.errors import VaultUnavailable
from noren.messages import sample, to_many
from noren.messages.models import Addressed, Message, ToMany
from noren.people import correspondence
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon
from tests.servers import AppDatabase, Sink
from tests.web.conftest import booked

MANY = "/console/messages/many"
DAY = NOON + timedelta(days=3)  # 12:00 of the 27th


@pytest.fixture(autouse=True)
def nothing_yet(made: Salon, module_mail: Sink) -> Iterator[None]:
    module_mail.messages.clear()
    yield
    with shop(made.id):
        Addressed.objects.all().delete()
        ToMany.objects.all().delete()
        Message.objects.all().delete()
        there = list(Booking.objects.filter(status=Status.CONFIRMED).values_list("id", flat=True))
    for each in there:
        actions.cancel(made.id, each, now=NOON, by="customer")


def _page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def _draft(client: Client, **picked: str) -> str:
    """Pick a day; gives the draft's address."""
    answer = client.post(MANY, {"date": "2026-11-27", **picked})
    assert answer.status_code == 302, answer.content.decode()
    return str(answer["Location"])


def _typed(seen: int = 0, **more: str) -> dict[str, str]:
    empty = dict.fromkeys(("subject_ja", "opening_ja", "subject_en", "opening_en"), "")
    return {**empty, "seen": str(seen), **more}


def _written(client: Client, **picked: str) -> str:
    there = _draft(client, **picked)
    kept = client.post(there, _typed(opening_ja="{name}様、{day}は断水します。", deed="keep"))
    assert (kept.status_code, kept["Location"]) == (302, f"{there}?kept")
    return there


def _run(made: Salon, there: str) -> None:
    work_id = to_many.one(made.id, int(there.rpartition("/")[2])).work_id
    assert work_id is not None
    for _ in range(9):
        to_many.step(made.id, work_id, now=NOON)


def test_it_shows_to_how_many_and_how_it_arrives_and_keeps_nothing_by_looking(
    made: Salon, staff: Client
) -> None:
    booked(made, DAY, mail="hana@example.com")
    booked(made, DAY, mail="kumi@example.com")
    there = _draft(staff)
    page = _page(staff, there)
    assert "11月27日（金）" in page
    assert "予約 2 件 · 2人" in page
    looked = staff.post(there, _typed(opening_ja="{name}様、断水します。", insert="opening_ja:day"))
    text = looked.content.decode()
    assert "{name}様、断水します。{day}</textarea>" in text
    assert "山田 花子様、断水します。2026年11月27日" in text
    assert "ご予約の確認・日時の変更・取り消しはこちらからどうぞ。" in text
    assert to_many.one(made.id, int(there.rpartition("/")[2])).words == {}


def test_it_refuses_by_name_and_keeps_nothing(made: Salon, staff: Client) -> None:
    there = _draft(staff)
    for deed in ("keep", "ask", "try-ja"):
        answer = staff.post(there, _typed(opening_ja="{nmae}様", subject_en="{name}", deed=deed))
        assert answer.status_code == 422
        assert "「{nmae}」はここで使える" in answer.content.decode()
        assert "「{name}」はここで使える" in answer.content.decode()
    assert staff.post(there, _typed(subject_ja="件名だけ", deed="ask")).status_code == 422
    assert to_many.one(made.id, int(there.rpartition("/")[2])).work_id is None


@pytest.mark.parametrize(
    "picked",
    [
        {"date": "nonsense"},
        {"date": "2026-11-20"},
        {"date": "2026-11-27", "until": "2026-11-26"},
        {"date": "2026-11-27", "until": "2027-11-27"},
        {"date": "2026-11-27", "from": "13:00", "to": "12:00"},
        {"date": "2026-11-27", "service": "999"},
        {"date": "2026-11-27", "staff": "999"},
    ],
)
def test_what_cannot_be_picked_is_said(made: Salon, staff: Client, picked: dict[str, str]) -> None:
    answer = staff.post(MANY, picked)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    with shop(made.id):
        assert not ToMany.objects.exists()
    there = _draft(staff)
    assert staff.post(there, {**picked, "deed": "pick"}).status_code == 422


def test_other_bookings_are_picked_by_the_hour(made: Salon, staff: Client) -> None:
    booked(made, DAY, mail="hana@example.com")
    there = _draft(staff)
    picked = {"date": "2026-11-27", "from": "14:00", "to": "15:00", "service": str(made.cut)}
    assert staff.post(there, {**picked, "deed": "pick"}).status_code == 302
    page = _page(staff, there)
    assert "予約 0 件 · 0人" in page
    assert 'value="14:00"' in page
    asked = staff.post(there, _typed(opening_ja="断水", deed="ask")).content.decode()
    assert 'value="send"' not in asked


def test_nothing_goes_before_the_count_is_agreed_to(made: Salon, staff: Client, module_mail: Sink) -> None:
    """Whom no mail reaches is counted, on record; one more booking in between, and it is asked again."""
    booked(made, DAY, mail="hana@example.com")
    none = booked(made, DAY, mail="").booking
    there = _written(staff)
    asked = staff.post(there, _typed(1, opening_ja="{name}様、断水します。", deed="ask"))
    text = asked.content.decode()
    assert asked.status_code == 200
    assert "2人に送信する" in text
    assert re.search(r"メールが届かない方</dt><dd>1 · 電話リストに載ります", text)
    agreed = {"deed": "send", "seen": "2", "persons": "2"}
    booked(made, DAY, mail="kumi@example.com")
    again = staff.post(there, agreed)
    assert again.status_code == 409
    assert "3人に送信する" in again.content.decode()
    assert staff.post(there, {"deed": "send"}).status_code == 409
    with shop(made.id):
        assert not Addressed.objects.exists()
    for _ in range(2):
        assert staff.post(there, {**agreed, "persons": "3"}).status_code == 302
    _run(made, there)
    assert sorted(str(each["To"]) for each in module_mail.messages) == [
        "hana@example.com",
        "kumi@example.com",
    ]
    page = _page(staff, there)
    assert "3 / 3" in page
    assert "未送信（電話するか、再送を待つ）</dt><dd>1" in page
    calls = _page(staff, "/console/calls")
    assert f"/console/bookings/{none.id}" in calls
    assert "11月27日（金）は断水します。" not in calls
    assert "断水します。" in calls
    assert "山田 花子様、断水します。" in staff.post("/console/calls").content.decode()


def test_it_is_stopped_and_goes_on_and_stands_with_long_work(
    made: Salon, staff: Client, module_mail: Sink
) -> None:
    booked(made, DAY, mail="hana@example.com")
    there = _written(staff)
    staff.post(there, {"deed": "send", "seen": "1", "persons": "1"})
    staff.post(there, {"deed": "stop"})
    _run(made, there)
    assert module_mail.messages == []
    assert 'value="resume"' in _page(staff, there)
    assert "一斉連絡" in _page(staff, "/console/work")
    work_id = to_many.one(made.id, int(there.rpartition("/")[2])).work_id
    assert there in _page(staff, reverse("console_work_one", args=[work_id]))
    # Whoever may bring lists in does not go on with it there.
    deed = reverse("console_work_deed", args=[work_id])
    assert staff.post(deed, {"deed": "resume"}).status_code == 404
    staff.post(there, {"deed": "resume"})
    _run(made, there)
    assert [str(each["To"]) for each in module_mail.messages] == ["hana@example.com"]
    log = _page(staff, "/console/messages?kind=many")
    assert there in log
    assert "一斉連絡" in log
    assert staff.post(there, {"deed": "drop"}).status_code == 404
    assert staff.post(there, _typed(1, opening_ja="ほか", deed="keep")).status_code == 404


def test_words_that_somebody_else_has_changed_are_shown(made: Salon, staff: Client) -> None:
    there = _written(staff)
    late = staff.post(there, _typed(0, opening_ja="ほかの文面", deed="keep"))
    assert late.status_code == 409
    text = late.content.decode()
    assert "ほかの文面</textarea>" in text
    assert "断水します。" in text
    assert made.id


def test_a_test_goes_to_who_asks(
    made: Salon, staff: Client, module_app_db: AppDatabase, module_mail: Sink
) -> None:
    there = _draft(staff)
    answer = staff.post(there, _typed(opening_en="Dear {name}, no water.", deed="try-en"))
    assert (answer.status_code, answer["Location"]) == (302, f"{there}?tried")
    with module_app_db.connect("owner") as conn:
        [(args,)] = conn.execute(
            "SELECT args FROM procrastinate_jobs WHERE task_name = 'noren.messages.tasks.try_out_many'"
        ).fetchall()
    number = int(there.rpartition("/")[2])
    assert (args["handle"], args["many_id"], args["language"]) == ("aoi.salon", number, "en")
    assert sample.mail_many(made.id, "aoi.salon", number, "en", minute=args["minute"], now=NOON)
    [mail] = module_mail.wait()
    assert mail["To"] == "aoi@salon.example"
    assert str(mail["Subject"]).startswith("[Test] ")
    assert "no water." in mail.get_content()


def test_the_list_asks_no_more_for_many_than_for_one(made: Salon, staff: Client) -> None:
    asked = []
    for number in range(4):
        _draft(staff, service=str(made.cut), staff=str(made.staff[0]))
        if number in (0, 3):
            staff.get(MANY)
            with CaptureQueriesContext(connection) as caught:
                staff.get(MANY)
            asked.append(len(caught))
    assert asked[0] == asked[1]


def test_a_draft_is_thrown_away(made: Salon, staff: Client) -> None:
    there = _written(staff)
    assert there in _page(staff, MANY)
    assert staff.post(there, {"deed": "drop"}).status_code == 302
    assert staff.get(there).status_code == 404
    with shop(made.id):
        assert not ToMany.objects.exists()


def test_without_the_vault_nothing_is_sent_and_the_draft_stays(
    made: Salon, staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_args: object) -> None:
        raise VaultUnavailable

    booked(made, DAY, mail="hana@example.com")
    there = _draft(staff)
    monkeypatch.setattr(correspondence, "unreached", away)
    assert staff.post(there, _typed(opening_ja="断水", deed="ask")).status_code == 503
    row = to_many.one(made.id, int(there.rpartition("/")[2]))
    assert (row.words["ja"]["opening"], row.work_id) == ("断水", None)
