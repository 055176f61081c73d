"""What an incident's copy holds: the book with its proof, facts, answers, signs, files, drafts, tellings.

All of it is read as an administrator's process reads it, on record. docs/incident-copy.md names the parts.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import datetime
from io import BytesIO
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.utils import translation

from noren.errors import NorenError
from noren.incidents import asked, book, bundle, copies, notices, report, reports, scope
from noren.incidents.book import Workspace
from noren.incidents.models import NoticeDraft
from noren.incidents.notice_text import LANGUAGES, SECTIONS, Text
from noren.people import containment, incidents, published, signs, tellings
from noren.people.incidents import Book
from noren.shops.models import ShopDirectory
from noren.web import containment as shown
from noren.web import notice_words, report_words, shop_pack

# So many pages of the ledger's facts are copied of each suspect; the answers beside have all.
PAGES: Final = 20
Part = tuple[str, bytes]


def pack(incident: str, now: datetime, *, complete: bool) -> tuple[bytes, int]:
    """Return the packed copy, and how many records it has. Raises NoSuchIncident, and as the vault refuses.

    `complete`: the answers' proofs hold every entry of their time, so that none can lack.
    """
    told = incidents.read(None, incident)
    key = published.checkpoint()
    about = {
        "incident": incident,
        "records": len(told.records),
        "made": now.isoformat(),
        "origin": settings.NOREN_ORIGIN,
        "vkey": "" if key is None else key.vkey,
    }
    return copies.pack(about, _parts(told, now, complete=complete)), len(told.records)


def _parts(told: Book, now: datetime, *, complete: bool) -> Iterator[Part]:
    incident, work = told.incident, book.workspace(told.records)
    yield "book.json", _json(_book(told))
    yield from _proof(told)
    yield "shops.json", _json({str(one.id): one.slug for one in ShopDirectory.objects.order_by("id")})
    yield "facts.json", _json(_facts(incident, work, now))
    yield (
        "held.json",
        _json(dict(zip(("holds", "freezes"), containment.contained(None, incident), strict=True))),
    )
    yield from _scopes(work, complete=complete)
    yield (
        "signs.json",
        _json([signs.read(None, one.sign) for one in signs.all_of(None) if one.incident == incident]),
    )
    yield from _files(incident)
    yield from _reports(incident, work, now)
    yield from _notices(incident)
    yield (
        "tellings.json",
        _json([tellings.show(None, one.telling) for one in tellings.all_of(None, incident)]),
    )


def _book(told: Book) -> dict[str, Any]:
    records = [
        {
            "number": one.number,
            "at": round(one.at.timestamp() * 1000),
            "by": one.by,
            "kind": one.kind,
            "words": one.words,
            "salt": one.salt,
        }
        for one in told.records
    ]
    return {"incident": told.incident, "records": records, "members": dict(told.members)}


def _proof(told: Book) -> Iterator[Part]:
    """The entries of every record that is in this copy, how each ended, and what leads them to the head."""
    places = incidents.places(None, told.incident)
    tried = sorted(
        entry
        for number, entries in places.entries.items()
        if number <= len(told.records)
        for entry in entries
    )
    size, chosen = places.size, bundle.with_outcomes(tried, places.size, None)
    yield "proof/checkpoint", places.checkpoint.encode()
    yield "proof/entries", b"".join(bundle.lines_of_entries(chosen, size, None))
    yield "proof/hashes", b"".join(bundle.lines_of_hashes(chosen, size, None))


def _facts(incident: str, work: Workspace, now: datetime) -> list[dict[str, Any]]:
    found = []
    for one in work.suspects:
        lines, more, page = [], True, 0
        while more and page < PAGES:
            some, more = shown.page(None, incident, one, page, now)
            lines += some
            page += 1
        found.append({"suspect": one.number, "lines": lines, "more": more})
    return found


def _scopes(work: Workspace, *, complete: bool) -> Iterator[Part]:
    """Each answer had again, as of the size that the book names."""
    for line in work.scopes:
        read = asked.read(line.said)
        if read is None:
            continue
        number = line.record.number
        question = replace(read.question, size=read.size)
        try:
            found = scope.ask(question)
        except NorenError as refusal:
            yield f"scopes/{number}.txt", f"{question.path()}: {refusal.words()}\n".encode()
            continue
        into, proof = scope.joined(found), BytesIO()
        bundle.pack(proof, question, found, complete=complete)
        yield f"scopes/{number}.zip", proof.getvalue()
        yield f"scopes/{number}.json", _json(report.as_json(question, found, into))
        yield f"scopes/{number}.txt", f"{report.as_text(question, found, into)}\n".encode()


def _files(incident: str) -> Iterator[Part]:
    """Without their names: what an attacker sent is not to be opened by a click."""
    files = signs.files_of(None, incident)
    yield "evidence.json", _json(files)
    for one in files:
        yield f"evidence/{one.file}", signs.open_evidence(None, incident, one.file)[1]


def _reports(incident: str, work: Workspace, now: datetime) -> Iterator[Part]:
    for language in LANGUAGES:
        with translation.override(language):
            for one in reports.all_of(work, now):
                known = report_words.known(work, incident, one.shop_id, language)
                told = shop_pack.in_json(one, known, language, now)
                name = f"reports/{language}/{one.key}-{one.shop_id}"
                yield f"{name}.json", _json(told)
                yield f"{name}.md", _report(told).encode()


def _report(told: dict[str, Any]) -> str:
    """A report as somebody goes on writing it."""
    lines = [f"# {told['name']}", told["authority"], told["principal"]["shop"]]
    for step in told["steps"]:
        term = f"- {step['says']}: {step['by'] or '–'}"
        lines.append(
            "\n".join([term, *(f"  - {one['at']} {one['by']} {one['receipt']}" for one in step["filed"])])
        )
    lines += [f"## {item['label']}\n\n{item['text'] or report_words.unknown()}" for item in told["items"]]
    return "\n\n".join(filter(None, lines)) + "\n"


def _notices(incident: str) -> Iterator[Part]:
    """What was published of it, and what is being written."""
    rows = [update.newest.text for updates in notices.published().values() for update in updates]
    texts = [("", Text.read(row)) for row in rows]
    texts += [("-draft", notices.text_of(one)) for one in NoticeDraft.objects.order_by("id")]
    for kind, text in texts:
        if text.incident != incident:
            continue
        name = f"{text.notice}-{text.number}.{text.version}{kind}"
        yield f"notices/{name}.json", text.canonical().encode()
        for language in LANGUAGES:
            with translation.override(language):
                yield f"notices/{language}/{name}.md", _notice(text, language).encode()


def _notice(text: Text, language: str) -> str:
    state = notice_words.STATES[text.state]
    lines = [f"# {text.words(language, 'title')}", f"{state} {text.next}".rstrip()]
    lines += [f"## {notice_words.label(name)}\n\n{text.words(language, name)}" for name in SECTIONS]
    return "\n\n".join(lines) + "\n"


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1, default=_plain) + "\n").encode()


def _plain(value: Any) -> Any:
    """What JSON has no kind of its own for."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    return asdict(value)
