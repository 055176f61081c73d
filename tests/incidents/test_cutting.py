"""What is cut out of an inquiry: every card's number however it is written, passwords, keys; nothing else."""

import re
import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noren.incidents.cutting import Kind, cut

# Each brand's published test numbers, and lengths from 12 to 19.
CARDS = (
    "4111111111111111",
    "4012888888881881",
    "4222222222222",
    "5555555555554444",
    "2223003122003222",
    "378282246310005",
    "371449635398431",
    "3530111333300000",
    "30569309025904",
    "6011111111111117",
    "6200000000000005",
    "6304000000000000",
    "6759649826438453",
    "4000000000000000006",
    "501800000009",
)
# Numbers that are no cards, as people write them to a desk.
NO_CARDS = (
    "090-1234-5678",
    "０９０－１２３４－５６７８",
    "+81 90 1234 5678",
    "+819012345678",
    "03-1234-5678 / 内線 1234",
    "0120-000-123",
    "予約番号 1048577",
    "booking 12345, 2 persons, 2026-11-28 10:30",
    "2026-11-28 〜 2026-12-05",
    "20261128-20261205",
    "2026年11月28日（土）14:00〜15:30",
    "〒150-0002 東京都渋谷区渋谷1-2-3",
    "3f2a9c0b7d1e4f56",
    "0b5e7a52-6c1d-4a34-9c7e-2f1d3c4b5a69",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "¥12,800 + 消費税 1,280 = 14,080",
    "T1234567890124",
    "4111 1111 1111 1112",
)
NO_SECRETS = (
    "パスワードを忘れました。",
    "パスワードは忘れました",
    "My password is not accepted.",
    "The password is wrong every time",
    "Please reset my password.",
    "keyboard: ok, https://noren.example/news?lang=ja",
    "mail: aoi@example.jp",
    "暗証番号が分かりません",
)
SECRETS = (
    ("password: hunter2", "hunter2", Kind.PASSWORD),
    ("Password=Tr0ub4dor&3 です", "Tr0ub4dor&3", Kind.PASSWORD),
    ("ｐａｓｓｗｏｒｄ：ｈｕｎｔｅｒ２", "ｈｕｎｔｅｒ２", Kind.PASSWORD),
    ("パスワード：さくら2026", "さくら2026", Kind.PASSWORD),
    ("パスワードは Sakura!2026 です", "Sakura!2026", Kind.PASSWORD),
    ("my password is correcthorse, why?", "correcthorse", Kind.PASSWORD),
    ('password: "two words here"', "two words here", Kind.PASSWORD),
    ("password:\nhunter2", "hunter2", Kind.PASSWORD),
    ("暗証番号: 4649", "4649", Kind.PASSWORD),
    ("DB_PASSWORD=s3cr3t", "s3cr3t", Kind.PASSWORD),
    ("AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfi", "wJalrXUtnFEMI", Kind.PASSWORD),
    ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNz\naC1rZXk\n-----END OPENSSH PRIVATE KEY-----", "aC1rZXk",
     Kind.PRIVATE_KEY),
    ("-----BEGIN RSA PRIVATE KEY-----\nMIIEow cut short", "MIIEow", Kind.PRIVATE_KEY),
    ("AKIAIOSFODNN7EXAMPLE", "IOSFODNN7", Kind.KEY),
    (f"noren_7_{'A1b' * 14}x_0aZ9bQ", "A1bA1b", Kind.KEY),
    (f"7.0123456789abcdef.{'x-Y' * 14}z", "x-Yx-Y", Kind.KEY),
    ("https://noren.example/password/reset#Zm9vYmFyYmF6cXV4", "Zm9vYmFy", Kind.KEY),
    ("https://noren.example/inquiry/own/0123456789abcdef-AbCdEfGhIjKlMnOpQrStUv", "AbCdEf", Kind.KEY),
    ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "eyJzdWIi", Kind.KEY),
    ("Authorization: Bearer abcdef0123456789", "abcdef0123456789", Kind.KEY),
    ("ghp_0123456789abcdefghijABCDEFGHIJ", "0123456789abc", Kind.KEY),
    ("sk_live_0123456789abcdef", "0123456789abcdef", Kind.KEY),
    ("see postgresql://noren:pass/w@db.example:5432/noren now", "pass/w", Kind.ADDRESS),
    ("https://aoi:geheim@noren.example/", "geheim", Kind.ADDRESS),
)  # fmt: skip
GAPS = ("", " ", "-", "－", "‐", "–", "ー", "\n", "\r\n", " - ", "　", ".", "・", "\u200b", "\xa0", "\n> ")
WIDTHS = ("0123456789", "０１２３４５６７８９", "٠١٢٣٤٥٦٧٨٩", "०१२३४५६७८९", "⓪①②③④⑤⑥⑦⑧⑨")
WORDS = st.text(alphabet="カードの番号はcardですか？\n", max_size=12)


def digits(text: str) -> str:
    """All digits of a text, whatever they are written in."""
    return "".join(str(unicodedata.digit(one)) for one in text if one.isdigit())


def luhn(head: str) -> str:
    """A number with its check digit."""
    total = 0
    for place, sign in enumerate(reversed(head)):
        doubled = int(sign) * (2 - place % 2)
        total += doubled - 9 if doubled > 9 else doubled
    return head + str(-total % 10)


@st.composite
def written(draw: st.DrawFn) -> tuple[str, str]:
    """A card's number, and one way of writing it: groups, marks between them, digits of any script."""
    card = draw(st.sampled_from(CARDS))
    width, gap = draw(st.sampled_from(WIDTHS)), draw(st.sampled_from(GAPS))
    size = draw(st.integers(1, 6))
    mixed = draw(st.booleans())
    signs = [
        (draw(st.sampled_from(WIDTHS)) if mixed and width != WIDTHS[-1] else width)[int(one)] for one in card
    ]
    groups = ["".join(signs[at : at + size]) for at in range(0, len(signs), size)]
    return card, gap.join(groups)


@given(written(), WORDS, WORDS)
@settings(max_examples=400, deadline=None)
def test_of_a_card_only_the_last_four_digits_are_left(one: tuple[str, str], before: str, after: str) -> None:
    card, text = one
    told = cut(f"{before}{text}{after}")
    assert Kind.CARD in told.found, text
    assert told.text == f"{before}•••• {card[-4:]}{after}"
    assert digits(told.text) == card[-4:]


@given(st.text(alphabet="0123456789", min_size=11, max_size=18), st.sampled_from("123456789"), WORDS)
@settings(max_examples=300, deadline=None)
def test_any_number_that_proves_itself_is_cut_where_it_stands_together(
    middle: str, begin: str, around: str
) -> None:
    card = luhn(f"{begin}{middle}"[:18])
    told = cut(f"{around}{card}{around}")
    assert card[:-4] not in told.text
    assert len(digits(told.text)) <= 4


@given(st.lists(st.sampled_from(CARDS), min_size=2, max_size=5), st.sampled_from((" ", "\n", "", ", ")))
def test_cards_that_follow_each_other_leave_none_whole(cards: list[str], between: str) -> None:
    told = cut(between.join(cards))
    for card in cards:
        assert not any(card[:-4] in digits(piece) for piece in told.text.split("••••"))
    assert len(digits(told.text)) <= 4 * len(cards)


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1111 12/27 123",
        "4111-1111-1111-1111 (12/2027) 123",
        "4111111111111111 12 27",
        "4111111111111111\t1227",
        "4111 1111 1111 1111 有効期限なし CVC: 123",
        "4111 1111 1111 1111 セキュリティコード 123",
    ],
)
def test_expiry_and_code_behind_a_card_are_destroyed(text: str) -> None:
    assert digits(cut(text).text) in ("", "1111")


def test_a_phone_behind_a_card_stays() -> None:
    told = cut("4111 1111 1111 1111 電話 090-1234-5678").text
    assert told == "•••• 1111 電話 090-1234-5678"


@pytest.mark.parametrize("text", NO_CARDS)
def test_what_is_no_card_stays(text: str) -> None:
    assert cut(text).text == text
    assert cut(f"お世話になります。{text}\nよろしくお願いします。").found == ()


@given(
    st.sampled_from(("090", "080", "070", "050")),
    st.integers(0, 9_999),
    st.integers(0, 9_999),
    st.sampled_from("- "),
)
def test_no_phone_is_taken_for_a_card(head: str, middle: int, end: int, gap: str) -> None:
    text = f"{head}{gap}{middle:04}{gap}{end:04}"
    assert cut(text).text == text
    abroad = f"+81{gap}{head[1:]}{gap}{middle:04}{gap}{end:04}"
    assert cut(abroad).text == abroad


@pytest.mark.parametrize(("text", "secret", "kind"), SECRETS)
def test_a_password_or_a_key_is_destroyed_wholly(text: str, secret: str, kind: Kind) -> None:
    for around in ("{}", "前の行\n{}\n次の行", "x {} y"):
        told = cut(around.format(text))
        assert secret not in told.text
        assert kind in told.secrets


@pytest.mark.parametrize("text", NO_SECRETS)
def test_words_about_passwords_stay(text: str) -> None:
    assert cut(text) == cut(cut(text).text)
    assert cut(text).text == text


@given(st.text(max_size=300))
@settings(max_examples=300, deadline=None)
def test_any_text_can_be_cut_and_what_was_cut_is_not_cut_again(text: str) -> None:
    once = cut(text).text
    assert cut(once).text == once
    assert "\x00" not in once


def _work(text: str) -> float:
    """Seconds of the processor that it takes: the least of three, for others work beside it."""
    seconds = []
    for _ in range(3):
        begun = time.process_time()
        cut(text)
        seconds.append(time.process_time() - begun)
    return min(seconds)


@pytest.mark.parametrize(
    ("word", "times"),
    [
        ("4", 50_000),
        ("password ", 5_000),
        ("a://b:", 8_000),
        ("eyJ", 16_000),
        ("4111 ", 10_000),
        ("-----BEGIN ", 4_500),
    ],
)
def test_no_text_keeps_it_busy(word: str, times: int) -> None:
    """As long as a file may be, and written to be slow: eight times the text is eight times the work or so.
    Work that grows by the square would be sixty-four times as much.
    """
    assert _work(word * times) < 32 * _work(word * (times // 8))


def test_the_control_finds_what_is_not_cut() -> None:
    """The same look at an uncut text sees the card: the tests above can fail."""
    assert digits("4111 1111") == "41111111"
    assert re.search(r"\d{16}", digits("４１１１-1111-1111-1111"))
