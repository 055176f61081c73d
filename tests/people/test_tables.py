"""A file is read as it was written: its letters, its separator, its lines; and mended where it is sure."""

import csv
import io
from datetime import date, time, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from noren.people import columns, importing, mended, tables
from noren.people.columns import Reading
from noren.people.tables import NotAList

SECRET = b"a secret of this test"
# The characters of the extensions by NEC and IBM that names in Japan are written with.
RARE = "髙﨑彅閒昻曻栁橫濵瀨祥福羽①Ⅳ㈱№℡"
NAMES = st.text(alphabet="山田花子" + RARE + "aé ,;\"'\n\t「」", min_size=1, max_size=12)
WRITTEN = st.text(alphabet="山田花子" + RARE + "a ,;\"'\n\t「」", min_size=1, max_size=12)


def written(rows: list[list[str]], charset: str, separator: str = ",") -> bytes:
    told = io.StringIO(newline="")
    csv.writer(told, delimiter=separator, quoting=csv.QUOTE_ALL).writerows(rows)
    return told.getvalue().encode(charset)


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "cp932", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("separator", tables.SEPARATORS)
@given(cells=st.lists(WRITTEN, min_size=1, max_size=4))
def test_what_is_written_is_read(charset: str, separator: str, cells: list[str]) -> None:
    heading = ["氏名", "備考"]
    found = tables.read(written([heading, *([cell, "x"] for cell in cells)], charset, separator))
    assert found.separator == separator
    assert found.heading == tuple(heading)
    assert [line.cells[0] for line in found.lines] == cells


@given(st.lists(NAMES, min_size=1, max_size=4))
@example(["髙﨑 花"])
def test_any_name_comes_through_utf_8_and_16(cells: list[str]) -> None:
    for charset in ("utf-8", "utf-16"):
        found = tables.read(written([["name"], *([cell] for cell in cells)], charset))
        assert [line.cells[0] for line in found.lines] == [cell for cell in cells if cell.strip()]


def test_a_wrong_guess_can_be_said_otherwise() -> None:
    raw = written([["氏名"], ["山田"]], "euc_jp")
    assert tables.read(raw, "euc_jp").lines[0].cells == ("山田",)
    told = b"a;b,c\n1;2,3"
    assert (tables.read(told).heading, tables.read(told, "", ";").heading) == (("a;b", "c"), ("a", "b,c"))


@pytest.mark.parametrize("raw", [b"", b"\x81\x20", b"\xff\xfe\x00", b"name\n\x00x", b'name\n"open'])
def test_what_is_no_table_is_refused_and_not_repeated(raw: bytes) -> None:
    with pytest.raises(NotAList) as refused:
        tables.read(raw)
    assert "open" not in str(refused.value)


@given(st.binary(max_size=60))
def test_no_file_breaks_it(raw: bytes) -> None:
    try:
        importing.read(raw, SECRET)
    except NotAList:
        return


@pytest.mark.parametrize(
    ("heading", "is_what"),
    [
        # As STORES and Coubic head them, as SALON BOARD does, and as a spreadsheet in English.
        ("顧客ID,お名前,フリガナ,メールアドレス,電話番号,顧客メモ", "id,name,kana,mail,phone,note"),
        (
            "お客様番号,氏名（漢字）,氏名（カナ）,携帯電話番号,PCメールアドレス,生年月日",
            "id,name,kana,phone,mail,",
        ),
        ("Customer ID,Last Name,First Name,E-Mail,Phone Number", "id,last name,first name,mail,phone"),
        ("電話,電話番号,名前", "phone,,name"),
    ],
)
def test_headings_of_other_systems_are_known(heading: str, is_what: str) -> None:
    assert columns.guessed(heading.split(",")) == tuple(is_what.split(","))


def test_headings_of_bookings_are_known() -> None:
    stores = "予約番号,予約日時,予約ページ名,担当スタッフ,ステータス,お名前,電話番号"
    assert columns.guessed(stores.split(","), "bookings") == (
        "booking", "at", "service", "staff", "state", "name", "phone",
    )  # fmt: skip
    board = "来店日,開始時間,所要時間（分）,メニュー,スタッフ名,お客様名"
    assert columns.guessed(board.split(","), "bookings") == (
        "date", "time", "minutes", "service", "staff", "name",
    )  # fmt: skip


def test_columns_are_what_is_said_and_a_reading_is_kept() -> None:
    said = Reading.said("customers", "utf-8", ",", ["name", "phone", "made up"])
    assert Reading.of_json(said.to_json()) == Reading(
        "customers", "utf-8", ",", ("name", "phone", ""), services={}, staff={}
    )
    found = importing.read("山田,9012345678,x\n佐藤,0312345678,y".encode(), SECRET, said)
    assert [dict(row.fields) for row in found.rows] == [{"name": "佐藤", "phone": "0312345678"}]
    assert importing.read(b"name,phone\nA,9012345678\nB,090-1234-5678", SECRET).mended == {"phone": 1}


@given(st.integers(0, 99_999_999), st.sampled_from(["70", "80", "90"]))
def test_a_lost_zero_comes_back(number: int, front: str) -> None:
    bare = f"{front}{number:08d}"
    told = mended.phone(bare)
    assert told.replace("-", "") == f"0{bare}"
    assert mended.phone(told) == told


@pytest.mark.parametrize(
    ("given_text", "told"),
    [
        ("9012345678", "090-1234-5678"),
        ("312345678", "03-1234-5678"),
        ("０９０－１２３４－５６７８", "090-1234-5678"),
        ("+81 90 1234 5678", "+81 90 1234 5678"),
        ("9.01E+09", "9.01E+09"),
        ("12345", "12345"),
        ("", ""),
    ],
)
def test_a_phone_is_mended_where_it_is_sure(given_text: str, told: str) -> None:
    assert mended.phone(given_text) == told


def test_names_keep_their_characters_and_kana_is_one() -> None:
    assert mended.full_kana("髙﨑 神ﾔﾏﾀﾞ") == "髙﨑 神ヤマダ"
    assert mended.kana("やまだ ﾊﾅｺ") == "ヤマダ ハナコ"


DAYS = st.dates(date(1926, 12, 26), date(2099, 12, 31))


@given(DAYS)
def test_a_day_is_read_in_every_way_it_is_written(day: date) -> None:
    spelled = [
        day.isoformat(),
        f"{day:%Y%m%d}",
        f"{day.year}年{day.month}月{day.day}日",
        f"{day.year}/{day.month}/{day.day}（{'月火水木金土日'[day.weekday()]}）",
    ]
    for name, letter, first in (("昭和", "S", 1926), ("平成", "H", 1989), ("令和", "R", 2019)):
        year = day.year - first + 1
        if 1 < year <= 99:
            spelled += [f"{name}{year}年{day.month}月{day.day}日", f"{letter}{year}.{day.month}.{day.day}"]
    assert [mended.day(each) for each in spelled] == [day] * len(spelled)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("令和元年5月1日", date(2019, 5, 1)),
        ("平成31/4/30", date(2019, 4, 30)),
        ("S55.3.1", date(1980, 3, 1)),
        ("令和0年1月1日", None),
        ("令和元年4月30日", None),
        ("平成元年1月7日", None),
        ("11/28/2026", None),
        ("2026-02-30", None),
    ],
)
def test_a_day_that_is_not_sure_is_none(text: str, day: date | None) -> None:
    assert mended.day(text) == day


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("9:30", time(9, 30)),
        ("10時", time(10)),
        ("午後2時15分", time(14, 15)),
        ("12:00 AM", time(0)),
        ("10:00～11:30", time(10)),
        ("25:00", None),
        ("13時 pm", None),
        ("10", None),
    ],
)
def test_a_time(text: str, at: time | None) -> None:
    assert mended.clock(text) == at


@given(DAYS, st.times().map(lambda at: at.replace(second=0, microsecond=0)))
def test_a_moment(day: date, at: time) -> None:
    for text in (f"{day} {at:%H:%M}", f"{day.year}年{day.month}月{day.day}日（月）{at:%H:%M}", f"{day}T{at}"):
        assert mended.moment(text) == (day, at)
    assert mended.moment(str(day)) is None


@given(st.integers(1, 600))
def test_a_length(given_minutes: int) -> None:
    hours, rest = divmod(given_minutes, 60)
    for text in (f"{given_minutes}", f"{given_minutes}分", f"{hours}時間{rest}分", f"{hours}:{rest:02d}"):
        assert mended.minutes(text) == given_minutes
    assert timedelta(minutes=mended.minutes(f"{given_minutes} min") or 0) == timedelta(minutes=given_minutes)
