"""`noren doors`, `noren doors explain`: foreign sessions at the databases, and why one was all right.

Each returns the exit code: 0 nothing left to explain, 1 something is (or not possible now).
"""

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

from noren import clock
from noren.doors.watch import DIGEST_SECONDS
from noren.people import doors as vault
from noren.people.doors import Digest, Door

_GAP: Final = timedelta(seconds=2 * DIGEST_SECONDS)


def listed(words: Sequence[str]) -> int:
    """`noren doors`: list the sessions that no known process of Noren opened, and when nobody watched."""
    parser = argparse.ArgumentParser(
        prog="noren doors", description="List foreign sessions at the databases."
    )
    parser.add_argument("--days", type=int, default=30, help="how far back (default: 30)")
    parser.add_argument("--json", action="store_true", help="print JSON for a program")
    asked = parser.parse_args(words)
    now = clock.now()
    since = now - timedelta(days=asked.days)
    found = vault.doors(since=since, until=now + timedelta(days=1))
    digests = [one for one in vault.digests() if one.at >= since]
    if asked.json:
        sys.stdout.write(json.dumps([_plain(one) for one in found], indent=2) + "\n")
    else:
        lines = [line for one in found for line in _lines(one)]
        lines += [line for cluster in ("app", "vault") for line in _watched(cluster, digests)]
        left = sum(one.explained is None for one in found)
        lines.append(f"{len(found)} foreign sessions or changed logs, {left} not explained.")
        sys.stdout.write("\n".join(lines) + "\n")
    return 1 if any(one.explained is None for one in found) else 0


def explain(words: Sequence[str]) -> int:
    """`noren doors explain ID --because TEXT`: put on record that a sign was looked into."""
    parser = argparse.ArgumentParser(
        prog="noren doors explain", description="Put on record that a sign was looked into."
    )
    parser.add_argument("session", metavar="ID", help="as `noren doors` names it")
    parser.add_argument("--because", metavar="TEXT", required=True, help="why it was all right; kept sealed")
    asked = parser.parse_args(words)
    vault.explain(asked.session, asked.because)
    sys.stdout.write(f"{asked.session} is explained, on record.\n")
    return 0


def _lines(one: Door) -> list[str]:
    ended = "not ended that we know" if one.ended is None else f"to {_time(one.ended)}"
    told = f"login {one.login or '-'}, database {one.database or '-'}, from {one.host or '-'}"
    ask = f"noren scope --door {one.session} --since {_scope_time(one.started)}"
    lines = [
        f"{one.session}  {', '.join(one.why)}",
        f"  {one.cluster} database, {_time(one.started)} {ended}",
        f"  {told}, says it is {one.application or '-'}",
        f"  entries {', '.join(map(str, one.entries))}; whose data: {ask}",
    ]
    return [*lines, f"  explained: {one.explained}"] if one.explained is not None else lines


def _watched(cluster: str, digests: Sequence[Digest]) -> list[str]:
    """Say until when somebody watched, and when nobody did: what the log had was read afterwards."""
    times = [one.at for one in digests if one.cluster == cluster]
    if not times:
        return [f"{cluster} database: not watched in this time."]
    gaps = [
        f"{cluster} database: not watched from {_time(a)} to {_time(b)}"
        for a, b in pairwise(times)
        if b - a > _GAP
    ]
    return [*gaps, f"{cluster} database: last looked at {_time(times[-1])}, {_how(digests, cluster)}"]


def _how(digests: Sequence[Digest], cluster: str) -> str:
    last = [one for one in digests if one.cluster == cluster][-1]
    return (
        "by its log" if last.file != "activity" else "by who was there at the moment (noren doctor says more)"
    )


def _plain(one: Door) -> dict[str, object]:
    return {
        name: value.isoformat() if isinstance(value := getattr(one, name), datetime) else value
        for name in one.__dataclass_fields__
    }


def _time(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _scope_time(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
