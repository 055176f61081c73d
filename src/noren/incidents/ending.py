"""`noren grants end`: shut somebody out, a shop, or everybody, at once."""

import argparse
import sys
from collections.abc import Sequence

from noren import people
from noren.shops import directory


def end(words: Sequence[str]) -> int:
    """End living grants at once: each has to sign in again. It ends no passkey and no password.

    1 when there was none to end, so that a mistyped name does not look like a success.
    """
    parser = argparse.ArgumentParser(prog="noren grants end", description=end.__doc__)
    whose = parser.add_mutually_exclusive_group(required=True)
    whose.add_argument("--session", metavar="ID", help="one sign-in, as the ledger names it")
    whose.add_argument("--credential", metavar="ID", help="one passkey or password: pk-... or pw-...")
    whose.add_argument("--actor", metavar="HANDLE", help="somebody, whichever way they signed in")
    whose.add_argument("--shop", metavar="SLUG", help="everybody who is signed in to a shop")
    whose.add_argument("--operators", action="store_true", help="every operator")
    whose.add_argument("--everybody", action="store_true", help="everybody, customers and operators too")
    ((kind, value),) = ((key, value) for key, value in vars(parser.parse_args(words)).items() if value)
    name = directory.shop_id(value) if kind == "shop" else None if value is True else value
    ended = people.end_grants(kind, name)
    sys.stdout.write(f"Ended {ended} grant(s).\n")
    return 0 if ended else 1
