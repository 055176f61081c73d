"""`noren news export FOLDER`: all notices as files, for any host, when the platform is down.

Pages in both languages, feeds, texts, proofs and styles; no scripts, and no address of ours is needed to read
them. `noren-verify notice FOLDER` checks the texts there. It needs the database, and the vault where a proof
was not kept.
"""

import argparse
import sys
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from noren import clock
from noren.incidents import notice_feed, notices
from noren.incidents.models import NoticeVersion
from noren.incidents.notice_text import LANGUAGES
from noren.people import published
from noren.web import news, notice_pages, notice_words
from noren.web.notice_pages import Links

DONE, NOT_NOW = 0, 1
STYLES: Final = ("tokens", "base", "curtain", "button", "notice", "field", "news")
_BASE: Final = "web/news/exported.html"


def main(words: Sequence[str]) -> int:
    """Write it. 1 where something is there already, or a proof cannot be had."""
    parser = argparse.ArgumentParser(prog="noren news export", description="Write all notices as files.")
    parser.add_argument("folder", type=Path, help="a new or empty folder")
    folder: Path = parser.parse_args(words).folder
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        sys.stderr.write(f"noren: {folder} is not empty\n")
        return NOT_NOW
    rows = list(NoticeVersion.objects.order_by("notice", "number", "version"))
    proofs = {row.id: notices.proof_of(row.entry, row.proof) for row in rows}
    lacking = [news.file_name(row) for row in rows if not proofs[row.id]]
    if lacking:
        sys.stderr.write(f"noren: the vault does not answer, and no proof was kept of {', '.join(lacking)}\n")
        return NOT_NOW
    for row in rows:
        _write(folder / "texts" / f"{news.file_name(row)}.json", row.text)
        _write(folder / "texts" / f"{news.file_name(row)}.tlog-proof", proofs[row.id])
    for language in LANGUAGES:
        with translation.override(language):
            _pages(folder, language, rows)
    _around(folder)
    sys.stdout.write(f"{len(rows)} texts written to {folder}; noren-verify notice {folder} checks them.\n")
    return DONE


def _pages(folder: Path, language: str, rows: Sequence[NoticeVersion]) -> None:
    for notice, updates in notices.all_of(rows).items():
        up = "../../"
        told = news.told_of(notice, _links(up, language), _BASE)
        _page(folder, f"{language}/{notice}/index.html", "notice", told)
        for one in updates:
            told = news.told_of_one(notice, one.number, _links(up, language), _BASE)
            _page(folder, f"{language}/{notice}/{one.number}.html", "update", told)
    _page(folder, f"{language}/index.html", "list", news.listed(_links("../", language), _BASE))
    _page(folder, f"{language}/check.html", "check", news.told_how(_links("../", language), _BASE))
    newest = sorted(rows, key=lambda one: (one.published_at, one.id), reverse=True)
    _write(folder / f"news.{language}.atom", notice_feed.atom(newest, "", language).decode())
    if language == LANGUAGES[0]:
        _page(folder, "index.html", "list", news.listed(_links("", language), _BASE))


def _links(up: str, language: str) -> Links:
    """Links from a page that lies so deep."""
    here = f"{up}{language}/"
    return Links(
        home=lambda: f"{here}index.html",
        notice=lambda notice: f"{here}{notice}/index.html",
        update=lambda notice, number: f"{here}{notice}/{number}.html",
        text=lambda row: f"{up}texts/{news.file_name(row)}.json",
        proof=lambda row: f"{up}texts/{news.file_name(row)}.tlog-proof",
        feed=lambda _notice: f"{up}news.{language}.atom",
        check=lambda: f"{here}check.html",
    )


def _page(folder: Path, path: str, template: str, told: dict[str, Any]) -> None:
    up = "../" * path.count("/")
    own = notice_pages.reading()[0]
    other = next(one for one in LANGUAGES if one != own)
    around = {
        "up_to": up,
        "styles": [f"{name}.css" for name in STYLES],
        "other": f"{up}{path.replace(own, other, 1) if '/' in path else f'{other}/index.html'}",
        "other_language": other,
        "other_name": notice_pages.NAMES[other],
        "made": notice_words.local(clock.now()),
        "origin": settings.NOREN_ORIGIN,
    }
    _write(folder / path, render_to_string(f"web/news/{template}.html", {**told, **around}))


def _around(folder: Path) -> None:
    """Styles, and the ledger's key and newest checkpoint where they can be read."""
    css = resources.files("noren.web") / "static" / "noren" / "css"
    for name in STYLES:
        _write(folder / "css" / f"{name}.css", (css / f"{name}.css").read_text(encoding="utf-8"))
    shown = published.checkpoint()
    if shown is not None:
        _write(folder / "vkey", f"{shown.vkey}\n")
        _write(folder / "checkpoint", shown.note)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
