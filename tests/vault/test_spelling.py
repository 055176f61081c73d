"""Many spellings, one meaning."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noren_vault import spelling

NAMES = ["ヤマダ　ハナコ", "ﾔﾏﾀﾞ ﾊﾅｺ", "やまだ はなこ", "やまだはなこ", "ヤマダ・ハナコ", " ヤマダハナコ "]
PHONES = [
    "090-1234-5678",
    "09012345678",
    "０９０－１２３４－５６７８",
    "+81 90-1234-5678",
    "+819012345678",
    "090 1234 5678",
]
MAILS = ["Hanako@Example.JP", "ｈａｎａｋｏ＠example.jp", " hanako@example.jp"]


@pytest.mark.parametrize("text", NAMES)
def test_it_spells_kana_one_way(text: str) -> None:
    """Half and full width, hiragana and katakana, with and without blanks are one name."""
    assert spelling.name(text) == "やまだはなこ"


@pytest.mark.parametrize("text", PHONES)
def test_it_spells_phones_one_way(text: str) -> None:
    """With and without country, hyphens and full width, one number."""
    assert spelling.phone(text) == "+819012345678"


@pytest.mark.parametrize("text", MAILS)
def test_it_spells_mails_one_way(text: str) -> None:
    """Case and width do not make another address."""
    assert spelling.mail(text) == "hanako@example.jp"


def test_it_keeps_different_names_apart() -> None:
    """A voiced sound, a long vowel and kanji are differences."""
    assert len({spelling.name(text) for text in ("はた", "はだ", "ハター", "畑", "旗")}) == 5


@given(st.text(max_size=60))
def test_it_changes_nothing_the_second_time(text: str) -> None:
    """A spelling of a spelling is itself."""
    once = spelling.name(text)
    assert spelling.name(once) == spelling.name(spelling.name(once))


@given(st.text(max_size=60))
def test_it_takes_any_text(text: str) -> None:
    """No text makes a spelling fail."""
    spelling.mail(text)
    spelling.phone(text)
