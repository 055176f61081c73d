"""`noren telling ...`: make one, follow it, hold it. Agreeing needs a passkey, on the page."""

import argparse
import csv
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from noren import clock
from noren.errors import NorenError, ShopUnknown
from noren.incidents import telling
from noren.incidents.scope import PATHS, TAKEN, BadMoment, Question, moment
from noren.people import tellings
from noren.people.tellings import Telling
from noren.shops import directory

_DONE, _NOT_NOW, _ASKED_WRONGLY = 0, 1, 2


def begin(words: Sequence[str]) -> int:
    """Find who is to be told of an incident's leak. Nothing is sent: it prints the dry run."""
    parser = argparse.ArgumentParser(prog="noren telling begin", description=begin.__doc__)
    parser.add_argument("incident", metavar="INCIDENT", help="its id, as its page has it")
    parser.add_argument("--notice", metavar="NAME", required=True, help="the published notice to name")
    for kind in (*PATHS, *TAKEN):
        parser.add_argument(
            f"--{kind}", metavar="VALUE", action="append", default=[], help="as `noren scope` has it"
        )
    parser.add_argument("--all", action="store_true", help="whatever passed in the time, by every path")
    parser.add_argument("--shop", metavar="SLUG", help="only persons of this shop")
    parser.add_argument("--since", metavar="WHEN", required=True, help="1h, 7d, or 2026-11-22T09:30+09:00")
    parser.add_argument("--until", metavar="WHEN", default="0s", help="the same; now, unless given")
    parser.add_argument("--mails-per-minute", metavar="N", type=int, help="how fast (1800, at most 6000)")
    asked = parser.parse_args(words)
    named = {kind: tuple(getattr(asked, kind)) for kind in (*PATHS, *TAKEN) if getattr(asked, kind)}
    if not named and not asked.all:
        parser.error("name a path or a store, or ask for --all")
    try:
        now = clock.now()
        since, until = moment(asked.since, now=now), moment(asked.until, now=now)
        shop_id = None if asked.shop is None else directory.shop_id(asked.shop)
    except BadMoment as bad:
        return _refuse(str(bad), _ASKED_WRONGLY)
    except ShopUnknown as unknown:
        return _refuse(f"{asked.shop}: {unknown.words()}", _ASKED_WRONGLY)
    question = Question(since, until, named, shop_id)
    pace = asked.mails_per_minute

    def made() -> int:
        one = telling.begin(None, asked.incident, question, asked.notice, a_minute=pace)
        return _say(in_words(one))

    return _tell(made)


def show(words: Sequence[str]) -> int:
    """Print how a telling stands; with --csv write who was told what, when and how, by opaque ids."""
    parser = argparse.ArgumentParser(prog="noren telling show", description=show.__doc__)
    parser.add_argument("telling", metavar="ID", help="as `noren telling begin` printed it")
    parser.add_argument("--csv", metavar="FILE", type=Path, help="write the evidence there")
    asked = parser.parse_args(words)

    def shown() -> int:
        if asked.csv is not None:
            with asked.csv.open("w", encoding="utf-8", newline="") as file:
                csv.writer(file).writerows(telling.rows(None, asked.telling))
        return _say(in_words(tellings.show(None, asked.telling)))

    try:
        return _tell(shown)
    except OSError as fault:
        return _refuse(f"{asked.csv} cannot be written: {fault.strerror}", _NOT_NOW)


def stop(words: Sequence[str]) -> int:
    """Hold the mails of a telling back."""
    return _hold("stop", stop.__doc__, words, tellings.stop)


def resume(words: Sequence[str]) -> int:
    """Let the mails of a stopped telling go on."""
    return _hold("resume", resume.__doc__, words, tellings.resume)


def in_words(one: Telling) -> str:
    """How it stands, in lines. What is told and what is not adds up to the scope."""
    state = "stopped" if one.stopped else one.state
    counts = ", ".join(f"{name} {number}" for name, number in sorted(one.by.items()))
    lines = [
        f"{one.telling}  {one.made:%Y-%m-%d %H:%M} UTC  {state}",
        f"  in the scope: {one.scope} records, as of entry {one.size} of the ledger",
        f"  of these: {counts or 'nobody'}",
        f"  sha256:{one.hash}",
    ]
    if one.instead:
        number = sum(one.instead.values())
        lines.insert(3, f"  besides: {number} that stand for records which were joined to them")
    if one.nameless:
        lines.insert(3, f"  {one.nameless} account(s) of whom nobody knows whose they are")
    if one.state == "made":
        lines.append("  Nothing is sent. An operator agrees to it on its page, with a passkey.")
    return "\n".join(lines)


def _hold(
    command: str, about: str | None, words: Sequence[str], act: Callable[[str | None, str], None]
) -> int:
    parser = argparse.ArgumentParser(prog=f"noren telling {command}", description=about)
    parser.add_argument("telling", metavar="ID", help="as `noren telling begin` printed it")
    asked = parser.parse_args(words)

    def held() -> int:
        act(None, asked.telling)
        return _say(in_words(tellings.show(None, asked.telling)))

    return _tell(held)


def _tell(deed: Callable[[], int]) -> int:
    try:
        return deed()
    except NorenError as error:
        return _refuse(error.words(), _NOT_NOW)


def _say(text: str) -> int:
    sys.stdout.write(text + "\n")
    return _DONE


def _refuse(text: str, code: int) -> int:
    sys.stderr.write(f"noren: {text}\n")
    return code
