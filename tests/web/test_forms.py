"""The customer's form says early what cannot be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noren.web.forms import CustomerForm

GOOD = {
    "name": "山田 花子",
    "kana": "やまだ はなこ",
    "mail": "hanako@example.jp",
    "phone": "０９０−１２３４−５６７８",
    "note": "",
}


def _errors(**changed: str) -> set[str]:
    return set(CustomerForm({**GOOD, **changed}).errors)


def test_it_takes_what_a_customer_writes_and_turns_kana_to_katakana() -> None:
    form = CustomerForm(GOOD)
    assert form.is_valid(), form.errors
    assert form.cleaned_data["kana"] == "ヤマダ ハナコ"
    assert form.cleaned_data["name"] == "山田 花子"


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("name", ""),
        ("name", "あ" * 10_000),
        ("name", "山田\u0007花子"),
        ("name", "山田\n花子"),
        ("kana", "山田"),
        ("mail", "hanako@"),
        ("mail", "hanako@example.jp\r\nBcc: x@example.jp"),
        ("phone", "090"),
        ("phone", "call me"),
        ("note", "あ" * 501),
        ("note", "a\u0000b"),
    ],
)
def test_it_marks_the_field_that_cannot_be(field: str, text: str) -> None:
    assert _errors(**{field: text}) == {field}


def test_it_needs_no_kana_and_no_note() -> None:
    assert _errors(kana="", note="") == set()


def test_it_marks_what_the_vault_refused() -> None:
    form = CustomerForm(GOOD)
    assert form.is_valid()
    form.refused({"mail": "mail", "elsewhere": "control"})
    assert set(form.errors) == {"mail", "__all__"}


def test_it_leads_to_the_first_wrong_field() -> None:
    assert CustomerForm({**GOOD, "mail": "", "phone": ""}).first_wrong == "id_mail"


@given(
    st.fixed_dictionaries(
        {field: st.text(max_size=300) for field in ("name", "kana", "mail", "phone", "note")}
    )
)
def test_it_answers_anything_without_falling(fields: dict[str, str]) -> None:
    CustomerForm(fields).is_valid()
