"""The question after a leak over a large ledger: how long it takes, how large what proves it is.

ENTRIES=1000000 (10000000: the long form). The segments are written in bulk by the ledger's own frames and
heads; the index is made from them by the vault's `rebuild`, and held against a plain COPY of the same rows
into tables with the same indexes.
"""

import asyncio
import hashlib
import os
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from bench import measure
from bench.year import House, house, stage
from noren import people
from noren.incidents import bundle
from noren.incidents.scope import Question
from noren_vault.database import Database, Heads
from noren_vault.index import Index
from noren_vault.keys import ledger_key
from noren_vault.ledger import Entry, Ledger
from noren_vault.ledger.checkpoint import Head, sign_head
from noren_vault.ledger.frames import ENTRY, HEAD, encode_frame
from noren_vault.ledger.merkle import EMPTY_ROOT, CompactRange, leaf_hash
from noren_vault.ledger.note import Signer
from noren_vault.ledger.segments import SEGMENT_BYTES, opening, segment_path
from noren_vault.providers import FileProvider, Kind
from noren_vault.vault import build_hash
from noren_verify import bundle as verifier
from tests.servers import Server

ENTRIES = int(os.environ.get("ENTRIES", "1000000"))
YEAR_MS = 365 * 86_400_000
WORKERS, SHOPS, PERSONS = 1000, 100, 2000
_BATCH = 1000
_TIME, _PERSON, _REF = 1234567890123, "00000000-0000-4000-8000-000000000000", "R-E-F"
_TABLES = ("ledger_entry", "ledger_person")
# Of twenty entries: looks and their outcomes, bookings and mails of the app.
_KINDS = ("intent", "put", "intent", "send", "search", "intent", "send", "intent", "intent", "intent")


def person(shop: int, number: int) -> str:
    """A person's id, the same each time."""
    return f"{shop:08x}-0000-4000-8000-{number:012x}"


@dataclass
class Form:
    """The bytes of an entry around what differs: time, persons, ref."""

    parts: tuple[str, str, str, str]

    @classmethod
    def of(cls, entry: Entry) -> "Form":
        """Cut an entry's own canonical bytes at three marks."""
        text = entry.to_bytes().decode()
        before, rest = text.split(str(_TIME))
        middle, rest = rest.split(f'"{_PERSON}"')
        after, end = rest.split(_REF)
        return cls((before, middle, after, end))

    def fill(self, at: int, persons: str, ref: str) -> bytes:
        """Give the bytes of one entry."""
        before, middle, after, end = self.parts
        return f"{before}{at}{middle}{persons}{after}{ref}{end}".encode()


def entries(begin: int) -> Iterator[bytes]:
    """A year's entries: each act is followed by its outcome."""
    chance = random.Random(7)
    forms = {(worker, kind): _form(worker, kind) for worker in range(WORKERS) for kind in set(_KINDS)}
    outcome = Form.of(Entry(kind="outcome", time=_TIME, persons=(_PERSON,), ref=_REF, note="released"))
    for number in range(0, ENTRIES, 2):
        kind, worker = _KINDS[number // 2 % len(_KINDS)], chance.randrange(WORKERS)
        shop, at = worker % SHOPS + 1, begin + number * YEAR_MS // ENTRIES
        many = {"put": 1, "send": 1, "search": 2}.get(kind, 8)
        first = chance.randrange(PERSONS)
        named = ",".join(f'"{person(shop, (first + step) % PERSONS)}"' for step in range(many))
        yield forms[worker, kind].fill(at, named, "x")
        yield outcome.fill(at, "", str(number))


def _form(worker: int, kind: str) -> Form:
    app = kind in ("put", "send")
    who = f"ren{worker}.shop{worker % SHOPS + 1}"
    entry = Entry(
        kind=kind,
        time=_TIME,
        actor="app" if app else who,
        credential="uid:1000" if app else credential(worker),
        session="" if app else f"s-{hashlib.sha256(who.encode()).hexdigest()[:32]}",
        process="uid:1000/4711.8812345",
        shop=worker % SHOPS + 1,
        purpose="" if app else "today",
        persons=(_PERSON,),
        fields=("kana", "mail", "name", "phone") if app else ("kana", "name"),
        ref=_REF,
    )
    return Form.of(entry)


def credential(worker: int) -> str:
    """The name of a worker's passkey."""
    return f"pk-{hashlib.sha256(str(worker).encode()).hexdigest()[:24]}"


@dataclass
class Writer:
    """Writes segments as the sequencer does: batches, each closed by a signed head."""

    folder: Path
    signer: Signer
    tree: CompactRange = field(default_factory=CompactRange)
    number: int = 0
    out: bytearray = field(default_factory=bytearray)

    def write(self, all_of_them: Iterator[bytes]) -> None:
        """Write them all."""
        origin, head = self.signer.verifier.name, sign_head(self.signer, 0, EMPTY_ROOT)
        (self.folder / "segments").mkdir(parents=True)
        self.out += opening(origin, 0, 0, head.signed)
        batch: list[bytes] = []
        for entry in all_of_them:
            batch.append(entry)
            if len(batch) == _BATCH:
                head = self._close(batch, head)
        if batch:
            self._close(batch, head)
        self._flush()

    def _close(self, batch: list[bytes], before: Head) -> Head:
        frames = b"".join(encode_frame(ENTRY, entry) for entry in batch)
        if len(self.out) + len(frames) + 8192 > SEGMENT_BYTES:
            self._flush()
            self.number += 1
            origin = self.signer.verifier.name
            self.out = bytearray(opening(origin, self.number, self.tree.size, before.signed))
        for entry in batch:
            self.tree.append(leaf_hash(entry))
        head = sign_head(self.signer, self.tree.size, self.tree.root())
        self.out += frames + encode_frame(HEAD, head.signed.encode())
        batch.clear()
        return head

    def _flush(self) -> None:
        segment_path(self.folder, self.number).write_bytes(self.out)


def main() -> None:
    """Write, index, ask, prove."""
    with stage() as (server, mail, folder):
        begin = int(time.time() * 1000) - YEAR_MS - 86_400_000
        with house(server, mail, folder, begin + YEAR_MS + 1000) as place:
            _write(place, begin)
            asyncio.run(_index(place))
            _plain(place, server)
            with place.simulated():
                _ask(place, datetime.fromtimestamp(begin / 1000, UTC) + timedelta(days=200))


def _write(place: House, begin: int) -> None:
    given = place.configured
    provider = FileProvider(given.keys)
    for kind in Kind:
        provider.make(provider.new(kind))
    key, origin = ledger_key(provider)
    start = time.perf_counter()
    Writer(given.ledger, Signer(origin, key)).write(entries(begin))
    measure.figure("scope_ledger_written", ENTRIES / (time.perf_counter() - start), "entries/s")


async def _index(place: House) -> None:
    given = place.configured
    key, origin = ledger_key(FileProvider(given.keys))
    database, heads = Database(given.database_url), Heads(given.database_url)
    await database.open()
    await heads.open()
    start = time.perf_counter()
    ledger = await Ledger.open(
        given.ledger, key, origin, heads=heads, now=lambda: place.clock, build=build_hash()
    )
    measure.figure("scope_ledger_opened", ENTRIES / (time.perf_counter() - start), "entries/s")
    start = time.perf_counter()
    await Index(database, ledger).rebuild()
    place.rebuilt = time.perf_counter() - start
    await ledger.close()
    await heads.close()
    await database.close()


def _plain(place: House, server: Server) -> None:
    """COPY the same rows into tables with the same indexes."""
    name = place.database_url.rpartition("/")[2].partition("?")[0]
    words = server.side.migrator | {"dbname": name}
    with psycopg.connect(**words, autocommit=True) as connection:  # type: ignore[arg-type]
        connection.execute(f"SET ROLE {server.side.owner}".encode())
        taken = 0.0
        for table in _TABLES:
            file = place.folder / table
            with (
                file.open("wb") as out,
                connection.cursor().copy(f"COPY vault.{table} TO STDOUT".encode()) as copy,
            ):
                for data in copy:
                    out.write(data)
            connection.execute(
                f"CREATE TABLE vault.plain_{table} (LIKE vault.{table} INCLUDING ALL)".encode()
            )
            start = time.perf_counter()
            with (
                file.open("rb") as rows,
                connection.cursor().copy(f"COPY vault.plain_{table} FROM STDIN".encode()) as copy,
            ):
                while data := rows.read(1 << 16):
                    copy.write(data)
            taken += time.perf_counter() - start
            file.unlink()
            connection.execute(f"DROP TABLE vault.plain_{table}".encode())
            connection.execute(f"VACUUM (ANALYZE) vault.{table}".encode())
    ours, plain = ENTRIES / place.rebuilt, ENTRIES / taken
    measure.figure("scope_index_rebuilt", ours, "entries/s", limit=">=0.50", ratio=ours / plain)
    measure.figure("scope_index_plain_copy", plain, "entries/s")


_PLAIN = """
SELECT e.entry, e.at, e.fields, p.person::text
FROM vault.ledger_entry e JOIN vault.ledger_person p USING (entry)
WHERE e.at >= %s AND e.at <= %s AND e.credential = %s
"""


def _ask(place: House, since: datetime) -> None:
    until = since + timedelta(days=30)
    named: dict[str, dict[str, Any]] = {
        "credential_month": {"credential": credential(7)},
        "person_year": {"person": person(8, 5), "since": since - timedelta(days=200), "until": until},
        "session_month": {"session": f"s-{hashlib.sha256(b'ren7.shop8').hexdigest()[:32]}"},
        "shop_day": {"shop_id": 8, "until": since + timedelta(days=1)},
    }
    with psycopg.connect(place.database_url) as connection:

        def plain() -> float:
            start = time.perf_counter()
            bounds = [int(one.timestamp() * 1000) for one in (since, until)]
            connection.execute(_PLAIN, [*bounds, credential(7)]).fetchall()
            return (time.perf_counter() - start) * 1000

        cases = {
            name: lambda asked=asked: _asked({"since": since, "until": until, **asked})
            for name, asked in named.items()
        }
        taken = measure.interleaved({**cases, "plain": plain})
    for name in named:
        ratio = taken[name] / taken["plain"] if name == "credential_month" else None
        measure.figure(f"scope_{name}", taken[name], "ms", limit="<=1000", ratio=ratio)
    measure.figure("scope_credential_month_plain", taken["plain"], "ms")
    _prove(
        place, Question(since, until, {"credential": (credential(7),)}), "credential_month", complete=False
    )
    _prove(place, Question(since, until, {"credential": (credential(7),)}), "credential_month", complete=True)


def _asked(question: dict[str, Any]) -> float:
    start = time.perf_counter()
    found = people.scope(**question)
    took = (time.perf_counter() - start) * 1000
    if not found.persons:
        raise SystemExit("the question found nobody: it measures nothing")
    return took


def _prove(place: House, question: Question, name: str, *, complete: bool) -> None:
    """How large what proves an answer is, how long it takes to write and to check."""
    path = place.folder / "answer.zip"
    found = people.scope(since=question.since, until=question.until, credential=question.named["credential"])
    start = time.perf_counter()
    bundle.write(path, question, found, complete=complete)
    written = time.perf_counter() - start
    lines = verifier.verify(path, (place.configured.ledger / "vkey").read_text())
    checked = time.perf_counter() - start - written
    if complete != any("these are all" in line for line in lines):
        raise SystemExit("\n".join(lines))
    what = f"scope_{name}_{'complete_' if complete else ''}bundle"
    measure.figure(what, path.stat().st_size / 1e6, "MB")
    measure.figure(f"{what}_written", written, "s")
    measure.figure(f"{what}_checked", checked, "s")
    measure.figure(f"{what}_entries", found.entries, "entries")


if __name__ == "__main__":
    main()
