"""A shop's pack as it is handed over: of an incident's book what the shop may know, in a form that it is read
from again. Pure.

It names nobody who is suspected, and no customer: those are asked for anew, as of the same entries.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from noren.errors import BadField
from noren.incidents import book, reports
from noren.incidents.asked import Asked
from noren.incidents.book import Kind, Workspace
from noren.incidents.notice_text import SECTIONS
from noren.people.incidents import Record
from noren.people.packs import Pack

# What the shop says itself: whose data is counted for it, whom to ask is its own.
TOLD: Final = ("title", *(name for name in SECTIONS if name not in ("whose", "contact")))
Sections = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Told:
    """A pack, read: the part of the book in it, and what was said by language and section."""

    pack: Pack
    work: Workspace
    sections: Sections


def words(work: Workspace, shop_id: int, sections: Sections, *, at: datetime, how: str) -> str:
    """Return a pack's words. Raises BadField where nobody asked yet, or what happened is not said."""
    found = reports.newest(work)
    if found is None:
        raise BadField(field="named", reason="empty")
    if not any(said.get("happened") for said in sections.values()):
        raise BadField(field="text", reason="empty")
    return book.say(
        Kind.HANDED,
        shop=shop_id,
        at=at.isoformat(),
        how=how,
        sections={language: dict(said) for language, said in sections.items()},
        known=_known(work),
        scope=_alone(found[0].said, found[1], shop_id),
    )


def question(work: Workspace) -> dict[str, Any]:
    """Return the newest question as a scope asks it, as of the entries that it was answered from."""
    found = reports.newest(work)
    if found is None:
        raise BadField(field="named", reason="empty")
    asked = found[1].question
    return {
        **{kind: list(values) for kind, values in asked.named.items()},
        "since": asked.since.timestamp(),
        "until": asked.until.timestamp(),
        "person": list(asked.persons) or None,
        "size": found[1].size,
    }


def read(pack: Pack) -> Told:
    """Read a pack: its own small book."""
    said = json.loads(pack.words)
    told = {name: said[name] for name in ("shop", "at", "how")}
    lines = [(Kind.OPENED, {"title": pack.incident}), (Kind.TOLD, told), (Kind.SCOPE, said["scope"])]
    lines += [(Kind.KNOWN, said["known"])] if said.get("known") else []
    records = [
        Record(number, pack.handed, "", kind, json.dumps(one), "")
        for number, (kind, one) in enumerate(lines, start=1)
    ]
    return Told(pack, book.workspace(records), said["sections"])


def _known(work: Workspace) -> dict[str, Any] | None:
    """What the terms run from: a later record stands for those before it."""
    lines = [line for line in work.lines if line.kind == Kind.KNOWN]
    if work.known is None:
        return None
    return dict(max(lines, key=lambda line: line.record.number).said)


def _alone(said: Mapping[str, Any], asked: Asked, shop_id: int) -> dict[str, Any]:
    """An answer's numbers as one shop may have them: by which kinds of way, and not by whose."""
    there = next((dict(one) for one in said["shops"] if one["shop"] == shop_id), None)
    return {
        **{name: said[name] for name in ("size", "root", "sha256", "unbounded")},
        "question": {
            "since": asked.question.since.isoformat(),
            "until": asked.question.until.isoformat(),
            "named": {kind: [] for kind in asked.question.named},
            "shop": shop_id,
        },
        "persons": there["persons"] if there else 0,
        "shops": [there] if there else [],
        "left_off": 0 if there else asked.left_off,
        "stores": [],
    }
