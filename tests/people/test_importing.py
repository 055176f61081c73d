"""Reading a list of customers: spellings of headings, stable keys, faults with their lines."""

import pytest

from noren.people import BadRow
from noren.people.importing import CustomerList, Fault, read
from noren.people.tables import NotAList

SECRET = b"a secret of this test"


def listed(*lines: str, encoding: str = "utf-8") -> CustomerList:
    return read("\r\n".join(lines).encode(encoding), SECRET)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
def test_it_reads_what_spreadsheets_write(encoding: str) -> None:
    found = listed("氏名,フリガナ,電話番号", "髙木 葵,タカギ アオイ,090-1234-5678", encoding=encoding)
    assert found.rows[0].fields == {"name": "髙木 葵", "kana": "タカギ アオイ", "phone": "090-1234-5678"}


def test_it_joins_surname_and_given_name() -> None:
    found = listed("姓,名,セイ,メイ,不明な列", "佐藤,花,サトウ,ハナ,x")
    assert found.rows[0].fields == {"name": "佐藤 花", "kana": "サトウ ハナ"}


def test_it_keeps_the_id_as_the_key() -> None:
    assert listed("id,name", "C001,佐藤").rows[0].key == "id:C001"


def test_it_finds_the_same_person_in_another_spelling_and_order() -> None:
    first = listed("name,phone,note", "佐藤 花,090-1234-5678,x").rows[0].key
    second = listed("電話,氏名", "09012345678,佐藤　花").rows[0].key
    assert first == second
    assert first != read("name,phone\n佐藤 花,090-1234-5678".encode(), b"another").rows[0].key
    assert "佐藤" not in first


def test_it_tells_lines_of_the_file_and_not_rows() -> None:
    found = listed("name,note", '佐藤,"二行の', 'メモ"', "", "鈴木,x,too many", "高橋,y")
    assert found.faults == [Fault(5, "row", "columns")]
    bad = BadRow(key=found.rows[1].key, field="note", reason="too_long")
    assert [fault.words() for fault in found.faults_with([bad])] == [
        "line 5: row has more columns than the heading",
        "line 6: note is too long",
    ]


def test_it_tells_which_lines_are_doubles() -> None:
    found = listed("id,name", "1,佐藤", "2,鈴木", "1,佐藤", "1,佐藤")
    bad = [BadRow(key="id:1", field="key", reason="double")] * 2
    assert [fault.line for fault in found.faults_with(bad)] == [4, 5]


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"", "must name the columns"),
        (b"a,b\n1,2", "must name the columns"),
        (b"\x81\x20", "neither UTF-8 nor"),
        (b'name\n"open', "is no CSV"),
    ],
)
def test_it_refuses_what_is_no_list(raw: bytes, told: str) -> None:
    with pytest.raises(NotAList, match=told):
        read(raw, SECRET)
