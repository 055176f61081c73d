"""The command line's part of this room: `noren scope`, `noren ledger ...`, `noren operator invite`.

Each function takes the words after its command and returns the exit code: 0 done, 1 not possible now (with
words why), 2 asked wrongly, 3 an answer that is not complete, 4 a build of the vault that was not published.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from django.conf import settings

from noren import clock, people
from noren.errors import NorenError, NoSuchEntry, NothingTaken, ShopUnknown
from noren.incidents import book, bundle, comparing, report
from noren.incidents import builds as listing
from noren.incidents.asked import said
from noren.incidents.scope import STORES, BadMoment, Question, ask, joined, moment, of_whole_persons
from noren.people import incidents
from noren.shops import directory

DONE, NOT_NOW, ASKED_WRONGLY, INCOMPLETE, UNPUBLISHED = 0, 1, 2, 3, 4
# Each may be given several times; the answer is of all together.
_NAMED: Final = (
    ("actor", "HANDLE", "somebody who signs in, such as aoi.salon"),
    ("credential", "ID", "one passkey"),
    ("session", "ID", "one sign-in"),
    ("process", "ID", "one process of the app side, as the ledger names it: uid:1000/4711.8812345"),
    ("address", "ADDRESS", "sign-ins from a network address, or a network: 192.0.2.0/24"),
    ("device", "TEXT", "sign-ins from a device: a part of what its browser says it is"),
    ("export", "ID", "one export"),
    ("store", "STORE", f"a store that was taken as it lay: {', '.join(STORES)}"),
    ("backup", "ID", "a backup that was taken"),
    ("key", "ID", "an epoch key that was taken (its id in hex)"),
    ("door", "ID", "a foreign session at a database, as `noren doors` names it"),
)


def scope(words: Sequence[str]) -> int:
    """`noren scope`: whose data, which fields, when, passed by one path. Complete up to the head it names."""
    parser = _scope_parser()
    asked = parser.parse_args(words)
    if not (asked.all or asked.person or any(getattr(asked, kind) for kind, _, _ in _NAMED)):
        parser.error("name a path, a store or a person, or ask for --all")
    if asked.complete and asked.bundle is None:
        parser.error("--complete is said of a --bundle")
    now = clock.now()
    try:
        question = _question(asked, now)
    except BadMoment as bad:
        return _refuse(str(bad), ASKED_WRONGLY)
    except ShopUnknown as unknown:
        return _refuse(f"{asked.shop}: {unknown.words()}", ASKED_WRONGLY)
    try:
        return _tell(lambda: _answer(question, asked))
    except NothingTaken as nothing:
        return _refuse(nothing.words(), ASKED_WRONGLY)


def rebuild_index(words: Sequence[str]) -> int:
    """`noren ledger rebuild-index`: build the search index anew from the ledger's files."""
    _parser("ledger rebuild-index", rebuild_index).parse_args(words)
    return _tell(lambda: _say(f"Indexed {people.rebuild_index()} entries."))


def checkpoint(words: Sequence[str]) -> int:
    """`noren ledger checkpoint`: print the newest signed checkpoint; keep it somewhere else."""
    _parser("ledger checkpoint", checkpoint).parse_args(words)
    return _tell(lambda: _say(people.checkpoint().rstrip("\n")))


def builds(words: Sequence[str]) -> int:
    """`noren ledger builds [--published FILE]`: which builds of the vault wrote the ledger's entries."""
    parser = _parser("ledger builds", builds)
    parser.add_argument(
        "--published", metavar="FILE", help="builds that were published, one a line; exits with 4 on another"
    )
    asked = parser.parse_args(words)
    published: frozenset[str] | None = None
    if asked.published is not None:
        try:
            published = listing.published(Path(asked.published).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            return _refuse(f"{asked.published}: {error}", ASKED_WRONGLY)
    return _tell(lambda: _list_builds(published))


def _list_builds(published: frozenset[str] | None) -> int:
    found = people.builds()
    _say(listing.as_text(found, published))
    return UNPUBLISHED if published is not None and listing.others(found, published) else DONE


def invite_operator(words: Sequence[str]) -> int:
    """`noren operator invite [--mail ADDRESS]`: a one-time link by which the first operator joins."""
    parser = _parser("operator invite", invite_operator)
    parser.add_argument("--mail", metavar="ADDRESS", help="send the link there as well")
    asked = parser.parse_args(words)
    return _tell(lambda: _say(_join_link(people.invite_operator(mail=asked.mail))))


def _join_link(token: str) -> str:
    return (
        f"{settings.NOREN_ORIGIN}/operations/join#{token}\n"
        "Open this link in the first operator's browser. It works once, and shows nothing to a server's log."
    )


def _scope_parser() -> argparse.ArgumentParser:
    parser = _parser("scope", scope)
    for kind, metavar, about in _NAMED:
        choices = STORES if kind == "store" else None
        parser.add_argument(
            f"--{kind}", metavar=metavar, action="append", default=[], help=about, choices=choices
        )
    parser.add_argument("--all", action="store_true", help="whatever passed in the time, by every path")
    parser.add_argument("--shop", metavar="SLUG", help="only persons of this shop")
    parser.add_argument(
        "--person", metavar="ID", action="append", default=[], type=_person, help="only these persons"
    )
    parser.add_argument("--since", metavar="WHEN", required=True, help="1h, 7d, or 2026-11-22T09:30+09:00")
    parser.add_argument("--until", metavar="WHEN", default="0s", help="the same; now, unless given")
    parser.add_argument(
        "--as-of", metavar="SIZE", type=_size, help="as the ledger stood when it had so many entries"
    )
    parser.add_argument(
        "--compare", metavar="SIZE", type=_size, help="say what has changed since it had so many entries"
    )
    parser.add_argument(
        "--untouched", action="store_true", help="count, too, who had rows in the time and is not in it"
    )
    parser.add_argument("--incident", metavar="ID", help="write the question and what came of it in its book")
    parser.add_argument("--json", action="store_true", help="print JSON for a program")
    parser.add_argument(
        "--bundle", metavar="FILE", type=Path, help="write what proves it, for `noren-verify bundle FILE`"
    )
    parser.add_argument(
        "--complete",
        action="store_true",
        help="with --bundle: every entry of the time, so that none can lack",
    )
    return parser


def _question(asked: argparse.Namespace, now: datetime) -> Question:
    since, until = moment(asked.since, now=now), moment(asked.until, now=now)
    if since >= until:
        raise BadMoment(f"--since {asked.since} is not before --until {asked.until}.")
    return Question(
        since=since,
        until=until,
        named={kind: tuple(getattr(asked, kind)) for kind, _, _ in _NAMED if getattr(asked, kind)},
        shop_id=None if asked.shop is None else directory.shop_id(asked.shop),
        persons=tuple(asked.person),
        size=asked.as_of,
    )


def _answer(question: Question, asked: argparse.Namespace) -> int:
    question = of_whole_persons(question)
    try:
        found = ask(question, untouched=asked.untouched or asked.incident is not None)
        then = None if asked.compare is None else ask(replace(question, size=asked.compare))
    except NoSuchEntry:
        return _refuse(f"the ledger has fewer than {asked.compare or asked.as_of} entries", NOT_NOW)
    into = joined(found)
    if asked.bundle is not None:
        try:
            bundle.write(asked.bundle, question, found, complete=asked.complete)
        except OSError as fault:
            return _refuse(f"{asked.bundle} cannot be written: {fault.strerror}", NOT_NOW)
    if asked.incident is not None:
        words = book.say(book.Kind.SCOPE, **said(question, found))
        incidents.add(None, asked.incident, book.Kind.SCOPE, words)
    compared = None if then is None else comparing.compare(then, found)
    if asked.json:
        told = report.as_json(question, found, into)
        _say(json.dumps(told | ({"compared": comparing.as_json(compared)} if compared else {}), indent=2))
    else:
        _say(report.as_text(question, found, into))
        if compared is not None:
            _say(f"\n{comparing.as_text(compared)}")
    return DONE if found.complete else INCOMPLETE


def _size(text: str) -> int:
    size = int(text)
    if size < 1:
        raise ValueError(text)
    return size


def _person(text: str) -> str:
    return str(UUID(text))


def _parser(command: str, function: Callable[..., int]) -> argparse.ArgumentParser:
    about = (function.__doc__ or "").split(": ", 1)[-1]
    return argparse.ArgumentParser(prog=f"noren {command}", description=about)


def _tell(deed: Callable[[], int]) -> int:
    try:
        return deed()
    except NothingTaken:
        raise
    except NorenError as error:
        return _refuse(error.words(), NOT_NOW)


def _say(text: str) -> int:
    sys.stdout.write(text + "\n")
    return DONE


def _refuse(text: str, code: int) -> int:
    sys.stderr.write(f"noren: {text}\n")
    return code
