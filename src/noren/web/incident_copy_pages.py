"""An opened copy of an incident as a folder: pages to read, drafts to go on with, and all parts as they came.

The pages are made here, out of the parts that were checked, and hold no script. No database is asked.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any, Final

from django.template.loader import render_to_string
from django.utils import translation

from noren.incidents import asked, book, outside
from noren.incidents.copies import Copy
from noren.incidents.notice_text import LANGUAGES
from noren.people.containment import Fact
from noren.people.incidents import Record
from noren.web import containment, incident_words, incidents, notice_pages, powers

STYLES: Final = ("tokens", "base", "curtain", "button", "notice", "field", "facts", "news", "operations")
DATA: Final = "data"
DRAFTS: Final = ("reports", "notices")
# How a line of the verifier's begins, and how it is shown.
VERDICTS: Final = (("NOT WHOLE", "cancelled"), ("not proved", "pending"), ("", "confirmed"))


def unpack(folder: Path, copy: Copy) -> None:
    """Write the parts as they came, and what people go on with. Raises OSError."""
    for name, data in copy.parts.items():
        _write(folder / DATA / name, data)
        if name.startswith(DRAFTS) and name.endswith(".md"):
            _write(folder / "drafts" / name, data)
    _write(folder / outside.FILE, outside.BLANK.format(incident=copy.incident).encode())
    css = resources.files("noren.web") / "static" / "noren" / "css"
    for name in STYLES:
        _write(folder / "css" / f"{name}.css", (css / f"{name}.css").read_bytes())


def write(folder: Path, copy: Copy, checks: Sequence[str], *, own_key: bool, now: datetime) -> None:
    """Write the pages. `checks`: what the verifier said; `own_key`: by a key that came from elsewhere."""
    _write(folder / "proved.txt", "".join(f"{line}\n" for line in checks).encode())
    for language in LANGUAGES:
        with translation.override(language):
            told = _told(copy, language, now)
            told |= {"checks": [_verdict(line) for line in checks], "own_key": own_key, "up": "../"}
            text = render_to_string("web/operations/copy.html", told)
            _write(folder / language / "index.html", text.encode())
            if language == LANGUAGES[0]:
                told |= {"up": "", "other": f"{told['other_language']}/index.html"}
                _write(folder / "index.html", render_to_string("web/operations/copy.html", told).encode())


def _told(copy: Copy, language: str, now: datetime) -> dict[str, Any]:
    work = book.workspace(_records(copy))
    slugs: dict[str, str] = copy.json("shops.json")
    other = next(one for one in LANGUAGES if one != language)
    lines = [*map(incidents.line_of, work.lines), *_facts(copy, slugs)]
    return {
        "copy": copy,
        "made": powers.utc(datetime.fromisoformat(copy.about["made"])),
        "work": work,
        "severity": incident_words.SEVERITY[work.severity],
        "state": incident_words.STATE[work.state],
        "known": work.known and powers.utc(work.known.known.astimezone(UTC)),
        "terms": incidents.terms_of(work, now),
        "hypotheses": [(one, incident_words.WEIGHT.get(one.state, one.state)) for one in work.hypotheses],
        "suspects": [(one, containment.PATH[one.path], powers.utc(one.since)) for one in work.suspects],
        "scopes": [_scope(copy, line) for line in work.scopes],
        "signs": copy.json("signs.json"),
        "files": copy.json("evidence.json"),
        "drafts": sorted(
            name for name in copy.parts if name.startswith(_drafts_in(language)) and name.endswith(".md")
        ),
        "tellings": [(one, one["by"].items()) for one in copy.json("tellings.json")],
        "held": copy.json("held.json"),
        "members": [
            (handle, incident_words.STANDING[what])
            for handle, what in copy.json("book.json")["members"].items()
        ],
        "lines": sorted(lines, key=lambda each: each["place"], reverse=True),
        "styles": [f"{name}.css" for name in STYLES],
        "other": f"../{other}/index.html",
        "other_language": other,
        "other_name": notice_pages.NAMES[other],
    }


def _records(copy: Copy) -> list[Record]:
    return [
        Record(one["number"], _instant(one["at"]), one["by"], one["kind"], one["words"], one["salt"])
        for one in copy.json("book.json")["records"]
    ]


def _instant(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _facts(copy: Copy, slugs: dict[str, str]) -> list[dict[str, Any]]:
    """The ledger's lines of what is looked into; one that two of them name stands once."""
    shown: dict[tuple[int, int, str], dict[str, Any]] = {}
    for one in copy.json("facts.json"):
        for told in one["lines"]:
            fact = Fact(**told | {"at": datetime.fromisoformat(told["at"])})
            shown[fact.first, fact.last, fact.kind] = containment.line(fact, slugs)
    return list(shown.values())


def _scope(copy: Copy, line: book.Line) -> dict[str, Any]:
    number, read = line.record.number, asked.read(line.said)
    names = [f"scopes/{number}.{kind}" for kind in ("txt", "json", "zip")]
    return {
        "number": number,
        "path": "" if read is None else read.question.path(),
        "asked": read,
        "files": [name for name in names if name in copy.parts],
    }


def _drafts_in(language: str) -> tuple[str, ...]:
    return tuple(f"{name}/{language}/" for name in DRAFTS)


def _verdict(line: str) -> tuple[str, str]:
    return line, next(state for begins, state in VERDICTS if line.startswith(begins))


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_bytes(data)
