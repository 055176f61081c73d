"""`noren secrets`: every secret, where it lies, since when; and what is to be made anew after a leak."""

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django.conf import settings

from noren import clock
from noren.errors import NorenError
from noren.incidents import inventory, secret_words
from noren.incidents.inventory import STATES, Inventory, Reached, Row
from noren.incidents.scope import BadMoment, moment

_DONE, _LEFT, _ASKED_WRONGLY = 0, 1, 2
_UNKNOWN: Final = "not known"


def secrets(words: Sequence[str]) -> int:
    """List the secrets by name, without one of them. With both options: 1 while one is not made anew."""
    parser = argparse.ArgumentParser(prog="noren secrets", description=secrets.__doc__)
    parser.add_argument(
        "--reachable-from",
        metavar="X",
        action="append",
        default=[],
        help="only what is reached from a place, a store or a secret; may be repeated: all of them together",
    )
    parser.add_argument(
        "--since", metavar="WHEN", help="was it made anew since: 1h, 7d, 2026-11-22T09:30+09:00"
    )
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    asked = parser.parse_args(words)
    try:
        since = None if asked.since is None else moment(asked.since, now=clock.now())
    except BadMoment as bad:
        return _refuse(str(bad), _ASKED_WRONGLY)
    try:
        held = inventory.read(None, settings.ENV)
    except NorenError as refused:
        return _refuse(refused.words(), _LEFT)
    nodes = held.nodes()
    unknown = [one for one in asked.reachable_from if one not in nodes]
    if unknown:
        return _refuse(f"{', '.join(unknown)}: none of {', '.join(nodes)}", _ASKED_WRONGLY)
    found = (
        held.reached(asked.reachable_from, since) if asked.reachable_from else Reached(held.rows(since), {})
    )
    if asked.json:
        _say(json.dumps(to_json(held, found, asked.reachable_from, since), ensure_ascii=False, indent=1))
    else:
        _say("\n".join(as_text(held, found, since)))
    return (
        _LEFT
        if since is not None and any(one.verdict.state in ("no", "unknown") for one in found.rows)
        else _DONE
    )


def as_text(held: Inventory, found: Reached, since: datetime | None) -> list[str]:
    """Give the lines for a terminal."""
    lines: list[str] = []
    for one in found.rows:
        lines += [
            f"{one.name}: {secret_words.title(one)}",
            *(f"    {line}" for line in _about(held, one, since)),
        ]
    for name, through in found.stores.items():
        lines.append(f"reached: {secret_words.node(name, held)} ({_by(through)})")
    if since is not None:
        counts = found.counts()
        told = ", ".join(f"{counts[state]} {secret_words.STATE[state]}" for state in STATES if counts[state])
        lines.append(f"Since {_at(since)}: {told or 'nothing'}.")
    return lines


def _about(held: Inventory, one: Row, since: datetime | None) -> list[str]:
    fact = one.fact
    made = _at(fact.since) if fact.since else f"{_at(fact.latest)} at the latest" if fact.latest else _UNKNOWN
    lies = [*one.secret.at, *(secret_words.PLACE[place] for place in one.secret.lies)]
    lies += [f"{secret_words.PLACE[note.place]}: {note.words['text']}" for note in one.places]
    count = _UNKNOWN if fact.count is None else str(fact.count)
    lines = [f"how many: {count}{f', and {fact.kept} kept for older backups' if fact.kept else ''}"]
    lines += [f"since: {made}; last used: {_at(fact.used) if fact.used else _UNKNOWN}"]
    lines += [f"lies: {'; '.join(map(str, lies)) or _UNKNOWN}"]
    lines += [f"made anew: {' '.join(filter(None, (_how(one), one.secret.command)))}"]
    if one.through:
        lines.append(f"reached by: {_by(one.through)}")
    if opens := held.leads_to(one.name):
        lines.append(f"opens: {', '.join(opens)}")
    if since is not None:
        verdict = one.verdict
        when = f" {_at(verdict.at)}" if verdict.at else ""
        lines.append(
            f"{secret_words.STATE[verdict.state]}{when}{f', says {verdict.by}' if verdict.by else ''}"
        )
    return lines


def to_json(held: Inventory, found: Reached, starts: Sequence[str], since: datetime | None) -> dict[str, Any]:
    """Give the same for a program: instants as ISO 8601, what is not known as null."""
    return {
        "from": list(starts),
        "since": _iso(since),
        "secrets": [_row(held, one) for one in found.rows],
        "stores": {name: list(through) for name, through in found.stores.items()},
        "counts": found.counts() if since is not None else {},
    }


def _row(held: Inventory, one: Row) -> dict[str, Any]:
    fact, verdict = one.fact, one.verdict
    return {
        "name": one.name,
        "title": secret_words.title(one),
        "lies": list(one.secret.lies),
        "at": list(one.secret.at),
        "places": [
            {"place": note.place, "text": note.words["text"], "by": note.by, "at": _iso(note.at)}
            for note in one.places
        ],
        "count": fact.count,
        "since": _iso(fact.since),
        "latest": _iso(fact.latest),
        "used": _iso(fact.used),
        "kept": fact.kept,
        "shops": [
            {"shop": shop.shop_id, "count": shop.count, "since": _iso(shop.since), "used": _iso(shop.used)}
            for shop in fact.shops
        ],
        "how": _how(one),
        "command": one.secret.command,
        "opens": list(held.leads_to(one.name)),
        "through": list(one.through),
        "state": verdict.state,
        "made_anew": _iso(verdict.at),
        "by": verdict.by,
    }


def _how(one: Row) -> str:
    return str(one.row.words.get("how", "") if one.row is not None else secret_words.HOW[one.secret.how])


def _by(through: Sequence[str]) -> str:
    return " + ".join(through) or "asked from here"


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")


def _refuse(words: str, code: int) -> int:
    sys.stderr.write(f"noren secrets: {words}\n")
    return code
