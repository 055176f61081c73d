"""The vault on its own host: two data folders, two `noren up`, and nothing of each other's but the line."""

import email
import email.policy
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from noren.runtime import authority
from tests.environment import TOP
from tests.ports import free_port
from tests.runtime.up import Up
from tests.servers import wait_for

# Three starts of a side and a dozen commands, one after the other.
pytestmark = [pytest.mark.embedded, pytest.mark.timeout(900)]

HANAKO = {
    "name": "山田 花子",
    "kana": "ヤマダ ハナコ",
    "mail": "hanako@example.com",
    "phone": "090-1234-5678",
}


@dataclass
class Hosts:
    """The vault's host and the app's, as two folders of one machine."""

    vault: Up
    app: Up

    def noren(self, host: Up, *words: object) -> "subprocess.CompletedProcess[str]":
        environ = {"PATH": os.environ["PATH"], "NOREN_VAR": str(host.var), "NOREN_PORT": str(host.port)}
        return subprocess.run(
            [sys.executable, "-m", "noren.cli", *map(str, words)],
            env=environ | host.settings,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
        )

    def certify(self) -> None:
        """What a self-hoster does, step by step (docs/vault-host.md)."""
        asked, made = self.app.var.parent / "app.req", self.app.var.parent / "app.crt"
        assert self.noren(self.vault, "certs", "init", "--host", "localhost").returncode == 0
        asked.write_text(self.noren(self.app, "certs", "request").stdout)
        made.write_text(self.noren(self.vault, "certs", "sign", "--admin", asked).stdout)
        assert self.noren(self.app, "certs", "install", made).returncode == 0

    def ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Ask the app's API."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.app.port}/api/v1{path}",
            None if body is None else json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - our own
            return json.load(answer)

    def mails(self) -> list[str]:
        """What was sent to the customer, from the vault's host."""
        found = [
            email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            for path in sorted((self.vault.var / "mail").glob("*.eml"))
        ]
        bodies = [one.get_body(("plain",)) for one in found if one["To"] == HANAKO["mail"]]
        return [body.get_content() for body in bodies if body is not None]


@pytest.fixture
def hosts() -> Iterator[Hosts]:
    folder = Path(tempfile.mkdtemp(dir=TOP))
    folder.chmod(0o755)
    port, line = free_port(), _free()
    app = Up(folder / "app", port, words=(), settings={"NOREN_VAULT_URL": f"tls://localhost:{line}"})
    vault = Up(folder / "vault", port + 10)
    vault.settings = {
        "NOREN_VAULT_LISTEN": f"127.0.0.1:{line}",
        "NOREN_ORIGIN": f"http://localhost:{port}",
    }
    try:
        yield Hosts(vault, app)
    finally:
        app.end()
        vault.end()
        shutil.rmtree(folder, ignore_errors=True)


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def _slot(hosts: Hosts, taken: int = 0) -> dict[str, Any]:
    """A service of the salon, and a time at which it is free."""
    service = next(one["id"] for one in hosts.ask("/shops/salon/services")["services"] if one["price"])
    first = (datetime.now(UTC) + timedelta(days=3)).date()
    query = f"service={service}&from={first}&to={first + timedelta(days=7)}"
    days = hosts.ask(f"/shops/salon/availability?{query}")["days"]
    return {"service": service, "start": [start["at"] for day in days for start in day["starts"]][taken]}


def _serials(var: Path) -> dict[str, str]:
    made = {part: (var / "tls" / f"{part}.pem").read_bytes() for part in authority.PARTS}
    return {part: authority.serial(authority.certificate_of(text)) for part, text in made.items()}


def _holds(folder: Path, text: str) -> list[Path]:
    """The files of a folder in which a text stands."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if text.encode() in path.read_bytes()]


def test_it_books_with_the_vault_on_another_host(hosts: Hosts) -> None:
    """Both sides start apart, a customer books by HTTP, and only the vault's host knows and writes to her."""
    assert "ca.pem, web.pem, worker.pem are not in" in hosts.app.start().text()
    hosts.certify()
    hosts.vault.start()
    assert f"The vault is open on {hosts.vault.settings['NOREN_VAULT_LISTEN']}." in hosts.vault.text()
    hosts.app.start()
    assert "Putting in the example shops ..." in hosts.app.text()
    assert set(hosts.vault.children()) == {"vault database", "vault", "mail catcher", "doors"}
    assert set(hosts.app.children()) == {"app database", "web", "worker"}
    assert {path.name for path in hosts.app.var.iterdir()} == {"app", "log", "run", "tls"}
    assert not (hosts.vault.var / "app").exists()

    told = hosts.ask("/shops/salon/bookings", _slot(hosts) | {"customer": HANAKO})
    wait_for(lambda: bool(hosts.mails()))
    assert HANAKO["name"] in hosts.mails()[0]
    assert hosts.ask(f"/bookings/{told['token']}")["start"] == told["start"]
    assert _holds(hosts.vault.var / "mail", HANAKO["mail"])
    assert not _holds(hosts.app.var, HANAKO["mail"])
    assert not _holds(hosts.app.var, HANAKO["name"])
    for part, serial in _serials(hosts.app.var).items():
        assert _holds(hosts.vault.var / "ledger" / "segments", f'"process":"tls:{part}/{serial}"'), part

    for host in (hosts.app, hosts.vault):
        examined = hosts.noren(host, "doctor")
        assert (examined.returncode, examined.stderr) == (0, ""), examined.stdout
        web = f"tls:web/{_serials(hosts.app.var)['web']}"
        scope = hosts.noren(host, "scope", "--process", web, "--since", "1h")
        assert ": 1 person in" in scope.stdout, scope.stdout + scope.stderr

    _renews_while_running(hosts)
    _lends_no_administrator(hosts)
    _goes_on_without(hosts)


def _lends_no_administrator(hosts: Hosts) -> None:
    """Without `admin` on the app's host nobody there asks for a scope, and its doctor is content."""
    (hosts.app.var / "tls" / "admin.pem").unlink()
    refused = hosts.noren(hosts.app, "scope", "--all", "--since", "1h")
    assert (refused.returncode, refused.stdout) == (1, "")
    examined = hosts.noren(hosts.app, "doctor")
    assert "The vault answers" in examined.stdout
    assert examined.returncode == 0, examined.stdout + examined.stderr


def _renews_while_running(hosts: Hosts) -> None:
    """All certificates anew, nothing restarted; what the old one could do is over once it is revoked."""
    old, processes = _serials(hosts.app.var), (hosts.vault.children(), hosts.app.children())
    hosts.certify()
    assert hosts.noren(hosts.vault, "certs", "revoke", old["web"]).returncode == 0
    web = f"tls:web/{_serials(hosts.app.var)['web']}"

    def booked() -> bool:
        try:
            hosts.ask("/shops/salon/bookings", _slot(hosts, taken=2) | {"customer": HANAKO})
        except urllib.error.HTTPError as error:
            error.close()
        return bool(_holds(hosts.vault.var / "ledger" / "segments", f'"process":"{web}"'))

    wait_for(booked)
    assert processes == (hosts.vault.children(), hosts.app.children())


def _goes_on_without(hosts: Hosts) -> None:
    """The vault's host down: pages and times go on, a booking is refused in words, and it heals itself."""
    assert hosts.vault.stop() == 0
    assert hosts.app.opens("/salon/")
    wanted = _slot(hosts, taken=6) | {"customer": HANAKO}
    with pytest.raises(urllib.error.HTTPError) as refused:
        hosts.ask("/shops/salon/bookings", wanted)
    assert json.load(refused.value)["code"] == "cannot_take_new_customers"
    hosts.vault.start()
    wanted = _slot(hosts, taken=6) | {"customer": HANAKO}
    assert hosts.ask("/shops/salon/bookings", wanted)["start"] == wanted["start"]
