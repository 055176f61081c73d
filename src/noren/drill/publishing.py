"""The origin case: what the public is told, by two operators, and what it then reads."""

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

from noren import clock
from noren.drill.browser import Browser
from noren.drill.case import NOTICE, Origin
from noren.drill.house import House
from noren.drill.play import verified, vkey
from noren.drill.reading import newest
from noren.drill.report import persons
from noren.drill.stage import quietly, until
from noren.incidents import book, notices
from noren.incidents.notice_text import LANGUAGES
from noren.people import incidents
from noren.web import news_export

READER: Final = "reader@example.org"
# Notices are written by this clock.
_ZONE: Final = ZoneInfo("Asia/Tokyo")


def subscribe(origin: Origin) -> str:
    """A reader asks for the notices by mail."""
    browser = Browser(origin.stage.system.port)
    browser.post("/news/mail", {"mail": READER})
    link = origin.stage.in_mail(READER, r"(/news/mail/\S+)")
    status = browser.post(link, {"deed": "confirm"})
    origin.report.say("public", "the reader's link answers", status, 200)
    return READER


def publish(origin: Origin) -> str:
    """Two operators publish the first update; it says how many persons, and by when more comes."""
    _publish(origin, "new", _text(origin, "identified", less=1))
    return "update 1, with a number that is to be corrected"


def correct(origin: Origin) -> str:
    """One person was forgotten in the words: a correction stands beside what it corrects."""
    _publish(origin, "correct", _text(origin, "contained"), number=1)
    _look(origin, "1.2")
    page = Browser(origin.stage.system.port)
    page.get(f"/news/{NOTICE}?lang=en")
    changed = (re.findall(r"<del>(\d+)</del>", page.page), re.findall(r"<ins>(\d+)</ins>", page.page))
    truth = len(persons(origin.held))
    said = f"{' '.join(sorted(set(changed[0])))} -> {' '.join(sorted(set(changed[1])))}"
    origin.report.say("public", "the correction shows its number", said, f"{truth - 1} -> {truth}")
    return "update 1, version 2"


def resolve(origin: Origin) -> str:
    """The last update: resolved, with the final figures."""
    _publish(origin, "next", _text(origin, "resolved"))
    _look(origin, "2.1")
    origin.house.write("state", state="resolved")
    found = book.workspace(incidents.read(None, origin.house.incident).records)
    origin.report.say("resolved", "the book's state", found.state, "resolved")
    said = found.known.persons if found.known else None
    origin.report.say("resolved", "the book's number of persons", said, len(persons(origin.held)))
    return "update 2"


def _text(origin: Origin, state: str, *, less: int = 0) -> dict[str, str]:
    number = origin.whose - less
    fields = sorted({name for _, _, name in origin.named})
    said = {
        "ja-title": "予約データへの不正アクセスについて(訓練)",
        "ja-happened": "社内の業務システムから漏れた情報で、第三者が店の管理画面に入りました。",
        "ja-whose": f"お客様{number}名の情報が表示されました。項目: {'、'.join(fields)}",
        "ja-unaffected": "ほかの店のお客様の情報には触れられていません。台帳の記録で確かめました。",
        "ja-contact": "窓口: desk@example.jp",
        "en-title": "Unauthorised access to booking data (drill)",
        "en-happened": "By what leaked from an internal system somebody came into a shop's console.",
        "en-whose": f"Data of {number} persons were shown. Fields: {', '.join(fields)}",
        "en-unaffected": "No other shop's customers were touched; the ledger's entries show it.",
        "en-contact": "Desk: desk@example.jp",
    }
    return said | heading(origin.house, state, number)


def heading(house: House, state: str, number: int) -> dict[str, str]:
    """What stands over an update: its state, of how many at most, and when more comes."""
    later = clock.now().astimezone(_ZONE) + timedelta(hours=24)
    return {
        "state": state,
        "next": "" if state == "resolved" else f"{later:%Y-%m-%dT%H:%M}",
        "most": str(number),
        "confidence": "confirmed",
        "incident": house.incident,
    }


def _publish(origin: Origin, deed: str, text: Mapping[str, str], number: int = 0) -> None:
    place = origin.house.publish(deed, NOTICE, text, number)
    origin.said.append(place)
    found = next(one for one in notices.updates(NOTICE) if place.endswith(f"/{one.number}"))
    what = f"update {found.number}.{found.newest.version} published by two"
    origin.report.say("public", what, not found.newest.alone, True)


def _look(origin: Origin, version: str) -> None:
    """Read what the public reads: page, feed and file, each for its number of persons."""
    truth, browser = len(persons(origin.held)), Browser(origin.stage.system.port)
    for language in LANGUAGES:
        browser.get(f"/news/{NOTICE}?lang={language}")
        origin.report.say("public", f"page, {language}, {version}: persons", newest(browser.page), truth)
    browser.get(f"/news/{NOTICE}/{version}.json")
    told = json.loads(browser.page)
    origin.report.say("public", f"file, {version}: persons at most", told["most"], truth)
    browser.get(f"/news/{NOTICE}.atom")
    origin.report.say("public", f"feed, {version}: persons", newest(browser.page), truth)


def mail_readers(origin: Origin) -> str:
    """The reader got each version once."""
    expected = len(origin.said)

    def came() -> str:
        told = [text for text in origin.stage.texts(READER) if f"/news/{NOTICE}/" in text]
        return str(len(told)) if len(told) >= expected else ""

    origin.report.say("public", "mails to the reader", until(came, "the readers' mails"), expected)
    return f"{expected} versions"


def export(origin: Origin) -> str:
    """The whole of it as files, for when the platform is down; checked by the verifier alone."""
    folder = origin.stage.own / "news"
    with quietly():
        code = news_export.main([str(folder)])
    origin.report.say("public", "noren news export ends with", code, 0)
    for language in LANGUAGES:
        page = (folder / language / NOTICE / "index.html").read_text(encoding="utf-8")
        truth = len(persons(origin.held))
        origin.report.say("public", f"exported page, {language}: persons", newest(page), truth)
    code, words = verified("notice", folder, "--key", vkey(origin.stage))
    origin.report.say("public", "noren-verify on the notices ends with", code, 0)
    origin.report.say("public", "versions proved", words.count("proved:"), len(origin.said))
    return f"{len(list(folder.rglob('*')))} files"
