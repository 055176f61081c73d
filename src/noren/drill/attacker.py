"""The thief: knows only what lay in the thief's hand, and keeps a list of their own, outside Noren.

Nothing of Noren is used here, as no thief would have it: HTTP, a database's login, a socket's frames. What
is kept are the bytes that came, and whose they are is found out afterwards by whoever made the people up.

As a program of its own (`python attacker.py SOCKET`) it is a process on the app's host, under the app's user.
"""

import http.client
import json
import os
import re
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psycopg

from noren.drill.browser import Browser

AGENT: Final = "curl/8.5.0"
_PERSON: Final = re.compile(r"/console/customers/([0-9a-f-]{36})")


@dataclass
class Loot:
    """What came into the thief's hand, as it came; it lies in a file of the thief's own, too."""

    file: Path
    pieces: list[str] = field(default_factory=list)

    def take(self, text: str) -> None:
        self.pieces.append(text)
        with self.file.open("a", encoding="utf-8") as file:
            file.write(f"{text}\n")

    @property
    def text(self) -> str:
        return "\n".join(self.pieces)


@dataclass
class ConsoleThief:
    """Somebody with a member's mail and password, at the console of the shop."""

    browser: Browser
    loot: Loot
    cards: set[str] = field(default_factory=set)
    """Whose card came, by its number: it is a thing to know that she is a customer."""

    def sign_in(self, slug: str, mail: str, password: str) -> bool:
        """Try the password where everybody does."""
        form = {"shop": slug, "mail": mail, "password": password}
        status = self.browser.post("/console/sign-in/password", form, of="/console/sign-in")
        return status == http.client.FOUND

    def read(self, path: str) -> bool:
        """Open a page; whether there was anything for the thief."""
        if self.browser.get(path) != http.client.OK:
            return False
        self.loot.take(self.browser.page)
        return True

    def search(self, query: str) -> list[str]:
        """Look for customers; gives the ids that the answer names."""
        if self.browser.post("/console/customers", {"query": query}) != http.client.OK:
            return []
        self.loot.take(self.browser.page)
        return sorted(set(_PERSON.findall(self.browser.page)))

    def card(self, person: str) -> bool:
        """Open a customer's card and tap on what is masked."""
        path = f"/console/customers/{person}"
        if self.browser.post(path, {"show": "card"}) != http.client.OK:
            return False
        self.loot.take(self.browser.page)
        self.cards.add(person)
        return True


@dataclass(frozen=True, slots=True)
class Seen:
    """What somebody at the app's database got: the session as the server names it, rows, and persons' ids."""

    session: str
    rows: int
    persons: frozenset[str]


def read_database(login: Mapping[str, str], loot: Loot) -> Seen:
    """Read all that a stolen login of a database may: one shop after another, every table."""
    rows = set[str]()
    with psycopg.connect(**dict(login), application_name="psql") as connection:  # type: ignore[arg-type]
        named = connection.execute(
            "SELECT to_hex(trunc(extract(epoch FROM backend_start))::integer) || '.' || to_hex(pid) "
            "FROM pg_stat_activity WHERE pid = pg_backend_pid()"
        ).fetchone()
        tables = connection.execute(
            "SELECT quote_ident(table_schema) || '.' || quote_ident(table_name) "
            "FROM information_schema.tables WHERE table_schema NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        for shop in range(1, 10):
            connection.execute("SELECT set_config('noren.shop', %s, false)", [str(shop)])
            for (table,) in tables:
                rows.update(f"{table} {row}" for row in _rows(connection, table))
    loot.take("\n".join(sorted(rows)))
    persons = re.findall(r'"person_id": ?"([0-9a-f-]{36})"', loot.text)
    return Seen(str(named[0]) if named else "", len(rows), frozenset(persons))


def _rows(connection: "psycopg.Connection[Any]", table: str) -> list[str]:
    try:
        with connection.transaction():
            found = connection.execute(f"SELECT to_jsonb(t)::text FROM {table} t".encode())  # noqa: S608
            return [str(row[0]) for row in found.fetchall()]
    except psycopg.Error:
        return []  # not for this login


# -- a process on the app's host


class Line:
    """The vault's socket, spoken to by whoever can open it: four bytes of length, and JSON."""

    def __init__(self, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(30)
        self._socket.connect(path)

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        frame = json.dumps({"v": 1, "method": method, "params": params}).encode()
        self._socket.sendall(len(frame).to_bytes(4, "big") + frame)
        length = int.from_bytes(self._exactly(4), "big")
        return dict(json.loads(self._exactly(length)))

    def _exactly(self, length: int) -> bytes:
        found = b""
        while len(found) < length:
            part = self._socket.recv(length - len(found))
            if not part:
                raise ConnectionResetError("the vault closed the line")
            found += part
        return found


def drain(line: Line, grant: str, persons: Sequence[str], fields: Sequence[str]) -> tuple[list[Any], str]:
    """Ask for everybody with a grant that passed by, until it is refused; gives the answers, and the why."""
    got: list[Any] = []
    for start in range(0, len(persons), 10):
        asked = {"purpose": "customer", "persons": list(persons[start : start + 10]), "fields": list(fields)}
        answer = line.ask("reveal", grant=grant, nonce=os.urandom(16).hex(), **asked)
        if "ok" not in answer:
            return got, str(answer.get("error", {}).get("code", ""))
        got.append(answer["ok"]["persons"])
    return got, ""


def name() -> str:
    """Name this process as the kernel has it: user, number, start."""
    stat = Path("/proc/self/stat")
    start = stat.read_text().rpartition(")")[2].split()[19] if stat.exists() else ""
    return f"uid:{os.geteuid()}/{os.getpid()}{'.' if start else ''}{start}"


def main() -> None:
    """Take what is told on the input (grant, persons, fields, methods) and write what came, as JSON."""
    told = json.load(sys.stdin)
    line = Line(sys.argv[1])
    got, why = drain(line, told["grant"], told["persons"], told["fields"])
    refused = {
        one: line.ask(one, **told["params"]).get("error", {}).get("code", "") for one in told["methods"]
    }
    json.dump({"name": name(), "got": got, "why": why, "refused": refused}, sys.stdout, ensure_ascii=False)


if __name__ == "__main__":
    main()
