"""`noren keys`: which keys the vault has, their rotation, and the end of retired ones."""

import argparse
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from noren import people
from noren.errors import VaultUnavailable
from noren.people import KeyRotation

_LOOK_SECONDS: Final = 0.5


def keys(words: Sequence[str]) -> int:
    """List, rotate or retire the vault's keys. A rotation goes on by itself, also after a crash."""
    parser = argparse.ArgumentParser(prog="noren keys", description=keys.__doc__)
    deeds = parser.add_subparsers(dest="deed", required=True, metavar="DEED")
    deeds.add_parser("list", help="every key by its id, and what state it is in")
    deeds.add_parser("status", help="the rotations, how far they are, and what is left under old keys")
    rotate = deeds.add_parser("rotate", help="make new keys and bring everything under them")
    rotate.add_argument("what", choices=("epoch", "data", "index", "pepper"))
    rotate.add_argument("--no-wait", action="store_true", help="begin it, and do not wait for its end")
    retire = deeds.add_parser("retire", help="destroy the keys whose day has come")
    retire.add_argument(
        "--now", metavar="KEY", help="destroy this retired key now: older backups die with it"
    )
    asked = parser.parse_args(words)
    if asked.deed == "rotate":
        return _rotate(asked.what, wait=not asked.no_wait)
    if asked.deed == "retire":
        return _say(f"Destroyed {people.retire_keys(asked.now)} key(s).")
    return _list() if asked.deed == "list" else _status()


def _list() -> int:
    for key in people.keys().keys:
        end = "" if key.destroyed is None else f"  destroyed {_day(key.destroyed)}"
        _say(f"{key.kind:6}  {key.number:4}  {key.id}  {key.state:9}  since {_day(key.since)}{end}")
    return 0


def _status() -> int:
    rotations = people.keys().rotations
    for one in rotations:
        _say(_line(one))
    return 0 if rotations else _say("No key was ever rotated.")


def _rotate(what: str, *, wait: bool) -> int:
    entry = people.rotate_keys(what)
    _say(f"Begun: entry {entry} of the ledger.")
    last = ""
    while wait:
        try:
            one = next(one for one in people.keys().rotations if entry in one.entries)
        except VaultUnavailable:
            # It was stopped, or crashed: the next start goes on.
            time.sleep(_LOOK_SECONDS)
            continue
        if (line := _line(one)) != last:
            last = line
            _say(line)
        if len(one.entries) == 2:
            break
        time.sleep(_LOOK_SECONDS)
    return 0


def _line(one: KeyRotation) -> str:
    unit = "rows" if one.what == "pepper" else "persons"
    state = f"{one.done} of {one.total} {unit}, {one.left} left under old keys"
    if one.ended is not None:
        state = f"done {one.ended:%Y-%m-%d %H:%M:%S} UTC: {one.done} {unit}, nothing left under old keys"
    key = f" {one.key}" if one.key else ""
    return f"{one.what}{key}  {state}  (entries {', '.join(map(str, one.entries))})"


def _day(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d}"


def _say(text: str) -> int:
    sys.stdout.write(text + "\n")
    return 0
