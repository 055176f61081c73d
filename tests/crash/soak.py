"""`make soak MINUTES=60 SEED=7`: a steady load, and one line for each process: does its memory stay flat?"""

import argparse
import shutil
import sys
from dataclasses import dataclass

from tests.environment import TOP  # isort: skip - first: it sets Django up
from tests.crash import clients, memory, verdicts
from tests.crash.clients import Load
from tests.crash.run import counts
from tests.crash.staff import Reader
from tests.crash.system import System, running
from tests.crash.trouble import Trouble

SAMPLES = 60


@dataclass(frozen=True, slots=True)
class Soaked:
    """`samples` were taken while `load` ran; `read` counts the pages that were looked at."""

    samples: list[memory.Sample]
    load: Load
    read: dict[str, int]

    def lines(self) -> list[memory.Line]:
        return memory.verdict(self.samples)

    def faults(self) -> verdicts.Faults:
        """Return what was answered and may not be: nothing is killed here."""
        pages = [f"page {name}" for name in self.read if not name.endswith(" 200")]
        return [*verdicts.answers(self.load), *pages]


def soak(system: System, *, seed: int, seconds: float, rate: float, every: float) -> Soaked:
    """Load the system with so many operations a second, and look at it every so many seconds."""
    offers = clients.offers(system.up.port)
    load = Load(system.up.port, sys.maxsize, Trouble(), offers, rate)
    reader = Reader(system, offers, seed, 4 / rate)
    started = clients.start(load, seed)
    reader.start()
    samples = memory.watch(system, seconds=seconds, every=every)
    load.stop()
    reader.stop()
    for client in started:
        client.join()
    return Soaked(samples, load, dict(reader.answers))


def say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=float, default=5, help="operations a second")
    given = parser.parse_args()
    seconds = given.minutes * 60
    try:
        with running() as system:
            done = soak(
                system, seed=given.seed, seconds=seconds, rate=given.rate, every=max(1.0, seconds / SAMPLES)
            )
    finally:
        shutil.rmtree(TOP, ignore_errors=True)
    say(f"seed {given.seed}: {given.minutes:g} minutes, {done.load.number} operations")
    say(f"done: {counts(done.load.done)}; pages: {counts(done.read)}; {len(done.samples)} samples")
    lines, faults = done.lines(), done.faults()
    for line in lines:
        say(line.words())
    say("ok   answers" if not faults else "\n       ".join(["FAIL answers", *faults[:10]]))
    return 0 if not faults and all(line.flat for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
