"""`make crash SEED=7 OPERATIONS=10000`: prints one line a verdict; 1 where one fails."""

import argparse
import shutil
import sys

from tests.environment import TOP  # isort: skip - first: it sets Django up
from tests.crash import run
from tests.crash.system import running


def say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="make crash", description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--operations", type=int, default=10_000)
    parser.add_argument("--every", type=int, default=150, help="operations between two kills, on average")
    given = parser.parse_args()
    try:
        with running() as system:
            outcome = run.crash(system, seed=given.seed, operations=given.operations, every=given.every)
    finally:
        shutil.rmtree(TOP, ignore_errors=True)
    for line in outcome.lines():
        say(line)
    return 0 if outcome.good else 1


if __name__ == "__main__":
    sys.exit(main())
