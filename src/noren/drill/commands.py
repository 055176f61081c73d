"""`noren drill origin | app-root | vault-root | backup`: plays a leak on a copy with made-up people.

A whole system is started in a folder of its own; a thief, who knows only what lay in the thief's hand, takes
what can be taken; then the house does what it would do, and each figure it publishes is held against the
list that the thief kept outside. 0 where every figure is the truth, 1 where one is not.
"""

import argparse
import importlib
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from noren.drill.play import played
from noren.drill.report import Report, Took
from noren.drill.stage import Stage, stage

# How many customers each shop of a drill has. To meet a budget there must be more than it lets through.
DRILLS: Final[Mapping[str, Mapping[str, int]]] = {
    "origin": {"salon": 60, "clinic": 40},
    "app-root": {"salon": 480, "clinic": 20},
    "vault-root": {"salon": 60, "clinic": 40},
    "backup": {"salon": 60, "clinic": 40},
}
_SEED: Final = 7


def main(words: Sequence[str]) -> int:
    """Play one. Return the exit code."""
    parser = argparse.ArgumentParser(prog="noren drill", description=__doc__)
    parser.add_argument("drill", choices=DRILLS, help="which leak is played")
    parser.add_argument("--seed", type=int, default=_SEED, metavar="N", help="of the people who are made up")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="a new or empty folder, left as it is")
    parser.add_argument("--json", action="store_true", help="print JSON for a program")
    asked = parser.parse_args(words)
    report = play(asked.drill, asked.seed, asked.keep)
    sys.stdout.write((report.as_json() if asked.json else report.as_text()) + "\n")
    return report.code


def play(name: str, seed: int, keep: Path | None = None) -> Report:
    """Stage it, play it, and give its report. Raises StartRefused."""
    report, begun = Report(name, seed), time.perf_counter()
    with stage(seed, keep, DRILLS[name]) as made:
        # Only now: what a drill uses of the app needs the system that this process is set for.
        report.steps.append(Took("the stage is set", time.perf_counter() - begun, _who(made)))
        room = importlib.import_module(f"noren.drill.{name.replace('-', '_')}")
        return played(room.STEPS, room.drill(made, report), report)


def _who(made: Stage) -> str:
    shops = [f"{shop.slug}: {len(shop.customers)}" for shop in made.shops]
    return f"customers of {', '.join(shops)}"
