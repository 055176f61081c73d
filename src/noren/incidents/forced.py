"""`noren resets ...`: after a leak, end the passwords of many accounts at once, and follow how that goes."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import UUID

from noren.errors import NorenError
from noren.people import forced
from noren.people.forced import Reset
from noren.shops import directory

_DONE, _NOT_NOW, _ASKED_WRONGLY = 0, 1, 2


def begin(words: Sequence[str]) -> int:
    """End sessions and passwords of these accounts now; each sets another one, and is told so by mail.

    1 when nobody among them can sign in, so that a mistyped name does not look like a success.
    """
    parser = argparse.ArgumentParser(prog="noren resets begin", description=begin.__doc__)
    whose = parser.add_mutually_exclusive_group(required=True)
    whose.add_argument("--everybody", action="store_true", help="every account of the platform")
    whose.add_argument("--shop", metavar="SLUG", help="everybody with an account in a shop")
    whose.add_argument("--actor", metavar="HANDLE", help="one account")
    whose.add_argument(
        "--scope",
        metavar="FILE",
        type=Path,
        help="the accounts of the persons in an answer of `noren scope --json`; - reads it here",
    )
    parser.add_argument(
        "--mails-per-minute", metavar="N", type=int, help="how fast they are told (300, at most 6000)"
    )
    asked = parser.parse_args(words)
    try:
        return _tell(lambda: _begin(asked))
    except (OSError, ValueError, KeyError, TypeError) as fault:
        return _refuse(f"{asked.scope}: not an answer of `noren scope --json` ({fault})", _ASKED_WRONGLY)


def show(words: Sequence[str]) -> int:
    """List the forced resets, the newest first: who was told, who has set another password."""
    parser = argparse.ArgumentParser(prog="noren resets show", description=show.__doc__)
    parser.parse_args(words)
    return _tell(_show)


def stop(words: Sequence[str]) -> int:
    """Hold the mails of a forced reset back. The accounts stay as they are."""
    return _hold("stop", words, forced.stop)


def resume(words: Sequence[str]) -> int:
    """Let the mails of a stopped forced reset go on."""
    return _hold("resume", words, forced.resume)


def in_words(one: Reset) -> str:
    """How it stands, in a line."""
    state = "stopped" if one.stopped else "done" if not one.waiting else f"{one.a_minute} mails a minute"
    return (
        f"{one.reset}  {one.asked:%Y-%m-%d %H:%M} UTC  {one.whose}  {state}\n"
        f"  {one.passwords} passwords ended, {one.ended} sessions; told {one.told}, "
        f"to be told {one.waiting}, failed {one.failed}, unknown {one.unknown}; set anew {one.set_anew}"
    )


def _begin(asked: argparse.Namespace) -> int:
    kind, name = "everybody", None
    persons: tuple[UUID, ...] = ()
    if asked.shop is not None:
        kind, name = "shop", directory.shop_id(asked.shop)
    elif asked.actor is not None:
        kind, name = "actor", asked.actor
    elif asked.scope is not None:
        kind, persons = "persons", _persons(asked.scope)
    try:
        begun = forced.begin(kind, name, persons=persons, a_minute=asked.mails_per_minute)
    except RuntimeError as refused:  # the vault's words on what was asked
        return _refuse(str(refused), _NOT_NOW)
    sys.stdout.write(
        f"{begun.reset}: {begun.accounts} account(s); {begun.ended} session(s) ended, "
        f"{begun.passwords} password(s) are to be set anew. `noren resets show` follows it.\n"
    )
    return _DONE


def _persons(path: Path) -> tuple[UUID, ...]:
    text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    answer = json.loads(text)
    persons = [one["person"] for one in answer["persons"]]
    # Of some it is only what they sign in with.
    holders = [one["person"] for one in answer.get("accounts", ()) if one["state"] != "not"]
    return tuple(dict.fromkeys(UUID(one) for one in [*persons, *holders] if one is not None))


def _show() -> int:
    found = forced.standing()
    sys.stdout.write("\n".join(in_words(one) for one in found) + "\n" if found else "There is none.\n")
    return _DONE


def _hold(command: str, words: Sequence[str], act: Callable[[str], None]) -> int:
    about = {"stop": stop.__doc__, "resume": resume.__doc__}[command]
    parser = argparse.ArgumentParser(prog=f"noren resets {command}", description=about)
    parser.add_argument("reset", metavar="ID", help="as `noren resets show` names it")
    asked = parser.parse_args(words)

    def held() -> int:
        act(asked.reset)
        return _show()

    return _tell(held)


def _tell(deed: Callable[[], int]) -> int:
    try:
        return deed()
    except NorenError as error:
        return _refuse(error.words(), _NOT_NOW)


def _refuse(text: str, code: int) -> int:
    sys.stderr.write(f"noren: {text}\n")
    return code
