"""A list that comes in, as its pages go: looked at, asked for, taken step by step, undone; and out."""

import csv
import io
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from noren import people
from noren.booking import work
from noren.booking.models import Booking, Incoming, Status, Work, WorkLine
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon
from tests.web.desk.test_budget import Person
from tests.web.desk.test_lists import _agreed as agreed

LOOK, HERE = "/console/lists/import", "/console/lists"
WHY = {"reason": "moving", "words": "引っ越し", "deed": "ask"}
HEADING = "氏名,フリガナ,メール,電話番号"
BOARD = "来店日,開始時間,メニュー,スタッフ名,お客様名,電話番号,ステータス"


def file(*lines: str, charset: str = "utf-8") -> SimpleUploadedFile:
    return SimpleUploadedFile("list.csv", "\r\n".join(lines).encode(charset), "text/csv")


def looked(person: Person, sent: SimpleUploadedFile, **said: Any) -> tuple[int, str]:
    answer = person.client.post(LOOK, {"deed": "look", "file": sent, **said})
    return answer.status_code, answer.content.decode()


def counted(page: str) -> dict[str, str]:
    return dict(re.findall(r"<dt>([^<]+)</dt><dd(?: class=\"big\")?>(?:<span class=\"big\">)?(\d+)", page))


def chosen(page: str) -> dict[str, str]:
    """What a page's form would send again: its hidden fields and what is selected."""
    found = dict(re.findall(r'type="hidden" name="([a-z]+)" value="([^"]*)"', page))
    for name, inside in re.findall(r'<select id="[^"]+" name="([^"]+)">(.*?)</select>', page, re.DOTALL):
        selected = re.search(r'value="([^"]*)" selected', inside)
        found[name] = selected[1] if selected else ""
    found.pop("csrfmiddlewaretoken", None)
    return found


def run(made: Salon, work_id: int) -> Work:
    while work.one(made.id, work_id).state == "running":
        work.step(made.id, work_id, now=NOON)
    return work.one(made.id, work_id)


def came(person: Person, made: Salon, address: str, sent: SimpleUploadedFile) -> str:
    """Take a list of customers and do its steps; gives the page that says how it ended."""
    there = str(person.client.post(address, {"file": sent})["Location"])
    run(made, int(there.rpartition("/")[2]))
    return person.client.get(there).content.decode()


def test_a_file_is_looked_at_and_nothing_is_kept(three: dict[str, Person], made: Salon) -> None:
    """Shift_JIS, a lost zero, half-width kana: as it would be stored; who is twice, who has a fault."""
    hana, sato = "髙﨑 花,ﾀｶｻｷ ﾊﾅ,hana@x.example,9012345678", "佐藤,さとう,nowhere,12"
    sent = file(HEADING, hana, hana, sato, charset="cp932")
    status, page = looked(three["aoi"], sent)
    assert status == 200
    assert '<option value="cp932" selected>' in page
    assert "090-1234-5678" in page
    assert "タカサキ ハナ" in page
    assert counted(page)["New customers"] == "1"
    assert counted(page)["Twice in the file"] == "1"
    assert "Line 4: Mail is no mail address" in page
    assert "Line 4: Phone is no phone number" in page
    assert "nowhere" not in page.split('class="faults"')[1]
    assert "One bad line holds all" in page
    assert people.search(three["aoi"].grant, "髙﨑").found == 0
    with shop(made.id):
        assert Incoming.objects.count() == Work.objects.count() == 0


def test_what_a_column_is_can_be_said(three: dict[str, Person]) -> None:
    """Of a file with other headings; a wrong guess is put right, and columns are found anew."""
    owner = three["aoi"]
    rows = ("誰,連絡", "山田 太郎,0312345678")
    _, page = looked(owner, file(*rows))
    assert "Please say which column is the name" in page
    said = {**chosen(page), "column-0": "name", "column-1": "phone"}
    _, page = looked(owner, file(*rows), **said)
    assert counted(page)["New customers"] == "1"
    assert "0312345678" in page
    _, page = looked(owner, file("氏名", "山田", charset="euc_jp"))
    assert "Please say which column is the name" in page
    status, page = looked(
        owner, file("氏名", "山田", charset="euc_jp"), **{**chosen(page), "charset": "euc_jp"}
    )
    assert counted(page)["New customers"] == "1"
    status, page = looked(owner, file(HEADING, "花,,,"), **{**chosen(page), "charset": "utf-16"})
    assert "Please say which column is the name" in page or status == 422


def test_customers_come_in_and_go_again(three: dict[str, Person], made: Salon) -> None:
    owner = three["aoi"]
    rows = (
        HEADING,
        *(f"移転 {n},,iten{n}@x.example," for n in range(4)),
    )
    address = str(owner.client.post(LOOK, {**WHY, "file": file(*rows)})["Location"])
    assert "4 / 4" in came(owner, made, f"{address}/take", file(*rows))
    assert people.search(owner.grant, "移転").found == 4
    _, page = looked(owner, file(*rows, "別人,,iten0@x.example,"))
    assert (counted(page)["There already"], counted(page).get("New customers")) == ("5", "0")
    kept, booked = list(people.search(owner.grant, "移転").persons)[:2]
    people.update(owner.grant, kept, {"note": "猫舌"})
    values = {"service_id": made.cut, "asked_staff_id": None, "start": NOON + timedelta(days=2, hours=22)}
    waits = WorkLine(shop_id=made.id, line=2, key="own", person_id=booked, state="waiting", **values)
    other = work.bring(made.id, work.Ask("f" * 16, [waits]), now=NOON, by="staff:aoi.salon")
    assert run(made, other.id).odd == 0
    assert owner.client.post(f"{address}/undo", {}).status_code == 422
    done = owner.client.post(f"{address}/undo", {"sure": "1"})
    page = owner.client.get(str(done["Location"])).content.decode()
    assert "2 / 4" in page
    assert (counted(page)["Stay, for they have booked"], counted(page)["Stay in all"]) == ("1", "2")
    assert set(people.search(owner.grant, "移転").persons) == {kept, booked}
    run(made, work.undo(made.id, other.id, now=NOON, by="staff:aoi.salon").id)


def test_customers_who_come_in_are_stopped_go_on_and_are_undone(
    three: dict[str, Person], made: Salon
) -> None:
    """A hundred a step; while they come in they are not undone; and after the undo nobody more comes."""
    owner = three["aoi"]
    rows = (HEADING, *(f"段々 {n},,dandan{n}@x.example," for n in range(100)), "段々 百,,hyaku@x.example,")
    address = str(owner.client.post(LOOK, {**WHY, "file": file(*rows)})["Location"])
    transfer = address.rpartition("/")[2]
    agreed(three["mei"], address)
    there = str(owner.client.post(f"{address}/take", {"file": file(*rows)})["Location"])
    number = int(there.rpartition("/")[2])
    again = str(owner.client.post(f"{address}/take", {"file": file(*rows)})["Location"])
    assert again == there
    assert people.search(owner.grant, "段々").found == 0
    refused = owner.client.post(f"{address}/undo", {"sure": "1"})
    assert (refused.status_code, "stop that first" in refused.content.decode()) == (409, True)
    work.step(made.id, number, now=NOON)
    assert people.search(owner.grant, "段々").found == 100
    assert owner.client.get(HERE.replace("lists", "work")).content.decode().count(there) == 1
    owner.client.post(f"{there}/deed", {"deed": "stop"})
    work.step(made.id, number, now=NOON)
    page = owner.client.get(there).content.decode()
    assert "100 / 101" in page
    assert "sealed in the vault" in page
    assert people.search(owner.grant, "段々").found == 100
    undone = owner.client.post(f"{address}/undo", {"sure": "1"})
    assert "100 / 100" in owner.client.get(str(undone["Location"])).content.decode()
    assert "Nobody more comes in" in owner.client.get(there).content.decode()
    assert owner.client.post(f"{there}/deed", {"deed": "resume"}).status_code == 404
    assert people.search(owner.grant, "段々").found == 0
    assert work.of_transfer(made.id, transfer)[-1].done == 100


def test_a_list_that_is_cancelled_on_the_way_ends_there(three: dict[str, Person], made: Salon) -> None:
    owner = three["aoi"]
    rows = (HEADING, "途中 一,,tochu@x.example,")
    address = str(owner.client.post(LOOK, {**WHY, "file": file(*rows)})["Location"])
    there = str(owner.client.post(f"{address}/take", {"file": file(*rows)})["Location"])
    owner.client.post(f"{address}/end", {"deed": "cancel"})
    assert run(made, int(there.rpartition("/")[2])).state == "stopped"
    assert people.search(owner.grant, "途中").found == 0
    page = owner.client.get(there).content.decode()
    assert "Nobody more comes in" in page
    assert 'value="resume"' not in page


def _bookings() -> list[str]:
    day = "令和8年11月26日(木)"
    return [
        BOARD,
        f"{day},10:00,カット,aoi,予約 一,9012345671,予約確定",
        f"{day},10時30分,ｶｯﾄ＆ﾌﾞﾛｰ,指名なし,予約 二,9012345672,",
        f"{day},10:30,カット,Aoi,予約 三,9012345673,",
        f"{day},12:00,カット,ren,予約 四,9012345674,キャンセル",
        "令和2年1月5日,12:00,カット,ren,予約 五,9012345675,",
        f"{day},いつか,カット,ren,予約 六,9012345676,",
        f"{day},14:00,カット,,,,",
        f"{day},15:00,カット,ren,予約 七,9012345677,お断り",
        f"{day},16:00,カット,ren,予約 八,9012345678,released",
    ]


def test_bookings_come_in_with_what_does_not_fit_beside(three: dict[str, Person], made: Salon) -> None:
    """Words are mapped, what is unclear or taken is listed; the same again doubles nothing."""
    owner = three["aoi"]
    rows = _bookings()
    status, page = looked(owner, file(*rows, charset="cp932"), kind="bookings")
    assert status == 200
    assert counted(page)["Bookings that come in"] == "2"
    assert counted(page)["Unclear, for the list of what does not fit"] == "3"
    assert "ｶｯﾄ＆ﾌﾞﾛｰ" in page
    assert "090-1234-5671" in page
    said = chosen(page)
    [word] = [name for name in said if name.startswith("service-")]
    said |= {word: str(made.cut), "kind": "bookings", "join": "1", "anyway": "1"}
    _, page = looked(owner, file(*rows, charset="cp932"), **said)
    assert counted(page)["Bookings that come in"] == "3"
    assert "Line 7: Day and time cannot be read" in page
    sent = {**said, **WHY, "file": file(*rows, charset="cp932")}
    address = str(owner.client.post(LOOK, sent)["Location"])
    taken = owner.client.post(f"{address}/take", {"file": file(*rows, charset="cp932")})
    there = str(taken["Location"])
    assert (
        str(owner.client.post(f"{address}/take", {"file": file(*rows, charset="cp932")})["Location"]) == there
    )
    one = run(made, int(there.rpartition("/")[2]))
    assert (one.total, one.done, one.odd) == (5, 5, 3)
    page = owner.client.get(there).content.decode()
    assert "The time is taken" in page
    assert "/console/new/" in page
    assert "予約" not in page.split("<main")[1]
    with shop(made.id):
        rows_made = list(Booking.objects.filter(status=Status.CONFIRMED).order_by("start"))
    assert [f"{row.start:%m-%d %H:%M}" for row in rows_made] == ["11-26 01:00", "11-26 01:30"]
    assert rows_made[0].staff_id == made.staff[0]
    first = rows_made[0].person_id
    assert first is not None
    told = people.reveal(owner.grant, people.Purpose.CUSTOMER, [first], ["phone"])
    assert [each["phone"] for each in told.persons.values()] == ["090-1234-5671"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(args::text, '') FROM procrastinate_jobs")
        assert "予約" not in cursor.fetchone()[0]
    assert owner.client.post(f"{there}/deed", {"deed": "undo"}).status_code == 302
    undone = str(owner.client.post(f"{there}/deed", {"deed": "undo", "sure": "1"})["Location"])
    assert run(made, int(undone.rpartition("/")[2])).done == 2
    with shop(made.id):
        assert not Booking.objects.filter(status=Status.CONFIRMED).exists()
    gone = owner.client.post(f"{address}/undo", {"sure": "1"})
    assert counted(owner.client.get(str(gone["Location"])).content.decode()).get("Stay in all") is None
    assert people.search(owner.grant, "予約").found == 0


def test_long_work_is_stopped_and_gone_on_with(three: dict[str, Person], made: Salon) -> None:
    owner = three["aoi"]
    lines = [
        WorkLine(
            shop_id=made.id,
            line=n,
            key=f"long {n}",
            service_id=made.cut,
            state="waiting",
            start=NOON + timedelta(days=1 + n, hours=22),
            person_id="00000000-0000-4000-8000-000000000001",
        )
        for n in range(30)
    ]
    one = work.bring(made.id, work.Ask("e" * 16, lines), now=NOON, by="staff:aoi.salon")
    work.step(made.id, one.id, now=NOON)
    there = f"/console/work/{one.id}"
    page = owner.client.get(there).content.decode()
    assert "20 / 30" in page
    assert 'hx-trigger="every 2s"' in page
    owner.client.post(f"{there}/deed", {"deed": "stop"})
    assert "stopped" in owner.client.get("/console/work").content.decode()
    owner.client.post(f"{there}/deed", {"deed": "resume"})
    assert run(made, one.id).done == 30
    assert owner.client.get("/console/work/999999").status_code == 404
    assert three["ren"].client.get("/console/work").status_code == 403
    run(made, work.undo(made.id, one.id, now=NOON, by="staff:aoi.salon").id)


def test_the_pages_ask_no_more_where_there_is_more(three: dict[str, Person], made: Salon) -> None:
    owner = three["aoi"]

    def asked(address: str) -> int:
        owner.client.get(address)
        with CaptureQueriesContext(connection) as caught:
            assert owner.client.get(address).status_code == 200
        return len(caught)

    def odd(n: int, transfer: str) -> int:
        lines = [
            WorkLine(shop_id=made.id, line=k, key=f"{transfer}{k}", state="odd", why="when") for k in range(n)
        ]
        return work.bring(made.id, work.Ask(transfer, lines), now=NOON, by="staff:aoi.salon").id

    few = asked("/console/work"), asked(f"/console/work/{odd(1, 'd' * 16)}")
    many = odd(50, "c" * 16)
    assert (asked("/console/work"), asked(f"/console/work/{many}")) == few


def test_a_list_leaves_in_shift_jis_or_whole(three: dict[str, Person], made: Salon) -> None:
    """What it does not have is 〓 and counted, or all of it is UTF-8; the canaries are there either way."""
    owner = three["aoi"]
    rows = (HEADING, "髙﨑 〜森鷗外,,ogai@x.example,", "髙﨑 彅,,nagi@x.example,")
    address = str(owner.client.post(LOOK, {**WHY, "file": file(*rows)})["Location"])
    came(owner, made, f"{address}/take", file(*rows))
    asked = {"reason": "moving", "words": "x", "fields": ["name", "mail"]}
    leaves = str(owner.client.post(f"{HERE}/export", asked)["Location"])
    answer = owner.client.post(f"{leaves}/file", {"charset": "cp932"})
    text = answer.content.decode("cp932")
    assert '"髙﨑 ～森〓外"' in text
    assert '"髙﨑 彅"' in text
    assert "-1-lost.csv" in answer["Content-Disposition"]
    assert "charset=Shift_JIS" in answer["Content-Type"]
    found = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(found) == people.search(owner.grant, "@").found + 5
    page = owner.client.get(leaves).content.decode()
    assert "/console/work/" in page
    either = owner.client.post(f"{leaves}/file", {"charset": "either"})
    assert "森鷗外" in either.content.decode("utf-8-sig")
    assert made


def test_bookings_leave_as_a_table_without_names(three: dict[str, Person], made: Salon) -> None:
    owner = three["aoi"]
    day = NOON + timedelta(days=49, hours=22)
    line = WorkLine(
        shop_id=made.id, line=2, key="table", service_id=made.cut, start=day, state="waiting",
        person_id="00000000-0000-4000-8000-000000000002", asked_staff_id=made.staff[1],
    )  # fmt: skip
    run(made, work.bring(made.id, work.Ask("b" * 16, [line]), now=NOON, by="staff:aoi.salon").id)
    there = f"{HERE}/bookings?first=2027-01-13&last=2027-01-13"
    text = owner.client.get(there).getvalue().decode("utf-8-sig")
    assert text.count("\r\n") == 2
    assert '"2027-01-13 10:00","2027-01-13 11:00","Cut","Ren","1","confirmed"' in text
    assert owner.client.get(f"{there}&charset=cp932").content.decode("cp932").count("\r\n") == 2
    assert owner.client.get(f"{HERE}/bookings?first=x").status_code == 422
    assert three["ren"].client.get(there).status_code == 403


@pytest.mark.parametrize("name", ["髙﨑", "=1+1"])
def test_a_preview_shows_and_runs_nothing(three: dict[str, Person], name: str) -> None:
    with override_settings(DEBUG=False):
        _, page = looked(three["aoi"], file("氏名", f"<b>{name}</b>"))
    assert f"&lt;b&gt;{name}&lt;/b&gt;" in page
