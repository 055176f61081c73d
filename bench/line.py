"""The house's line over the network: an authority of its own, and certificates of the app side's parts."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from noren.runtime import authority
from noren.runtime.authority import Authority


@dataclass
class Line:
    """`certificates` is the vault's folder, `client` the app side's; `port` is known once it listens."""

    folder: Path
    port: int = 0
    house: Authority = field(default_factory=lambda: Authority.make(datetime.now(UTC)))

    @property
    def certificates(self) -> Path:
        """The authority's certificate, and the vault's."""
        return self.folder / "tls"

    @property
    def client(self) -> Path:
        """The authority's certificate, and those of the parts."""
        return self.folder / "client"

    @property
    def address(self) -> str:
        """Where the vault is asked."""
        return f"tls://localhost:{self.port}"

    def prepare(self) -> None:
        """Make both folders, and the vault's certificate."""
        key = authority.new_key()
        made = self.house.for_vault(key.public_key(), ["localhost"], datetime.now(UTC))
        for folder in (self.certificates, self.client):
            folder.mkdir(exist_ok=True)
            (folder / "ca.pem").write_bytes(authority.text(self.house.certificate))
        (self.certificates / "server.pem").write_bytes(authority.key_text(key) + authority.text(made))

    def certify(self, part: str) -> str:
        """Give a part of the app side a new certificate; gives its serial."""
        key = authority.new_key()
        made = self.house.for_part(key.public_key(), part, datetime.now(UTC), 1)
        fresh = self.client / f"{part}.new"
        fresh.write_bytes(authority.key_text(key) + authority.text(made))
        fresh.replace(self.client / f"{part}.pem")
        return authority.serial(made)
