"""The app side's end of the line: it speaks to the house's own vault, by its name, and to nobody else."""

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.test import override_settings

from noren import errors, people
from noren.booking import doctor
from noren.people import wire
from noren.runtime import authority
from noren.runtime.authority import Authority

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def house() -> Authority:
    return Authority.make(NOW)


@pytest.fixture
def folder(house: Authority, tmp_path: Path) -> Path:
    """The app side's certificates."""
    (tmp_path / "ca.pem").write_bytes(authority.text(house.certificate))
    for part in ("web", "worker"):
        key = authority.new_key()
        made = house.for_part(key.public_key(), part, NOW)
        (tmp_path / f"{part}.pem").write_bytes(authority.key_text(key) + authority.text(made))
    return tmp_path


def _context(folder: Path, house: Authority, host: str = "localhost") -> ssl.SSLContext:
    key = authority.new_key()
    made = house.for_vault(key.public_key(), [host], NOW)
    (folder / "server.pem").write_bytes(authority.key_text(key) + authority.text(made))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context


@contextmanager
def _vault(context: ssl.SSLContext | None, asked: list[bytes]) -> Iterator[str]:
    """Something that listens where the vault should, and keeps what it is asked."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                line, _ = listener.accept()
            except OSError:
                return
            try:
                with line if context is None else context.wrap_socket(line, server_side=True) as one:
                    asked.append(one.recv(4096))
                    data = json.dumps({"ok": {"checkpoint": "x"}}).encode()
                    one.sendall(len(data).to_bytes(4, "big") + data)
            except OSError:
                line.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"tls://localhost:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)
        wire.close()


@contextmanager
def _asking(address: str, folder: Path, caller: str = "web") -> Iterator[None]:
    with override_settings(VAULT_SOCKET=address, VAULT_TLS=folder, VAULT_CALLER=caller):
        yield


def test_it_speaks_to_the_houses_own_vault(folder: Path, house: Authority) -> None:
    """The one that is let pass, for the tests below."""
    asked: list[bytes] = []
    with _vault(_context(folder, house), asked) as address, _asking(address, folder):
        assert people.checkpoint() == "x"
    assert b'"checkpoint"' in asked[0]


def _strangers(folder: Path, house: Authority) -> dict[str, ssl.SSLContext | None]:
    old = _context(folder, house)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    client.load_cert_chain(folder / "web.pem")
    return {
        "another name": _context(folder, house, "elsewhere.example"),
        "another authority": _context(folder, Authority.make(NOW)),
        "a client's certificate": client,
        "tls 1.2": old,
        "no tls": None,
    }


@pytest.mark.parametrize(
    "who", ["another name", "another authority", "a client's certificate", "tls 1.2", "no tls"]
)
def test_it_tells_a_stranger_nothing(folder: Path, house: Authority, who: str) -> None:
    """Whoever took the vault's place gets no byte of a request."""
    asked: list[bytes] = []
    with (
        _vault(_strangers(folder, house)[who], asked) as address,
        _asking(address, folder),
        pytest.raises(errors.VaultUnavailable),
    ):
        people.put(1, "a", {"name": "花子"})
    assert not any("花子".encode() in one for one in asked)


def test_it_says_that_it_has_no_certificate(folder: Path, house: Authority) -> None:
    """A part without one asks nobody: VaultUnavailable, not an OSError."""
    asked: list[bytes] = []
    with (
        _vault(_context(folder, house), asked) as address,
        _asking(address, folder, "admin"),
        pytest.raises(errors.VaultUnavailable),
    ):
        people.checkpoint()
    assert asked == []


def test_the_doctor_says_which_certificate_ends(folder: Path, house: Authority) -> None:
    """Thirty days before, and when one is not there; a socket needs none."""
    key = authority.new_key()
    made = house.for_part(key.public_key(), "web", NOW - timedelta(days=345))
    (folder / "web.pem").write_bytes(authority.key_text(key) + authority.text(made))
    (folder / "worker.pem").unlink()
    with _asking("tls://localhost:1", folder):
        found = {(one.what, Path(one.where.partition(":")[0]).name) for one in doctor._certificates()}
    assert found == {("certificate_ends", "web.pem"), ("certificate_missing", "worker.pem")}
    (folder / "web.pem").write_bytes(b"half")
    with _asking("tls://localhost:1", folder):
        assert [one.what for one in doctor._certificates()] == ["certificates_unreadable"]
    with _asking("/run/vault.sock", folder):
        assert doctor._certificates() == []
