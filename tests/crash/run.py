"""The load, the kills, the rest, the verdicts."""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.crash import clients, facts, killer, verdicts
from tests.crash.clients import Load
from tests.crash.system import System
from tests.crash.trouble import Trouble
from tests.crash.verdicts import Faults

SHOWN = 10  # faults of one verdict


@dataclass
class Outcome:
    """What came out: the faults by verdict, what was done, and what the clients were told."""

    faults: dict[str, Faults] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    told: list[clients.Told] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not any(self.faults.values())

    def lines(self) -> list[str]:
        """One line a verdict, with its first faults below it."""
        lines = list(self.said)
        for name, faults in self.faults.items():
            lines.append(
                f"{'ok  ' if not faults else 'FAIL'} {name}" + (f" ({len(faults)})" if faults else "")
            )
            lines += [f"       {fault}" for fault in faults[:SHOWN]]
        return lines


def crash(system: System, *, seed: int, operations: int, every: int) -> Outcome:
    """Load, kill, kill everything at once, start again, wait for rest, and judge."""
    load = Load(system.up.port, operations, Trouble(), clients.offers(system.up.port))
    begin = time.monotonic()
    started = clients.start(load, seed)
    killing = killer.Killer(system, load, seed, every)
    killing.start()
    for client in started:
        client.join()
    killing.stop()
    end = time.monotonic()
    killer.everything(system)
    outcome = Outcome()
    outcome.faults["at_rest"] = [] if facts.rested(system) else ["jobs or holds are left"]
    outcome.told = [each for client in started for each in client.told]
    outcome.faults["doctor"] = doctor(system)
    found = facts.read(system, outcome.told)
    for verdict in verdicts.VERDICTS:
        outcome.faults[verdict.__name__] = verdict(found)
    outcome.faults["answers"] = verdicts.answers(load)
    took, down = end - begin, load.trouble.seconds(begin, end)
    outcome.said = [
        f"seed {seed}: {load.number} operations in {took:.0f} s, of which something was down {down:.0f}",
        *_said(load, killing, found),
    ]
    return outcome


def doctor(system: System) -> Faults:
    """What `noren doctor` finds."""
    done = system.noren("doctor")
    words = (done.stdout + done.stderr).splitlines()
    return [] if done.returncode == 0 and words == ["1 shops examined, 0 findings."] else words


def counts(of: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number}" for name, number in sorted(of.items())) or "none"


def _said(load: Load, killing: killer.Killer, found: facts.Facts) -> list[str]:
    states = Counter(message.state for message in found.messages)
    standing = sum(told.status == "confirmed" for told in found.told)
    lost = Counter(f"{one.status} {one.what}" for one in load.lost)
    return [
        f"done: {counts(load.done)}",
        f"kills: {counts(killing.killed)}, and everything at once at the end",
        f"refused: {counts(load.answers)}",
        f"bookings acknowledged {len(found.told)}, of them standing {standing}; mails {counts(states)}",
        f"tries without a certain answer: {counts(lost)}",
    ]
