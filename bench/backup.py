"""A stolen backup: made by the vault and the product's own maker, opened by a thief's own hand.

The thief's half uses nothing of Noren: age (pyrage), `pg_restore`, AES-256-GCM and HKDF, and the formats as
the documents have them. What it opens is the truth that the answer is held against.
"""

import io
import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pyrage
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bench.year import MINUTE, House
from noren.people import wire
from noren.runtime import postgres
from noren.runtime.backups import manifest
from noren.runtime.backups.make import Files, vault_archives
from noren.runtime.paths import Paths

Rows = Iterator[list[str]]
Told = tuple[int, UUID, str]


# -- the house's half


def make(house: House) -> Path:
    """Make a backup of the vault's side; gives its folder. It takes a minute of the house's clock."""
    backup = manifest.new_id(datetime.fromtimestamp(house.clock / 1000, UTC))
    paths, folder, socket = (
        Paths(house.folder),
        house.folder / "backups" / backup,
        str(house.configured.socket),
    )
    for needed in (folder, paths.log):
        needed.mkdir(parents=True, exist_ok=True)
    begun = wire.call(socket, "backup_begin", {"backup": backup}, seconds=60)
    files = Files(folder, paths, begun["recipient"])
    vault_archives(house.migrator, house.owner, files)
    done = files.manifest(backup, datetime.now(UTC), begun, files.ledger(paths.ledger))
    house.clock += MINUTE
    wire.call(socket, "backup_end", {"backup": backup, "manifest": done.write(folder)}, seconds=60)
    return folder


# -- the thief's half


@dataclass(frozen=True, slots=True)
class Thief:
    """Who has a backup's folder, and whatever else: `backup-keys/`, `keys/`."""

    archives: Path
    backup_keys: Path | None = None
    keys: Path | None = None

    def opens(self) -> set[str]:
        """Name the archives that open with what is in hand."""
        return {path.name for path in self.archives.glob("*.age") if self._open(path.name) is not None}

    def sealed(self) -> Iterator[Told]:
        """Read whose fields lie in the vault's archive, as cipher."""
        for shop, person, field, _version, _box in self._fields():
            yield shop, person, field

    def read(self) -> Iterator[Told]:
        """Read every field that can be decrypted."""
        held = {(int(row[0]), row[1]): row[2:5] for row in self._table("keystore", "person_key")}
        for shop, person, field, version, box in self._fields():
            epoch, wrapped, versions = held.get((shop, str(person)), ["", "", ""])
            if not wrapped:
                continue
            data_id, data_key = self._unwrap(shop, str(person), epoch, wrapped, json.loads(versions))
            place = (
                f'{{"field":"{field}","key":"{data_id.hex()}","person":"{person}","shop":{shop},'
                f'"v":1,"version":{version}}}'
            )
            if json.loads(_opened(data_key, box, place))["text"]:
                yield shop, person, field

    def _unwrap(
        self, shop: int, person: str, epoch: str, wrapped: str, versions: dict[str, int]
    ) -> tuple[bytes, bytes]:
        whole = _bytes(wrapped)
        bound = ",".join(f'"{name}":{versions[name]}' for name in sorted(versions))
        place = (
            f'{{"data_key":"{whole[:4].hex()}","key":"{_bytes(epoch).hex()}","person":"{person}",'
            f'"shop":{shop},"v":1,"versions":{{{bound}}}}}'
        )
        return whole[:4], _opened(self._key("epoch", _bytes(epoch).hex()), whole[4:], place)

    def _fields(self) -> Iterator[tuple[int, UUID, str, str, bytes]]:
        people = {row[1] for row in self._table("vault", "person") if row[2] != "canary"}
        for shop, person, field, version, box, *_ in self._table("vault", "field"):
            # Not the caller's key, an id that lies sealed beside the fields; nor a canary, who is nobody.
            if field != "key" and person in people:
                yield int(shop), UUID(person), field, version, _bytes(box)

    def _table(self, archive: str, table: str) -> Rows:
        """Give a table's rows from its archive, as `pg_restore` writes them; none where it does not open."""
        plain = self._open(f"{archive}.dump.age")
        if plain is None:
            return
        argv = [str(postgres.binaries() / "pg_restore"), "--data-only", f"--schema={archive}"]
        done = subprocess.run(
            [*argv, f"--table={table}", "-f", "-"], input=plain, capture_output=True, check=True
        )
        lines = iter(done.stdout.decode().splitlines())
        if not any(line.startswith("COPY ") for line in lines):
            raise RuntimeError(f"no {table} in the archive")
        for line in lines:
            if line == "\\.":
                return
            yield line.split("\t")

    def _open(self, name: str) -> bytes | None:
        for identity in self._identities():
            plain = io.BytesIO()
            try:
                pyrage.decrypt_io(io.BytesIO((self.archives / name).read_bytes()), plain, [identity])
            except pyrage.DecryptError:
                continue
            return plain.getvalue()
        return None

    def _identities(self) -> Iterator[pyrage.x25519.Identity]:
        texts = []
        if self.backup_keys is not None:
            texts += [path.read_text().splitlines()[-1] for path in sorted(self.backup_keys.glob("*.txt"))]
        if self.keys is not None:
            told = json.loads((self.archives / "manifest.json").read_text())
            key = HKDF(SHA256(), 32, None, b"noren backup v1").derive(self._key("backup", told["key"]))
            sealed = bytes.fromhex(told["sealed"])
            texts.append(_opened(key, sealed, f"backup:{told['id']}/keystore").decode())
        for text in texts:
            yield pyrage.x25519.Identity.from_str(text)

    def _key(self, kind: str, name: str) -> bytes:
        if self.keys is None:
            raise RuntimeError("no keys in hand")
        (path,) = self.keys.glob(f"{kind}-*-{name}.key")
        return path.read_bytes()


def take(archives: Path, house: House, to: Path, *, backup_keys: bool = False, keys: bool = False) -> Thief:
    """Copy what is taken, as it lies now, to a place of the thief's own."""
    there: dict[str, Path] = {}
    for name, source, taken in (
        ("archives", archives, True),
        ("backup_keys", Paths(house.folder).backup_keys, backup_keys),
        ("keys", house.configured.keys, keys),
    ):
        if taken:
            there[name] = Path(shutil.copytree(source, to / name))
    return Thief(**there)


def _opened(key: bytes, sealed: bytes, place: str) -> bytes:
    """Open: version (1 byte), key id (4), nonce (12), ciphertext and tag."""
    try:
        return AESGCM(key).decrypt(sealed[5:17], sealed[17:], place.encode())
    except InvalidTag:
        raise RuntimeError(f"what was taken does not open: {place}") from None


def _bytes(text: str) -> bytes:
    """Read a bytea as COPY writes it."""
    return bytes.fromhex(text.removeprefix("\\\\x"))
