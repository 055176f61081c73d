"""`noren customers import FILE.csv --shop SLUG`: takes a list of customers to the vault, each once.

Each row that cannot be taken is named with its line and the reason. The good ones are taken; with
--all-or-nothing none is while one is bad. Run it again after mending: nobody is doubled.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings
from tqdm import tqdm

from noren import people
from noren.people.importing import CustomerList, read
from noren.people.lists import REASONS
from noren.people.tables import NotAList
from noren.shops import directory


def main(argv: Sequence[str]) -> int:
    """Return the exit code: 1 when the file cannot be read, or none was taken for the sake of one."""
    parser = argparse.ArgumentParser(prog="noren customers import", description=__doc__)
    parser.add_argument("file", type=Path, metavar="FILE.csv")
    parser.add_argument("--shop", required=True, metavar="SLUG", help="whose customers they are")
    parser.add_argument("--all-or-nothing", action="store_true", help="take none while one is bad")
    parser.add_argument("--reason", choices=REASONS, default="moving", help="what for; it is on record")
    given = parser.parse_args(argv)
    shop_id = directory.shop_id(given.shop)
    if not settings.IDEMPOTENCY_KEY:
        raise RuntimeError("There is no key for the hashes of rows: has the system been set up?")
    try:
        customers = read(given.file.read_bytes(), settings.IDEMPOTENCY_KEY)
    except (OSError, NotAList) as error:
        sys.stderr.write(f"{given.file}: {error}\n")
        return 1
    return take(shop_id, customers, all_or_nothing=given.all_or_nothing, reason=given.reason)


def take(shop_id: int, customers: CustomerList, *, all_or_nothing: bool, reason: str = "moving") -> int:
    """Hand the rows to the vault and report; return the exit code."""
    persons, faults = 0, customers.faults
    if not (all_or_nothing and faults):
        with tqdm(total=len(customers.lines), unit="customer") as bar:
            taken = people.import_rows(
                shop_id,
                customers.rows,
                all_or_nothing=all_or_nothing,
                reason=reason,
                progress=lambda rows: _step(bar, rows),
            )
        persons, faults = len(taken.persons), customers.faults_with(taken.bad)
    for fault in faults:
        sys.stdout.write(f"{fault.words()}\n")
    sys.stdout.write(f"{persons} customers are there; {len(faults)} faults\n")
    return 1 if all_or_nothing and faults else 0


def _step(bar: "tqdm[object]", rows: int) -> None:
    bar.update(rows)
