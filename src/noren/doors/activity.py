"""Who is connected now, as the server says: beside the log, and instead of one that cannot be read.

What it cannot see: a session that begins and ends between two looks; and, where the login has not
pg_read_all_stats, anything of others' sessions but login and database.
"""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg

from noren.doors.log import Session
from noren.runtime import doorkey

_SESSIONS: Final = """
SELECT pid, usename, datname, application_name, coalesce(host(client_addr), '[local]'),
    floor(extract(epoch FROM backend_start))::bigint
FROM pg_stat_activity
WHERE usename IS NOT NULL AND datid IS NOT NULL
    AND (backend_type IS NULL OR backend_type IN ('client backend', 'walsender'))
"""
_SETTINGS: Final = """
SELECT current_setting('logging_collector'), current_setting('log_destination'),
    current_setting('log_connections'), current_setting('log_disconnections')
"""
_CONNECTIONS: Final = ("on", "true", "yes", "1", "all")


@dataclass(frozen=True, slots=True)
class Present:
    """The sessions of a moment. `whole`: the login sees everything of them; else `hidden` are those it does
    not, of logins that are Noren's own.
    """

    sessions: tuple[Session, ...]
    whole: bool
    hidden: int


class Activity:
    """One lasting connection to one cluster. Raises psycopg.Error where it cannot be asked now."""

    def __init__(self, words: Mapping[str, Any]) -> None:
        """Keep psycopg's connection words; nothing is opened yet."""
        self._words = words
        self._connection: psycopg.Connection[Any] | None = None

    def present(self, own: frozenset[str] = frozenset()) -> Present:
        """Look. `own` are the logins of which a session that is hidden may be Noren's."""
        [(whole,)] = self._ask("SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')")
        found, hidden = [], 0
        for pid, login, database, application, host, started in self._ask(_SESSIONS):
            if started is None and login in own:
                hidden += 1
                continue
            seconds = int(started or 0)
            name = f"{seconds:x}.{pid:x}"
            found.append(Session(name, pid, login, database, host, seconds, application or ""))
        return Present(tuple(found), bool(whole), hidden)

    def logs(self) -> bool:
        """Whether the server writes its connection log as it must: asked anew, for a session keeps what
        it began with.
        """
        self.close()
        [(collector, destination, connections, ends)] = self._ask(_SETTINGS)
        opened = connections in _CONNECTIONS or "authorization" in connections
        return collector == "on" and "jsonlog" in destination and opened and ends == "on"

    def close(self) -> None:
        """Let go."""
        if self._connection is not None:
            with contextlib.suppress(psycopg.Error):
                self._connection.close()
            self._connection = None

    def _ask(self, query: str) -> list[tuple[Any, ...]]:
        if self._connection is None:
            words = doorkey.marked({"connect_timeout": 5, **self._words})
            self._connection = psycopg.connect(**words, autocommit=True)
        try:
            return self._connection.execute(query.encode()).fetchall()
        except psycopg.Error:
            self.close()
            raise


def readable(folder: Path) -> bool:
    """Whether a log's folder is there and ours to read."""
    try:
        next(folder.iterdir(), None)
    except OSError:
        return False
    return True
