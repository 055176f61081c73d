"""A person's own page over a large ledger: how long the newest and an older page take.

ENTRIES=1000000 (10000000: the long form), written as bench/scope writes them. Held against the least that it
can be, measured in the same run: one durable entry, and the plain read of the person's newest 51 rows.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Iterator

import psycopg

from bench import measure
from bench.scope import ENTRIES, YEAR_MS, Writer, entries, person
from bench.year import House, house, stage
from noren_vault.grants import Grant
from noren_vault.keys import ledger_key
from noren_vault.ledger.note import Signer
from noren_vault.mydata import PAGE, MyData
from noren_vault.naming import Naming
from noren_vault.providers import FileProvider, Kind
from noren_vault.record import Path
from noren_vault.rights import Role
from noren_vault.vault import Vault
from tests.servers import Server

SHOP, ROUNDS = 8, 9
HER = person(SHOP, 5)
_HERS, _FIRST = f'"shop":{SHOP},'.encode(), re.compile(rb'("persons":\[")[0-9a-f-]{36}')
_PLAIN = """
SELECT e.* FROM vault.ledger_person p JOIN vault.ledger_entry e USING (entry)
WHERE p.person = %s ORDER BY p.entry DESC LIMIT %s
"""


def main() -> None:
    """Write a year, index it, read."""
    with stage() as (server, mail, folder):
        begin = int(time.time() * 1000) - YEAR_MS - 86_400_000
        with house(server, mail, folder, begin + YEAR_MS + 1000) as place:
            provider = FileProvider(place.configured.keys)
            for kind in (Kind.EPOCH, Kind.INDEX, Kind.LEDGER):
                provider.make(provider.new(kind))
            key, origin = ledger_key(provider)
            Writer(place.configured.ledger, Signer(origin, key)).write(_busy(begin))
            asyncio.run(_read(place, server))


def _busy(begin: int) -> Iterator[bytes]:
    """The year's entries, but that she is in every act of her shop: of one in two hundred entries."""
    for entry in entries(begin):
        yield _FIRST.sub(rb"\g<1>" + HER.encode(), entry, count=1) if _HERS in entry else entry


async def _read(place: House, server: Server) -> None:
    vault = await Vault.open(place.configured, lambda: place.clock)
    try:
        await vault.index.rebuild()
        for table in ("ledger_entry", "ledger_person"):
            await asyncio.to_thread(_analyze, server, place, table)
        database = vault._databases[0]  # noqa: SLF001 - as the vault itself puts its parts together
        await database.run(
            "INSERT INTO vault.person (shop_id, person, kind, state, made_at) "
            "VALUES (%s, %s, 'customer', 'kept', 0)",
            [SHOP, HER],
        )
        naming = Naming(database=database, record=vault.record, now=lambda: place.clock)
        mine = MyData(
            database=database, record=vault.record, index=vault.index, naming=naming, watch=vault.watch
        )
        await _measure(place, vault, mine)
    finally:
        await vault.close()


def _analyze(server: Server, place: House, table: str) -> None:
    """What autovacuum does in a living system."""
    name = place.database_url.rpartition("/")[2].partition("?")[0]
    words = server.side.migrator | {"dbname": name}
    with psycopg.connect(**words, autocommit=True) as connection:  # type: ignore[arg-type]
        connection.execute(f"SET ROLE {server.side.owner}".encode())
        connection.execute(f"VACUUM (ANALYZE) vault.{table}".encode())


async def _measure(place: House, vault: Vault, mine: MyData) -> None:
    handle = f"person:{HER}"
    grant = Grant("g", SHOP, HER, handle, HER, Role.CUSTOMER, None, "code", "s-1", 1 << 52)
    first = await mine.page(grant, None, place.clock)
    if len(first["lookups"]) != PAGE or first["next"] is None:
        raise SystemExit("the list is too short: it measures nothing")

    async def newest() -> None:
        await mine.page(grant, None, place.clock)

    async def older() -> None:
        await mine.page(grant, first["next"], place.clock)

    async def write() -> None:
        await vault.record.write("messages", Path("bench"), shop=SHOP)

    with psycopg.connect(place.database_url, autocommit=True) as connection:

        async def plain() -> None:
            connection.execute(_PLAIN, [HER, PAGE + 1]).fetchall()

        taken = await _interleaved({"newest": newest, "older": older, "write": write, "plain": plain})
    least = taken["write"] + taken["plain"]
    for name in ("newest", "older"):
        measure.figure(f"mydata_{name}", taken[name], "ms", limit="<=10", ratio=taken[name] / least)
    measure.figure("mydata_entry_written", taken["write"], "ms")
    measure.figure("mydata_plain_read", taken["plain"], "ms")
    measure.figure("mydata_entries", ENTRIES, "entries")


async def _interleaved(cases: dict[str, Callable[[], Awaitable[None]]]) -> dict[str, float]:
    """The median of each, in turn, once unmeasured."""
    taken: dict[str, list[float]] = {name: [] for name in cases}
    for number in range(ROUNDS + 1):
        for name, case in cases.items():
            await asyncio.sleep(0.7)  # the index has followed, as it has when a person comes
            start = time.perf_counter()
            await case()
            if number:
                taken[name].append((time.perf_counter() - start) * 1000)
    return {name: sorted(times)[len(times) // 2] for name, times in taken.items()}


if __name__ == "__main__":
    main()
