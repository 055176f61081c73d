"""The witness against the specification: every status, the published exchange, races, kills, bad files."""

import base64
import hashlib
import json
import os
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from noren_witness.consistency import continues
from noren_witness.folder import Folder, FolderError
from noren_witness.note import Checkpoint
from noren_witness.witness import MOST_BYTES, Witness
from tests.servers import wait_for
from tests.witness.cast import ORIGIN, Log, WitnessProcess, ask, body, witness_process

VECTORS = Path(__file__).parents[1] / "ledger" / "vectors"
NAME = hashlib.sha256(ORIGIN.encode()).hexdigest()
# C2SP tlog-witness v1.0.0 (CC BY 4.0): the request of the text. Its checkpoint is sum.golang.org's under
# another name, so its signature can be checked; its proof lines show the format alone.
EXCHANGE = """old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

go.sum database tree
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— sum.golang.org Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
"""
GOLANG = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A witness's folder that knows the tests' log."""
    made = Folder.make(tmp_path / "w", "witness.example/w1")
    (made.path / "logs").write_text(f"# a comment\n{Log().vkey}  # the salon\n", encoding="utf-8")
    return made


@pytest.fixture
def witness(folder: Folder) -> Witness:
    """A witness whose clock says 1,700,000,000."""
    return Witness(folder, lambda: 1_700_000_000.9)


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WitnessProcess]:
    """A real witness, started once; each test has a log of its own."""
    with witness_process(tmp_path_factory.mktemp("witness") / "w") as running:
        yield running


def _check_cosignature(vkey: str, note: str, line: str, seconds: int | None = None) -> None:
    """The specification's words, in its order: key id, timestamp, and what the signature is over."""
    name, _, key = vkey.split("+", 2)
    raw = base64.b64decode(key)
    assert raw[:1] == b"\x04"
    assert line.startswith(f"— {name} ")
    assert line.endswith("\n")
    blob = base64.b64decode(line.split(" ")[2])
    assert blob[:4] == hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
    told = int.from_bytes(blob[4:12], "big")
    assert seconds in (None, told)
    text = note.rpartition("\n\n")[0] + "\n"
    signed = f"cosignature/v1\ntime {told}\n{text}".encode()
    Ed25519PublicKey.from_public_bytes(raw[1:]).verify(blob[12:], signed)


# -- what it answers


def test_it_cosigns_a_first_checkpoint_and_what_continues_it(witness: Witness, folder: Folder) -> None:
    """200, the cosignature of the specification, and the state is the checkpoint with it."""
    log = Log()
    for old, size in [(0, 3), (3, 3), (3, 8), (8, 21)]:
        answer = witness.add_checkpoint(log.request(old, size))
        assert answer.status == 200
        _check_cosignature(folder.key.vkey(), log.note(size), answer.body, 1_700_000_000)
        assert witness.checkpoint(NAME).body == log.note(size) + answer.body


def _other(note: str) -> str:
    """The note with one bit of its signature turned."""
    text, _, blob = note[:-1].rpartition(" ")
    raw = bytearray(base64.b64decode(blob))
    raw[-1] ^= 1
    return f"{text} {base64.b64encode(raw).decode()}\n"


LOG, FORK = Log(), Log(fork=4)
REFUSED: dict[str, tuple[bytes, int]] = {
    "origin unknown": (Log(origin="other.example/ledger").request(5, 8), 404),
    "no trusted signature": (Log(seed=9).request(5, 8), 403),
    "a trusted signature that fails": (body(5, LOG.proof(5, 8), _other(LOG.note(8))), 403),
    "old beyond the checkpoint": (body(9, [], LOG.note(8)), 400),
    "old is not what was cosigned": (LOG.request(4, 8), 409),
    "never cosigned from nothing": (LOG.request(0, 8), 409),
    "proof of another tree": (body(5, FORK.proof(5, 8), FORK.note(8)), 422),
    "proof cut short": (body(5, LOG.proof(5, 8)[:-1], LOG.note(8)), 422),
    "no proof": (body(5, [], LOG.note(8)), 422),
    "same size, other root": (body(5, [], FORK.note(5)), 422),
    "same size, a proof": (body(5, LOG.proof(5, 8), LOG.note(5)), 422),
    "no empty line": (b"old 5\n", 400),
    "no old": (b"new 5\n\n" + LOG.note(8).encode(), 400),
    "leading zero": (b"old 05\n\n" + LOG.note(8).encode(), 400),
    "a sign": (b"old +5\n\n" + LOG.note(8).encode(), 400),
    "64 proof lines": (body(5, [bytes(32)] * 64, LOG.note(8)), 400),
    "a proof line of 31 bytes": (body(5, [bytes(31)], LOG.note(8)), 400),
    "a proof line that is not base64": (b"old 5\n!\n\n" + LOG.note(8).encode(), 400),
    "no signature": (b"old 5\n\n" + LOG.note(8).partition("\n\n")[0].encode() + b"\n", 400),
    "not UTF-8": (b"old 5\n\n\xff" + LOG.note(8).encode(), 400),
    "nothing": (b"", 400),
}


@pytest.mark.parametrize("case", REFUSED)
def test_it_refuses_as_the_specification_says(witness: Witness, case: str) -> None:
    """Each row of the table of statuses; and nothing of the state has moved."""
    sent, status = REFUSED[case]
    kept = witness.add_checkpoint(LOG.request(0, 5)).body
    answer = witness.add_checkpoint(sent)
    assert answer.status == status, answer.body
    if status == 409:
        assert (answer.body, answer.kind) == ("5\n", "text/x.tlog.size")
    assert witness.checkpoint(NAME).body == LOG.note(5) + kept


def test_it_refuses_a_proof_from_nothing_and_an_empty_tree_that_is_not(witness: Witness) -> None:
    """From old 0 the proof is empty; size 0 has the empty root."""
    assert witness.add_checkpoint(body(0, [bytes(32)], LOG.note(5))).status == 422
    root = base64.b64encode(bytes(32)).decode()
    assert witness.add_checkpoint(body(0, [], LOG.signer.sign(f"{ORIGIN}\n0\n{root}\n"))).status == 422
    assert witness.add_checkpoint(LOG.request(0, 0)).status == 200
    assert witness.add_checkpoint(LOG.request(0, 5)).status == 200


def test_it_ignores_unknown_signatures_and_keeps_none(witness: Witness) -> None:
    """Another witness's line on the checkpoint neither helps nor harms, and is not kept."""
    more = f"{LOG.note(5)}— other.example/w {base64.b64encode(bytes(76)).decode()}\n"
    line = witness.add_checkpoint(body(0, [], more)).body
    assert witness.checkpoint(NAME).body == LOG.note(5) + line


def test_it_takes_the_published_exchange(witness: Witness, folder: Folder) -> None:
    """Not known: 404. Known: the real signature counts, and the old size that it wants is told."""
    assert witness.add_checkpoint(EXCHANGE.encode()).status == 404
    (folder.path / "logs").write_text(f"{GOLANG} go.sum database tree\n", encoding="utf-8")
    conflict = witness.add_checkpoint(EXCHANGE.encode())
    assert (conflict.status, conflict.body, conflict.kind) == (409, "0\n", "text/x.tlog.size")
    note = EXCHANGE.partition("\n\n")[2]
    first = witness.add_checkpoint(f"old 0\n\n{note}".encode())
    assert first.status == 200
    _check_cosignature(folder.key.vkey(), note, first.body)
    assert witness.add_checkpoint(EXCHANGE.encode().replace(b"20852163", b"20852164")).status == 403


def _probes() -> list[Any]:
    return list(json.loads((VECTORS / "merkle_consistency.json").read_text())["vectors"])


def test_it_judges_the_published_consistency_proofs_right() -> None:
    """All of transparency-dev/merkle's: but for 0 (the protocol's own case) and placeholders of 12 bytes."""
    judged = 0
    for probe in _probes():
        old, size = probe["size1"], probe["size2"]
        roots = [base64.b64decode(probe[name] or "") for name in ("root1", "root2")]
        proof = [base64.b64decode(one) for one in probe["proof"] or []]
        if old == 0 or any(len(one) != 32 for one in [*roots, *proof]):
            continue
        right = old <= size and continues(old, roots[0], size, roots[1], proof)
        assert right != probe["wantErr"], probe["_path"]
        judged += 1
    assert judged > 60


# -- what it keeps


def test_it_is_not_rolled_back_by_a_slow_request(folder: Folder) -> None:
    """A is read, B passes it and is answered, then A goes on: A is refused (C2SP tlog-witness, the race)."""
    witness = Witness(folder)
    witness.add_checkpoint(LOG.request(0, 3))
    reached, go = threading.Event(), threading.Event()

    class Slow(Folder):
        def logs(self) -> Any:
            found = super().logs()
            if threading.current_thread().name == "A":
                reached.set()
                go.wait(20)
            return found

    witness._folder = Slow(folder.path)
    statuses: list[int] = []
    slow = threading.Thread(
        name="A", target=lambda: statuses.append(witness.add_checkpoint(LOG.request(3, 5)).status)
    )
    slow.start()
    assert reached.wait(20)
    assert witness.add_checkpoint(LOG.request(3, 9)).status == 200
    go.set()
    slow.join()
    assert statuses == [409]
    known = folder.state(ORIGIN)
    assert known is not None
    assert known.size == 9


class Unlocked(threading.Event):
    """In place of the lock: lets everybody in."""

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


@pytest.mark.parametrize("locked", [True, False])
def test_it_lets_one_of_many_through(folder: Folder, locked: bool) -> None:
    """Of requests that continue the same head one is cosigned; with the lock off all are (the control)."""
    witness = Witness(folder)
    witness.add_checkpoint(LOG.request(0, 3))
    together = threading.Barrier(6)

    class Together(Folder):
        def state(self, origin: str) -> Checkpoint | None:
            found = super().state(origin)
            if not locked:
                together.wait(20)
            return found

        def keep(self, origin: str, note: bytes) -> None:
            """Without the lock the passing file would be shared; what counts here is who is answered."""
            if locked:
                super().keep(origin, note)

    witness._folder = Together(folder.path)
    if not locked:
        witness._one = Unlocked()  # type: ignore[assignment]
    sizes = range(4, 10)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda size: witness.add_checkpoint(LOG.request(3, size)).status, sizes))
    assert answers.count(200) == (1 if locked else 6)


def test_it_answers_only_what_is_on_the_disk(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file and then its folder are synced before the answer; when a sync fails nothing was cosigned."""
    witness, synced = Witness(folder), []
    real = os.fsync

    def sync(descriptor: int) -> None:
        synced.append(stat.S_ISDIR(os.fstat(descriptor).st_mode))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", sync)
    assert witness.add_checkpoint(LOG.request(0, 3)).status == 200
    assert synced == [False, True]

    def fail(_descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="Input/output"):
        witness.add_checkpoint(LOG.request(3, 5))


def test_it_stops_at_a_state_that_it_cannot_read(witness: Witness, folder: Folder) -> None:
    """Never again from nothing: a damaged state is no state of size 0."""
    witness.add_checkpoint(LOG.request(0, 3))
    folder.state_path(ORIGIN).write_bytes(b"")
    with pytest.raises(FolderError, match="cannot be read"):
        witness.add_checkpoint(LOG.request(0, 3))


def test_it_keeps_its_key_to_itself(folder: Folder) -> None:
    """0600, never made twice, and refused when others may read it."""
    path = folder.path / "key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(FolderError, match="keeps its key"):
        Folder.make(folder.path, "witness.example/w2")
    path.chmod(0o640)
    with pytest.raises(FolderError, match="chmod 600"):
        Folder(folder.path)
    path.chmod(0o600)
    path.write_text("PRIVATE+KEY+x+00000000+AAAA\n")
    with pytest.raises(FolderError, match="Ed25519"):
        Folder(folder.path)


def test_it_names_the_line_of_a_wrong_log(folder: Folder) -> None:
    """A key that is cut short, or a witness's key among the logs."""
    for wrong in (LOG.vkey[:-4], folder.key.vkey()):
        (folder.path / "logs").write_text(f"{LOG.vkey}\n{wrong}\n")
        with pytest.raises(FolderError, match="line 2"):
            folder.logs()


# -- the process


def test_it_serves_over_http(process: WitnessProcess) -> None:
    """The protocol's paths, with its own types and nothing else."""
    log = Log(origin="http.example/log")
    name = hashlib.sha256(b"http.example/log").hexdigest()
    assert ask(process.url, "/add-checkpoint", log.request(0, 3)).status == 404
    process.knows(log.vkey)
    assert ask(process.url, f"/{name}/checkpoint").status == 404
    first = ask(process.url, "/add-checkpoint", log.request(0, 3))
    assert first.status == 200
    _check_cosignature(process.vkey, log.note(3), first.text)
    conflict = ask(process.url, "/add-checkpoint", log.request(0, 5))
    assert (conflict.status, conflict.kind, conflict.text) == (409, "text/x.tlog.size", "3\n")
    assert ask(process.url, f"/{name}/checkpoint").text == log.note(3) + first.text
    assert ask(process.url, "/").text == f"{process.vkey}\n"
    assert ask(process.url, "/../key").status == 404
    assert ask(process.url, "/else", b"x").status == 404
    assert ask(process.url, "/add-checkpoint", b"x" * (MOST_BYTES + 1)).status == 413


def test_it_remembers_over_a_kill(process: WitnessProcess) -> None:
    """What was answered is still known after a kill -9."""
    log = Log(origin="kill.example/log")
    process.knows(log.vkey)
    assert ask(process.url, "/add-checkpoint", log.request(0, 3)).status == 200
    process.stop(kill=True)
    process.start()
    assert ask(process.url, "/add-checkpoint", log.request(0, 5)).text == "3\n"
    assert ask(process.url, "/add-checkpoint", log.request(3, 5)).status == 200


def test_it_is_not_held_up_by_who_says_nothing(process: WitnessProcess) -> None:
    """Silent connections take their place and no more: a log is answered beside them, and after them."""
    log = Log(origin="silent.example/log")
    process.knows(log.vkey)
    port = process.port
    silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(40)]
    try:
        assert ask(process.url, "/add-checkpoint", log.request(0, 3)).status == 200
        silent += [socket.create_connection(("127.0.0.1", port)) for _ in range(40)]
        # Beyond the sixty-fourth a connection is closed at once.
        silent[-1].settimeout(20)
        assert silent[-1].recv(1) == b""
    finally:
        for one in silent:
            one.close()
    wait_for(lambda: _answers(process, log))


def _answers(process: WitnessProcess, log: Log) -> bool:
    try:
        return ask(process.url, "/add-checkpoint", log.request(3, 3)).status == 200
    except OSError:
        return False


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["serve", "{folder}"], 1, "another witness serves"),
        (["serve", "/nowhere"], 1, "init makes one"),
        (["serve", "{folder}", "--listen", "nonsense"], 1, "HOST:PORT"),
        (["init", "{new}", "--name", "two words"], 1, "blanks"),
        (["nothing"], 2, "invalid choice"),
    ],
)
def test_it_says_what_it_cannot_do(
    process: WitnessProcess, tmp_path: Path, words: list[str], code: int, says: str
) -> None:
    """Exit codes and words of the command."""
    given = [word.format(folder=process.folder, new=tmp_path / "new") for word in words]
    argv = [sys.executable, "-m", "noren_witness", *given]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert says in done.stderr
