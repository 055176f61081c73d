"""Names through the vault, from web processes: fifty, a day's list, and one at a time by sixteen clients.

Fifty names are held against one fdatasync (of the same bytes, on the same disk, in the same rounds) and 2 ms.
"""

import email
import email.policy
import multiprocessing
import os
import re
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bench import measure
from bench.system import System, system
from tests.accounts.passkey import Passkey

NAMES = 50
LIST = 200
REVEALS = 20
# As the web has them: two processes, eight threads each.
PROCESSES = 2
THREADS = 8
SECONDS = 5.0
_FIELD = b"shop person field version key"


def main() -> None:
    with system() as running:
        _measure(running)


def _measure(running: System) -> None:
    # Django is set up by now: what needs it is imported here.
    from noren import people  # noqa: PLC0415

    grant = signed_in(running)
    persons = [people.put(1, f"bench-{n}", {"name": f"計測 花子{n}"}) for n in range(LIST)]

    def reveal(count: int) -> Any:
        return people.reveal(grant, people.Purpose.TODAY, persons[:count], ["name"])

    written = _written(running, lambda: reveal(NAMES))
    with (running.var / "plain").open("wb", buffering=0) as file:
        sealed = [_sealed() for _ in range(NAMES)]
        taken = measure.interleaved(
            {
                "ours": lambda: _median(lambda: reveal(NAMES)),
                "list": lambda: _median(lambda: reveal(LIST)),
                "sync": lambda: _median(lambda: _sync(file.fileno(), written)),
                "plain": lambda: _median(lambda: _plain(file.fileno(), written, sealed)),
            }
        )
    limit = taken["sync"] + 2
    measure.figure(
        "reveal_50_names_p50", taken["ours"], "ms", limit=f"{limit:.3g}", ratio=taken["ours"] / limit
    )
    measure.figure("reveal_fdatasync", taken["sync"], "ms")
    measure.figure(
        "reveal_fdatasync_and_50_decryptions", taken["plain"], "ms", ratio=taken["ours"] / taken["plain"]
    )
    measure.figure("reveal_200_names_p50", taken["list"], "ms", limit="10", ratio=taken["list"] / 10)
    measure.figure("reveal_ledger_bytes", written, "bytes")
    _at_once(grant, persons)


def _at_once(grant: str, persons: list[Any]) -> None:
    """One name, by all clients at once; memory after a first run is held against that after more."""
    _rate(grant, persons)
    early = resident()
    rates = [_rate(grant, persons) for _ in range(3)]
    rate = statistics.median(rates)
    measure.figure("reveal_one_name_16_clients", rate, "per_s", limit="1000", ratio=rate / 1000)
    measure.figure("reveal_memory", resident() / 1e6, "MB", ratio=resident() / early)


def _rate(grant: str, persons: list[Any]) -> float:
    """Return reveals a second."""
    context = multiprocessing.get_context("fork")
    with context.Pool(PROCESSES) as pool:
        counts = pool.starmap(_client, [(grant, persons)] * PROCESSES)
    return sum(counts) / SECONDS


def _client(grant: str, persons: list[Any]) -> int:
    from noren import people  # noqa: PLC0415

    end = time.perf_counter() + SECONDS

    def run(number: int) -> int:
        done = 0
        while time.perf_counter() < end:
            person = persons[(number + done * THREADS) % len(persons)]
            people.reveal(grant, people.Purpose.TODAY, [person], ["name"])
            done += 1
        return done

    with ThreadPoolExecutor(THREADS) as threads:
        return sum(threads.map(run, range(THREADS)))


def _median(deed: Any) -> float:
    """Return the median of milliseconds a deed."""
    taken = []
    for _ in range(REVEALS):
        begin = time.perf_counter()
        deed()
        taken.append((time.perf_counter() - begin) * 1000)
    return statistics.median(taken)


def signed_in(running: System) -> str:
    """Found a shop in the vault, and join by the link that it mailed; return the grant."""
    from noren import people  # noqa: PLC0415

    people.found_shop(1, "bench", [people.Member("owner", "owner", None, "店主", "owner@example.com")])
    invite = invitation(running.var / "mail")
    passkey = Passkey(running.origin, "localhost")
    return people.register_finish(invite, passkey.create(people.register_begin(invite))).grant


def invitation(mailbox: Path) -> str:
    """Wait for the first mail that invites somebody, and return its token."""
    for _ in range(100):
        for path in mailbox.rglob("*.eml"):
            message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            body = message.get_body(("plain",))
            found = re.search(r"/console/join#(\S+)", "" if body is None else body.get_content())
            if found is not None:
                return found[1]
        time.sleep(0.1)
    raise SystemExit("The invitation did not arrive.")


def _written(running: System, reveal: Any) -> int:
    """Return how many bytes one reveal adds to the ledger's segments."""
    folder = running.var / "ledger"
    before = _size(folder)
    for _ in range(REVEALS):
        reveal()
    return (_size(folder) - before) // REVEALS


def _size(folder: Path) -> int:
    return sum(
        path.stat().st_size for path in folder.rglob("*") if path.is_file() and "tile" not in path.parts
    )


def _sealed() -> tuple[bytes, bytes, bytes]:
    key, nonce = AESGCM.generate_key(256), os.urandom(12)
    return key, nonce, AESGCM(key).encrypt(nonce, "計測 花子".encode(), _FIELD)


def _sync(descriptor: int, written: int) -> None:
    os.write(descriptor, bytes(written))
    os.fdatasync(descriptor)


def _plain(descriptor: int, written: int, sealed: list[tuple[bytes, bytes, bytes]]) -> None:
    _sync(descriptor, written)
    for key, nonce, text in sealed:
        AESGCM(key).decrypt(nonce, text, _FIELD)


def resident() -> int:
    """Bytes of memory that the vault's process, a descendant of this one, has now."""
    for folder in Path("/proc").glob("[0-9]*"):
        command = _read(folder / "cmdline")
        if "noren_vault\0serve" in command and _is_ours(int(folder.name)):
            [line] = [line for line in _read(folder / "status").splitlines() if line.startswith("VmRSS")]
            return int(line.split()[1]) * 1024
    raise SystemExit("The vault's process was not found.")


def _is_ours(pid: int) -> bool:
    while pid > 1:
        if pid == os.getpid():
            return True
        pid = int(_read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()[1])
    return False


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


if __name__ == "__main__":
    main()
