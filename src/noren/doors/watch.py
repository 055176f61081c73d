"""`python -m noren.doors.watch`: follows both clusters' connection logs, and tells the vault what is foreign.

It keeps nothing of its own: how far a log was read stands on the ledger, and at each start the logs are read
from their beginning, so that a session that was opened while nobody watched is found.
"""

import argparse
import contextlib
import signal
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import django
import psycopg
import structlog

from noren.doors import log
from noren.doors.activity import Activity
from noren.doors.judge import Judge, Stranger
from noren.doors.log import Event, Place
from noren.doors.walk import ACTIVITY, RETIRED, about, proved, walk
from noren.errors import LedgerUnavailable, VaultUnavailable
from noren.people import doors as vault
from noren.runtime import databases, doorkey, env
from noren.runtime.env import Env
from noren.runtime.paths import Paths

DIGEST_SECONDS: Final = 600.0
KEPT_SECONDS: Final = 30 * 86_400
_LOOK_SECONDS: Final = 1.0
_PRESENT_SECONDS: Final = 5.0
_SETTING_SECONDS: Final = 60.0
_MOST: Final = 200  # signs in one report
_log = structlog.get_logger("doors")


@dataclass(frozen=True, slots=True)
class Cluster:
    """One side's server. `folder` is its log's; None where the server is given by URL and keeps its own."""

    name: str
    folder: Path | None
    words: Mapping[str, Any]
    logins: frozenset[str]


def clusters(given: Env) -> list[Cluster]:
    """The sides that are on this host. Needs their secrets: for the one who started the system."""
    return [
        *([_app(given)] if given.app_here else []),
        *([_vault(given)] if given.vault_here else []),
    ]


def _app(given: Env) -> Cluster:
    folder = Paths.of(given).app_pg_log if given.database_url is None else None
    return _cluster("app", folder, databases.app(given, "owner"), databases.APP_LOGINS.values())


def _vault(given: Env) -> Cluster:
    folder = Paths.of(given).vault_pg_log if given.vault_database_url is None else None
    return _cluster("vault", folder, databases.vault(given, "migrator"), databases.VAULT_LOGINS.values())


def _cluster(name: str, folder: Path | None, words: Mapping[str, Any], logins: Iterable[str]) -> Cluster:
    return Cluster(name, folder, words, frozenset({*logins, str(words.get("user"))}))


class Telling:
    """What is to be told of one cluster. Kept until the vault has written it down, and told in pieces."""

    def __init__(self, name: str, every: float) -> None:
        self._name = name
        self._every = every
        self._signs: list[Stranger] = []
        self._ended: list[tuple[str, int]] = []
        self._foreign: set[str] = set()
        self._due = 0.0
        self.opened = self.refused = self.strange = 0

    def sign(self, stranger: Stranger) -> None:
        self._signs.append(stranger)
        self._foreign.add(stranger.session.id)
        self.strange += 1

    def end(self, session: str, at: float) -> None:
        if session in self._foreign:
            self._foreign.discard(session)
            self._ended.append((session, int(at * 1000)))

    def end_all(self, at: float) -> None:
        for session in sorted(self._foreign):
            self.end(session, at)

    @property
    def due(self) -> bool:
        """Whether it is time for a digest: the first one at once, so that a start is seen."""
        return time.monotonic() >= self._due

    @property
    def full(self) -> bool:
        return len(self._signs) > _MOST

    def tell(self) -> None:
        """Tell signs and ends. Raises VaultUnavailable, LedgerUnavailable: it is told again then."""
        while self._signs or self._ended:
            signs, ended = self._signs[:_MOST], self._ended[:_MOST]
            vault.report(self._name, signs=[_sign(one) for one in signs], ended=ended)
            del self._signs[: len(signs)], self._ended[: len(ended)]

    def digest(self, place: Place | None, counted: str) -> None:
        """Tell how far the log was read (None: there is none), and begin to count anew."""
        note = counted if self._due else f"resumed.{counted}"
        where = place or Place(ACTIVITY)
        told = {"file": where.file, "size": where.size, "chain": where.chain, "note": note}
        vault.report(self._name, digest=told)
        self._due = time.monotonic() + self._every
        self.opened = self.refused = self.strange = 0

    def retire(self, file: str) -> None:
        vault.report(self._name, digest={"file": file, "size": 0, "chain": "", "note": RETIRED})


def _sign(one: Stranger) -> dict[str, Any]:
    session = one.session
    return {
        "session": session.id,
        "why": one.why,
        "login": session.login[:200],
        "database": session.database[:200],
        "host": session.host[:200],
        "application": session.application[:200],
        "started": session.started * 1000,
    }


class Logged:
    """A cluster whose log is ours to read: nothing is missed, and the server is asked beside it."""

    def __init__(self, cluster: Cluster, folder: Path, keys: Path, every: float) -> None:
        self._folder = folder
        self._name = cluster.name
        self._judge = Judge(doorkey.read(keys))
        self._telling = Telling(cluster.name, every)
        self._activity = Activity(cluster.words)
        self._place: Place | None = None
        self._began = False
        self._amiss: set[tuple[str, str]] = set()
        self._doubtful: set[str] = set()
        self._logs = True
        self._next_present = self._next_setting = 0.0

    def step(self) -> None:
        """Read what is new and tell it. Raises VaultUnavailable, LedgerUnavailable."""
        if not self._began:
            self._begin()
        if not self._telling.full:
            self._follow()
            self._compare()
        self._telling.tell()
        if self._telling.due:
            self._digest()

    def close(self) -> None:
        self._activity.close()

    def _begin(self) -> None:
        digests = [one for one in vault.digests() if one.cluster == self._name]
        walked = walk(self._folder, self._judge, digests)
        self._place = walked.place
        for stranger in walked.strangers:
            self._telling.sign(stranger)
            self._amiss.add((stranger.why, stranger.session.id))
        for session, at in walked.ended.items():
            self._telling.end(session, at)
        self._telling.opened, self._telling.refused = walked.opened, walked.refused
        self._began = True

    def _follow(self) -> None:
        self._still_there()
        for event in log.read(self._folder, self._place):
            self._place = event.place
            self._see(event)

    def _see(self, event: Event) -> None:
        telling = self._telling
        telling.opened += event.what == "opened"
        telling.refused += event.what == "refused"
        stranger = self._judge.see(event)
        if stranger is not None:
            telling.sign(stranger)
        elif event.what == "restarted":
            telling.end_all(event.at)
        elif event.what == "ended" and event.session is not None:
            telling.end(event.session.id, event.at)
        elif event.what == "unreadable":
            self._wrong("log_changed", event.place.file)

    def _still_there(self) -> None:
        place = self._place
        if place is None:
            return
        try:
            size = (self._folder / place.file).lstat().st_size
        except OSError:
            self._wrong("log_missing", place.file)
            return
        if size < place.size:
            self._wrong("log_changed", place.file)
            self._place = Place.begin(place.file)

    def _wrong(self, why: str, file: str) -> None:
        if (why, file) not in self._amiss:
            self._amiss.add((why, file))
            self._telling.sign(about(why, file))

    def _compare(self) -> None:
        """Hold the sessions of this moment against the log: one that is twice not in it is beside it."""
        if time.monotonic() < self._next_present:
            return
        self._next_present = time.monotonic() + _PRESENT_SECONDS
        try:
            self._look_at_setting()
            present = self._activity.present()
        except psycopg.Error:
            return  # it stops, or starts; the log says so
        if not present.whole or (self._place and ("log_missing", self._place.file) in self._amiss):
            return
        beside = {one.id: one for one in present.sessions if one.id not in self._judge.open}
        for session in sorted(beside.keys() & self._doubtful):
            if ("unlogged", session) not in self._amiss and self._judge.why(beside[session]):
                self._amiss.add(("unlogged", session))
                self._telling.sign(Stranger("unlogged", beside[session]))
        self._doubtful = set(beside)

    def _look_at_setting(self) -> None:
        if time.monotonic() < self._next_setting:
            return
        logs = self._activity.logs()
        self._next_setting = time.monotonic() + _SETTING_SECONDS
        if self._logs and not logs:
            self._telling.sign(about("log_off", f"settings.{int(time.time())}"))
        self._logs = logs

    def _digest(self) -> None:
        telling, place = self._telling, self._place
        if place is not None and (self._folder / place.file).exists() and not proved(self._folder, place):
            self._wrong("log_changed", place.file)
            telling.tell()
        counted = f"opened:{telling.opened}.refused:{telling.refused}.strange:{telling.strange}"
        telling.digest(place, counted)
        for file in log.files(self._folder):
            old = self._folder / file
            if place and file < place.file and old.lstat().st_mtime < time.time() - KEPT_SECONDS:
                telling.retire(file)
                old.unlink()


class Polled:
    """A cluster given by URL: asked every few seconds who is there. A session between is not seen."""

    def __init__(self, cluster: Cluster, keys: Path, every: float) -> None:
        self._cluster = cluster
        self._judge = Judge(doorkey.read(keys))
        self._telling = Telling(cluster.name, every)
        self._activity = Activity(cluster.words)
        self._there: set[str] = set()
        self._whole = False
        self._next_present = 0.0

    def step(self) -> None:
        """Look, and tell what is foreign. Raises VaultUnavailable, LedgerUnavailable."""
        if time.monotonic() >= self._next_present:
            self._next_present = time.monotonic() + _PRESENT_SECONDS
            with contextlib.suppress(psycopg.Error):
                self._look()
        self._telling.tell()
        if self._telling.due:
            how = "polled" if self._whole else "blind"
            self._telling.digest(None, f"{how}:{self._telling.opened}.strange:{self._telling.strange}")

    def close(self) -> None:
        self._activity.close()

    def _look(self) -> None:
        present = self._activity.present(self._cluster.logins)
        self._whole = present.whole
        database = str(self._cluster.words.get("dbname"))
        sessions = {one.id: one for one in present.sessions if one.database == database}
        for session in sorted(sessions.keys() - self._there):
            self._telling.opened += 1
            why = self._judge.why(sessions[session])
            if why:
                self._telling.sign(Stranger(why, sessions[session]))
        for session in sorted(self._there - sessions.keys()):
            self._telling.end(session, time.time())
        self._there = set(sessions)


Watcher = Logged | Polled


def watchers(given: Env, every: float) -> list[Watcher]:
    """One for each side."""
    keys = Paths.of(given).door_keys
    return [
        Polled(one, keys, every) if one.folder is None else Logged(one, one.folder, keys, every)
        for one in clusters(given)
    ]


def run(watching: list[Watcher], stop: threading.Event) -> None:
    """Watch until `stop` is set. While the vault does not answer, what was seen waits."""
    away = False
    while not stop.is_set():
        try:
            for one in watching:
                one.step()
            if away:
                _log.info("vault_is_back")
            away = False
        except (VaultUnavailable, LedgerUnavailable) as refusal:
            if not away:
                _log.warning("vault_does_not_take_signs", why=refusal.code)
            away = True
        stop.wait(_LOOK_SECONDS)
    for one in watching:
        one.close()


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m noren.doors.watch", description=__doc__)
    parser.add_argument(
        "--every", type=float, default=DIGEST_SECONDS, help="seconds from digest to digest (default: 600)"
    )
    every = parser.parse_args(argv).every
    django.setup()
    stop = threading.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: stop.set())
    watching = watchers(env.read(), every)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    run(watching, stop)
    return 0


if __name__ == "__main__":
    sys.exit(main())
