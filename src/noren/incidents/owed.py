"""`noren duties`: which reports a leak makes due, to whom, until when, and what each must say."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

from noren import clock
from noren.incidents.duties import LAWS, Due, Kind, Law, Leak, NotInForce, law, met, owed
from noren.incidents.scope import BadMoment, moment


def main(words: Sequence[str]) -> int:
    """Say which reports a leak makes due to authorities, until when, and what each must say.

    Whether a law binds you, whether a kind is met, and whether encryption releases from a duty is for a
    person to decide; this counts the days, and writes nothing. 2 when asked wrongly.
    """
    asked = _parser().parse_args(words)
    try:
        known = moment(asked.known, now=clock.now())
        leak = Leak(known, asked.persons, frozenset(asked.kind))
        laws = [law(key, known) for key in asked.law or LAWS]
    except (BadMoment, NotInForce) as bad:
        sys.stderr.write(f"noren: {bad}\n")
        return 2
    unknown = leak.kinds - {kind.key for each in laws for kind in each.kinds}
    if unknown:
        sys.stderr.write(
            f"noren: {', '.join(sorted(unknown))}: no kind of {', '.join(e.key for e in laws)}\n"
        )
        return 2
    if asked.json:
        sys.stdout.write(
            json.dumps([as_json(each, leak) for each in laws], indent=2, ensure_ascii=False) + "\n"
        )
    else:
        sys.stdout.write("\n\n".join("\n".join(_lines(each, leak, asked.lang)) for each in laws) + "\n")
    return 0


def as_json(binding: Law, leak: Leak) -> dict[str, Any]:
    """Return what a law makes of a leak, for a program: instants in UTC, days in the law's zone."""
    return {
        "law": binding.key,
        "name": dict(binding.name),
        "authority": dict(binding.authority),
        "known": leak.known.isoformat(),
        "persons": leak.persons,
        "met": [kind.key for kind in met(binding, leak)],
        "owed": [
            {
                "key": due.key,
                "says": dict(due.says),
                "opens": due.opens and due.opens.isoformat(),
                "by": due.by.isoformat(),
                "counted": due.counted and due.counted.isoformat(),
            }
            for due in owed(binding, leak)
        ],
        "items": [
            {"key": item.key, "says": dict(item.says), "persons": item.persons} for item in binding.items
        ],
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="noren duties", description=main.__doc__)
    parser.add_argument(
        "--known", metavar="WHEN", required=True, help="when anybody of the house knew: 2h, or an instant"
    )
    parser.add_argument(
        "--persons", metavar="N", type=_number, required=True, help="whose data: a number, or `unknown`"
    )
    parser.add_argument(
        "--kind",
        metavar="KIND",
        action="append",
        default=[],
        help="what is found to be so: sensitive, property, unlawful (several times)",
    )
    parser.add_argument("--law", action="append", choices=LAWS, help="only this law (several times)")
    parser.add_argument("--lang", choices=("ja", "en"), default="en")
    parser.add_argument("--json", action="store_true", help="print JSON for a program")
    return parser


def _number(text: str) -> int | None:
    if text == "unknown":
        return None
    number = int(text)
    if number < 0:
        raise ValueError(text)
    return number


def _lines(binding: Law, leak: Leak, lang: str) -> Iterator[str]:
    yield f"{binding.name[lang]} ({binding.key}): {binding.authority[lang]}"
    kinds = met(binding, leak)
    if not kinds:
        yield "  Nothing is owed: " + "; ".join(_not_met(kind, lang) for kind in binding.kinds)
        return
    yield "  Because of: " + "; ".join(kind.says[lang] for kind in kinds)
    for due in owed(binding, leak):
        yield f"  {_when(due)}  {due.says[lang]}"
    yield "  It says:"
    for number, item in enumerate(binding.items, start=1):
        yield f"    {number}. {item.says[lang]}{'  (the persons are told this, too)' if item.persons else ''}"


def _not_met(kind: Kind, lang: str) -> str:
    least = f" (from {kind.least} persons)" if kind.least > 1 else ""
    return f"not {kind.key}{least}, {kind.says[lang]}"


def _when(due: Due) -> str:
    if isinstance(due.by, datetime):
        return f"until {due.by.isoformat(timespec='minutes')}"
    span = f"from {_day(due.opens)} " if due.opens else ""
    late = f" (counted: {_day(due.counted)}, the office is closed then)" if due.counted != due.by else ""
    return f"{span}until {_day(due.by)}{late}"


def _day(day: date | None) -> str:
    return f"{day:%a %Y-%m-%d}" if day else ""
