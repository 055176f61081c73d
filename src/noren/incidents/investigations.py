"""`noren investigation open | close`: while one is open, looks for an incident are told to people later."""

import argparse
import sys
from collections.abc import Callable, Sequence

from noren import people
from noren.errors import NorenError
from noren.shops import directory

DONE, NOT_NOW = 0, 1


def open_one(words: Sequence[str]) -> int:
    """`noren investigation open NAME [--shop SLUG]`: a new one, of a shop or of all."""
    parser = argparse.ArgumentParser(prog="noren investigation open", description="Open an investigation.")
    parser.add_argument("name", help="a short code (a-z, 0-9, -); it stands in the ledger")
    parser.add_argument("--shop", metavar="SLUG", help="of this shop only")
    asked = parser.parse_args(words)

    def deed() -> None:
        shop_id = 0 if asked.shop is None else directory.shop_id(asked.shop)
        people.open_investigation(asked.name, shop_id=shop_id)

    return _tell(deed, f"Investigation {asked.name} is open.")


def close_one(words: Sequence[str]) -> int:
    """`noren investigation close NAME`: for good; what was withheld is shown."""
    parser = argparse.ArgumentParser(prog="noren investigation close", description="Close an investigation.")
    parser.add_argument("name")
    asked = parser.parse_args(words)
    return _tell(lambda: people.close_investigation(asked.name), f"Investigation {asked.name} is closed.")


def _tell(deed: Callable[[], None], done: str) -> int:
    try:
        deed()
    except NorenError as error:
        sys.stderr.write(f"noren: {error.words()}\n")
        return NOT_NOW
    sys.stdout.write(f"{done}\n")
    return DONE
