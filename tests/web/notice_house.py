"""Two operators at the pages of notices, and a text that can be published."""

from datetime import timedelta
from typing import Any

from django.test import Client

from noren import clock
from noren.incidents import notice_checks, notices
from noren.people import notices as door
from tests.web.test_powers import House, grant_of

NAME = "2026-11-leak"


def words(**changed: str) -> dict[str, str]:
    """A form as an operator sends it."""
    later = (clock.now() + timedelta(hours=30)).strftime("%Y-%m-%dT%H:%M")
    return {
        "state": "identified",
        "next": later,
        "most": "1200",
        "confidence": "estimated",
        "incident": "case-7",
        "ja-title": "予約データへの不正アクセスについて",
        "en-title": "Unauthorised access to booking data",
        "ja-happened": "第三者が管理画面に入りました。\n詳細を調べています。",
        "en-happened": "Somebody came into an admin page.\nWe are looking into it.",
        "ja-contact": "窓口: press@noren.example",
        "en-contact": "Desk: press@noren.example",
        **changed,
    }


def write(client: Client, name: str = NAME, deed: str = "new", **changed: Any) -> int:
    """Begin a draft and fill it; gives its id."""
    number = str(changed.pop("number", 1))
    begun = client.post("/operations/news", {"notice": name, "deed": deed, "number": number})
    assert begun.status_code == 302, begun.content.decode()
    address = begun["Location"]
    saved = client.post(address, {**words(**changed), "revision": "1", "deed": "preview"})
    assert saved.status_code == 302, saved.content.decode()
    return int(address.rpartition("/")[2])


def ask(client: Client, draft: int) -> str:
    """Ask another operator by the page; gives the asking."""
    asked = client.post(f"/operations/news/drafts/{draft}/preview", {"deed": "ask"})
    assert asked.status_code == 302, asked.content.decode()
    return str(asked["Location"].rpartition("/")[2])


def agree(house: House, asked: str) -> door.Said:
    """The second operator agrees with her passkey."""
    options = door.agree_begin(house.second, asked)
    return notices.agree(house.second, asked, house.second_key.get(options))


def publish(house: House, name: str = NAME, deed: str = "new", **changed: Any) -> door.Said:
    """All of it."""
    notice_checks.forget()
    return agree(house, ask(house.operator, write(house.operator, name, deed, **changed)))


__all__ = ["NAME", "agree", "ask", "grant_of", "publish", "words", "write"]
