"""The file: as RFC 4180 has it, run by no spreadsheet, and read in again as it was."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noren.people import exporting, importing

STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\x00", "＝", "＋", "－", "＠", "\u2212")
CORPUS = (
    '=HYPERLINK("http://x.example","a")',
    "=cmd|' /C calc'!A0",
    "+81 90 1234 5678",
    "-2+3",
    "@SUM(1+1)",
    "＝1+1",
    "＋1",
    "－1",
    "＠x",
    "\u22121",
    "\t=1",
    "\r=1",
    "\n=1",
    "'=1",
    "''=1",
    "'quoted'",
    'a "b", c;d',
    "二行\n目",
    "",
    "山田 花子",
)


@pytest.mark.parametrize("cell", CORPUS)
def test_no_cell_begins_as_a_formula_and_each_comes_back(cell: str) -> None:
    guarded = exporting.guarded(cell)
    assert not guarded.startswith(STARTS)
    assert exporting.unguarded(guarded) == cell


@given(st.text(alphabet=st.sampled_from([*STARTS, "'", "a", "山", ",", '"'])))
def test_any_text_comes_back(cell: str) -> None:
    guarded = exporting.guarded(cell)
    assert not guarded.startswith(STARTS)
    assert exporting.unguarded(guarded) == cell


def test_it_is_utf_8_with_its_mark_and_quotes_every_cell() -> None:
    pieces = [[["山田 花子", "+819012345678"]], [['a "b"', ""]]]
    told = "".join(exporting.text(["name", "phone"], pieces, "ja"))
    assert told == '\ufeff"氏名","電話番号"\r\n"山田 花子","\'+819012345678"\r\n"a ""b""",""\r\n'


@pytest.mark.parametrize("language", ["ja", "en"])
def test_our_importer_reads_it_as_it_was(language: str) -> None:
    fields = ["name", "kana", "mail", "phone", "note"]
    rows = [
        [f"名{number}", "カナ", "a@example.jp", "+819012345678", cell] for number, cell in enumerate(CORPUS)
    ]
    raw = "".join(exporting.text(fields, [rows], language)).encode()
    read = importing.read(raw, b"secret")
    assert not read.faults
    given_back = [[row.fields.get(name, "") for name in fields] for row in read.rows]
    # What is only blanks is no value, to the importer and to the vault.
    assert given_back == rows
    assert len(list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))) == len(rows) + 1


RARE = "髙﨑彅閒昻曻栁橫濵瀨祥福羽①Ⅳ㈱№℡～"


@given(st.lists(st.text(alphabet="山a ,;\"'=-\n" + RARE, min_size=1, max_size=10), min_size=1, max_size=5))
def test_what_shift_jis_has_comes_back_as_it_was(cells: list[str]) -> None:
    rows = [[f"名{number}", cell] for number, cell in enumerate(cells)]
    told = exporting.written(exporting.text(["name", "note"], [rows], "ja"), "cp932")
    assert (told.charset, told.lost) == ("cp932", 0)
    read = importing.read(told.raw, b"secret")
    assert [row.fields.get("note", "") for row in read.rows] == [
        cell if cell.strip() else "" for cell in cells
    ]


@pytest.mark.parametrize(
    ("cell", "written"), [("森鷗外", "森〓外"), ("10〜11時", "10～11時"), ("😀é", "〓〓")]
)
def test_what_it_has_not_is_counted_or_kept_in_utf_8(cell: str, written: str) -> None:
    text = list(exporting.text(["name"], [[[cell]]], "ja"))
    told = exporting.written(text, "cp932")
    assert told.raw.decode("cp932") == f'"氏名"\r\n"{written}"\r\n'
    assert told.lost == written.count("〓")
    either = exporting.written(text, "either")
    assert either.charset == ("utf-8" if told.lost else "cp932")
    assert either.lost == 0
    assert either.raw.startswith(b"\xef\xbb\xbf") == bool(told.lost)


def test_no_cell_becomes_a_formula_by_being_written_in_shift_jis() -> None:
    text = exporting.text(["note"], [[[cell] for cell in CORPUS]], "ja")
    told = exporting.written(text, "cp932").raw.decode("cp932")
    for row in list(csv.reader(io.StringIO(told, newline="")))[1:]:
        assert not row[0].startswith(STARTS)
