"""The whole index at once: two COPYs side by side, while the thread that reads makes the next block ready."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import AsyncExitStack
from typing import Final

from noren_vault.database import Connection
from noren_vault.ledger import Entry, Ledger
from noren_vault.ledger.merkle import leaf_hash

# Entries a block. An outcome stands as a rule in its entry's block, and costs no UPDATE there.
_BLOCK: Final = 5_000

Columns = Callable[[int, Entry, bytes], tuple[object, ...]]


async def copy_all(
    ledger: Ledger,
    end: int,
    *,
    entries: tuple[Connection, bytes],
    persons: tuple[Connection, bytes],
    columns: Columns,
) -> dict[int, str]:
    """Copy the entries before `end`, by a connection and a COPY for each of the two tables.

    `columns` gives an entry's columns by its index, itself and its leaf; `outcome` follows them. The outcomes
    that are given back, the newest by its entry, stand in a later block than that and are still to be set.
    """
    late: dict[int, str] = {}
    blocks = _blocks(ledger, end, columns, late)
    async with AsyncExitStack() as stack:
        copies = [
            await stack.enter_async_context(connection.cursor().copy(statement))
            for connection, statement in (entries, persons)
        ]
        ahead = asyncio.create_task(asyncio.to_thread(next, blocks, None))
        while (block := await ahead) is not None:
            ahead = asyncio.create_task(asyncio.to_thread(next, blocks, None))
            try:
                await asyncio.gather(*(copy.write(part) for copy, part in zip(copies, block, strict=True)))
            except BaseException:
                await asyncio.gather(ahead, return_exceptions=True)
                raise
    return late


def _blocks(
    ledger: Ledger, end: int, columns: Columns, late: dict[int, str]
) -> Iterator[tuple[bytes, bytes]]:
    """The rows of entries and of persons, block by block, as COPY's text."""
    for start in range(0, end, _BLOCK):
        rows: list[tuple[object, ...]] = []
        outcomes: dict[int, str] = {}
        persons: list[str] = []
        for index, payload in ledger.payloads(start, min(start + _BLOCK, end)):
            entry = Entry.from_bytes(payload)
            rows.append(columns(index, entry, leaf_hash(payload)))
            persons += [f"{index}\t{person}\n" for person in dict.fromkeys(entry.persons)]
            if entry.kind == "outcome":
                about = int(entry.ref)
                (outcomes if about >= start else late)[about] = entry.note
        lines = [_line((*row, outcomes.get(at, ""))) for at, row in enumerate(rows, start)]
        yield "".join(lines).encode(), "".join(persons).encode()


def _line(values: Iterable[object]) -> str:
    """A row of COPY's text format. No id, code or name of a field holds what would need an escape."""
    return "\t".join([one if type(one) is str else _text(one) for one in values]) + "\n"


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return f"\\\\x{value.hex()}"
    return f"{{{','.join(value)}}}" if isinstance(value, list) else str(value)
