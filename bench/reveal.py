"""Fifty names through the vault: against one fdatasync of the same bytes and fifty decryptions."""

import email
import email.policy
import os
import re
import time
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bench import measure
from bench.system import System, system
from tests.accounts.passkey import Passkey

NAMES = 50
REVEALS = 20
_FIELD = b"shop person field version key"


def main() -> None:
    with system() as running:
        _measure(running)


def _measure(running: System) -> None:
    # Django is set up by now: what needs it is imported here.
    from noren import people  # noqa: PLC0415

    grant = signed_in(running)
    persons = [people.put(1, f"bench-{n}", {"name": f"計測 花子{n}"}) for n in range(NAMES)]

    def reveal() -> Any:
        return people.reveal(grant, people.Purpose.TODAY, persons, ["name"])

    written = _written(running, reveal)
    with (running.var / "plain").open("wb", buffering=0) as file:
        sealed = [_sealed() for _ in persons]
        taken = measure.interleaved(
            {
                "ours": lambda: _each(reveal),
                "plain": lambda: _each(lambda: _plain(file.fileno(), written, sealed)),
            }
        )
    ratio = taken["ours"] / taken["plain"]
    measure.figure("reveal_50_names", taken["ours"], "ms", ratio=ratio)
    measure.figure("reveal_fdatasync_and_50_decryptions", taken["plain"], "ms")
    measure.figure("reveal_ledger_bytes", written, "bytes")


def _each(deed: Any) -> float:
    """Return milliseconds a deed."""
    begin = time.perf_counter()
    for _ in range(REVEALS):
        deed()
    return (time.perf_counter() - begin) / REVEALS * 1000


def signed_in(running: System) -> str:
    """Found a shop in the vault, and join by the link that it mailed; return the grant."""
    from noren import people  # noqa: PLC0415

    people.found_shop(1, "bench", [people.Member("owner", "owner", None, "店主", "owner@example.com")])
    invite = _invite(running.var / "mail")
    passkey = Passkey(running.origin, "localhost")
    return people.register_finish(invite, passkey.create(people.register_begin(invite))).grant


def _invite(mailbox: Path) -> str:
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


def _plain(descriptor: int, written: int, sealed: list[tuple[bytes, bytes, bytes]]) -> None:
    os.write(descriptor, bytes(written))
    os.fdatasync(descriptor)
    for key, nonce, text in sealed:
        AESGCM(key).decrypt(nonce, text, _FIELD)


if __name__ == "__main__":
    main()
