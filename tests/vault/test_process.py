"""The process from outside: crashes, a ledger that is gone or changed, settings, peers."""

import contextlib
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from noren import errors, people
from noren.people import Purpose, Row
from tests.servers import VaultProcess, wait_for
from tests.vault.cast import SALON, Cast, customer, customers, in_parallel, sql

TODAY = Purpose.TODAY


def test_it_hands_out_nothing_that_a_kill_erases_from_the_record(
    fresh_cast: Cast, vault: VaultProcess
) -> None:
    """Killed at random moments under load: whatever anybody received is in the scope afterwards."""
    everybody = customers(SALON, 100, 200)
    received: set[tuple[UUID, str]] = set()
    chance, done = random.Random(11), threading.Event()

    def take(seed: int) -> None:
        mine = random.Random(seed)
        while not done.is_set():
            person, field = mine.choice(everybody), mine.choice(["name", "kana"])
            with contextlib.suppress(errors.VaultUnavailable, errors.LedgerUnavailable):
                told = people.reveal(fresh_cast.staff.grant, Purpose.DAY, [person], [field])
                received.update((one, name) for one, found in told.persons.items() for name in found)

    takers = [threading.Thread(target=take, args=(seed,)) for seed in range(4)]
    for taker in takers:
        taker.start()
    try:
        for _ in range(4):
            time.sleep(chance.uniform(0.05, 0.5))
            vault.kill()
            vault.start()
    finally:
        done.set()
        for taker in takers:
            taker.join()
    now = datetime.now(UTC)
    found = people.scope(since=now - timedelta(hours=1), until=now, actor=fresh_cast.staff.handle)
    recorded = {(one.person, name) for one in found.persons for name in one.fields}
    assert received
    assert received <= recorded
    assert all(one.ok for one in people.doctor())


@pytest.mark.parametrize("harm", ["files", "folder"])
def test_it_refuses_what_it_cannot_write_down(fresh_cast: Cast, vault: VaultProcess, harm: str) -> None:
    """Ledger files or folder removed: nothing is shown or taken, and health says why."""
    person, grant = fresh_cast.customers[0], fresh_cast.staff.grant
    assert people.reveal(grant, TODAY, [person], ["name"])
    match harm:
        case "files":
            for path in (vault.ledger / "segments").iterdir():
                path.unlink()
        case "folder":
            shutil.rmtree(vault.ledger)
    before = people.health().size
    for _ in range(3):
        with pytest.raises(errors.LedgerUnavailable):
            people.reveal(grant, TODAY, [person], ["name"])
    with pytest.raises(errors.LedgerUnavailable):
        people.put(SALON, "new", customer(1))
    with pytest.raises(errors.LedgerUnavailable):
        people.search(grant, "山田花子1")
    with pytest.raises(errors.LedgerUnavailable):
        people.send(SALON, person, "k", subject="x", text="y")
    assert not fresh_cast.mail.messages[4:]
    health = people.health()
    assert (health.ledger, health.size) == (False, before)
    assert health.reason
    assert "ledger_unavailable" in vault.log
    assert sql(vault, "SELECT count(*) FROM vault.person WHERE state = 'provisional'") == [(0,)]


def _entries(vault: VaultProcess) -> list[bytes]:
    """What stands in the newest segment, read as bytes."""
    return re.findall(rb'\{"v":1,[^}]*\}', _segment(vault).read_bytes())


def _segment(vault: VaultProcess) -> Path:
    return max((vault.ledger / "segments").iterdir())


def test_it_does_not_start_on_a_ledger_that_was_cut(vault: VaultProcess) -> None:
    """An older copy of the ledger put back: exit code 3, and which entries are missing."""
    people.put(SALON, "a", customer(1))
    vault.stop()
    kept = vault.folder / "kept"
    shutil.copytree(vault.ledger, kept)
    vault.start()
    size = people.health().size
    people.put(SALON, "b", customer(2))
    vault.stop()
    _segment(vault).write_bytes((kept / "segments" / _segment(vault).name).read_bytes())
    (vault.ledger / "checkpoint").unlink()
    process = vault.start(ready=False)
    assert process.returncode == 3
    assert "the ledger is not whole" in vault.log
    assert f"entries {size - 1} to {size}" in vault.log


def test_it_does_not_start_on_a_ledger_that_was_changed(vault: VaultProcess) -> None:
    """One byte of an entry flipped: exit code 3, and which entry it is."""
    person = people.put(SALON, "a", customer(1))
    vault.stop()
    content = bytearray(_segment(vault).read_bytes())
    content[content.index(str(person).encode())] ^= 1
    _segment(vault).write_bytes(content)
    process = vault.start(ready=False)
    assert process.returncode == 3
    assert "entry 1" in vault.log


def test_it_does_not_start_without_the_keys_it_used(vault: VaultProcess) -> None:
    """Keys that are gone are not made anew over a database that was sealed with them."""
    people.put(SALON, "a", customer(1))
    vault.stop()
    for path in vault.keys.glob("epoch-*"):
        path.unlink()
    process = vault.start(ready=False)
    assert process.returncode == 2
    assert "no epoch key" in vault.log
    assert not list(vault.keys.glob("epoch-*"))


@pytest.mark.parametrize(
    "setting",
    [("NOREN_VAULT_LEDGER_OFF", "1"), ("NOREN_VAULT_ORIGIN", "http://example.jp"), ("NOREN_VAULT_KEYS", "")],
)
def test_it_does_not_start_with_a_wrong_setting(vault: VaultProcess, setting: tuple[str, str]) -> None:
    """An unknown name (there is no switch for the ledger), a plain http origin, a missing value."""
    vault.stop()
    vault.settings = {**vault.settings, setting[0]: setting[1]}
    process = vault.start(ready=False)
    assert process.returncode == 2
    assert setting[0] in vault.log


def test_it_lets_no_second_vault_near(vault: VaultProcess) -> None:
    """A second process on the same ledger ends with words and leaves the first one serving."""
    environ = os.environ | dict(vault.settings)
    for name in [name for name in environ if name.startswith("NOREN_") and name not in vault.settings]:
        del environ[name]
    second = subprocess.run(
        [sys.executable, "-m", "noren_vault", "serve"],
        env=environ,
        check=False,
        capture_output=True,
        timeout=30,
    )
    assert second.returncode in (1, 2)
    assert people.health().ledger


def test_it_ends_as_asked(vault: VaultProcess) -> None:
    """On SIGTERM it ends with 0 and takes its socket away; the next start goes on from there."""
    person = people.put(SALON, "a", customer(1))
    process = vault.process
    assert process is not None
    process.send_signal(signal.SIGTERM)
    assert process.wait(15) == 0
    assert not vault.socket.exists()
    with pytest.raises(errors.VaultUnavailable):
        people.health()
    vault.start()
    assert people.put(SALON, "a", customer(1)) == person


def test_it_outlives_its_databases_connections(vault: VaultProcess) -> None:
    """With every connection cut by the server, the very next requests are answered again."""
    in_parallel(8, lambda number: people.put(SALON, f"a{number}", customer(number)), threads=8)
    cut = sql(
        vault,
        "SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE pid <> pg_backend_pid() AND datname = current_database()",
    )
    pids = [pid for pid, _ in cut]
    left = "SELECT count(*) FROM pg_stat_activity WHERE pid = ANY (%s)"
    wait_for(lambda: sql(vault, left, pids) == [(0,)])
    # The row goes first, the socket with the process: one that still ends looks open from here.
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))
    for number in range(10):
        people.put(SALON, f"b{number}", customer(number))


def test_it_records_its_start_with_its_build(vault: VaultProcess) -> None:
    """Each start is an entry that names the code that answers from then on."""
    people.doctor()
    rows = sql(vault, "SELECT ref FROM vault.ledger_entry WHERE kind = 'start'")
    build = people.health().build
    assert rows == [(f"sha256:{build}",)]
    shown = subprocess.run([sys.executable, "-m", "noren_vault", "build"], capture_output=True, check=True)
    assert shown.stdout.decode() == f"{build}\n"
    entries = [json.loads(line) for line in _entries(vault)]
    assert entries
    assert {one["build"] for one in entries} == {build[:32]}


def test_it_writes_no_person_into_its_log(fresh_cast: Cast, vault: VaultProcess) -> None:
    """Marked values through every flow, good and bad: the log has none of them."""
    canary = {
        "name": "金糸雀 鳴子",
        "kana": "カナリヤ ナルコ",
        "mail": "canary-x@example.jp",
        "phone": "090-5555-0199",
    }
    person = people.put(SALON, "hold-canary", canary, session="secret-session")
    people.update(fresh_cast.owner.grant, person, {"note": "金糸雀のメモ"})
    people.import_rows(SALON, [Row("canary-key", canary), Row("bad", {"name": "金糸雀\x00"})])
    people.search(fresh_cast.staff.grant, canary["name"])
    fresh_cast.mail.refuse = "550 no canary-x@example.jp here"
    people.send(SALON, person, "m", subject="{name}", text="{kana}")
    for act in (
        lambda: people.put(SALON, "x", {"name": "金糸雀" * 5000}),
        lambda: people.send(SALON, person, "m2", subject="金糸雀{no}", text=""),
        lambda: people.found_shop(9, "x", [people.Member("金糸雀", "owner", None, "金糸雀", "x")]),
        lambda: people.reveal("1.金糸雀.x", TODAY, [person], ["name"]),
    ):
        with pytest.raises((errors.NorenError, RuntimeError)):
            act()
    log = vault.log
    assert len(log.splitlines()) > 3
    for mark in (
        "金糸雀",
        "カナリヤ",
        "canary-x",
        "5555",
        "secret-session",
        "canary-key",
        fresh_cast.staff.grant[-20:],
    ):
        assert mark not in log


def test_it_leaves_no_core(vault: VaultProcess) -> None:
    """Its memory holds people's data: no core is written of it, and /proc gives it to root alone."""
    assert vault.process is not None
    folder = Path(f"/proc/{vault.process.pid}")
    [limit] = [line for line in (folder / "limits").read_text().splitlines() if "core file" in line]
    assert limit.split()[4:6] == ["0", "0"]
    assert (folder / "mem").stat().st_uid == 0


def test_it_logs_json(vault: VaultProcess) -> None:
    """Each line of the log but `ready` is one JSON object."""
    with pytest.raises(errors.NoSuchPerson):
        people.keep(SALON, UUID(int=1))
    lines = [line for line in vault.log.splitlines() if line and line != "ready"]
    assert {json.loads(line)["event"] for line in lines} >= {"refused"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_it_answers_no_stranger(vault: VaultProcess) -> None:
    """A process of another user is not answered, though it can reach the socket."""
    script = (
        "import os,socket,sys;os.setuid(65534);s=socket.socket(socket.AF_UNIX);s.connect(sys.argv[1]);"
        "s.settimeout(5);f=sys.argv[2].encode();s.sendall(len(f).to_bytes(4,'big')+f);print(s.recv(1))"
    )
    asked = '{"v":1,"method":"health","params":{}}'
    ran = subprocess.run(
        [sys.executable, "-c", script, str(vault.socket), asked],
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    assert ran.stdout.strip() == "b''" or "Error" in ran.stderr
    assert "connection_refused" in vault.log


def test_it_keeps_admin_methods_from_plain_peers(vault: VaultProcess) -> None:
    """A peer that is no administrator may not found shops, invite operators, ask, trace, import, rebuild."""
    vault.stop()
    vault.settings = {**vault.settings, "NOREN_VAULT_ADMIN_UIDS": "4242"}
    vault.start()
    now = datetime.now(UTC)
    for act in (
        people.doctor,
        people.rebuild_index,
        people.invite_operator,
        lambda: people.found_shop(1, "salon", []),
        lambda: people.scope(since=now, until=now),
        lambda: people.trace(["x"]),
        lambda: people.import_rows(SALON, [people.Row("x", customer(2))]),
    ):
        with pytest.raises(errors.GrantRefused):
            act()
    assert people.put(SALON, "a", customer(1))


def test_it_replaces_a_socket_that_a_kill_left(vault: VaultProcess) -> None:
    """After a kill the socket's file is there and dead; a start takes its place."""
    vault.kill()
    assert vault.socket.exists()
    vault.start()
    assert people.health().ledger


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"not json", "BadRequest"),
        (b"[]", "BadRequest"),
        (b'{"v":2,"method":"health","params":{}}', "BadRequest"),
        (b'{"v":1,"method":"health"}', "BadRequest"),
        (b'{"v":1,"method":"drop","params":{}}', "BadRequest"),
        (b'{"v":1,"method":"__init__","params":{}}', "BadRequest"),
        (b'{"v":1,"method":"put","params":{"shop":"1"}}', "BadRequest"),
        (b'{"v":1,"method":"put","params":{"shop":true,"key":"x","fields":{}}}', "BadRequest"),
        (b"[" * 100_000, "BadRequest"),
        (b"\xff\xfe", "BadRequest"),
    ],
)
def test_it_refuses_frames_that_are_none(module_vault: VaultProcess, frame: bytes, code: str) -> None:
    """Whatever comes over the wire is answered with a refusal, and the connection goes on."""
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(module_vault.socket))
        for data in (frame, b'{"v":1,"method":"health","params":{}}'):
            line.sendall(len(data).to_bytes(4, "big") + data)
            answer = _read(line)
            if data is frame:
                assert answer["error"]["code"] == code
            else:
                assert answer["ok"]["ledger"]


def test_it_closes_on_a_frame_that_is_too_long(module_vault: VaultProcess) -> None:
    """A length beyond 8 MiB is refused before anything of it is read."""
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(module_vault.socket))
        line.sendall(b"\xff\xff\xff\xff")
        assert _read(line)["error"]["code"] == "BadRequest"
        assert line.recv(1) == b""


def _read(line: socket.socket) -> dict[str, dict[str, object]]:
    line.settimeout(10)
    length, data = int.from_bytes(line.recv(4, socket.MSG_WAITALL), "big"), b""
    while len(data) < length:
        data += line.recv(length - len(data))
    answer: dict[str, dict[str, object]] = json.loads(data)
    return answer
