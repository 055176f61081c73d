"""A list of all of a shop's customers: persons a second, and whether the vault's memory stays flat.

PERSONS=100000. Held against the same bytes of entries synced and as many values decrypted, one piece after
the other, in one process without a database: what no export could do without.
"""

import os
import time
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bench import measure
from bench.year import House, Shop, Year, house, stage
from noren import people
from noren_vault.exporting import PIECE

PERSONS: Final = int(os.environ.get("PERSONS", "100000"))
FIELDS: Final = ("name", "kana", "mail", "phone")
_ENTRY: Final = PIECE * 39 + 300


def main() -> None:
    with stage() as (server, mail, folder), house(server, mail, folder, 0) as place, place.real():
        year = Year(place, 7)
        shop = year.found(1, PERSONS)
        _measure(place, shop, folder)


def _measure(place: House, shop: Shop, folder: Path) -> None:
    shop.owner.sign_in("bench-owner")
    shop.manager.sign_in("bench-manager")
    grant = shop.manager.grant
    begin = time.perf_counter()
    transfer = people.ask_export(grant, reason="moving", words="bench", fields=FIELDS)
    measure.figure("export_asked", (time.perf_counter() - begin) * 1000, "ms")
    options = people.agree_begin(shop.owner.grant, transfer)
    people.agree_finish(shop.owner.grant, transfer, shop.owner.passkey.get(options))
    opened = people.open_export(grant, transfer)
    memory, rows = [_resident(place)], 0
    begin = time.perf_counter()
    for piece in people.export_rows(grant, transfer, opened):
        rows += len(piece)
        memory.append(_resident(place))
    ours = rows / (time.perf_counter() - begin)
    plain = _plain(folder, opened.pieces)
    assert rows >= PERSONS
    measure.figure("export_persons_per_second", ours, "1/s", ratio=ours / plain)
    measure.figure("export_plain_persons_per_second", plain, "1/s")
    half = max(memory[: len(memory) // 2])
    measure.figure("export_vault_memory_growth", max(memory) - half, "MiB", limit=f"{half / 10:.3g}")


def _resident(place: House) -> float:
    """The vault's resident memory in MiB."""
    if place.process is None:
        raise RuntimeError("the vault runs as a process here")
    status = Path(f"/proc/{place.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def _plain(folder: Path, pieces: int) -> float:
    """For each piece: its entry synced, and per person a key unwrapped and each field opened."""
    key, nonce, entry = AESGCM(bytes(32)), bytes(12), bytes(_ENTRY)
    sealed = key.encrypt(nonce, bytes(40), b"place")
    begin = time.perf_counter()
    with (folder / "plain").open("wb", buffering=0) as file:
        for _ in range(pieces):
            file.write(entry)
            os.fdatasync(file.fileno())
            for _ in range(PIECE * (len(FIELDS) + 1)):
                key.decrypt(nonce, sealed, b"place")
    return pieces * PIECE / (time.perf_counter() - begin)


if __name__ == "__main__":
    main()
