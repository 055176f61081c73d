"""A shop that its owner sets up in the console: founded hidden, written from her answers, then opened.

`noren shop new SLUG --owner MAIL` founds one and prints the link by which its owner joins.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings

from noren import clock, people
from noren.booking import changes
from noren.booking.changes import Choice
from noren.errors import NothingHere, NotOpenYet, ShopFounded
from noren.shops import described, directory, importing, setup
from noren.shops.models import Setup, Shop
from noren.shops.tenancy import shop

_OWNERS = {"ja": "オーナー", "en": "Owner"}


def main(argv: Sequence[str]) -> int:
    """`noren shop new SLUG --owner MAIL`: found a shop that nobody sees yet, and invite its owner.

    A second time its owner is invited anew, as long as she has not joined.
    """
    parser = argparse.ArgumentParser(prog="noren shop new", description=main.__doc__)
    parser.add_argument("slug", metavar="SLUG", help="its address: 2 to 39 of a-z, 0-9 and single hyphens")
    parser.add_argument("--owner", metavar="MAIL", required=True, help="where the invitation goes")
    parser.add_argument("--lang", choices=("ja", "en"), default="ja", help="the shop's first language (ja)")
    parser.add_argument("--zone", default="Asia/Tokyo", help="its time zone (Asia/Tokyo)")
    asked = parser.parse_args(argv)
    fault = _fault(asked.slug, asked.owner, asked.zone)
    if fault:
        return _refuse(fault)
    try:
        shop_id = found(asked.slug, locale=asked.lang, zone=asked.zone, now=clock.now())
        owner = people.Member("owner", "owner", None, _OWNERS[asked.lang], asked.owner)
        (invited,) = people.found_shop(shop_id, asked.slug, [owner], tell=True)
    except ShopFounded:
        return _refuse(f"{asked.slug}: there is such a shop already. Its owner changes it in the console.")
    if not invited.invite:
        return _refuse(f"{asked.slug}: its owner has joined, and signs in at /console/.")
    sys.stdout.write(
        f"{settings.NOREN_ORIGIN}/console/join#{invited.invite}\n"
        f"{asked.slug}: nobody sees it yet. This link, mailed to its owner too ({invited.mail}), works once, "
        "for seven days: she makes a passkey, sets the shop up and opens it.\n"
    )
    return 0


def _fault(slug: str, mail: str, zone: str) -> str:
    if not directory.is_free_word(slug):
        return f"{slug!r} cannot be an address: a-z, 0-9 and hyphens, no word of the house"
    if not described.is_mail(mail):
        return f"{mail!r} is no mail address"
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return f'{zone!r} is no time zone; write one like "Asia/Tokyo"'
    return ""


def _refuse(why: str) -> int:
    sys.stderr.write(f"{why}\n")
    return 1


def found(slug: str, *, locale: str, zone: str, now: datetime) -> int:
    """Make the shop, hidden; once is enough. Raises ShopFounded for one that is open."""
    shop_id = directory.found(slug)
    with shop(shop_id):
        row = Shop.objects.first()
    if row is not None:
        if row.published:
            raise ShopFounded
        return shop_id
    values = {"slug": slug, "zone": zone, "locale": locale, "name": {locale: slug}, "hours": "closed"}
    given = described.of(values, whole=False)
    hidden = replace(given, columns=given.columns | {"published": False})
    changes.change(shop_id, partial(importing.apply, hidden, now=now), now=now, by="system")
    return shop_id


def answer(shop_id: int, step: str, given: Any, *, now: datetime, by: str) -> None:
    """Keep an owner's answer; once all steps have theirs, the shop's rows are as they say.

    Raises NothingHere once the shop is open; described.Faulty, and then nothing is kept.
    """
    slug = directory.slug(shop_id)

    def write() -> bool:
        if Shop.objects.get().published:
            raise NothingHere
        kept = setup.keep(step, given)
        return setup.write(slug, kept, now=now) if setup.is_whole(kept) else False

    # What somebody brought in before the opening stays, to be looked at.
    changes.change(shop_id, write, Choice.KEEP, now=now, by=by)


def hang_out(shop_id: int, *, now: datetime, by: str) -> None:
    """Open the shop: from now on everybody sees it. Who did it, and when, is kept with it. Once is enough.

    Raises NotOpenYet (facts: lacks) while something is needed.
    """

    def write() -> bool:
        row = Shop.objects.get()
        if row.published:
            return False
        lacks = setup.lacking(row)
        if lacks:
            raise NotOpenYet(lacks=lacks)
        kept = Setup.objects.get()
        Setup.objects.filter(id=kept.id).update(opened_at=now, opened_by=by)
        return Shop.objects.update(published=True) > 0

    changes.change(shop_id, write, now=now, by=by)
