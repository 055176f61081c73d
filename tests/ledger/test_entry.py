"""Entries: one canonical form, and no place where a person's data could stand."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noren_vault.ledger import Entry, EntryInvalid
from noren_vault.ledger.entry import KINDS, MAX_ENTRY_BYTES, MAX_FIELDS, MAX_PERSONS, _read

PERSON = "01234567-89ab-4cde-8f01-23456789abcd"
IDS = st.from_regex(r"[A-Za-z0-9._:/=+-]{0,160}", fullmatch=True)
PIECES = [b"", b"0", b"9", b'"', b",", b" ", b"a", b"\\", b"{", b"[", b"-", b"\xe9", b'"":']
ENTRIES = st.builds(
    Entry,
    kind=st.sampled_from(sorted(KINDS)),
    time=st.integers(0, 2**53 - 1),
    shop=st.integers(0, 2**53 - 1),
    actor=IDS,
    credential=IDS,
    purpose=IDS,
    persons=st.lists(st.uuids().map(str), max_size=5).map(tuple),
    fields=st.lists(st.from_regex(r"[a-z][a-z0-9_]{0,31}", fullmatch=True), max_size=5).map(tuple),
    note=st.from_regex(r"([a-z][a-z0-9_.:-]{0,63})?", fullmatch=True),
)


def test_it_writes_the_keys_in_their_fixed_order() -> None:
    """The bytes of an entry are fixed for ever: this is the format."""
    entry = Entry(
        kind="intent",
        time=1,
        actor="aoi.salon",
        credential="c",
        session="s",
        shop=1,
        purpose="today",
        persons=(PERSON,),
        fields=("name",),
    )
    assert entry.to_bytes() == (
        b'{"v":1,"time":1,"skew":0,"kind":"intent","actor":"aoi.salon","credential":"c","session":"s","process":"","shop":1,'
        b'"purpose":"today","persons":["01234567-89ab-4cde-8f01-23456789abcd"],"fields":["name"],"ref":"","note":"",'
        b'"commit":"","build":""}'
    )


@given(ENTRIES)
def test_it_reads_back_every_entry_that_it_writes(entry: Entry) -> None:
    """Writing and reading lose nothing."""
    assert Entry.from_bytes(entry.to_bytes()) == entry


@pytest.mark.parametrize(
    "bad",
    [
        {"kind": "peek"},
        {"actor": "山田 花子"},
        {"actor": "hanako@example.com"},
        {"actor": "two words"},
        {"actor": "a" * 161},
        {"credential": 'quote"'},
        {"ref": "line\nbreak"},
        {"commit": None},
        {"note": "She asked for it."},
        {"note": "a" * 65},
        {"persons": ("hanako",)},
        {"persons": (PERSON.upper(),)},
        {"persons": [PERSON]},
        {"fields": ("Name",)},
        {"fields": ("",)},
        {"shop": -1},
        {"shop": True},
        {"shop": "1"},
        {"time": 1.5},
        {"time": 2**53},
        {"v": 2},
        {"build": "a" * 31},
        {"build": "A" * 32},
    ],
)
def test_it_refuses_what_could_hold_a_persons_data(bad: dict[str, Any]) -> None:
    """Names, addresses, prose, foreign types and unknown kinds cannot be made into an entry."""
    with pytest.raises(EntryInvalid):
        replace(Entry(kind="intent"), **bad)


def test_it_holds_500_persons_and_not_one_more() -> None:
    """The limits of persons and fields hold, and the largest entry fits into 65,535 bytes."""
    ids: dict[str, Any] = dict.fromkeys(
        ("actor", "credential", "session", "process", "purpose", "ref", "commit"), "a" * 160
    )
    largest = Entry(kind="import", persons=(PERSON,) * MAX_PERSONS, fields=("a" * 32,) * MAX_FIELDS, **ids)
    assert len(largest.to_bytes()) <= MAX_ENTRY_BYTES
    with pytest.raises(EntryInvalid):
        replace(largest, persons=(PERSON,) * (MAX_PERSONS + 1))
    with pytest.raises(EntryInvalid):
        replace(largest, fields=("a",) * (MAX_FIELDS + 1))


@given(ENTRIES, st.data())
def test_its_one_pattern_decides_as_reading_the_json_does(entry: Entry, data: st.DataObject) -> None:
    """Whatever is done to an entry's bytes, the quick way and the slow way agree, and give the same entry."""
    raw = bytearray(entry.to_bytes())
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + data.draw(st.integers(0, 2))] = data.draw(st.sampled_from(PIECES))
    told = []
    for read in (_read, Entry._read_slowly):
        try:
            told.append(read(bytes(raw)))
        except EntryInvalid:
            told.append(None)
    assert told[0] == told[1]


@pytest.mark.parametrize(
    ("more", "fits"),
    [
        ({"time": 2**53 - 1}, True),
        ({"time": 2**53}, False),
        ({"shop": 2**53}, False),
        ({"persons": [PERSON] * MAX_PERSONS}, True),
        ({"persons": [PERSON] * (MAX_PERSONS + 1)}, False),
        ({"fields": ["a"] * MAX_FIELDS}, True),
        ({"fields": ["a"] * (MAX_FIELDS + 1)}, False),
        ({"persons": [PERSON] * MAX_PERSONS, "ref": "a" * 160}, True),
    ],
)
def test_its_one_pattern_knows_the_limits(more: dict[str, Any], *, fits: bool) -> None:
    """Numbers and lists at their limit are read the quick way, those beyond are not entries."""
    raw = changed(**more)
    assert (_read(raw) is not None) == fits
    if not fits:
        with pytest.raises(EntryInvalid):
            Entry.from_bytes(raw)


def changed(**more: Any) -> bytes:
    """An entry's JSON with other values."""
    raw = json.loads(Entry(kind="intent").to_bytes())
    return json.dumps({**raw, **more}, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        Entry(kind="intent").to_bytes() + b" ",
        Entry(kind="intent").to_bytes().replace(b'"v":1', b'"v":1.0'),
        Entry(kind="intent").to_bytes().replace(b'"v":1', b'"v":1,"v":1'),
        Entry(kind="intent").to_bytes().replace(b"intent", b"\\u0069ntent"),
        changed(more=1),
        changed(persons="x"),
        changed(persons=[1]),
        changed(fields=[["name"]]),
        changed(actor={}),
    ],
)
def test_it_reads_only_the_canonical_bytes(data: bytes) -> None:
    """Whatever is not exactly what would be written is refused, and nothing else is raised."""
    with pytest.raises(EntryInvalid):
        Entry.from_bytes(data)
