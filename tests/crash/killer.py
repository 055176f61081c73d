"""Kills what runs, at random points of the load; the supervisor starts each again."""

import contextlib
import http.client
import os
import random
import signal
import threading
import time
from collections import Counter
from dataclasses import dataclass

from noren.runtime.record import started_at
from tests.crash.clients import API, Load
from tests.crash.system import SLUG, System
from tests.crash.trouble import Window
from tests.runtime.up import descendants, gone

HEALED = 120.0  # seconds within which everything must answer again
STEADY = 3.0  # seconds for which what is back must stay so
VICTIMS = {
    "web process": 4,
    "web": 2,
    "worker": 4,
    "backend": 3,
    "app database": 2,
    "vault": 2,
    "vault database": 1,
}
"""What is killed, and how often in proportion. A backend is any process of the app's database; its
postmaster then ends all others and recovers.
"""


@dataclass(frozen=True, slots=True)
class Kill:
    what: str
    pid: int


class Killer(threading.Thread):
    """Kills once in `every` operations, on average: first each kind once, then as it comes."""

    def __init__(self, system: System, load: Load, seed: int, every: int) -> None:
        super().__init__(name="killer", daemon=True)
        self.system = system
        self.load = load
        self.dice = random.Random(f"{seed} killer")
        self.every = every
        self.killed: Counter[str] = Counter()
        self._ended = threading.Event()
        self._watching: list[threading.Thread] = []

    def run(self) -> None:
        next_one = self.load.number + self._some()
        first = self.dice.sample(list(VICTIMS), len(VICTIMS))
        while not self._ended.wait(0.01):
            if self.load.number >= next_one:
                # Not on the edge of an operation: somewhere in it.
                self._ended.wait(self.dice.random() * 0.2)
                (any_one,) = self.dice.choices(list(VICTIMS), list(VICTIMS.values()))
                self.kill(first.pop() if first else any_one)
                next_one = self.load.number + self._some()

    def stop(self) -> None:
        """Kill no more, and wait until everything is back."""
        self._ended.set()
        self.join()
        for watch in self._watching:
            watch.join()

    def _some(self) -> int:
        return self.dice.randint(self.every // 3, self.every * 5 // 3)

    def kill(self, what: str) -> None:
        """Kill one of its kind, if one runs just now."""
        pid = self._pid(what)
        if pid is None:
            return
        window = self.load.trouble.opened(what)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        self.killed[what] += 1
        watch = threading.Thread(target=self._until_back, args=(Kill(what, pid), window), daemon=True)
        watch.start()
        self._watching.append(watch)

    def _pid(self, what: str) -> int | None:
        running = self.system.up.children()
        if what == "web process":
            return self._any(descendants(running["web"])) if "web" in running else None
        if what == "backend":
            return self._any(descendants(running["app database"])) if "app database" in running else None
        return running.get(what)

    def _any(self, pids: list[int]) -> int | None:
        return self.dice.choice(pids) if pids else None

    # -- back again

    def _until_back(self, kill: Kill, window: Window) -> None:
        """Close the window once it is back and stays so: a web whose process dies while it starts ends whole,
        and is started again with growing patience.
        """
        deadline = time.monotonic() + HEALED
        since: float | None = None
        while since is None or time.monotonic() < since + STEADY:
            if not self._is_back(kill):
                since = None
            elif since is None:
                since = time.monotonic()
            if time.monotonic() > deadline:
                self.load.wrong.append(f"{kill.what} was not back after {HEALED:.0f} s")
                break
            time.sleep(0.05 if since is None else 0.5)
        self.load.trouble.closed(window, since)

    def _is_back(self, kill: Kill) -> bool:
        """What was killed runs, and answers."""
        running = self.system.up.children()
        part = {"web process": "web", "backend": "app database"}.get(kill.what, kill.what)
        if started_at(kill.pid) or part not in running or not started_at(running[part]):
            return False
        if part == "web":
            return len(descendants(running["web"])) >= 2 and self._answers()
        if part == "worker":
            return True
        return self._answers() if part == "app database" else self.system.vault_answers()

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.system.up.port, timeout=20)
        try:
            connection.request("GET", f"{API}/shops/{SLUG}/services", headers={"Host": "localhost"})
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def everything(system: System) -> None:
    """Kill the supervisor and with it whatever it runs, as when the machine is switched off; start again."""
    up = system.up
    assert up.process is not None
    everybody = descendants(up.process.pid)
    up.stop(signal.SIGKILL)
    for pid in everybody:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    gone(everybody)
    up.start()
    assert up.opens(), up.text()
