"""A log of the tests' own, written from the specifications alone, and witnesses as processes of their own."""

import base64
import http.client
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from noren_vault.ledger.checkpoint import sign_head
from noren_vault.ledger.merkle import CompactRange, consistency_proof, leaf_hash, perfect_root
from noren_vault.ledger.note import Signer

ORIGIN = "salon.example/ledger"


class Log:
    """A log of any size whose entries are numbers; `fork` gives other entries from there on."""

    def __init__(self, seed: int = 7, origin: str = ORIGIN, fork: int | None = None) -> None:
        self.signer = Signer(origin, Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32))
        self.fork = fork

    @property
    def vkey(self) -> str:
        return self.signer.verifier.vkey()

    def leaf(self, index: int) -> bytes:
        forked = self.fork is not None and index >= self.fork
        return leaf_hash(f"{'other' if forked else 'entry'} {index}".encode())

    def note(self, size: int) -> str:
        tree = CompactRange()
        for index in range(size):
            tree.append(self.leaf(index))
        return sign_head(self.signer, size, tree.root()).signed

    def proof(self, old: int, size: int) -> list[bytes]:
        def node(level: int, index: int) -> bytes:
            width = 1 << level
            return perfect_root([self.leaf(at) for at in range(index * width, (index + 1) * width)])

        return consistency_proof(old, size, node) if 0 < old < size else []

    def request(self, old: int, size: int) -> bytes:
        return body(old, self.proof(old, size), self.note(size))


def body(old: int, proof: Sequence[bytes], note: str) -> bytes:
    lines = "".join(f"{base64.b64encode(one).decode()}\n" for one in proof)
    return f"old {old}\n{lines}\n{note}".encode()


@dataclass
class Told:
    """An answer over HTTP."""

    status: int
    kind: str
    text: str


def ask(url: str, path: str, sent: bytes | None = None) -> Told:
    """POST what is sent, or GET."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    try:
        connection.request("GET" if sent is None else "POST", path, body=sent)
        with connection.getresponse() as answer:
            return Told(answer.status, answer.headers.get("Content-Type", ""), answer.read().decode())
    finally:
        connection.close()


@dataclass
class WitnessProcess:
    """A real `noren-witness serve`, on a folder of its own."""

    folder: Path
    vkey: str
    port: int = 0
    process: "subprocess.Popen[str] | None" = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def knows(self, *vkeys: str) -> None:
        (self.folder / "logs").write_text("".join(f"{one}\n" for one in vkeys), encoding="utf-8")

    def start(self) -> None:
        listen = f"127.0.0.1:{self.port}"
        argv = [sys.executable, "-m", "noren_witness", "serve", str(self.folder), "--listen", listen]
        with (self.folder / "log").open("a") as log:
            self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        assert said.startswith("ready on http://127.0.0.1:"), said
        self.port = int(said.split(",")[0].rpartition(":")[2])

    def stop(self, *, kill: bool = False) -> None:
        if self.process is not None:
            self.process.kill() if kill else self.process.terminate()
            self.process.wait(20)
            if self.process.stdout is not None:
                self.process.stdout.close()
            self.process = None


@contextmanager
def witness_process(folder: Path, name: str = "witness.example/w1") -> Iterator[WitnessProcess]:
    """Make a witness and start it; it knows no log yet."""
    argv = [sys.executable, "-m", "noren_witness", "init", str(folder), "--name", name]
    made = subprocess.run(argv, capture_output=True, text=True, check=True)
    witness = WitnessProcess(folder, made.stdout.strip())
    witness.start()
    try:
        yield witness
    finally:
        witness.stop()
