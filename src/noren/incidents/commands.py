"""The command line's part of this room: `noren scope`, `noren ledger ...`, `noren operator invite`.

Each function takes the words after its command and returns the exit code: 0 done, 1 not possible now (with
words why), 2 asked wrongly, 3 an answer that is not complete, 4 a build of the vault that was not published.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from django.conf import settings

from noren import clock, people
from noren.errors import NorenError, ShopUnknown
from noren.incidents import builds as listing
from noren.incidents import report
from noren.incidents.scope import BadMoment, Question, ask, moment
from noren.shops import directory

DONE, NOT_NOW, ASKED_WRONGLY, INCOMPLETE, UNPUBLISHED = 0, 1, 2, 3, 4


def scope(words: Sequence[str]) -> int:
    """`noren scope`: whose data, which fields, when, passed by one path. Complete up to the head it names."""
    asked = _scope_parser().parse_args(words)
    now = clock.now()
    try:
        question = _question(asked, now)
    except BadMoment as bad:
        return _refuse(str(bad), ASKED_WRONGLY)
    except ShopUnknown as unknown:
        return _refuse(f"{asked.shop}: {unknown.words()}", ASKED_WRONGLY)
    return _tell(lambda: _answer(question, as_json=asked.json))


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
    path = parser.add_mutually_exclusive_group(required=True)
    path.add_argument("--actor", metavar="HANDLE", help="somebody who signs in, such as aoi.salon")
    path.add_argument("--credential", metavar="ID", help="one passkey")
    path.add_argument("--session", metavar="ID", help="one sign-in")
    parser.add_argument("--shop", metavar="SLUG", help="only persons of this shop")
    parser.add_argument("--since", metavar="WHEN", required=True, help="1h, 7d, or 2026-11-22T09:30+09:00")
    parser.add_argument("--until", metavar="WHEN", default="0s", help="the same; now, unless given")
    parser.add_argument("--json", action="store_true", help="print JSON for a program")
    return parser


def _question(asked: argparse.Namespace, now: datetime) -> Question:
    since, until = moment(asked.since, now=now), moment(asked.until, now=now)
    if since >= until:
        raise BadMoment(f"--since {asked.since} is not before --until {asked.until}.")
    return Question(
        since=since,
        until=until,
        actor=asked.actor,
        credential=asked.credential,
        session=asked.session,
        shop_id=None if asked.shop is None else directory.shop_id(asked.shop),
    )


def _answer(question: Question, *, as_json: bool) -> int:
    found = ask(question)
    if as_json:
        _say(json.dumps(report.as_json(question, found), indent=2))
    else:
        _say(report.as_text(question, found))
    return DONE if found.complete else INCOMPLETE


def _parser(command: str, function: Callable[..., int]) -> argparse.ArgumentParser:
    about = (function.__doc__ or "").split(": ", 1)[-1]
    return argparse.ArgumentParser(prog=f"noren {command}", description=about)


def _tell(deed: Callable[[], int]) -> int:
    try:
        return deed()
    except NorenError as error:
        return _refuse(error.words(), NOT_NOW)


def _say(text: str) -> int:
    sys.stdout.write(text + "\n")
    return DONE


def _refuse(text: str, code: int) -> int:
    sys.stderr.write(f"noren: {text}\n")
    return code
