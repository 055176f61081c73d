"""How a drill is played: a list of steps, each with a name, timed, until one cannot be done.

A step takes the drill, does its deed as the people of the house would, puts what was published beside the
truth (`report`), and says in a line what it did. Another step is another line in a drill's list.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final, TypeVar

import psycopg

from noren import people
from noren.drill.report import Report, Took, Triple
from noren.drill.stage import Stage
from noren.errors import NorenError
from noren.people import ExposureState
from noren.runtime.env import StartRefused

VERIFY_SECONDS: Final = 120
Drill = TypeVar("Drill")
_FAULTS: Final = (NorenError, StartRefused, RuntimeError, OSError, LookupError, ValueError, psycopg.Error)
# A step by the name that stands in the report.
Step = tuple[str, Callable[[Drill], str]]


def played(steps: Sequence[Step[Drill]], drill: Drill, report: Report) -> Report:
    """Play the steps in their order; what cannot be done ends it, and stands in the report."""
    for name, act in steps:
        begun = time.perf_counter()
        try:
            says = act(drill)
        except _FAULTS as fault:
            report.broken = f"{name}: {type(fault).__name__}: {fault}"
            break
        report.steps.append(Took(name, time.perf_counter() - begun, says))
    return report


def exposed(found: people.Scope) -> set[Triple]:
    """Read of an answer whose fields are exposed, or possibly; `presence` is that she is a customer."""
    return _triples(found.persons)


def spared(found: people.Scope) -> set[Triple]:
    """Read of an answer whose fields stand in what was asked about, and cannot be read."""
    return _triples(found.spared)


def _triples(told: Iterable[people.Exposure]) -> set[Triple]:
    return {(one.shop_id, one.person, name) for one in told for name in one.fields}


def surely(found: people.Scope) -> bool:
    """Whether nothing in the answer is a mere possibility."""
    return all(one.state is ExposureState.EXPOSED for one in found.persons)


def verified(*words: str | Path) -> tuple[int, str]:
    """Ask the outsider's verifier, a process that knows nothing of this one; gives its code and its words."""
    command = [sys.executable, "-m", "noren_verify", *map(str, words)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=VERIFY_SECONDS, check=False, cwd="/"
    )
    return done.returncode, done.stdout + done.stderr


def vkey(stage: Stage) -> Path:
    """The file with the ledger's public key."""
    return stage.system.paths.ledger / "vkey"
