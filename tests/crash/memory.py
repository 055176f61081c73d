"""How much memory each part of a system has for itself, minute by minute, and whether that stays flat.

Counted is a process's own anonymous memory (Pss_Anon): what a leak grows. Files that it has mapped, and the
databases' shared buffers, which fill up to their fixed size, are left out.
"""

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.crash.system import System
from tests.runtime.up import descendants

SHARE = 0.05
MEGABYTES = 5.0
CONNECTIONS = 4.0
_CONNECTED = """
SELECT count(*) FROM pg_stat_activity WHERE usename IN ('noren_app', 'noren_worker', 'noren_vault')
"""

Sample = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Line:
    """One process's (or pool's) course: medians of the second and of the last quarter."""

    name: str
    unit: str
    early: float
    late: float
    allowed: float

    @property
    def flat(self) -> bool:
        return self.late <= self.allowed

    def words(self) -> str:
        mark = "ok  " if self.flat else "FAIL"
        return (
            f"{mark} {self.name}: {self.early:.1f} -> {self.late:.1f} {self.unit}, at most {self.allowed:.1f}"
        )


def judge(name: str, series: Sequence[float], *, unit: str = "MB", slack: float = MEGABYTES) -> Line:
    """Flat is: the last quarter's median lies at most 5 % and a fixed slack above the second quarter's.

    The first quarter is for what is loaded and kept on purpose.
    """
    quarter = len(series) // 4
    if quarter < 1:
        raise ValueError("four samples at least")
    early, late = statistics.median(series[quarter : 2 * quarter]), statistics.median(series[-quarter:])
    return Line(name, unit, early, late, early * (1 + SHARE) + slack)


def verdict(samples: Sequence[Sample]) -> list[Line]:
    """One line for each process, and for the connections to each database."""
    lines = []
    for name in samples[0]:
        series = [sample[name] for sample in samples]
        counted = name.startswith("connections")
        lines.append(judge(name, series, unit="open", slack=CONNECTIONS) if counted else judge(name, series))
    return lines


def sample(system: System) -> Sample:
    """Look at every part of the system once: megabytes, and numbers of connections."""
    assert system.up.process is not None
    parts = {"supervisor": [system.up.process.pid]}
    parts |= {name: [pid, *descendants(pid)] for name, pid in system.up.children().items()}
    found = {name: sum(map(private, pids)) for name, pids in sorted(parts.items())}
    found["connections to the app database"] = float(system.rows(_CONNECTED)[0][0])
    found["connections to the vault database"] = float(system.vault_rows(_CONNECTED)[0][0])
    return found


def private(pid: int) -> float:
    """A process's own memory in megabytes; of one that has just ended none."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    (kilobytes,) = (line.split()[1] for line in lines if line.startswith("Pss_Anon:"))
    return int(kilobytes) / 1024


def watch(system: System, *, seconds: float, every: float) -> list[Sample]:
    """Sample until the time is over."""
    samples = []
    begin = time.monotonic()
    while (passed := time.monotonic() - begin) < seconds:
        samples.append(sample(system))
        time.sleep(max(0.0, every - (time.monotonic() - begin - passed)))
    return samples
