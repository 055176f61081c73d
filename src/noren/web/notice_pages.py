"""A notice as a page shows it: both languages, the reader's first, its dates, its proof and its corrections.

What is exported as files is made of the same; only `Links` differ.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings
from django.urls import reverse
from django.utils import translation

from noren.incidents.models import NoticeVersion
from noren.incidents.notice_checks import Checked, Verdict, check
from noren.incidents.notice_text import LANGUAGES, SECTIONS, Text, changes, digest
from noren.incidents.notices import Update
from noren.web import notice_words, wording

NAMES: Final = {"ja": "日本語", "en": "English"}


@dataclass(frozen=True, slots=True)
class Links:
    """Where a page's links lead; the export gives others."""

    home: Callable[[], str]
    notice: Callable[[str], str]
    update: Callable[[str, int], str]
    text: Callable[[NoticeVersion], str]
    proof: Callable[[NoticeVersion], str]
    feed: Callable[[str], str]
    check: Callable[[], str]


ONLINE: Final = Links(
    home=lambda: reverse("news"),
    notice=lambda notice: reverse("news_notice", args=[notice]),
    update=lambda notice, number: reverse("news_update", args=[notice, number]),
    text=lambda row: reverse("news_text", args=[row.notice, row.number, row.version]),
    proof=lambda row: reverse("news_proof", args=[row.notice, row.number, row.version]),
    feed=lambda notice: reverse("news_notice_feed", args=[notice]) if notice else reverse("news_feed"),
    check=lambda: reverse("news_check"),
)


@dataclass(frozen=True, slots=True)
class Passage:
    """One section, or what became of it: pieces are (`same`, `gone` or `new`, words)."""

    label: str
    words: str
    pieces: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """A text in one language."""

    language: str
    name: str
    title: str
    state: str
    number: str
    when: str
    next: str
    passages: Sequence[Passage]


@dataclass(frozen=True, slots=True)
class Correction:
    """What one version changed of the one before; `why` is its date."""

    version: int
    when: str
    utc: str
    columns: Sequence[Column]


@dataclass(frozen=True, slots=True)
class Shown:
    """One update as it holds now."""

    notice: str
    number: int
    version: int
    text: Text
    at: datetime
    utc: str
    next_utc: str
    late: bool
    columns: Sequence[Column]
    corrections: Sequence[Correction]
    verdict: Verdict
    alone: bool
    hash: str
    entry: int
    href: str
    files: Sequence[tuple[int, str, str]]

    @property
    def first(self) -> Column:
        """The reader's language."""
        return self.columns[0]


def reading() -> tuple[str, ...]:
    """The languages, the reader's first."""
    own = wording.spoken_language()
    return tuple(sorted(LANGUAGES, key=lambda one: one != own))


def shown(update: Update, checked: Checked, now: datetime, links: Links = ONLINE) -> Shown:
    """Make an update ready to be shown."""
    row = update.newest
    text = read(row)
    verdicts = {checked.of(one) for one in update.versions}
    worst = next((one for one in _WORST if one in verdicts), Verdict.PROVED)
    return Shown(
        notice=row.notice,
        number=row.number,
        version=row.version,
        text=text,
        at=row.published_at,
        utc=notice_words.utc(row.published_at),
        next_utc="" if text.next_at is None else notice_words.utc(text.next_at),
        late=text.next_at is not None and text.next_at <= now,
        columns=[column(text, language, row.published_at) for language in reading()],
        corrections=[
            _correction(old, new) for old, new in zip(update.versions, update.versions[1:], strict=False)
        ][::-1],
        verdict=worst,
        alone=any(one.alone for one in update.versions),
        hash=digest(row.text),
        entry=row.entry,
        href=links.update(row.notice, row.number),
        files=[(one.version, links.text(one), links.proof(one)) for one in update.versions],
    )


_WORST: Final = (Verdict.CHANGED, Verdict.UNPROVED, Verdict.UNCHECKED)


def read(row: NoticeVersion) -> Text:
    """Read a stored text; one that was spoiled in the database is shown as far as it can be."""
    try:
        return Text.read(row.text)
    except (ValueError, TypeError):
        said = {language: {"title": row.notice, "happened": row.text} for language in LANGUAGES}
        return Text.of(said, row.notice, row.number, row.version)


def column(text: Text, language: str, at: datetime | None) -> Column:
    """A text in one language, its labels too."""
    with translation.override(language):
        passages = [
            Passage(notice_words.label(name), words)
            for name in SECTIONS
            if (words := text.words(language, name))
        ]
        return Column(
            language,
            NAMES[language],
            text.words(language, "title") or text.notice,
            str(notice_words.STATES.get(text.state, text.state)),
            _counted(text),
            "" if at is None else notice_words.local(at),
            "" if text.next_at is None else notice_words.local(text.next_at),
            passages,
        )


def _counted(text: Text) -> str:
    if not text.most:
        return ""
    surely = notice_words.CONFIDENCE.get(text.confidence, text.confidence)
    return translation.gettext("At most %(n)s persons (%(surely)s)") % {
        "n": f"{text.most:,}",
        "surely": surely,
    }


def _correction(old: NoticeVersion, new: NoticeVersion) -> Correction:
    columns = differences(read(old), read(new), new.published_at)
    return Correction(new.version, columns[0].when, notice_words.utc(new.published_at), columns)


def differences(before: Text, after: Text, at: datetime | None = None) -> list[Column]:
    """What one text changes of another, in each language."""
    columns = []
    for language in reading():
        one, two = column(before, language, None), column(after, language, at)
        with translation.override(language):
            told = [
                Passage(notice_words.label(name), "", tuple(changes(*words)))
                for name in ("title", *SECTIONS)
                if len(set(words := (before.words(language, name), after.words(language, name)))) > 1
            ]
            facts = (
                (translation.pgettext("of a notice", "State"), one.state, two.state),
                (translation.gettext("How many"), one.number, two.number),
                (translation.gettext("Next update"), one.next, two.next),
            )
        told += [
            Passage(label, "", [(kind, words) for kind, words in (("gone", a), ("new", b)) if words])
            for label, a, b in facts
            if a != b
        ]
        columns.append(Column(language, two.name, two.title, "", "", two.when, "", told))
    return columns


@dataclass(frozen=True, slots=True)
class Line:
    """A notice in the list: its newest update."""

    notice: str
    title: str
    state: str
    open: bool
    when: str
    utc: str
    year: int
    count: int
    href: str


def lines(found: dict[str, list[Update]], links: Links = ONLINE) -> list[Line]:
    """All notices, the one with the newest word first."""
    language, told = reading()[0], []
    for notice, updates in found.items():
        row = updates[0].newest
        latest = max(one.published_at for update in updates for one in update.versions)
        text = read(row)
        with translation.override(language):
            told.append(
                (
                    latest,
                    Line(
                        notice,
                        text.words(language, "title") or notice,
                        str(notice_words.STATES.get(text.state, text.state)),
                        text.state != "resolved",
                        notice_words.local(latest),
                        notice_words.utc(latest),
                        latest.astimezone(notice_words.ZONE).year,
                        len(updates),
                        links.notice(notice),
                    ),
                )
            )
    return [line for _, line in sorted(told, key=lambda one: one[0], reverse=True)]


def checked(updates: Sequence[Update], now: datetime, notice: str = "") -> Checked:
    """Hold updates against the ledger."""
    return check([row for update in updates for row in update.versions], now, notice=notice)


def address(path: str) -> str:
    """A whole address, to be passed on."""
    return f"{settings.NOREN_ORIGIN}{path}"
