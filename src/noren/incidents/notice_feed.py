"""Notices as an Atom feed (RFC 4287): each published version is an entry, and none is ever exchanged."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from xml.etree import ElementTree as ET

from django.conf import settings

from noren.incidents.models import NoticeVersion
from noren.incidents.notice_text import SECTIONS, Text

_ATOM: Final = "http://www.w3.org/2005/Atom"
_TITLES: Final = {"ja": "お知らせ", "en": "Notices"}
_CORRECTED: Final = {"ja": "訂正: {title}", "en": "Corrected: {title}"}


def atom(rows: Sequence[NoticeVersion], notice: str, language: str) -> bytes:
    """Write the feed in one language, newest first. An empty one is dated by the time before all of them."""
    ET.register_namespace("", _ATOM)
    origin = settings.NOREN_ORIGIN
    here = f"{origin}/news/{notice}.atom" if notice else f"{origin}/news.atom"
    feed = ET.Element(f"{{{_ATOM}}}feed", {"{http://www.w3.org/XML/1998/namespace}lang": language})
    _put(feed, "id", here)
    _put(feed, "title", f"{_TITLES[language]} · Noren")
    newest = max((one.published_at for one in rows), default=datetime(2019, 1, 1, tzinfo=UTC))
    _put(feed, "updated", _instant(newest))
    _link(feed, "self", here, "application/atom+xml")
    _link(feed, "alternate", f"{origin}/news/{notice}" if notice else f"{origin}/news", "text/html")
    author = ET.SubElement(feed, f"{{{_ATOM}}}author")
    _put(author, "name", "Noren")
    for row in rows:
        _entry(feed, row, language)
    return bytes(ET.tostring(feed, encoding="utf-8", xml_declaration=True))


def _entry(feed: ET.Element, row: NoticeVersion, language: str) -> None:
    try:
        text = Text.read(row.text)
    except (ValueError, TypeError):
        # What was spoiled in the database is said on the page, and not passed on.
        return
    entry = ET.SubElement(feed, f"{{{_ATOM}}}entry")
    page = f"{settings.NOREN_ORIGIN}/news/{row.notice}/{row.number}"
    _put(entry, "id", f"{page}#{row.version}")
    title = text.words(language, "title")
    _put(entry, "title", title if row.version == 1 else _CORRECTED[language].format(title=title))
    _put(entry, "updated", _instant(row.published_at))
    _put(entry, "published", _instant(row.published_at))
    _link(entry, "alternate", page, "text/html")
    words = "\n\n".join(filter(None, (text.words(language, name) for name in SECTIONS)))
    _put(entry, "content", words).set("type", "text")


def _put(parent: ET.Element, name: str, words: str) -> ET.Element:
    one = ET.SubElement(parent, f"{{{_ATOM}}}{name}")
    one.text = words
    return one


def _link(parent: ET.Element, rel: str, href: str, kind: str) -> None:
    ET.SubElement(parent, f"{{{_ATOM}}}link", {"rel": rel, "href": href, "type": kind})


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
