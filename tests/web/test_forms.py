"""The customer's form says early what cannot be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noren.shops.questions import Guests
from noren.web.forms import CustomerForm
from tests.booking.asks import ALL, asks

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


SAID = ("answers.length", "answers.words", "answers.photos", "answers.allergy", "health_consent", "whom")


@given(
    st.dictionaries(st.sampled_from((*SAID, "guests.0.name", "guests.1.kana")), st.text(max_size=1200)),
    st.integers(1, 40),
    st.sampled_from(list(Guests)),
)
def test_it_answers_anything_that_is_said_without_falling(
    said: dict[str, str], party: int, guests: Guests
) -> None:
    """Whatever is posted for the shop's questions: a fault at its field, or something that can be kept."""
    form = CustomerForm({**GOOD, **said}, asks=asks(*ALL, guests=guests.value), party=party)
    if form.is_valid():
        assert set(form.checked.lines(1)) <= {"answers", "health", "guests"}
    else:
        assert form.first_wrong or form.non_field_errors()


@given(
    st.fixed_dictionaries(
        {field: st.text(max_size=300) for field in ("name", "kana", "mail", "phone", "note")}
    )
)
def test_it_answers_anything_without_falling(fields: dict[str, str]) -> None:
    CustomerForm(fields).is_valid()
