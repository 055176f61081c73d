"""Reading the question, writing the answer. The vault's part is in test_commands.py."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from noren import people
from noren.incidents import report
from noren.incidents.scope import BadMoment, Question, moment
from noren.people import AccountData, Exposure, ExposureState, Seen, Store, Way

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
PERSON = UUID("0197d2a4-7a3e-7c1e-9c1e-1f2a3b4c5d6e")
QUESTION = Question(since=NOON - timedelta(hours=1), until=NOON, named={"actor": ("aoi.salon",)})
CHECKPOINT = "noren.example/ledger\n214\nrKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=\n\n— name c2ln\n"


def scope(*exposures: Exposure, complete: bool = True, size: int = 214) -> people.Scope:
    return people.Scope(
        asked={"actor": ("aoi.salon",)},
        persons=exposures,
        spared=(),
        ways=(),
        stores=(),
        keyside=None,
        entries=sum(len(exposure.entries) for exposure in exposures),
        head_size=size,
        head_root="ab" * 32,
        checkpoint=CHECKPOINT,
        complete=complete,
        proofs={},
    )


SEEN = Exposure(
    person=PERSON,
    shop_id=1,
    seen=(
        Seen("name", NOON - timedelta(minutes=50), NOON - timedelta(minutes=5), ExposureState.POSSIBLY),
        Seen("phone", NOON - timedelta(minutes=50), NOON - timedelta(minutes=50), ExposureState.EXPOSED),
    ),
    first=NOON - timedelta(minutes=50),
    last=NOON - timedelta(minutes=5),
    purposes=("today", "customer"),
    state=ExposureState.EXPOSED,
    entries=(12, 19),
)


@pytest.mark.parametrize(
    ("text", "before"),
    [
        ("45s", timedelta(seconds=45)),
        ("30m", timedelta(minutes=30)),
        ("1h", timedelta(hours=1)),
        ("7d", timedelta(days=7)),
        ("2w", timedelta(weeks=2)),
        (" 0s ", timedelta(0)),
    ],
)
def test_it_reads_how_long_ago(text: str, before: timedelta) -> None:
    assert moment(text, now=NOON) == NOON - before


@pytest.mark.parametrize("text", ["2026-11-25T12:00:00Z", "2026-11-25T21:00+09:00", "20261125T120000Z"])
def test_it_reads_an_instant_with_its_offset(text: str) -> None:
    assert moment(text, now=NOON - timedelta(days=1)) == NOON


@pytest.mark.parametrize(
    "text", ["", "h", "1", "-1h", "1 h", "1.5h", "an hour", "1y", "2026-13-01T00:00Z", "9999999h"]
)
def test_it_says_how_to_write_a_moment(text: str) -> None:
    with pytest.raises(BadMoment, match=r"write how long ago \(45s, 30m, 1h, 7d, 2w\) or an instant"):
        moment(text, now=NOON)


@pytest.mark.parametrize("text", ["2026-11-25T12:00", "2026-11-25"])
def test_it_wants_to_know_in_which_zone(text: str) -> None:
    with pytest.raises(BadMoment, match="say in which zone"):
        moment(text, now=NOON)


@pytest.mark.parametrize("text", ["0001-01-01T00:00+09:00", "9999-12-31T23:59-09:00"])
def test_it_refuses_a_year_that_no_clock_of_ours_can_tell(text: str) -> None:
    with pytest.raises(BadMoment, match="give a year from 1970 to 2199"):
        moment(text, now=NOON)


def test_it_refuses_what_lies_before_the_calendar() -> None:
    with pytest.raises(BadMoment, match="before the calendar began"):
        moment("999999w", now=NOON)


def test_it_prints_each_person_with_all_that_was_seen() -> None:
    """Fields with times and states of their own have lines of their own."""
    lines = report.as_text(QUESTION, scope(SEEN)).splitlines()
    at = next(number for number, line in enumerate(lines) if str(PERSON) in line)
    assert lines[at - 2] == "Shop 1: 1 exposed, 0 possibly."
    assert re.split(r"  +", lines[at]) == [
        str(PERSON),
        "phone",
        "2026-11-25 11:10:00Z",
        "2026-11-25 11:10:00Z",
        "today,customer",
        "exposed",
        "12,19",
    ]
    assert lines[at + 1].split() == ["name", "2026-11-25", "11:10:00Z", "2026-11-25", "11:55:00Z", "possibly"]


def test_it_says_who_is_spared_and_who_everybody_else_is() -> None:
    """Not exposed is said in words, never by silence."""
    spared = replace(SEEN, state=ExposureState.NOT)
    asked = replace(QUESTION, persons=(str(PERSON),))
    text = report.as_text(asked, replace(scope(), spared=(spared,)))
    assert f"  {PERSON}: not exposed\n" in text
    assert text.endswith("Everybody else: not exposed by what was asked about. Complete up to entry 213.")


def test_it_names_the_ways_and_the_stores() -> None:
    """By which path, and what a store that was taken is worth to its taker."""
    way = Way("aoi.salon", "pk-1", "s-1", "uid:1/2.3", "intent", NOON, NOON, 7)
    store = Store("host", NOON, NOON, "readable", {1: 3, 2: 1}, unbounded=True)
    text = report.as_text(QUESTION, replace(scope(SEEN), ways=(way,), stores=(store,)))
    assert "aoi.salon  pk-1        s-1      uid:1/2.3  intent" in text
    assert "Store host, 2026-11-25 12:00:00Z to 2026-11-25 12:00:00Z: readable" in text
    assert "; 4 persons." in text
    assert "everyone, from 2026-11-25 12:00:00Z." in text


def test_it_names_what_people_sign_in_with() -> None:
    """Each thing that is exposed, the others by number, and what only the tables know."""
    thing = AccountData(
        store="vault",
        shop_id=1,
        actor="aoi.salon",
        person=PERSON,
        kind="passkey",
        credential="pk-1",
        form="clear",
        key="",
        first=NOON,
        last=NOON,
        state=ExposureState.EXPOSED,
        entries=(7,),
    )
    spared = replace(thing, kind="password", form="cipher", state=ExposureState.NOT, entries=())
    found = replace(scope(), accounts=(thing, spared))
    text = report.as_text(QUESTION, found)
    assert "Sign-in data in vault:\n" in text
    assert f"aoi.salon  {PERSON}  passkey  pk-1        clear" in text
    assert "  Not exposed, though it lay there: 1 password.\n" in text
    assert "  1 of these only by the vault's tables of today.\n" in text
    [told, _] = json.loads(json.dumps(report.as_json(QUESTION, found)))["accounts"]
    assert (told["person"], told["kind"], told["state"]) == (str(PERSON), "passkey", "exposed")


def test_it_prints_what_it_was_answered_from() -> None:
    text = report.as_text(QUESTION, scope(SEEN))
    assert text.startswith(
        "actor aoi.salon, from 2026-11-25 11:00:00Z to 2026-11-25 12:00:00Z: 1 person in 2 entries."
    )
    assert f"Head: 214 entries, root {'ab' * 32}" in text
    assert "  noren.example/ledger\n  214\n  rKbDipC" in text
    assert text.endswith("Complete up to entry 213.")


def test_it_prints_a_clear_answer_when_nobody_was_seen() -> None:
    text = report.as_text(QUESTION, scope())
    assert "0 persons in 0 entries." in text
    assert "person  " not in text


def test_it_never_calls_complete_what_is_not() -> None:
    assert report.completeness(scope(SEEN, complete=False)).startswith("NOT complete")


def test_it_knows_an_empty_ledger() -> None:
    assert report.completeness(scope(size=0)) == "Complete: the ledger has no entry yet."


def test_it_gives_a_program_the_same_facts() -> None:
    told = json.loads(json.dumps(report.as_json(QUESTION, scope(SEEN))))
    assert told["persons"] == [
        {
            "person": str(PERSON),
            "shop": 1,
            "fields": {
                "name": {
                    "first": "2026-11-25T11:10:00+00:00",
                    "last": "2026-11-25T11:55:00+00:00",
                    "state": "possibly",
                },
                "phone": {
                    "first": "2026-11-25T11:10:00+00:00",
                    "last": "2026-11-25T11:10:00+00:00",
                    "state": "exposed",
                },
            },
            "first": "2026-11-25T11:10:00+00:00",
            "last": "2026-11-25T11:55:00+00:00",
            "purposes": ["today", "customer"],
            "state": "exposed",
            "entries": [12, 19],
        }
    ]
    assert (told["head"]["size"], told["complete"], told["checkpoint"]) == (214, True, CHECKPOINT)
