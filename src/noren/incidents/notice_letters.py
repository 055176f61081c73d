"""The mail about a published version, in both languages: what it is about, and where to read it."""

from typing import Final

from django.conf import settings

from noren.errors import NoSuchNotice
from noren.incidents.models import NoticeVersion
from noren.incidents.notice_text import LANGUAGES, Text, digest
from noren.people import notices as door

_STATES: Final = {
    "ja": {
        "investigating": "調査中",
        "identified": "原因判明",
        "contained": "拡大防止済み",
        "resolved": "解決",
    },
    "en": {
        "investigating": "investigating",
        "identified": "identified",
        "contained": "contained",
        "resolved": "resolved",
    },
}
_SUBJECT: Final = {"ja": "お知らせ: {title}({state})", "en": "Notice: {title} ({state})"}
_CORRECTED: Final = {"ja": "お知らせの訂正: {title}({state})", "en": "Notice corrected: {title} ({state})"}
_TEXT: Final = {
    "ja": "{title}\n状況: {state}\n\n{happened}\n\n全文と過去のお知らせ:\n{link}\n",
    "en": "{title}\nState: {state}\n\n{happened}\n\nThe whole text, and earlier updates:\n{link}\n",
}
_LEAVE: Final = {
    "ja": "\n----\nこのメールの配信を停止する: {leave}\n",
    "en": "\n----\nTo get no more of these mails: {leave}\n",
}


def of(notice: str, number: int, version: int) -> tuple[door.Text, dict[str, dict[str, str]]]:
    """Where the version stands, and its letters. Raises NoSuchNotice."""
    row = NoticeVersion.objects.filter(notice=notice, number=number, version=version).first()
    if row is None:
        raise NoSuchNotice
    text = Text.read(row.text)
    letters = {}
    for language in LANGUAGES:
        told = {
            "title": text.words(language, "title"),
            "state": _STATES[language].get(text.state, text.state),
            "happened": text.words(language, "happened"),
            "link": f"{settings.NOREN_ORIGIN}/news/{notice}/{number}?lang={language}",
        }
        subject = (_SUBJECT if version == 1 else _CORRECTED)[language]
        letters[language] = {
            "subject": _plain(subject.format_map(told)),
            "text": _plain(_TEXT[language].format_map(told)) + _LEAVE[language],
        }
    return door.Text(notice, number, version, digest(row.text)), letters


def _plain(text: str) -> str:
    """No brace of the text's own may be taken for a hole of the letter."""
    return text.replace("{", "(").replace("}", ")")
