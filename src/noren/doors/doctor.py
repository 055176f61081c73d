"""`noren doctor`'s part: are the databases' logs as the ledger has them, and is every session explained?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import psycopg

from noren import clock
from noren.doors import log
from noren.doors.activity import Activity, readable
from noren.doors.judge import Judge
from noren.doors.walk import walk
from noren.doors.watch import DIGEST_SECONDS, Cluster, clusters
from noren.people import doors as vault
from noren.people.doors import Digest, Door
from noren.runtime import doorkey, env
from noren.runtime.paths import Paths

_BEGINNING: Final = datetime.fromtimestamp(0, UTC)
_LATE: Final = timedelta(seconds=2 * DIGEST_SECONDS + 60)


@dataclass(slots=True)
class Examined:
    """Findings (a code, where) that must be mended or explained, and what cannot be seen, in words."""

    findings: list[tuple[str, str]]
    unseen: list[str]


def examine() -> Examined:
    """Examine both clusters. Needs an administrator's process. VaultUnavailable, LedgerUnavailable."""
    given = env.read()
    keys = Paths.of(given).door_keys
    if not keys.exists():
        return Examined([], [])  # no system was ever started on this data folder
    digests = vault.digests()
    signs = vault.doors(since=_BEGINNING, until=clock.now() + timedelta(days=1))
    examined = Examined([], [])
    for one in signs:
        if one.explained is None:
            when = f"{one.started:%Y-%m-%d %H:%M:%SZ}"
            words = f"{one.session}: {', '.join(one.why)}; login {one.login or '-'}, {when}"
            examined.findings.append(("door", words))
    for cluster in clusters(given):
        mine = [one for one in digests if one.cluster == cluster.name]
        if not mine or clock.now() - mine[-1].at > _LATE:
            last = "never" if not mine else f"last at {mine[-1].at:%Y-%m-%d %H:%M:%SZ}"
            examined.findings.append(("door_unwatched", f"{cluster.name} database: {last}"))
        judge = Judge(doorkey.read(keys))
        if cluster.folder is None:
            examined.unseen.append(_by_url(cluster.name, mine))
        elif not readable(cluster.folder):
            examined.findings.append(("door_log_missing", f"{cluster.name} database: {cluster.folder}"))
        else:
            examined.findings += _logged(cluster, judge, mine, signs)
    return examined


def _logged(
    cluster: Cluster, judge: Judge, digests: Sequence[Digest], signs: Sequence[Door]
) -> list[tuple[str, str]]:
    """Hold the files against the digests, each session against the signs, and the settings."""
    if cluster.folder is None:
        return []
    known = {(one.session, why) for one in signs for why in one.why}
    explained = {one.session for one in signs if one.explained is not None}
    found = []
    newest = (digests[-1].file, digests[-1].size) if digests else None
    before = Judge(judge.keys)
    watched = _told_by_now(cluster, before, newest)
    for stranger in walk(cluster.folder, judge, digests).strangers:
        name = f"pg-{cluster.name}-{stranger.session.id}"
        if stranger.why in ("log_changed", "log_missing"):
            if name not in explained:
                found.append((f"door_{stranger.why}", f"{cluster.name} database: {stranger.session.id}"))
        elif (name, stranger.why) not in known and stranger.session.id in watched:
            found.append(("door_untold", f"{name}: {stranger.why}"))
    activity = Activity(cluster.words)
    try:
        if not activity.logs():
            found.append(("door_log_off", f"{cluster.name} database"))
    except psycopg.Error:
        found.append(("door_unreachable", f"{cluster.name} database"))
    finally:
        activity.close()
    return found


def _told_by_now(cluster: Cluster, judge: Judge, newest: tuple[str, int] | None) -> set[str]:
    """The foreign sessions up to the newest digest: by then their signs were on the ledger."""
    if cluster.folder is None or newest is None:
        return set()
    told = set()
    for event in log.read(cluster.folder, None):
        if (event.place.file, event.place.size) > newest:
            break
        stranger = judge.see(event)
        if stranger is not None:
            told.add(stranger.session.id)
    return told


def _by_url(name: str, digests: Sequence[Digest]) -> str:
    blind = bool(digests) and digests[-1].note.removeprefix("resumed.").startswith("blind")
    words = (
        f"{name} database: it is given by URL, and its connection log is not ours to read. Sessions that "
        "begin and end within 5 s are not seen here; keep the server's own log elsewhere"
    )
    if blind:
        words += (
            ". Its login lacks pg_read_all_stats (GRANT pg_read_all_stats TO ...): who signs in as one of "
            "Noren's own logins cannot be told from Noren"
        )
    return words
