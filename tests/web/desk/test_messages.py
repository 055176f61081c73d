"""What is sent, in the console: the shop's own words with how they arrive, and the list of what went."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from noren.messages import sample, wording
from noren.messages.deliver import deliver
from noren.messages.models import Message, State, Wording
from noren.messages.notice import Kind
from noren.people import team
from noren.shops.models import Shop
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon
from tests.servers import AppDatabase, Sink
from tests.web.conftest import booked

WORDS = "/console/messages/words/reminder"
LOG = "/console/messages"
LOG_QUERY_ROWS = (1, 12)


@pytest.fixture(autouse=True)
def nothing_yet(made: Salon) -> None:
    with shop(made.id):
        Wording.objects.all().delete()
        Message.objects.all().delete()


def _page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def _typed(seen: int = 0, **more: str) -> dict[str, str]:
    return {"in": "ja", "seen": str(seen), "subject": "", "opening": "", "closing": "", **more}


# -- words


def test_it_shows_how_the_words_arrive_and_keeps_nothing_by_looking(made: Salon, staff: Client) -> None:
    answer = staff.post(WORDS, _typed(opening="{name}様、明日です。{day}"))
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "山田 花子様、明日です。2026年11月" in page
    assert "ご予約の確認・日時の変更・取り消しはこちらからどうぞ。" in page
    with shop(made.id):
        assert not Wording.objects.exists()


def test_it_refuses_by_name_and_keeps_what_was_typed(made: Salon, staff: Client) -> None:
    answer = staff.post(WORDS, _typed(opening="{nmae}様、<b>明日</b>です。", deed="keep"))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "{nmae}" in page
    assert "{nmae}様、&lt;b&gt;明日&lt;/b&gt;です。</textarea>" in page
    with shop(made.id):
        assert not Wording.objects.exists()


def test_it_keeps_versions_and_goes_back_to_the_house(made: Salon, staff: Client) -> None:
    kept = staff.post(WORDS, _typed(opening="明日です。", deed="keep"))
    assert (kept.status_code, kept["Location"]) == (302, f"{WORDS}?in=ja&kept")
    assert "明日です。</textarea>" in _page(staff, WORDS)
    late = staff.post(WORDS, _typed(opening="あさってです。", deed="keep"))
    assert late.status_code == 409
    assert "あさってです。</textarea>" in late.content.decode()
    assert "明日です。" in late.content.decode()
    assert staff.post(WORDS, _typed(seen=1, deed="house")).status_code == 302
    with shop(made.id):
        assert wording.of(Kind.REMINDER, "ja").is_house
    assert "明日です。</textarea>" in _page(staff, f"{WORDS}?in=ja&version=1")
    assert "明日です。</textarea>" not in _page(staff, WORDS)


def test_a_field_comes_into_its_box_without_a_script(staff: Client) -> None:
    page = staff.post(WORDS, _typed(opening="こんにちは", insert="opening:name")).content.decode()
    assert "こんにちは{name}</textarea>" in page
    page = staff.post(WORDS, _typed(opening="こんにちは", insert="opening:link")).content.decode()
    assert "こんにちは</textarea>" in page


def test_a_test_goes_to_who_asks(
    made: Salon, staff: Client, module_app_db: AppDatabase, module_mail: Sink
) -> None:
    """The job names her handle; the vault knows the rest."""
    staff.post(WORDS, _typed(opening="{name}様、明日です。", deed="keep"))
    answer = staff.post(WORDS, {"in": "ja", "deed": "try"})
    assert (answer.status_code, answer["Location"]) == (302, f"{WORDS}?in=ja&tried#try")
    with module_app_db.connect("owner") as conn:
        [(args,)] = conn.execute(
            "SELECT args FROM procrastinate_jobs WHERE task_name = 'noren.messages.tasks.try_out'"
        ).fetchall()
    minute = int(NOON.timestamp()) // 60
    wanted = {"shop_id": made.id, "handle": "aoi.salon", "kind": "reminder", "language": "ja"}
    assert args == wanted | {"minute": minute}
    module_mail.messages.clear()
    assert sample.mail(made.id, "aoi.salon", Kind.REMINDER, "ja", minute=minute, now=NOON)
    [message] = module_mail.wait()
    assert message["To"] == "aoi@salon.example"
    assert "青木 葵様、明日です。" in message.get_content()


def test_the_team_is_ids_of_who_has_joined(made: Salon, staff: Client) -> None:
    assert staff
    [aoi] = team.of(made.id)
    assert (aoi.handle, aoi.role, aoi.staff) == ("aoi.salon", "owner", "aoi")
    assert "shop.change" in aoi.permissions


def test_there_are_no_words_of_what_is_no_mail(staff: Client) -> None:
    assert staff.get("/console/messages/words/nothing").status_code == 404


def test_every_kind_has_a_page_and_a_line(staff: Client) -> None:
    """But for a message to many, which is written each time."""
    assert staff.get("/console/messages/words/many").status_code == 404
    listed = _page(staff, "/console/messages/words")
    for kind in {*Kind} - {Kind.MANY}:
        assert f"/console/messages/words/{kind}" in listed
        for lang in ("ja", "en"):
            assert (
                "{" not in _page(staff, f"/console/messages/words/{kind}?in={lang}").split('class="mail"')[1]
            )


# -- what went


def _failed(made: Salon, mail: Sink, day: int = 3) -> int:
    booking = booked(made, NOON + timedelta(days=day)).booking
    mail.refuse = "550 5.7.1 no"
    assert deliver(made.id, booking.id, Kind.BOOKED, now=NOON - timedelta(minutes=5)) is State.FAILED
    mail.refuse = None
    with shop(made.id):
        return Message.objects.latest("id").id


def test_it_lists_what_went_by_ids_and_today_says_what_did_not(
    made: Salon, staff: Client, module_mail: Sink
) -> None:
    assert "?state=trouble" not in _page(staff, "/console/")
    number = _failed(made, module_mail)
    assert f"{LOG}?state=trouble" in _page(staff, "/console/")
    page = _page(staff, f"{LOG}?state=trouble")
    assert f'name="message" value="{number}"' in page
    assert "hanako" not in page
    assert "山田" not in page
    staff.post(LOG, {"message": number, "deed": "aside"})
    assert "?state=trouble" not in _page(staff, "/console/")
    staff.post(LOG, {"message": number, "deed": "back"})
    assert staff.post(LOG, {"message": number, "deed": "again"}).status_code == 302
    assert staff.post(LOG, {"message": number + 999, "deed": "again"}).status_code == 404


def test_one_in_doubt_is_asked_about_first(made: Salon, staff: Client, module_mail: Sink) -> None:
    number = _failed(made, module_mail)
    with shop(made.id):
        Message.objects.filter(id=number).update(state=State.UNKNOWN)
    assert staff.post(LOG, {"message": number, "deed": "again"}).status_code == 404
    asked = staff.post(LOG, {"message": number, "deed": "ask"})
    assert asked.status_code == 200
    assert 'value="sure"' in asked.content.decode()
    assert staff.post(LOG, {"message": number, "deed": "sure"}).status_code == 302
    with shop(made.id):
        assert Message.objects.get(id=number).aside_by == "staff:aoi.salon"


@pytest.mark.parametrize(
    "query", ["state=' OR 1=1", "kind=%00", "before=-1", "booking=abc", "state=sent&kind=booked"]
)
def test_it_takes_any_filter(staff: Client, query: str) -> None:
    assert staff.get(f"{LOG}?{query}").status_code == 200


def test_it_asks_no_more_for_many_than_for_one(made: Salon, staff: Client, module_mail: Sink) -> None:
    asked = []
    for rows in LOG_QUERY_ROWS:
        with shop(made.id):
            there = Message.objects.count()
        for number in range(there, rows):
            _failed(made, module_mail, day=3 + number)
        staff.get(LOG)
        with CaptureQueriesContext(connection) as caught:
            staff.get(LOG)
        asked.append(len(caught))
    assert asked[0] == asked[1]


# -- rules

RULES = "/console/messages/rules"
CHOSEN = {"reminder_1": "180", "reminder_2": "4320", "reminder_3": "0", "thanks": "3"}


def _shop(made: Salon) -> Shop:
    with shop(made.id):
        return Shop.objects.get()


def test_it_keeps_when_mails_go_and_plans_anew(
    made: Salon, staff: Client, module_app_db: AppDatabase
) -> None:
    assert 'value="1440" selected' in _page(staff, RULES)
    answer = staff.post(RULES, {**CHOSEN, "quiet_from": "22:00", "quiet_to": "08:00"})
    assert (answer.status_code, answer["Location"]) == (302, f"{RULES}?kept")
    row = _shop(made)
    assert (row.reminder_minutes, row.more_reminders, row.thanks_hours) == (4320, [180], 3)
    assert row.quiet == {"from": 1320, "to": 480}
    with module_app_db.connect("owner") as conn:
        jobs = conn.execute(
            "SELECT args FROM procrastinate_jobs WHERE task_name = 'noren.booking.tasks.replan'"
        ).fetchall()
    assert jobs == [({"shop_id": made.id, "last": 0},)]
    page = _page(staff, RULES)
    assert 'value="22:00"' in page
    assert page.count("selected") == 3
    staff.post(RULES, {"reminder_1": "1440", "thanks": "0"})
    assert (_shop(made).more_reminders, _shop(made).quiet) == ([], {})


@pytest.mark.parametrize(
    "wrong",
    [
        {"thanks": "7"},
        {"reminder_1": "5"},
        {"reminder_2": "x"},
        {"quiet_from": "22:00"},
        {"quiet_to": "25:00"},
    ],
)
def test_it_refuses_rules_that_are_none_and_changes_nothing(
    made: Salon, staff: Client, wrong: dict[str, str]
) -> None:
    before = _shop(made).rules_revision
    answer = staff.post(RULES, {**CHOSEN, **wrong})
    assert answer.status_code == 422
    assert 'class="wrong"' in answer.content.decode()
    assert _shop(made).rules_revision == before


# -- what happened

TOLD = "/console/messages/told"
WAYS = {"new": "mail", "asked": "mail", "changed": "list", "cancelled": "digest", "missed": "none"} | {
    "answered": "list"
}


def test_it_says_what_happened_until_it_was_looked_at(made: Salon, staff: Client) -> None:
    booking = booked(made, NOON + timedelta(days=30)).booking
    page = _page(staff, TOLD)
    assert f"/console/bookings/{booking.id}" in page
    assert "山田" not in page
    assert TOLD in _page(staff, "/console/").split("</nav>")[-1]
    upto = page.split('name="upto" value="')[1].split('"')[0]
    assert staff.post(TOLD, {"deed": "looked", "upto": upto}).status_code == 302
    assert f"/console/bookings/{booking.id}" not in _page(staff, TOLD)
    assert TOLD not in _page(staff, "/console/").split("</nav>")[-1]


def test_she_chooses_how_she_is_told(made: Salon, staff: Client, module_app_db: AppDatabase) -> None:
    answer = staff.post(TOLD, {**WAYS, "whose": "own", "hour": "18"})
    assert (answer.status_code, answer["Location"]) == (302, f"{TOLD}?kept#choose")
    assert _shop(made).told_at_once == ["asked", "new"]
    with module_app_db.connect("owner") as conn:
        jobs = conn.execute(
            "SELECT args FROM procrastinate_jobs WHERE task_name = 'noren.messages.tasks.plan_digest'"
        ).fetchall()
    assert jobs == [({"shop_id": made.id, "hour": 18},)]
    page = _page(staff, TOLD)
    assert '<option value="18" selected>' in page
    assert page.count('<option value="mail" selected>') == 2
    staff.post(TOLD, {**WAYS, "whose": "own", "hour": "19"})
    with module_app_db.connect("owner") as conn:
        [(last,)] = conn.execute("SELECT args FROM procrastinate_jobs ORDER BY id DESC LIMIT 1").fetchall()
    since = datetime.fromisoformat(last.pop("since"))
    assert last == {"shop_id": made.id, "hour": 19}
    assert (since.hour, since <= NOON < since + timedelta(days=1)) == (18, True), "nothing falls in between"
    staff.post(TOLD, {**WAYS, "whose": "own", "hour": "18"})
    wrong = staff.post(TOLD, {**WAYS, "new": "fax", "whose": "own", "hour": "18"})
    assert wrong.status_code == 422
    assert staff.post(TOLD, {"deed": "looked", "upto": "x"}).status_code == 302
    staff.post(TOLD, {**dict.fromkeys(WAYS, "list"), "whose": "all", "hour": "8"})
    assert _shop(made).told_at_once == ["asked"]


def test_the_list_asks_no_more_for_many_than_for_one(made: Salon, staff: Client) -> None:
    asked = []
    for day in (31, 32, 33, 34):
        booked(made, NOON + timedelta(days=day))
        if day in (31, 34):
            staff.get(TOLD)
            with CaptureQueriesContext(connection) as caught:
                staff.get(TOLD)
            asked.append(len(caught))
    assert asked[0] == asked[1]
