"""The file: as RFC 4180 has it, run by no spreadsheet, and read in again as it was."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noren.people import exporting, importing

STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\x00", "＝", "＋", "－", "＠")
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
