"""The text that is searched, against a plain list that is searched by Python's own `in`."""

import random
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from noren_vault.haystack import Haystack, record_of

_LETTERS = st.text("abcあい渡", min_size=1, max_size=4)
_FIELDS = st.lists(_LETTERS, min_size=0, max_size=3)
_PERSONS = st.integers(0, 12).map(lambda n: str(UUID(int=n * 0x1234567 << 64 | n)))
_PEOPLE = st.dictionaries(_PERSONS, _FIELDS, max_size=12)


def _hay(people: dict[str, list[str]]) -> Haystack:
    return Haystack(record_of(person, people[person]) for person in sorted(people))


def _plain(people: dict[str, list[str]], words: list[list[str]]) -> set[str]:
    return {
        person
        for person, fields in people.items()
        if all(any(needle in field for field in fields for needle in word) for word in words)
    }


def _words(words: list[list[str]]) -> list[tuple[bytes, ...]]:
    return [tuple(needle.encode() for needle in word) for word in words]


@settings(max_examples=200, deadline=None)
@given(
    _PEOPLE,
    st.lists(st.dictionaries(_PERSONS, _FIELDS, max_size=4), max_size=4),
    st.sets(_PERSONS),
    st.lists(st.lists(_LETTERS, min_size=1, max_size=2), min_size=1, max_size=3),
)
def test_it_finds_whom_a_plain_list_finds(
    people: dict[str, list[str]],
    changes: list[dict[str, list[str]]],
    forgotten: set[str],
    words: list[list[str]],
) -> None:
    """After any changes, and with some forgotten: the same persons, each once, and all counted."""
    hay = _hay(people)
    for change in changes:
        hay.replace({person: record_of(person, fields) for person, fields in change.items()})
        people = people | change
    hay.forget(forgotten)
    hits = hay.find(_words(words), 100)
    wanted = _plain({p: f for p, f in people.items() if p not in forgotten}, words)
    assert (set(hits.persons), hits.number) == (wanted, len(wanted))
    assert len(hits.persons) == len(wanted)


def test_it_takes_persons_out() -> None:
    """An empty record leaves nothing of the person."""
    people = {str(UUID(int=n)): [f"name{n}"] for n in range(5)}
    hay = _hay(people)
    gone = str(UUID(int=3))
    hay.replace({gone: b""})
    assert len(hay) == 4 * (33 + 6)
    assert hay.find(_words([["name"]]), 9).number == 4


def test_it_orders_by_beginning_then_by_first_field() -> None:
    """Whoever has a field that begins with the first word is before whoever has the word within one."""
    chance = random.Random(1)
    names = ["あいう", "かあ", "あか", "うあ", "あ"]
    people = {str(UUID(int=chance.getrandbits(128))): [name] for name in names}
    hits = _hay(people).find(_words([["あ"]]), 4)
    assert [people[person] for person in hits.persons] == [["あ"], ["あいう"], ["あか"], ["うあ"]]
    assert hits.number == 5
