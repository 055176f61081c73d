"""`noren shop import FILE.toml`: makes a shop as its file describes it, or brings it up to the file.

Where that touches bookings they are listed, and nothing is changed until it is said what becomes of them. So
are the fields that somebody has changed in the console since the file came in last, and that it would write
over: with --over it does.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from noren import clock, people
from noren.booking import changes
from noren.booking.changes import NONE, Choice, Choices
from noren.booking.impact import Touched
from noren.booking.models import ShopFile
from noren.errors import ChangeTouchesBookings, ShopFounded
from noren.shops import described, directory, importing, photo_files
from noren.shops.described import ShopGiven
from noren.shops.importing import Fields
from noren.shops.models import Shop
from noren.shops.photo_files import Drawn
from noren.shops.tenancy import shop


@dataclass(frozen=True, slots=True)
class Done:
    shop_id: int
    made: bool
    changed: bool
    touched: tuple[Touched, ...] = ()
    work_id: int | None = None
    over: tuple[str, ...] = ()
    """What was changed elsewhere since its file came in last, and written over."""


class ChangedElsewhere(Exception):
    """The file would write over what was changed elsewhere since it came in last: nothing was written."""

    def __init__(self, fields: tuple[str, ...]) -> None:
        super().__init__(", ".join(fields))
        self.fields = fields


@dataclass(frozen=True, slots=True)
class Found:
    """A shop as its file describes it, and the photos beside the file."""

    given: ShopGiven
    photos: tuple[Drawn, ...]


def main(argv: Sequence[str]) -> int:
    """Import files; nothing is written while any of them is faulty. Return the exit code."""
    parser = argparse.ArgumentParser(prog="noren shop import", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE.toml")
    parser.add_argument(
        "--touched", choices=[str(each) for each in Choice], help="what becomes of bookings that it touches"
    )
    parser.add_argument(
        "--over", action="store_true", help="write over what was changed in the console since"
    )
    words = parser.parse_args(argv)
    found = [_read(path) for path in words.files]
    shops = [each for each in found if each is not None]
    if len(shops) < len(found):
        _say("Nothing was imported.", error=True)
        return 1
    choices: Choices = Choice(words.touched) if words.touched else NONE
    return max([_bring_up(each, choices, over=words.over) for each in shops], default=0)


def write(
    given: ShopGiven, choices: Choices = NONE, *, now: datetime | None = None, over: bool = False
) -> Done:
    """Write a shop's rows in one transaction. A second time nothing changes, not even the revision.

    `now` is the present moment where it is not said. Raises ChangeTouchesBookings while a booking that this
    touches has no choice, and ChangedElsewhere for what it would write over, but for `over`: nothing is
    written then.
    """
    shop_id, moment = directory.found(given.slug), now or clock.now()
    with shop(shop_id):
        made = not Shop.objects.exists()
    told: set[str] = set()

    def apply() -> bool:
        kept = ShopFile.objects.first()
        fields = Fields({} if kept is None else kept.fields)
        changed = importing.apply(given, now=moment, fields=fields)
        told.clear()
        told.update(() if made else fields.over)
        if told and not over:
            raise ChangedElsewhere(tuple(sorted(told)))
        if kept is None:
            ShopFile.objects.create(fields=fields.now)
        elif kept.fields != fields.now:
            ShopFile.objects.filter(id=kept.id).update(fields=fields.now)
        return changed

    done = changes.change(shop_id, apply, choices, now=moment, by="system")
    return Done(shop_id, made, done.changed, done.touched, done.work_id, tuple(sorted(told)))


def _bring_up(found: Found, choices: Choices, *, over: bool) -> int:
    given = found.given
    try:
        done = write(given, choices, over=over)
    except ChangedElsewhere as refusal:
        for each in refusal.fields:
            _say(f"{given.slug}: was changed since, and would be written over: {each}")
        _say(f"{given.slug}: nothing was changed. Say --over to write over that.", error=True)
        return 1
    except ChangeTouchesBookings as refusal:
        _list(given.slug, refusal.facts["touched"])
        _say(f"{given.slug}: nothing was changed. Say --touched keep, move or cancel.", error=True)
        return 1
    state = "made" if done.made else "brought up to the file" if done.changed else "as in the file already"
    _say(f"{given.slug}: {state}; {len(given.resources)} staff and resources, {len(given.services)} services")
    _list(given.slug, done.touched)
    for each in done.over:
        _say(f"{given.slug}: was changed since, and is written over: {each}")
    if done.work_id is not None:
        _say(f"{given.slug}: they follow step by step: /console/changes/{done.work_id}")
    with shop(done.shop_id):
        shown = photo_files.show(found.photos)
    if shown:
        _say(f"{given.slug}: {shown} of its photos are shown anew")
    _invite(done.shop_id, given)
    return 0


def _list(slug: str, touched: Iterable[Touched]) -> None:
    for each in touched:
        _say(f"{slug}: touches booking {each.booking_id}, {each.start.isoformat()}: {each.why}")


def _read(path: Path) -> Found | None:
    try:
        given = described.read(path.read_text(encoding="utf-8-sig"))
        return Found(given, photo_files.draw(given, path.parent))
    except described.Faulty as faulty:
        for fault in faulty.faults:
            _say(f"{path}: {fault}", error=True)
    except (OSError, UnicodeDecodeError) as error:
        _say(f"{path}: cannot be read: {error}", error=True)
    return None


def _invite(shop_id: int, given: ShopGiven) -> None:
    """Tell the vault who works there; it mails each an invitation, and none twice."""
    try:
        invited = people.found_shop(shop_id, given.slug, given.members)
    except ShopFounded:
        _say(
            f"{given.slug}: its members are not those it was founded with, and were left alone: "
            "an owner changes them in the console.",
            error=True,
        )
        return
    for each in invited:
        _say(f"{given.slug}: {each.handle}: invitation {each.mail}")


def _say(line: str, *, error: bool = False) -> None:
    (sys.stderr if error else sys.stdout).write(f"{line}\n")
