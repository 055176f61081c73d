"""What a book says by now: a fold that takes nothing away and falls over nothing."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noren.errors import BadField
from noren.incidents.book import Kind, say, title_of, workspace
from noren.people.incidents import Record

BEGIN = datetime(2026, 11, 28, 3, 0, tzinfo=UTC)


def book(*told: tuple[str, dict[str, Any] | str]) -> list[Record]:
    """Records a minute apart."""
    return [
        Record(
            number,
            BEGIN + timedelta(minutes=number),
            "aoi.operator",
            kind,
            said if isinstance(said, str) else json.dumps(said, ensure_ascii=False),
            "00",
        )
        for number, (kind, said) in enumerate(told, start=1)
    ]


OPENED = ("opened", {"title": "夜中の閲覧", "text": "外からの知らせ"})


def test_it_begins_with_what_is_usual() -> None:
    found = workspace(book(OPENED))
    assert (found.title, found.severity, found.state) == ("夜中の閲覧", "major", "investigating")
    assert (found.commander, found.known, found.unread) == ("aoi.operator", None, ())


def test_the_newest_word_holds() -> None:
    found = workspace(
        book(
            OPENED,
            ("severity", {"level": "critical"}),
            ("severity", {"level": "enormous"}),
            ("state", {"state": "identified"}),
            ("state", {"state": "contained"}),
            ("commander", {"handle": "kei.operator"}),
            ("known", {"at": "2026-11-28T09:00:00+09:00", "persons": 12, "kinds": ["unlawful"]}),
            ("known", {"at": "2026-11-27T18:00:00+09:00", "kinds": ["unlawful"], "laws": ["jp-appi"]}),
        )
    )
    assert (found.severity, found.state, found.commander) == ("critical", "contained", "kei.operator")
    assert found.known is not None
    assert (found.known.known, found.known.persons) == (datetime(2026, 11, 27, 9, tzinfo=UTC), None)
    assert found.laws == ("jp-appi",)
    assert len(found.lines) == 8


def test_the_timeline_is_in_the_order_of_what_happened() -> None:
    found = workspace(
        book(
            OPENED,
            ("note", {"text": "written third minute"}),
            ("fact", {"text": "before", "when": "2026-11-28T02:00:00+00:00"}),
            ("fact", {"text": "no zone: as written", "when": "2026-11-28T02:00:00"}),
        )
    )
    assert [line.record.number for line in found.lines] == [3, 1, 2, 4]
    assert [line.told_later for line in found.lines] == [True, False, False, False]


def test_threads_carry_what_was_said_since() -> None:
    found = workspace(
        book(
            OPENED,
            ("hypothesis", {"text": "鍵が盗まれた"}),
            ("task", {"text": "鍵を止める", "who": "kei"}),
            ("task", {"text": "店に知らせる"}),
            ("weighed", {"of": 2, "weight": "refuted", "text": "別の端末"}),
            ("weighed", {"of": 2, "weight": "supported"}),
            ("done", {"of": 3}),
            ("done", {"of": 2}),
            ("decision", {"text": "止める", "because": "速いから"}),
            ("evidence", {"name": "proxy.log", "sha256": "0" * 64}),
        )
    )
    (hypothesis,) = found.hypotheses
    assert (hypothesis.state, len(hypothesis.since)) == ("supported", 2)
    assert [task.state for task in found.tasks] == ["done", "open"]
    assert [line.text for line in found.decisions] == ["止める"]
    assert [line.said["name"] for line in found.evidence] == ["proxy.log"]


def test_a_correction_stands_beside_what_it_corrects() -> None:
    found = workspace(
        book(
            OPENED,
            ("fact", {"text": "412人"}),
            ("correction", {"of": 2, "text": "415人"}),
            ("correction", {"of": 9, "text": "of none"}),
            ("correction", {"of": 5, "text": "of itself"}),
        )
    )
    by = {line.record.number: line for line in found.lines}
    assert by[2].text == "412人"
    assert [record.number for record in by[2].corrections] == [3]
    assert not by[5].corrections
    assert len(found.lines) == 5


@given(
    st.lists(
        st.tuples(
            st.sampled_from([*map(str, Kind), "later"]),
            st.one_of(
                st.text(max_size=20),
                st.dictionaries(
                    st.sampled_from(
                        [
                            "of",
                            "text",
                            "when",
                            "at",
                            "level",
                            "state",
                            "weight",
                            "kinds",
                            "laws",
                            "title",
                            "handle",
                            "persons",
                        ]
                    ),
                    st.one_of(
                        st.just("2026-11-28T02:00:00+00:00"),
                        st.none(),
                        st.integers(-2, 9),
                        st.text(max_size=8),
                        st.booleans(),
                        st.lists(st.integers(), max_size=2),
                    ),
                ),
            ),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_it_falls_over_nothing_and_drops_nothing(told: list[tuple[str, dict[str, Any] | str]]) -> None:
    """A record of a later version, or one that was damaged, is shown as it is."""
    records = book(*told)
    found = workspace(records)
    assert sorted(line.record.number for line in found.lines) == [record.number for record in records]
    assert title_of(records[0].words) == found.title


@pytest.mark.parametrize(
    ("kind", "said", "field"),
    [
        (Kind.OPENED, {"title": ""}, "title"),
        (Kind.OPENED, {"title": "x" * 121}, "title"),
        (Kind.NOTE, {"text": "x" * 20_001}, "text"),
        (Kind.SEVERITY, {"level": "enormous"}, "level"),
        (Kind.WEIGHED, {"of": None, "weight": "open"}, "of"),
        (Kind.DECISION, {"text": "x", "because": ""}, "because"),
    ],
)
def test_what_cannot_be_said(kind: Kind, said: dict[str, Any], field: str) -> None:
    with pytest.raises(BadField) as refused:
        say(kind, **said)
    assert list(refused.value.reasons) == [field]


def test_what_is_said_is_read_again() -> None:
    words = say(Kind.FACT, text="雨", when="2026-11-28T02:00:00+00:00", who="")
    assert json.loads(words) == {"text": "雨", "when": "2026-11-28T02:00:00+00:00"}
