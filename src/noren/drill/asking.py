"""A customer who was told asks at the desk, and pastes what must never be kept: nothing of it remains."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from noren.drill.browser import Browser
from noren.drill.case import NOTICE, Origin
from noren.drill.report import persons
from noren.drill.stage import Stage, until

# A number of the card brands' own for tests: it proves itself, and is nobody's.
_CARD: Final = "4242424242424242"
_PASSWORD: Final = "tanuki-no-kagi-93"  # noqa: S105 - made up, to be destroyed
PASTED: Final = (_CARD, "4242-4242-4242-4242", "4242 4242 4242 4242", _PASSWORD)
_WORDS: Final = (
    "お知らせのメールを受け取りました。カード 4242-4242-4242-4242 は止めたほうがよいですか。"
    f"パスワード: {_PASSWORD} も変えるべきですか。"
)
_ANSWER: Final = "カード番号そのものは、この仕組みのどこにも保管していません。止める必要はありません。"


def ask(origin: Origin) -> str:
    """She asks by the form; number and password are cut before anything is written."""
    browser, mail = Browser(origin.stage.system.port), _told(origin)
    browser.get(f"/inquiry?about={NOTICE}")
    form = {"about": "notice", "notice": NOTICE, "words": _WORDS, "mail": mail, "proof": browser.solved()}
    file = ("files", "memo.txt", f"控え {_CARD}\n".encode())
    status = browser.post("/inquiry", form, files=[file])
    origin.report.say("inquiry", "the form leads to her own page", status, 302)
    browser.get(browser.location)
    origin.report.say("inquiry", "what was pasted, on her page", _left(browser.page), 0)
    seat = origin.house.second
    page = seat.open("/operations/inquiries")
    found = re.search(r'"(/operations/inquiries/[0-9a-f]{8,})"', page)
    origin.inquiry = found[1] if found else ""
    page = seat.open(origin.inquiry or "/operations/inquiries")
    origin.report.say("inquiry", "what was pasted, on the desk's page", _left(page), 0)
    origin.report.say("inquiry", "her question, on the desk's page", "止めたほうがよいですか" in page, True)
    return f"inquiry {origin.inquiry.rpartition('/')[2]}"


def answer(origin: Origin) -> str:
    """The desk answers and says to which incident it belongs; she reads it behind the link of her mail."""
    seat, place = origin.house.second, origin.inquiry
    seat.press(f"{place}/deed", of=place, deed="take")
    seat.open(place)
    seen = seat.browser.hidden("seen")
    seat.press(f"{place}/deed", of=place, deed="answer", words=_ANSWER, seen=seen)
    seat.press(f"{place}/deed", of=place, deed="link", incident=origin.house.incident)
    linked = re.search(r'<option value="([0-9a-f]+)" selected', seat.open(place))
    said = linked[1] if linked else ""
    origin.report.say("inquiry", "the incident it belongs to", said, origin.house.incident)
    mail = _told(origin)

    def came() -> str:
        return next((text for text in origin.stage.texts(mail) if "問い合わせへの回答" in text), "")

    text = until(came, "the mail that an answer is there")
    link = re.search(r"(/inquiry/own/\S+)", text)
    browser = Browser(origin.stage.system.port)
    browser.get(link[1] if link else "/inquiry")
    origin.report.say("inquiry", "the answer behind the mail's link", _ANSWER in browser.page, True)
    origin.report.say("inquiry", "the answer in the mail itself", _ANSWER in text, False)
    return mail


def search(origin: Origin) -> str:
    """Every file of the system: both databases with their logs of writes, ledger, logs, mails."""
    files, lying = _lying(origin.stage, PASTED)
    origin.report.say("inquiry", "files with what was pasted", " ".join(lying), "")
    # The search itself: what is published lies there in clear.
    _, there = _lying(origin.stage, [NOTICE])
    origin.report.say("inquiry", "files with the notice's name, as a proof of the search", bool(there), True)
    return f"{files} files searched"


def _told(origin: Origin) -> str:
    """The address of one who was told."""
    who = min(persons(origin.held))
    shop = next(one for one in origin.stage.shops if one.number == who[0])
    return shop.customers[who[1]].fields["mail"]


def _left(page: str) -> int:
    return sum(page.count(one) for one in PASTED)


def _lying(stage: Stage, values: Iterable[str]) -> tuple[int, list[str]]:
    """How many files there are, and in which of them one of these values lies, in two encodings."""
    wanted = [value.encode(coding) for value in values for coding in ("utf-8", "utf-16-le")]
    files, found = 0, []
    for path in sorted(stage.system.top.rglob("*")):
        if path.is_file() and not path.is_symlink() and stage.own not in path.parents:
            content, files = _read(path), files + 1
            if any(one in content for one in wanted):
                found.append(str(path.relative_to(stage.system.top)))
    return files, found


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""  # a database's file of a moment
