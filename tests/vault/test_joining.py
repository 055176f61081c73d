"""Two records' fields, joined and parted: a law, and what is written since."""

import json

from hypothesis import given
from hypothesis import strategies as st

from noren_vault import joining, kept_lines
from noren_vault.fields import Value, Values
from noren_vault.kept_lines import Wording

_WORDS = st.text("あいうえabc ", min_size=1, max_size=12).map(str.strip).filter(bool)
_LINES = st.lists(
    st.tuples(st.integers(1, 30), st.integers(0, 9), _WORDS), max_size=4, unique_by=lambda one: one[0]
)


def _chart(lines: list[tuple[int, int, str]], whose: str) -> str:
    return kept_lines.to_text(
        Wording(f"{whose}-{name:08d}", booking, 1_000 + name, "aoi.salon", text)
        for name, booking, text in lines
    )


def _answers(lines: list[tuple[int, int, str]], first: int) -> str:
    told = [{"booking": first + name, "asked": [["長さ", text]]} for name, _, text in lines]
    return "\n".join(json.dumps(one, ensure_ascii=False) for one in told)


@st.composite
def records(draw: st.DrawFn, whose: str, first: int) -> Values:
    texts = {name: draw(st.one_of(st.just(""), _WORDS)) for name in ("name", "kana", "mail", "note")}
    texts["tags"] = " ".join(str(one) for one in sorted(draw(st.sets(st.integers(1, 6), max_size=4))))
    texts["notes"] = _chart(draw(_LINES), whose)
    texts["chart"] = _chart(draw(_LINES), whose)
    texts["answers"] = _answers(draw(_LINES), first)
    return {name: Value(text) for name, text in texts.items() if text}


def _after(stood: Values, changed: Values) -> Values:
    return {name: value for name, value in {**stood, **changed}.items() if value.text}


@given(records("hers", 0), records("other", 100), st.sets(st.sampled_from(joining.CHOSEN)))
def test_what_is_joined_and_parted_is_as_it_was(hers: Values, other: Values, take: set[str]) -> None:
    """Nothing is lost by joining, and where nothing was written since, undoing it leaves no trace."""
    changed = joining.joined(hers, other, take)
    whole = _after(hers, changed)
    for name in (*hers, *other):
        both = {one[name].text for one in (hers, other) if name in one}
        if name in joining.CHOSEN:
            kept = hers if name in hers and not (name in take and name in other) else other
            assert whole[name] == kept[name]
        else:
            parts = {part for text in both for part in (text.split() if name == "tags" else text.split("\n"))}
            assert parts <= set(whole[name].text.split() if name == "tags" else whole[name].text.split("\n"))
    versions = dict.fromkeys(changed, 2)
    stood = joining.read_before(joining.before(hers, changed, versions).text)
    kept_again, back = joining.parted(whole, other, stood, versions, [])
    assert _after(whole, kept_again) == hers
    assert _after(other, back) == other


@given(records("hers", 0), records("other", 100), _WORDS)
def test_what_was_written_since_goes_with_its_booking(hers: Values, other: Values, text: str) -> None:
    """A line of the other's booking goes back with it; hers, and another name she has now, stay."""
    changed = joining.joined(hers, other, ())
    whole = _after(hers, changed)
    versions = dict.fromkeys(changed, 2) | {"chart": 3, "name": 3}
    lines = whole.get("chart", Value("")).text
    for name, booking in (("since-hers", 500), ("since-other", 600)):
        lines = kept_lines.written(lines, Wording(name, booking, 9_000, "ren.salon", text))
    whole |= {"chart": Value(lines), "name": Value("改名")}
    stood = joining.read_before(joining.before(hers, changed, versions | {"chart": 2, "name": 2}).text)
    kept, back = joining.parted(whole, other, stood, versions, [600])
    stays, goes = _after(whole, kept), _after(other, back)
    assert stays["name"].text == "改名"
    assert next(one.line for one in kept_lines.read(stays["chart"].text)) == "since-hers"
    assert "since-other" not in stays["chart"].text
    gone = {one.line for one in kept_lines.read(goes["chart"].text)}
    before = {one.line for one in kept_lines.read(other.get("chart", Value("")).text)}
    assert gone == before | {"since-other"}


def test_lines_keep_their_wordings() -> None:
    """The newest first; the same again is nothing; erased, a line goes whole; a text by hand stays behind."""
    text = kept_lines.written("手書き", Wording("line-0001", 7, 1, "aoi.salon", "短め"))
    again = kept_lines.written(text, Wording("line-0001", 0, 2, "ren.salon", "短めに、前髪は残す"))
    assert kept_lines.written(again, Wording("line-0001", 0, 3, "x", "短めに、前髪は残す")) == again
    told = kept_lines.read(again)
    assert [(one.line, one.booking, one.by) for one in told[:2]] == [
        ("line-0001", 7, "ren.salon"),
        ("line-0001", 7, "aoi.salon"),
    ]
    assert told[2].text == "手書き"
    assert kept_lines.written(again, Wording("line-0001", 0, 4, "x", "")) == "手書き"
    assert kept_lines.written("手書き", Wording("line-0001", 0, 4, "x", "")) == "手書き"
