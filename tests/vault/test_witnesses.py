"""The ledger and its witnesses: real witness processes, real sockets that say nothing, a policy, a fork."""

import asyncio
import base64
import hashlib
import shutil
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from noren_vault.keys import ledger_key
from noren_vault.ledger import LedgerForked, LedgerShort
from noren_vault.ledger.checkpoint import sign_head
from noren_vault.ledger.errors import NoteInvalid
from noren_vault.ledger.note import Signer
from noren_vault.providers import FileProvider
from noren_vault.vault import Vault
from noren_vault.witnesses import watch as watching
from noren_vault.witnesses.cosigner import Cosigner
from noren_vault.witnesses.line import Line, NoAnswer
from noren_vault.witnesses.policy import Policy, PolicyError
from tests.vault.conftest import Bench, ask
from tests.witness.cast import WitnessProcess, witness_process
from tests.witness.cast import ask as http

MINUTE = 60_000


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounds follow each other quickly, and a witness that says nothing is given up soon."""
    monkeypatch.setattr(watching, "EVERY_SECONDS", 0.05)
    monkeypatch.setattr(watching, "AT_START_SECONDS", 0.5)
    monkeypatch.setattr(watching, "LONGEST_PAUSE_SECONDS", 0.2)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[WitnessProcess, WitnessProcess]]:
    """Two real witnesses for the whole module: every test has a ledger of its own."""
    top = tmp_path_factory.mktemp("witnesses")
    with (
        witness_process(top / "a", "a.example/w") as first,
        witness_process(top / "b", "b.example/w") as other,
    ):
        yield first, other


def _policy(bench: Bench, text: str, *, minutes: int = 60) -> None:
    path = bench.configured.ledger.parent / "witnesses"
    path.write_text(text, encoding="utf-8")
    bench.configured = replace(bench.configured, witnesses=path, witness_minutes=minutes)


def _all_of(*witnesses: WitnessProcess, quorum: str = "all") -> str:
    lines = [f"witness w{at} {one.vkey} {one.url}\n" for at, one in enumerate(witnesses)]
    names = " ".join(f"w{at}" for at in range(len(witnesses)))
    return "".join(lines) + f"group g {quorum} {names}\nquorum g\n"


def _founded(bench: Bench, *witnesses: WitnessProcess) -> None:
    """Make keys and ledger, so that the witnesses can be told the key."""

    async def act(vault: Vault) -> str:
        return vault.record.ledger.vkey()

    vkey = bench.run(act)
    for one in witnesses:
        one.knows(vkey)


async def _until(what: Callable[[], Awaitable[bool]], seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        while not await what():  # noqa: ASYNC110 - what is waited for is in other processes
            await asyncio.sleep(0.02)


async def _witnessed(vault: Vault) -> None:
    """Wait until nothing is left that no quorum has witnessed."""

    async def done() -> bool:
        told = (await ask(vault, "health"))["witness"]
        return bool(told["wanted"]) and told["entries"] == 0 and vault.watch._cosigned is not None

    await _until(done)


async def _put(vault: Vault, key: str) -> None:
    await ask(vault, "put", shop=1, key=key, fields={"name": "山田"})


# -- policy and keys


def _vkey(seed: int) -> str:
    key = Signer(f"w{seed}.example", _key(seed)).verifier
    raw = b"\x04" + base64.b64decode(key.vkey().split("+", 2)[2])[1:]
    key_id = hashlib.sha256(key.name.encode() + b"\n" + raw).digest()[:4].hex()
    return f"{key.name}+{key_id}+{base64.b64encode(raw).decode()}"


def _key(seed: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)


WITNESSES = "".join(
    f"witness {name} {_vkey(at)}\n" for at, name in enumerate(["X1", "X2", "X3", "Y1", "Y2", "Y3"], 1)
)


def test_it_reads_the_published_policy() -> None:
    """C2SP tlog-policy's example: two of the X, and any of the Y."""
    policy = Policy.read(
        f"# example\nlog {_vkey(9)}\n{WITNESSES}group X-witnesses 2 X1 X2 X3\n"
        "\n \tgroup Y-witnesses any Y1 Y2 Y3\n"
        "group X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n"
    )
    assert policy.demands
    assert policy.met({"X1", "X3", "Y2"})
    assert policy.met({"X1", "X2", "X3", "Y1", "Y2", "Y3"})
    for few in ({"X1", "Y1", "Y2", "Y3"}, {"X1", "X2", "X3"}, set[str]()):
        assert not policy.met(few)
    assert Policy.read("quorum none\n").met(())
    assert not Policy().demands


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no quorum"),
        (f"{WITNESSES}quorum X1\nquorum X2\n", "line 8"),
        ("quorum X1\n", "not defined"),
        (f"group g any X1\n{WITNESSES}quorum g\n", "not defined"),
        (f"{WITNESSES}group g 0 X1\nquorum g\n", "from 1 to 1"),
        (f"{WITNESSES}group g 3 X1 X2\nquorum g\n", "from 1 to 2"),
        (f"{WITNESSES}group g any X1\ngroup h any X1\nquorum g\n", "twice"),
        (f"{WITNESSES}group g any X1 X1\nquorum g\n", "twice"),
        (f"{WITNESSES}group X1 any X2\nquorum X1\n", "taken"),
        (f"{WITNESSES}witness Z {_vkey(1)}\nquorum Z\n", "same witness twice"),
        (f"witness none {_vkey(1)}\nquorum none\n", "taken"),
        (f"witness Z {_vkey(1)} ftp://x\nquorum Z\n", "https://"),
        ("witness Z nonsense\nquorum Z\n", "NAME"),
        ("nonsense\nquorum none\n", "line 1"),
    ],
)
def test_it_refuses_a_wrong_policy(text: str, words: str) -> None:
    """Each rule of the format, with words that name the line."""
    with pytest.raises(PolicyError, match=words):
        Policy.read(text)


def test_it_refuses_a_policy_of_another_ledger(bench: Bench) -> None:
    """A `log` line that is not our key, or a file that is not there, stops the start."""
    _policy(bench, f"log {_vkey(9)}\nquorum none\n")
    with pytest.raises(PolicyError, match="not for this ledger"):
        _founded(bench)
    bench.configured = replace(bench.configured, witnesses=Path("/nowhere"))
    with pytest.raises(PolicyError, match="cannot be read"):
        _founded(bench)


def test_it_refuses_a_cosignature_that_does_not_fit() -> None:
    """Somebody else's line is ignored, one of this key over another text is an error."""
    key, name = _key(1), "w1.example"
    cosigner = Cosigner(_vkey(1))
    at = 1_700_000_000
    text = "log.example\n1\nAAAA\n"
    signature = key.sign(f"cosignature/v1\ntime {at}\n{text}".encode())
    blob = base64.b64encode(cosigner.key_id + at.to_bytes(8, "big") + signature).decode()
    found = cosigner.found(text, f"— other.example AAAAAAAA\nnonsense\n— {name} {blob}\n")
    assert found is not None
    assert (found.name, found.at, found.line) == (name, at, f"— {name} {blob}\n")
    assert cosigner.found(text, "") is None
    with pytest.raises(NoteInvalid, match="does not fit"):
        cosigner.found("log.example\n2\nAAAA\n", f"— {name} {blob}\n")


# -- being witnessed


def test_it_has_each_head_cosigned_and_publishes_it(
    bench: Bench, two: tuple[WitnessProcess, WitnessProcess]
) -> None:
    """Both sign what grows; the checkpoint file carries their lines; the database remembers it."""
    _founded(bench, *two)
    _policy(bench, _all_of(*two))

    async def act(vault: Vault) -> str:
        await _witnessed(vault)
        for number in range(3):
            await _put(vault, f"k{number}")
            await _witnessed(vault)
        ledger = vault.record.ledger

        async def published() -> bool:
            # How an answer ended is written down after it, and is witnessed like all the rest.
            await _witnessed(vault)
            await ledger.publish()
            return (ledger.folder / "checkpoint").read_text().startswith(ledger.checkpoint())

        await _until(published)
        note = (ledger.folder / "checkpoint").read_text()
        for one in two:
            assert (
                Cosigner(one.vkey).found(ledger.checkpoint().rpartition("\n\n")[0] + "\n", note) is not None
            )
        told = (await ask(vault, "health"))["witness"]
        assert (told["entries"], told["late"], told["forked"]) == (0, False, [])
        assert [one["size"] for one in told["witnesses"]] == [ledger.size] * 2
        findings = {one["check"]: one for one in (await ask(vault, "doctor"))["findings"]}
        assert findings["witnesses"]["ok"]
        kept = await vault.watch._store.witnesses()
        assert {name: one.head.size for name, one in kept.items()} == {
            "a.example/w": ledger.size,
            "b.example/w": ledger.size,
        }
        return note

    note = bench.run(act)

    async def again(vault: Vault) -> None:
        """After a start the cosigned checkpoint is published still, until the next one is witnessed."""
        await vault.record.ledger.publish()
        assert "a.example/w" in (vault.record.ledger.folder / "checkpoint").read_text()

    assert "b.example/w" in note
    bench.run(again)


def test_it_goes_on_without_a_witness_and_alarms(
    bench: Bench, two: tuple[WitnessProcess, WitnessProcess], caplog: pytest.LogCaptureFixture
) -> None:
    """Scenario 25: one witness says nothing. Appends go on; the tail is counted, alarmed about, recorded."""
    _founded(bench, two[0])
    with _black_hole() as port:
        hole = replace(two[1], port=port)
        _policy(bench, _all_of(two[0], hole), minutes=10)

        async def act(vault: Vault) -> None:
            for number in range(3):
                began = time.monotonic()
                await _put(vault, f"k{number}")
                assert time.monotonic() - began < watching.EVERY_SECONDS + 5
            ledger = vault.record.ledger

            async def first_signs() -> bool:
                seen = {one["name"]: one for one in (await ask(vault, "health"))["witness"]["witnesses"]}
                return bool(seen["a.example/w"]["size"] == ledger.size and seen["b.example/w"]["why"])

            await _until(first_signs)
            told = (await ask(vault, "health"))["witness"]
            assert (told["entries"], told["late"]) == (ledger.size, False)
            bench.clock += 11 * MINUTE
            await _until(lambda: _late(vault, late=True))
            assert (await ask(vault, "health"))["witness"]["seconds"] >= 11 * 60
            findings = {one["check"]: one for one in (await ask(vault, "doctor"))["findings"]}
            assert not findings["witnesses"]["ok"]
            await _put(vault, "k9")
            await asyncio.sleep(0.3)
            assert _notes(vault) == ["behind"]

        bench.run(act)
    assert any("ledger_not_witnessed" in str(one.msg) for one in caplog.records)
    # Both again: the start publishes, and the alarm ends.
    _founded(bench, *two)
    _policy(bench, _all_of(*two), minutes=10)

    async def after(vault: Vault) -> None:
        await _witnessed(vault)
        assert not (await ask(vault, "health"))["witness"]["late"]

    bench.run(after)


async def _late(vault: Vault, *, late: bool) -> bool:
    return bool((await ask(vault, "health"))["witness"]["late"]) is late


def _notes(vault: Vault) -> list[str]:
    return [entry.note for _, entry in vault.record.ledger.entries() if entry.kind == "witness"]


def test_it_says_when_the_tail_is_witnessed_again(
    bench: Bench, two: tuple[WitnessProcess, WitnessProcess]
) -> None:
    """The alarm has an end, and the end is on record as well."""
    two[0].knows()
    _policy(bench, _all_of(two[0]), minutes=10)

    async def act(vault: Vault) -> None:
        bench.clock += 11 * MINUTE
        await _put(vault, "k")
        bench.clock += 11 * MINUTE
        await _until(lambda: _late(vault, late=True))
        two[0].knows(vault.record.ledger.vkey())
        await _until(lambda: _late(vault, late=False))

        async def recorded() -> bool:
            return _notes(vault) == ["behind", "caught_up"]

        await _until(recorded)

    bench.run(act)


@contextmanager
def _black_hole() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.socket() as hole:
        hole.bind(("127.0.0.1", 0))
        hole.listen(64)
        yield hole.getsockname()[1]


def test_it_gives_up_who_drips() -> None:
    """A witness that sends a byte now and then is given up at the deadline, and its thread is free again."""

    class Drip(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "100000")
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b"x")
                    time.sleep(0.05)
            except OSError:
                return

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Drip)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    line = Line(f"http://127.0.0.1:{server.server_address[1]}")

    async def act() -> None:
        with pytest.raises(NoAnswer, match="timeout"):
            await line.ask("/", seconds=0.4)
        await _until(_free)

    async def _free() -> bool:
        return not line._busy

    try:
        asyncio.run(act())
    finally:
        line.stop()
        server.shutdown()
        server.server_close()


# -- what a witness remembers


def _kept(bench: Bench) -> Path:
    """A copy of the ledger as it lies."""
    kept = bench.configured.ledger.parent / "kept"
    shutil.copytree(bench.configured.ledger, kept)
    return kept


def _forget(bench: Bench, *tables: str) -> None:
    with psycopg.connect(bench.configured.database_url, autocommit=True) as connection:
        for table in tables:
            connection.execute(
                f"UPDATE {table} SET size = 0, root = %s, signed = %s".encode(),  # noqa: S608 - names from here
                [_EMPTY, _note(bench)],
            )


_EMPTY = hashlib.sha256(b"").digest()


def _note(bench: Bench) -> str:
    key, origin = ledger_key(FileProvider(bench.configured.keys))
    return sign_head(Signer(origin, key), 0, _EMPTY).signed


ALL = ("vault.ledger_head", "vault.witness", "vault.cosigned")


def _grown(bench: Bench, key: str) -> None:
    async def act(vault: Vault) -> None:
        await _put(vault, key)
        await _witnessed(vault)

    bench.run(act)


def _put_back(bench: Bench, witness: WitnessProcess) -> None:
    """Grow twice before a witness, and lay the files of the first time there again."""
    _founded(bench, witness)
    _policy(bench, _all_of(witness))
    _grown(bench, "a")
    kept = _kept(bench)
    _grown(bench, "b")
    shutil.rmtree(bench.configured.ledger)
    kept.rename(bench.configured.ledger)


def test_it_does_not_start_shorter_than_a_witness_remembers(
    bench: Bench, two: tuple[WitnessProcess, WitnessProcess]
) -> None:
    """Scenarios 17 and 20: files and database put back. The witness alone knows, and the start stops."""
    _put_back(bench, two[0])
    _forget(bench, *ALL)
    with pytest.raises(LedgerShort, match="missing"):
        _grown(bench, "c")
    # The control: without the witness nobody notices.
    bench.configured = replace(bench.configured, witnesses=None)

    async def act(vault: Vault) -> None:
        await _put(vault, "d")

    bench.run(act)


def test_it_does_not_start_shorter_than_what_was_stored_of_a_witness(
    bench: Bench, two: tuple[WitnessProcess, WitnessProcess]
) -> None:
    """The same while the witness cannot be reached: its head in the database is enough."""
    _put_back(bench, two[0])
    _forget(bench, "vault.ledger_head")
    with _black_hole() as port:
        _policy(bench, _all_of(replace(two[0], port=port)))
        with pytest.raises(LedgerShort, match="missing"):
            _grown(bench, "c")


def test_it_finds_a_fork_writes_it_out_and_does_not_start_again(
    bench: Bench,
    two: tuple[WitnessProcess, WitnessProcess],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Scenario 19: the key signed another history for a witness. Alarm, both heads as files, no start."""
    # Refused once, the vault leaves the witness alone for long enough to tell it the other history.
    monkeypatch.setattr(watching, "EVERY_SECONDS", 3.0)
    monkeypatch.setattr(watching, "LONGEST_PAUSE_SECONDS", 3.0)
    _founded(bench)

    async def vkey(vault: Vault) -> str:
        await _put(vault, "a")
        return vault.record.ledger.vkey()

    known = bench.run(vkey)
    two[0].knows()
    key, origin = ledger_key(FileProvider(bench.configured.keys))
    forged = sign_head(Signer(origin, key), 3, bytes(range(32))).signed
    _policy(bench, _all_of(two[0]))

    async def act(vault: Vault) -> None:
        # The witness learns of the other history behind our back: after the start, before it cosigns ours.
        async def refused() -> bool:
            return bool((await ask(vault, "health"))["witness"]["witnesses"][0]["why"])

        await _until(refused)
        two[0].knows(known)
        assert http(two[0].url, "/add-checkpoint", f"old 0\n\n{forged}".encode()).status == 200
        await _put(vault, "b")

        async def forked() -> bool:
            return bool((await ask(vault, "health"))["witness"]["forked"])

        await _until(forked)
        await _until(_recorded)
        await _put(vault, "c")

    async def _recorded() -> bool:
        return len(list(bench.configured.ledger.glob("fork-*-*"))) == 2

    bench.run(act)
    assert any("ledger_forked" in str(one.msg) for one in caplog.records)
    texts = {
        path.name.rpartition("-")[2]: path.read_text() for path in bench.configured.ledger.glob("fork-*-*")
    }
    assert set(texts) == {"ours", "theirs"}
    assert texts["theirs"].startswith(forged)
    with pytest.raises(LedgerForked):
        bench.run(act)
