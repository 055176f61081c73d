"""`noren incident open` and `noren incident contain`: the same deeds as an incident's page, from the machine.

For when the pages may be what was broken, or nobody can sign in to them. Each is in the incident's book and
on the ledger as there; a shell needs no power, and lifts what an operator set.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from noren.errors import NorenError
from noren.incidents import book, containing, resetting
from noren.incidents.book import Kind
from noren.incidents.containing import Wanted
from noren.people import containment, incidents
from noren.shops import directory

DONE, NOT_NOW = 0, 1
# Whose: which of them each deed takes.
_WHOSE: Final[Mapping[str, tuple[str, ...]]] = {
    "end": ("session", "credential", "actor", "shop", "operators", "everybody"),
    "revoke": ("credential", "actor"),
    "reset": ("actor", "shop", "everybody", "scope"),
    "block": ("address", "device"),
    "lift": ("freeze", "hold", "block"),
}
_ABOUT: Final[Mapping[str, str]] = {
    "session": "one sign-in, as the ledger names it",
    "credential": "a passkey, password or API key: pk-..., pw-..., key-...",
    "actor": "somebody, by handle",
    "shop": "a shop, by its address",
    "operators": "every operator and auditor",
    "everybody": "everybody",
    "scope": "exactly those in a scope, by the number of its record in the book",
    "address": "an address, or a network: 203.0.113.0/24",
    "device": "a part of what a browser says it is",
    "freeze": "a freeze of lists",
    "hold": "a legal hold",
    "block": "a block of a path",
}
_LIFTED: Final[Mapping[str, str]] = {"freeze": "thaw", "hold": "release", "block": "open"}
_NAMELESS: Final = ("operators", "everybody")


def open_book(words: Sequence[str]) -> int:
    """`noren incident open TITLE`: open an incident's book and print its id; `--member` lets operators in."""
    parser = argparse.ArgumentParser(prog="noren incident open", description=_about(open_book))
    parser.add_argument("title", metavar="TITLE", help="in a few words")
    parser.add_argument("--member", metavar="HANDLE", action="append", default=[], help="who reads it")
    asked = parser.parse_args(words)
    return _tell(lambda: _opened(asked))


def contain(words: Sequence[str]) -> int:
    """`noren incident contain ID DEED`: contain a leak from the machine, as an incident's page does.

    The book takes what stood before, then the deed is done, then how it ended is written.
    """
    asked = _parser().parse_args(words)
    if asked.deed == "show":
        return _tell(lambda: _standing(asked.incident))
    return _tell(lambda: _did(asked))


def _opened(asked: argparse.Namespace) -> str:
    incident = incidents.open_one(None, book.say(Kind.OPENED, title=asked.title))
    for handle in asked.member:
        incidents.change_member(None, incident, handle, "in")
    return incident


def _did(asked: argparse.Namespace) -> str:
    touched = containing.contain(None, asked.incident, _wanted(asked))
    return f"Done; touched: {touched}. `noren incident contain {asked.incident} show` says what lasts."


def _wanted(asked: argparse.Namespace) -> Wanted:
    """Raises ShopUnknown."""
    deed, because = asked.deed, asked.because
    given = {kind: value for kind in _WHOSE.get(deed, ()) if (value := getattr(asked, kind))}
    whose, value = next(iter(given.items()), ("", ""))
    if deed == "lift":
        return Wanted(_LIFTED[whose], because, value, of=value)
    if deed in ("freeze", "hold"):
        shop_id = directory.shop_id(asked.shop) if asked.shop else None
        days = asked.days if deed == "hold" else 0
        return Wanted(deed, because, asked.shop or "*", shop_id=shop_id, days=days)
    if whose == "scope":
        return resetting.those(None, asked.incident, int(value), reading=None).wanted(because)
    name = "" if whose in _NAMELESS else str(value)
    return Wanted(
        "end_grants" if deed == "end" else deed,
        because,
        f"{whose} {name}".strip(),
        whose=whose,
        name=name,
        shop_id=directory.shop_id(name) if whose == "shop" else None,
        hours=asked.hours if deed == "block" else 0,
    )


def _standing(incident: str) -> str:
    holds, freezes = containment.contained(None, incident)
    lasting = [f"freeze  {one.freeze}  {one.since:%Y-%m-%d %H:%M} UTC" for one in freezes if not one.thawed]
    lasting += [
        f"hold    {one.hold}  looked at again {one.look_at:%Y-%m-%d}" for one in holds if not one.ended
    ]
    lasting += [
        f"block   {one.block}  until {one.until:%Y-%m-%d %H:%M} UTC  {one.kind} {one.name}"
        for one in containment.blocks(None, incident)
        if not one.opened
    ]
    return "\n".join(lasting) or "Nothing."


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="noren incident contain", description=_about(contain))
    parser.add_argument(
        "incident", metavar="ID", help="as `noren incident open` or its page's address names it"
    )
    deeds = parser.add_subparsers(dest="deed", metavar="DEED", required=True)
    added = {
        name: deeds.add_parser(name, help=about)
        for name, about in (
            ("end", "end sign-ins"),
            ("revoke", "revoke what somebody signs in with, for good"),
            ("reset", "have passwords set anew, with mails"),
            ("block", "let nobody sign in from somewhere for a time"),
            ("freeze", "let no list of customers leave"),
            ("hold", "delete nobody of a shop"),
            ("lift", "end a freeze, a hold or a block"),
            ("show", "what lasts, with ids"),
        )
    }
    for deed, kinds in _WHOSE.items():
        group = added[deed].add_mutually_exclusive_group(required=True)
        for kind in kinds:
            more: dict[str, Any] = {"action": "store_true"} if kind in _NAMELESS else {"metavar": "NAME"}
            more |= {"metavar": "RECORD", "type": int} if kind == "scope" else {}
            group.add_argument(f"--{kind}", help=_ABOUT[kind], **more)
    added["block"].add_argument("--hours", type=int, default=24, help="for how long (24)")
    added["freeze"].add_argument("--shop", metavar="NAME", help="a shop's; every shop's unless given")
    added["hold"].add_argument("--shop", metavar="NAME", required=True, help=_ABOUT["shop"])
    added["hold"].add_argument("--days", type=int, default=90, help="looked at again after so many (90)")
    for deed, one in added.items():
        if deed != "show":
            one.add_argument("--because", metavar="WORDS", default="", help="why, for the book")
    return parser


def _about(function: Callable[..., int]) -> str:
    return (function.__doc__ or "").split(": ", 1)[-1]


def _tell(deed: Callable[[], str]) -> int:
    try:
        text = deed()
    except NorenError as error:
        return _refuse(error.words())
    except RuntimeError as refused:  # the vault's words on what was asked
        return _refuse(str(refused))
    sys.stdout.write(text + "\n")
    return DONE


def _refuse(text: str) -> int:
    sys.stderr.write(f"noren: {text}\n")
    return NOT_NOW
