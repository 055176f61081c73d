"""`noren messages unknown | resend | leave`: the messages of which nobody knows whether they arrived.

A crash fell between the mail server's answer and our record. None is sent again by itself: an operator looks
into the mail server's log and decides, and the decision is on record.
"""

import argparse
import json
import sys
from collections.abc import Sequence

from noren import people
from noren.errors import ShopUnknown
from noren.messages import log
from noren.messages.models import Message
from noren.people import Decision, Doubt
from noren.shops import directory
from noren.shops.tenancy import shop

PLATFORM = 0


def unknown(words: Sequence[str]) -> int:
    """List them: shop, key, customer's number, since when. Exit code 1 while there is one."""
    parser = argparse.ArgumentParser(prog="noren messages unknown", description=unknown.__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON for a program")
    as_json = parser.parse_args(words).json
    found = people.unknown_messages()
    if as_json:
        sys.stdout.write(json.dumps([_as_json(one) for one in found], indent=2) + "\n")
    else:
        sys.stdout.write("".join(_as_text(one) for one in found) or "No message is in doubt.\n")
    return 1 if found else 0


def resend(words: Sequence[str]) -> int:
    """Send it again, if what it says is still true. Should it have arrived, it is there twice."""
    shop_id, key = _named("resend", resend.__doc__, words)
    if not _resend(shop_id, key):
        sys.stdout.write("It is free to be sent again, but no job does that: an invitation is made anew.\n")
        return 0
    sys.stdout.write("It is sent again, if what it says is still true.\n")
    return 0


def leave(words: Sequence[str]) -> int:
    """Leave it as it is; it is not listed any more."""
    shop_id, key = _named("leave", leave.__doc__, words)
    people.decide_message(shop_id, key, Decision.LEAVE)
    sys.stdout.write("It is left.\n")
    return 0


def _resend(shop_id: int, key: str) -> bool:
    """Free the key and enqueue its job, both or neither; give whether there is a job for it."""
    if shop_id == PLATFORM:
        people.decide_message(shop_id, key, Decision.RESEND)
        return False
    with shop(shop_id):
        message = Message.objects.filter(key=key).first()
        if message is not None:
            log.enqueue(message, message.again)
        people.decide_message(shop_id, key, Decision.RESEND)
    return message is not None


def _named(command: str, about: str | None, words: Sequence[str]) -> tuple[int, str]:
    parser = argparse.ArgumentParser(prog=f"noren messages {command}", description=about)
    parser.add_argument("key", metavar="KEY", help="as `noren messages unknown` shows it")
    parser.add_argument("--shop", metavar="SLUG", help="whose message it is; left out: the platform's own")
    given = parser.parse_args(words)
    return PLATFORM if given.shop is None else directory.shop_id(given.shop), given.key


def _slug(shop_id: int) -> str:
    """A shop's address; that of the platform, and of a shop that was never made here, is empty."""
    try:
        return directory.slug(shop_id) if shop_id else ""
    except ShopUnknown:
        return ""


def _as_text(doubt: Doubt) -> str:
    of = _slug(doubt.shop_id)
    where = f"--shop {of} " if of else ""
    at = doubt.message.at.isoformat(timespec="seconds")
    return f"{where}{doubt.message.key}  customer {doubt.person}  since {at}  ({doubt.message.reason})\n"


def _as_json(doubt: Doubt) -> dict[str, object]:
    return {
        "shop": _slug(doubt.shop_id),
        "key": doubt.message.key,
        "person": str(doubt.person),
        "since": doubt.message.at.isoformat(),
        "reason": doubt.message.reason,
    }
