"""What may stand in a field, and why not."""

from typing import Any

import pytest

from noren_vault import fields
from noren_vault.errors import BadField, BadRequest
from noren_vault.fields import Reason, Value

GOOD = [
    ("name", "佐藤 花子"),
    ("name", "O'Brien-Ñandú"),
    ("name", "髙橋 﨑"),
    ("kana", "ｻﾄｳ ﾊﾅｺ"),
    ("mail", "hanako+salon@example.co.jp"),
    ("phone", "090-1234-5678"),
    ("phone", "０９０ー１２３４ー５６７８"),
    ("phone", "+81 90 1234 5678"),
    ("phone", "090-0000-1234"),
    ("phone", "03-1234-5678"),
    ("phone", "+1 650 253 0000"),
    ("note", "一行目\n二行目\tタブ"),
    ("card_last4", "4242"),
    ("tags", "3 17"),
]
BAD = [
    ("name", "あ" * 10_000, Reason.TOO_LONG),
    ("name", "花\x00子", Reason.CONTROL),
    ("name", "花\n子", Reason.CONTROL),
    ("name", "花\x1b[31m子", Reason.CONTROL),
    ("name", "\u202eokanah", Reason.CONTROL),
    ("name", "花\u2028子", Reason.CONTROL),
    ("name", "花\ud800子", Reason.CONTROL),
    ("name", 5, Reason.NOT_TEXT),
    ("mail", "hanako", Reason.MAIL),
    ("mail", "hanako@example", Reason.MAIL),
    ("mail", "@example.jp", Reason.MAIL),
    ("mail", "ha nako@example.jp", Reason.MAIL),
    ("mail", "hanako@exa mple.jp", Reason.MAIL),
    ("mail", "a@b@example.jp", Reason.MAIL),
    ("mail", ".hanako@example.jp", Reason.MAIL),
    ("mail", "ha..nako@example.jp", Reason.MAIL),
    ("mail", "hanako@-example.jp", Reason.MAIL),
    ("mail", "hanako@192.0.2.1", Reason.MAIL),
    ("mail", "hanako@example.jp\nBcc: all@example.jp", Reason.CONTROL),
    ("mail", "a" * 250 + "@example.jp", Reason.TOO_LONG),
    ("phone", "12345", Reason.PHONE),
    ("phone", "0901234567", Reason.PHONE),
    ("phone", "電話なし", Reason.PHONE),
    ("card_last4", "42", Reason.DIGITS),
    ("tags", "vip 3", Reason.DIGITS),
    ("card_last4", "４２４２", Reason.DIGITS),
    ("birthday", "2000-01-01", Reason.UNKNOWN),
]


@pytest.mark.parametrize(("field", "text"), GOOD)
def test_it_takes_what_can_be(field: str, text: str) -> None:
    """A value that can be is kept as it was typed."""
    assert fields.checked({field: text})[field].text == text


@pytest.mark.parametrize(("field", "text", "reason"), BAD, ids=range(len(BAD)))
def test_it_says_why_not(field: str, text: Any, reason: Reason) -> None:
    """A value that cannot be is refused with its reason."""
    values, reasons = fields.check({field: text})
    assert (values, reasons) == ({}, {field: reason})


def test_it_keeps_e164_beside_what_was_typed() -> None:
    """A phone has both spellings, a name has one."""
    values = fields.checked({"name": "花子", "phone": "０９０ー１２３４ー５６７８"})
    assert values["phone"] == Value("０９０ー１２３４ー５６７８", "+819012345678")
    assert values["name"] == Value("花子")


def test_it_makes_a_full_width_mail_sendable() -> None:
    """An address typed in full width is stored as the address it is."""
    assert fields.checked({"mail": "ｈａｎａ＠ｅｘａｍｐｌｅ．ｊｐ"})["mail"].text == "hana@example.jp"


def test_it_leaves_empty_fields_out() -> None:
    """A field of blanks is a field that was not given."""
    assert set(fields.checked({"name": " 花子 ", "phone": "", "note": " \n"})) == {"name"}


def test_it_demands_what_is_required() -> None:
    """A required field that is left out or empty has the reason `empty`."""
    with pytest.raises(BadField) as refusal:
        fields.checked({"name": " ", "mail": "x"}, required=("name",))
    assert refusal.value.facts == {
        "field": "mail",
        "reason": "mail",
        "fields": {"mail": "mail", "name": "empty"},
    }


def test_it_repeats_no_unknown_field_name() -> None:
    """The name of a field that does not exist may hold anything, so it is not sent back."""
    with pytest.raises(BadField) as refusal:
        fields.checked({"山田花子": "x"})
    assert "山田" not in str(refusal.value.facts)


def test_it_gives_back_what_was_sealed() -> None:
    """The stored form of a value reads as the value."""
    for value in (Value("花子"), Value("090", "+8190")):
        assert Value.from_bytes(value.to_bytes()) == value


@pytest.mark.parametrize("names", [[], "name", ["name", "x"], None, [5]])
def test_it_knows_only_its_own_field_names(names: object) -> None:
    """A list of fields names known ones, at least one."""
    with pytest.raises(BadRequest):
        fields.known(names)


def test_it_orders_field_names() -> None:
    """The same fields asked in any order are the same request."""
    assert fields.known(["mail", "name"]) == fields.known(["name", "mail", "name"]) == ("name", "mail")
