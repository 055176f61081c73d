"""Mutants: the engine changed in one small place after another, to see whether its tests notice.

`make mutate` tries them all and `make mutate FILE=grid` those of one file. A mutant that no test tells
apart is printed, unless docs/mutation.md says why; the last line says how many were killed. Fewer than 95 %
are a failure.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXPLANATIONS = ROOT / "docs/mutation.md"
LEAST = 95
"""Percent of the mutants that must be killed."""
_KILLED = ("killed", "timeout")
_ENTRY = re.compile(r"^- `([^`]+)`: `([^`]+)` → (?:`([^`]+)`|nothing)", re.MULTILINE)


@dataclass(frozen=True, order=True)
class Change:
    """What a mutant is: where, what stood there, and what stands there now."""

    place: str
    was: str
    becomes: str

    def __str__(self) -> str:
        return f"- `{self.place}`: `{self.was}` → " + (f"`{self.becomes}`" if self.becomes else "nothing")


def explained() -> list[Change]:
    """Return the mutants that docs/mutation.md explains."""
    return [Change(*entry) for entry in _ENTRY.findall(EXPLANATIONS.read_text(encoding="utf-8"))]


def mutate(folder: Path, modules: Sequence[str]) -> dict[str, str]:
    """Try the mutants of these modules of the engine, all when none is named: status by name."""
    patterns = [f"noren.engine.{module}.*" for module in modules]
    work = folder / "mutants"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    with (work / "run.log").open("w", encoding="utf-8") as log:
        done = subprocess.run(
            [_mutmut(), "run", "--max-children", "1", *patterns],
            cwd=folder,
            stdout=None if sys.stdout.isatty() else log,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        raise RuntimeError(f"mutmut failed: {(work / 'run.log').read_text(encoding='utf-8')[-2000:]}")
    found = re.findall(
        r"^ +(noren\.engine\.(\w+)\.\S+): (.+)$", _ask(folder, "results", "--all", "true"), re.MULTILINE
    )
    return {name: status for name, module, status in found if not modules or module in modules}


def survivors(folder: Path, statuses: dict[str, str]) -> list[Change]:
    """Return what no test has told apart from the engine."""
    return sorted(_change(folder, name) for name, status in statuses.items() if status not in _KILLED)


def _change(folder: Path, name: str) -> Change:
    lines = _ask(folder, "show", name).splitlines()
    taken, put = (
        " ".join(
            line[1:].strip() for line in lines if line.startswith(sign) and not line.startswith(sign * 3)
        )
        for sign in "-+"
    )
    place = name.removeprefix("noren.engine.").partition("__mutmut_")[0]
    return Change(re.sub(r"\.x(?:_|ǁ)", ".", place).replace("ǁ", "."), taken, put)


def _ask(folder: Path, *words: str) -> str:
    return subprocess.run([_mutmut(), *words], cwd=folder, check=True, capture_output=True, text=True).stdout


def _mutmut() -> Path:
    return Path(sys.executable).with_name("mutmut")


def main(modules: Sequence[str]) -> int:
    statuses = mutate(ROOT, modules)
    survived = survivors(ROOT, statuses)
    known = set(explained())
    open_ones = [change for change in survived if change not in known]
    for change in open_ones:
        print(change)
    killed = len(statuses) - len(survived)
    score = 100 * killed / len(statuses)
    print(
        f"mutants {len(statuses)}, killed {killed}, survived {len(survived)}"
        f" ({len(survived) - len(open_ones)} explained), score {score:.1f} %, limit {LEAST} %"
    )
    return int(score < LEAST)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
