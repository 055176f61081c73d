"""What a customer says: checked once for pages and programs, kept as lines that can be read again."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noren.booking import said
from noren.booking.said import MOST_GUESTS, MOST_LINE, Checked, Guest, Said
from noren.errors import BadField
from noren_vault.fields import LONGEST, Value, check
from tests.booking.asks import ALL, ALLERGY, LENGTH, PHOTOS, WORDS, asks, question


def checked(said_: Said, *questions: dict[str, Any], guests: str = "", party: int = 1) -> Checked:
    return said.check(asks(*questions, guests=guests), said_, party=party, language="ja")


def faults(said_: Said, *questions: dict[str, Any], guests: str = "", party: int = 1) -> dict[str, str]:
    with pytest.raises(BadField) as caught:
        checked(said_, *questions, guests=guests, party=party)
    return dict(caught.value.facts["fields"])


def test_it_keeps_the_wording_as_it_was_asked_and_no_answer_beside_the_booking() -> None:
    answers = {"length": "long", "wishes": ["book", "quiet"], "words": "前髪は\r\n短め", "photos": 3}
    found = checked(Said({**answers, "allergy": "ジアミン"}, health_consent=3), *ALL)
    kept = {name: said.read(line) for name, line in found.lines(12).items()}
    assert [line.pairs for line in kept["answers"]] == [
        (
            ("lengthは？", "longの選択"),
            ("wishesは？", "quietの選択、bookの選択"),
            ("wordsは？", "前髪は\n短め"),
            ("photosは？", "同意しました"),
        )
    ]
    assert kept["health"] == [said.Line(12, (("allergyは？", "ジアミン"),))]
    assert found.agreed == {
        "asked": {
            "version": 3,
            "fields": ["answers", "health"],
            "consents": [{"key": "health", "version": 3, "words": 1}, {"key": "photos", "version": 3}],
        }
    }


@pytest.mark.parametrize(
    ("answers", "where", "why"),
    [
        ({}, "length", "empty"),
        ({"length": "bald"}, "length", "choice"),
        ({"length": ["long"]}, "length", "choice"),
        ({"length": 3}, "length", "choice"),
        ({"length": "long", "wishes": "quiet"}, "wishes", "choice"),
        ({"length": "long", "wishes": ["quiet", "loud"]}, "wishes", "choice"),
        ({"length": "long", "words": ["x"]}, "words", "not_text"),
        ({"length": "long", "words": "あ" * 1001}, "words", "too_long"),
        ({"length": "long", "words": "a\x00b"}, "words", "control"),
        ({"length": "long", "words": "a\u202eb"}, "words", "control"),
        ({"length": "long", "photos": 2}, "photos", "changed"),
        ({"length": "long", "photos": True}, "photos", "changed"),
        ({"length": "long", "photos": "3"}, "photos", "changed"),
        ({"length": "long", "elsewhere": "x"}, "elsewhere", "unknown"),
    ],
)
def test_it_marks_the_answer_that_cannot_be(answers: dict[str, Any], where: str, why: str) -> None:
    assert faults(Said(answers), *ALL) == {f"answers.{where}": why}


def test_an_answer_about_health_needs_consent_of_its_own() -> None:
    must = {**ALLERGY, "required": True}
    told = {"allergy": "ジアミン"}
    assert faults(Said(told), ALLERGY) == {"health_consent": "consent"}
    assert faults(Said(told, health_consent=2), ALLERGY) == {"health_consent": "changed"}
    assert faults(Said({}), must) == faults(Said(told), must) == {"health_consent": "call"}
    assert faults(Said({}, health_consent=3), must) == {"answers.allergy": "empty"}
    assert faults(Said({}, health_consent=3), LENGTH)["health_consent"] == "unknown"
    assert checked(Said({}), ALLERGY).lines(1) == {}
    assert list(checked(Said(told, health_consent=3), must).lines(1)) == ["health"]


@pytest.mark.parametrize(
    ("mode", "party", "for_other", "places"),
    [
        ("", 3, False, 0),
        ("", 3, True, 3),
        ("hidden", 3, True, 0),
        ("optional", 3, False, 2),
        ("required", 1, True, 1),
        ("required", 1, False, 0),
        ("optional", 900, True, MOST_GUESTS),
    ],
)
def test_it_asks_for_the_names_of_all_but_the_one_who_is_known(
    mode: str, party: int, for_other: bool, places: int
) -> None:
    assert said.places(asks(guests=mode), party, for_other=for_other) == places
    guests = tuple(Guest(f"花{number}") for number in range(places))
    found = checked(Said(guests=guests, for_other=for_other), guests=mode, party=party)
    assert found.guests == guests
    more = Said(guests=(*guests, Guest("余")), for_other=for_other)
    assert faults(more, guests=mode, party=party) == {f"guests.{places}.name": "unknown"}
    if mode == "required" and places:
        assert faults(Said(for_other=for_other), guests=mode, party=party) == {"guests.0.name": "empty"}


def test_who_books_for_somebody_else_may_leave_the_name_out() -> None:
    found = checked(Said(for_other=True))
    assert (found.lines(1), found.agreed["asked"]["for_other"]) == ({}, True)
    assert checked(Said()).agreed == {}


def test_what_is_too_much_together_is_to_be_shortened() -> None:
    many = [question(f"q{number}", "long") for number in range(6)]
    assert faults(Said({f"q{number}": "あ" * (700 + number) for number in range(6)}), *many) == {
        "answers.q5": "too_long"
    }
    guests = tuple(Guest('"' * 100, '"' * 100) for _ in range(MOST_GUESTS))
    assert faults(Said(guests=guests, for_other=True), party=MOST_GUESTS) == {"guests.0.name": "too_long"}


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=1200)


@given(words=TEXTS, allergy=TEXTS, name=TEXTS, kana=TEXTS, booking=st.integers(1, 2**53))
def test_what_is_taken_is_read_again_and_the_vault_takes_it(
    words: str, allergy: str, name: str, kana: str, booking: int
) -> None:
    """Whatever is typed is refused with its field, or lies in one line within its bounds and comes back."""
    told = Said({"words": words, "allergy": allergy}, 3, (Guest(name, kana),), for_other=True)
    places, named = {"answers.words", "answers.allergy", "guests.0.name", "guests.0.kana"}, set()
    try:
        found = checked(told, WORDS, PHOTOS, ALLERGY)
    except BadField as refusal:
        found, named = Checked(), set(refusal.facts["fields"])
    assert named <= places
    lines = found.lines(booking)
    values, reasons = check(lines)
    assert reasons == {}
    assert {field: value.text for field, value in values.items()} == lines
    for field, line in lines.items():
        assert len(line) <= MOST_LINE <= LONGEST[field] // 2
        assert "\n" not in line
        (again,) = said.read(Value.from_bytes(values[field].to_bytes()).text)
        assert again.booking == booking
    if not named:
        pairs = said.read(lines["answers"])[0].pairs if "answers" in lines else ()
        assert dict(pairs).get("wordsは？", "") == words.replace("\r\n", "\n").strip()
        guests = said.read(lines["guests"])[0].guests if "guests" in lines else ()
        assert guests == ((Guest(name.strip(), kana.strip()),) if name.strip() else ())


@given(st.text(max_size=400) | st.lists(st.text(max_size=40), max_size=6).map("\n".join))
def test_it_reads_any_text_without_losing_a_word_of_it(text: str) -> None:
    """What somebody wrote by hand, or an older system: shown as it stands."""
    lines = [line for line in text.split("\n") if line.strip()]
    others = [line for line in lines if said.read(line)[0].text]
    assert "\n".join(others) == "".join(line.text for line in said.read(text))


@pytest.mark.parametrize(
    "line",
    [
        '{"booking":"x"}',
        '{"booking":1,"asked":5}',
        "[1]",
        "null",
        '{"booking":1,"guests":[["a"]]}',
        "[" * 5000,
    ],
)
def test_a_line_that_is_none_of_ours_is_text(line: str) -> None:
    assert said.read(line) == [said.Line(0, text=line)]
