"""Backups of a whole system: made while it serves, tried, restored; erased people stay erased."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pyrage
import pytest

from noren.people import wire
from noren.runtime import databases, env, postgres
from noren.runtime.backups import age, ledgerfiles, manifest, nightly, restore, trial
from noren.runtime.backups.make import KEYSTORE
from noren.runtime.env import StartRefused
from noren.runtime.paths import Paths
from noren_vault.providers import Kind
from tests.environment import TOP
from tests.ports import free_port
from tests.runtime.up import Up

embedded = pytest.mark.embedded
SHOP = 7


def test_it_takes_keys_of_every_kind() -> None:
    """What the vault needs to open its rows is laid out in a restore and in its trial."""
    assert set(restore.KINDS) == set(Kind)
    assert set(trial.TRIED) == set(Kind) - {Kind.LEDGER, Kind.BACKUP}


@dataclass
class System:
    """A system that serves, its newest backup, and who was erased after it."""

    up: Up
    backup: str = ""
    kept: str = ""
    erased: str = ""

    def noren(self, *words: str, var: Path | None = None) -> "subprocess.CompletedProcess[str]":
        """Run a command on its data folder."""
        environ = {"PATH": os.environ["PATH"], "NOREN_VAR": str(var or self.up.var)}
        return subprocess.run(
            [sys.executable, "-m", "noren.cli", *words],
            env=environ | {"NOREN_PORT": str(self.up.port), "NOREN_BACKUPS": str(self.backups)},
            capture_output=True,
            text=True,
            cwd="/",
            check=False,
        )

    @property
    def backups(self) -> Path:
        return self.up.var / "backups"

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        return wire.call(_socket(self.up.var), method, params, seconds=30)

    def person(self, key: str) -> str:
        """Store a customer who is kept."""
        fields = {"name": "渡邉 さくら", "mail": f"{key}@example.jp"}
        person = str(self.ask("put", shop=SHOP, key=key, fields=fields)["person"])
        self.ask("keep", shop=SHOP, person=person)
        return person


def _socket(var: Path) -> str:
    return str(Paths(var).vault_socket)


def _entries(ledger: Path, kind: str) -> list[dict[str, Any]]:
    """Every entry of a kind, cut out of the segments' frames."""
    found = []
    for path in ledgerfiles.segments(ledger):
        data, at = path.read_bytes(), 0
        while at + 5 <= len(data) and data[at : at + 1] in (b"S", b"E", b"H"):
            end = at + 5 + int.from_bytes(data[at + 1 : at + 5], "big")
            if data[at : at + 1] == b"E":
                found.append(json.loads(data[at + 5 : end]))
            at = end + 4
    return [entry for entry in found if entry["kind"] == kind]


def _vault_rows(var: Path, query: str) -> list[tuple[Any, ...]]:
    words = databases.vault(env.read({"NOREN_VAR": str(var)}), "vault")
    with psycopg.connect(**words) as conn:  # type: ignore[arg-type]
        return conn.execute(query.encode()).fetchall()


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    """One system with a backup in which somebody is who was erased afterwards."""
    folder = Path(tempfile.mkdtemp(dir=TOP))
    folder.chmod(0o755)
    made = System(Up(folder / "var", free_port()).start())
    try:
        made.kept, made.erased = made.person("kept"), made.person("erased")
        done = made.noren("backup")
        assert done.returncode == 0, done.stderr
        (made.backup,) = manifest.ids(made.backups)
        made.ask("erase", shop=SHOP, person=made.erased, reason="asked")
        yield made
    finally:
        made.up.end()


@embedded
def test_it_makes_four_archives_under_four_keys(system: System) -> None:
    """Each opens with its own key and with none of the others; nothing readable lies beside them."""
    folder = system.backups / system.backup
    found, digest = manifest.read(folder)
    assert {file.archive for file in found.files.values()} == {*age.KEPT, KEYSTORE}
    manifest.check_files(folder, found)
    identities = {name: age.identity(system.up.var / "backup-keys", name) for name in age.KEPT}
    for name, file in found.files.items():
        data = (folder / name).read_bytes()
        assert data.startswith(b"age-encryption.org/v1\n")
        for archive, identity in identities.items():
            key = pyrage.x25519.Identity.from_str(identity)
            if archive == file.archive:
                assert b"AGE-SECRET-KEY" not in pyrage.decrypt(data, [key])
            else:
                with pytest.raises(pyrage.DecryptError):
                    pyrage.decrypt(data, [key])
    begun, made = _entries(system.up.var / "ledger", "backup")
    assert (begun["note"], begun["ref"]) == ("begun", f"backup:{system.backup}")
    assert (made["note"], made["ref"]) == ("made", f"backup:{system.backup}/manifest:{digest}")


@embedded
def test_it_keeps_the_wrapped_keys_out_of_the_vaults_archive(system: System) -> None:
    """The dump of the vault's database names no table of the key store, and no backup key lies in any."""
    key = pyrage.x25519.Identity.from_str(age.identity(system.up.var / "backup-keys", "vault"))
    dump = pyrage.decrypt((system.backups / system.backup / "vault.dump.age").read_bytes(), [key])
    listed = subprocess.run(
        [postgres.binaries() / "pg_restore", "--list"], input=dump, capture_output=True, check=True
    ).stdout.decode()
    assert " TABLE vault access_grant " in listed
    assert " keystore " not in listed
    for path in (system.up.var / "keys").glob("backup-*.key"):
        assert path.read_bytes() not in dump


@embedded
def test_it_restores_the_newest_and_looks(system: System) -> None:
    """The trial leaves nothing behind, adds nothing but its result to the ledger, and is on record."""
    before = sorted(path.name for path in system.up.var.iterdir())
    done = system.noren("backup", "verify")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{system.backup}: restored, examined and whole" in done.stdout
    assert sorted(path.name for path in system.up.var.iterdir()) == before
    told = _entries(system.up.var / "ledger", "restore")[-1]
    assert (told["note"], told["ref"].partition("/")[0]) == ("verified", f"backup:{system.backup}")


@embedded
def test_it_rings_when_a_backup_was_changed(system: System) -> None:
    """One byte in an archive, or a manifest that the ledger does not know: alarm, and an entry."""
    other = "20260101T000000Z-00000000"
    copy = system.backups / other
    shutil.copytree(system.backups / system.backup, copy)
    try:
        text = (copy / manifest.NAME).read_text().replace(system.backup, other)
        (copy / manifest.NAME).write_text(text)
        unknown = system.noren("backup", "verify", other)
        assert unknown.returncode == 1
        assert "does not hold the SHA-256 of this backup's manifest" in unknown.stderr
        data = bytearray((copy / "app.dump.age").read_bytes())
        data[-1] ^= 1
        (copy / "app.dump.age").write_bytes(data)
        changed = system.noren("backup", "verify", other)
        assert changed.returncode == 1
        assert "app.dump.age is not what was written" in changed.stderr
        assert "ALARM" in changed.stderr
        assert [one["note"] for one in _entries(system.up.var / "ledger", "restore")][-2:] == ["failed"] * 2
    finally:
        shutil.rmtree(copy)


@embedded
def test_it_lists_what_there_is(system: System) -> None:
    assert system.backup in system.noren("backup", "list").stdout


@embedded
def test_it_restores_over_nothing_that_lives(system: System) -> None:
    """Neither beside a running system, which would write a second history, nor into a used folder."""
    into = system.up.var.parent / "refused"
    done = system.noren("restore", system.backup, "--into", str(into))
    assert done.returncode == 1
    assert f"Noren runs on {system.up.var}: stop it first" in done.stderr
    assert not into.exists()


@embedded
def test_it_restores_and_leaves_the_erased_erased(system: System) -> None:
    """It stops the system; the restored one serves, and erases again who was erased."""
    assert system.up.stop() == 0
    var = system.up.var.parent / "restored"
    moved = system.up.var / "ledger.moved"
    (system.up.var / "ledger").rename(moved)
    lost = system.noren("restore", system.backup, "--into", str(var))
    assert (lost.returncode, var.exists()) == (1, False)
    assert "--backups-ledger goes on with the backup's own" in lost.stderr
    done = system.noren("restore", system.backup, "--into", str(var), "--ledger", str(moved))
    assert done.returncode == 0, done.stdout + done.stderr
    again = system.noren("restore", system.backup, "--into", str(var), "--ledger", str(moved))
    assert f"{var} is not empty" in again.stderr
    up = Up(var, free_port()).start()
    try:
        assert up.opens(), up.text()
        states = dict(_vault_rows(var, "SELECT person::text, state FROM vault.person WHERE shop_id = 7"))
        assert states == {system.kept: "kept", system.erased: "erased"}
        keys = _vault_rows(var, "SELECT person::text FROM keystore.person_key WHERE shop_id = 7")
        assert keys == [(system.kept,)]
        found, _ = manifest.read(system.backups / system.backup)
        assert wire.call(_socket(var), "backup_canary", {"person": found.canary}, seconds=30)["mail"]
    finally:
        up.end()
    told = [(one["note"], one["persons"]) for one in _entries(var / "ledger", "restore")]
    assert ("erased_again", [system.erased]) in told
    assert told[-1] == ("restored", [])


@embedded
def test_it_says_so_when_it_goes_on_with_an_older_ledger(system: System) -> None:
    """The operator's word is on record, in the ledger that then is the only one."""
    system.up.end()
    var = system.up.var.parent / "older"
    done = system.noren("restore", system.backup, "--into", str(var), "--backups-ledger")
    assert done.returncode == 0, done.stdout + done.stderr
    found, _ = manifest.read(system.backups / system.backup)
    (told,) = _entries(var / "ledger", "restore")
    assert (told["note"], told["ref"]) == ("older_ledger", f"backup:{found.id}/size:{found.size}")


# -- without a system


def test_it_copies_a_living_ledger_up_to_its_last_signed_head(tmp_path: Path) -> None:
    """Half a batch at the end is left out; what stands before it is not touched."""
    head = b"noren/1\n3\nroot=\n\nsigned\n"
    whole = _frame(b"S", b"begin") + _frame(b"E", b"{}") + _frame(b"H", head)
    for torn in (b"", _frame(b"E", b"{}"), _frame(b"E", b"{}")[:7], b"\0" * 50):
        old, new = tmp_path / f"old{len(torn)}", tmp_path / f"new{len(torn)}"
        (old / "segments").mkdir(parents=True)
        new.mkdir()
        (old / "segments" / "00000000.seg").write_bytes(whole + torn)
        (old / "vkey").write_text("key\n")
        assert ledgerfiles.end(old).size == 3
        ledgerfiles.copy(old, new)
        assert (new / "segments" / "00000000.seg").read_bytes() == whole
        assert (new / "vkey").read_text() == "key\n"


def _frame(kind: bytes, payload: bytes) -> bytes:
    return kind + len(payload).to_bytes(4, "big") + payload + b"\0\0\0\0"


def test_it_opens_nothing_that_was_changed(tmp_path: Path) -> None:
    """A changed byte, another's key and a cut file are one refusal."""
    recipient = age.recipient(tmp_path / "keys", "app")
    assert recipient == age.recipient(tmp_path / "keys", "app")
    with (tmp_path / "plain").open("w+b") as plain:
        plain.write(b"x" * 100_000)
        plain.seek(0)
        age.encrypt(plain, tmp_path / "a.age", recipient)
    identity = age.identity(tmp_path / "keys", "app")
    with (tmp_path / "out").open("wb") as out:
        age.decrypt(tmp_path / "a.age", out, identity)
    assert (tmp_path / "out").read_bytes() == b"x" * 100_000
    data = (tmp_path / "a.age").read_bytes()
    for wrong in (data[:-1], data[:-1] + bytes([data[-1] ^ 1])):
        (tmp_path / "wrong.age").write_bytes(wrong)
        with (tmp_path / "out").open("wb") as out, pytest.raises(StartRefused, match="cannot be opened"):
            age.decrypt(tmp_path / "wrong.age", out, identity)
    other = str(pyrage.x25519.Identity.generate())
    with (tmp_path / "out").open("wb") as out, pytest.raises(StartRefused, match="cannot be opened"):
        age.decrypt(tmp_path / "a.age", out, other)


NOW = datetime(2027, 1, 10, 18, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("newest", "tried", "hour", "due"),
    [
        (None, None, 18, True),
        (NOW - timedelta(hours=24), None, 18, True),
        (NOW - timedelta(minutes=2), None, 18, False),
        (NOW - timedelta(hours=20), None, 19, False),
        (NOW - timedelta(hours=24), None, 19, True),
        (None, NOW - timedelta(minutes=30), 18, False),
        (None, NOW - timedelta(minutes=60), 18, True),
    ],
)
def test_it_backs_up_once_a_night(
    newest: datetime | None, tried: datetime | None, hour: int, *, due: bool
) -> None:
    """Once after each full hour; missed nights are made up once; a failure is tried again an hour later."""
    assert nightly.due(newest, tried, NOW, hour) is due
