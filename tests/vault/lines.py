"""Lines over the network to a vault process: an authority of the test's own, certificates of every kind."""

import json
import os
import re
import socket
import ssl
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from django.test import override_settings

from noren.people import wire
from noren.runtime import authority, users
from noren.runtime.authority import Authority
from tests.servers import VaultProcess

HEALTH = b'{"v":1,"method":"health","params":{}}'


def now() -> datetime:
    return datetime.now(UTC)


def put(path: Path, data: bytes) -> None:
    """Replace a file, and let the vault's user read it."""
    fresh = path.with_suffix(".new")
    fresh.write_bytes(data)
    user = users.sides().vault
    if user is not None:
        os.chown(fresh, user.uid, user.gid)
    fresh.replace(path)


@dataclass
class Line:
    """A vault that is asked over the network. `folder` is its certificates', `client` the app side's."""

    vault: VaultProcess
    house: Authority = field(default_factory=lambda: Authority.make(now()))

    @property
    def folder(self) -> Path:
        return self.vault.folder / "tls"

    @property
    def client(self) -> Path:
        return self.vault.folder / "client"

    @property
    def port(self) -> int:
        found = re.findall(r'"port": (\d+), "event": "listening"', self.vault.log)
        return int(found[-1])

    @property
    def address(self) -> str:
        return f"tls://localhost:{self.port}"

    def start(self) -> None:
        """Start the vault again, with its certificates, on a free port."""
        self.vault.stop()
        self.folder.mkdir(exist_ok=True)
        self.client.mkdir(exist_ok=True)
        self.certify_vault()
        self.trust(self.house)
        self.client.joinpath("ca.pem").write_bytes(authority.text(self.house.certificate))
        self.vault.settings = {
            **self.vault.settings,
            "NOREN_VAULT_LISTEN": "127.0.0.1:0",
            "NOREN_VAULT_TLS": str(self.folder),
        }
        self.vault.start()

    def trust(self, house: Authority) -> None:
        """Let the vault believe this authority."""
        put(self.folder / "ca.pem", authority.text(house.certificate))

    def certify_vault(self, house: Authority | None = None, days: int = 365) -> str:
        """Give the vault a new certificate; returns its serial."""
        key = authority.new_key()
        made = (house or self.house).for_vault(key.public_key(), ["localhost"], now(), days)
        put(self.folder / "server.pem", authority.key_text(key) + authority.text(made))
        return authority.serial(made)

    def certify(
        self, part: str, *, house: Authority | None = None, ends: datetime | None = None, name: str = ""
    ) -> str:
        """Give the app side a certificate, in the file of `name` or of the part; returns its serial."""
        key, begins = authority.new_key(), (ends or now() + timedelta(days=1)) - timedelta(days=1)
        made = (house or self.house).for_part(key.public_key(), part, begins, 1)
        path = self.client / f"{name or part}.pem"
        fresh = path.with_suffix(".new")
        fresh.write_bytes(authority.key_text(key) + authority.text(made))
        fresh.replace(path)
        return authority.serial(made)

    def revoke(self, *serials: str) -> None:
        """Replace the list of revoked serials."""
        put(self.folder / "revoked", "".join(f"{one}\n" for one in serials).encode())

    @contextmanager
    def asking(self, caller: str) -> Iterator[None]:
        """Let the app side's client ask over the network inside the block, as this part."""
        wire.close()
        where = {"VAULT_SOCKET": self.address, "VAULT_TLS": self.client, "VAULT_CALLER": caller}
        try:
            with override_settings(**where):
                yield
        finally:
            wire.close()

    # -- by hand, for what our own client would not do

    def context(self, name: str | None) -> ssl.SSLContext:
        """A client's context, as bare as can be."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.client / "ca.pem")
        if name is not None:
            context.load_cert_chain(self.client / f"{name}.pem")
        return context

    def plain(self) -> socket.socket:
        """A connection that says nothing yet."""
        return socket.create_connection(("127.0.0.1", self.port), 30)

    def secure(self, context: ssl.SSLContext, session: ssl.SSLSession | None = None) -> ssl.SSLSocket:
        """A connection after its handshake."""
        return context.wrap_socket(self.plain(), server_hostname="localhost", session=session)


def ask(line: socket.socket, frame: bytes = HEALTH) -> dict[str, Any] | None:
    """Send a frame and read the answer; None when the line was cut instead."""
    try:
        line.sendall(struct.pack(">I", len(frame)) + frame)
        head = line.recv(4)
        if not head:
            return None
        data, length = b"", int.from_bytes(head, "big")
        while len(data) < length:
            data += line.recv(length - len(data))
    except OSError:
        return None
    answer: dict[str, Any] = json.loads(data)
    return answer


def cut(line: socket.socket) -> bool:
    """Wait for the other end's word; whether it was the end."""
    try:
        return line.recv(1) == b""
    except ConnectionError:
        return True


def odd(house: Authority, names: list[x509.GeneralName], use: x509.ObjectIdentifier) -> bytes:
    """A key and a certificate of the house for names that it never gives."""
    key = authority.new_key()
    made = house._certify(key.public_key(), "odd", x509.SubjectAlternativeName(names), use, (now(), 1))
    return authority.key_text(key) + authority.text(made)
