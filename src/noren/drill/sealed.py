"""A thief of the vault's rows, of its keys, or of a backup: what opens, opened by the thief's own hand.

Nothing of Noren is used: age, `pg_restore`, AES-256-GCM, HKDF, and the formats as the documents have them.
"""

import io
import json
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psycopg
import pyrage
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

# Whose person, which field.
Told = tuple[int, UUID, str]
CANARY: Final = "canary"
_FIELDS: Final = (
    "SELECT shop_id, person, field, version, sealed, kind "
    "FROM vault.field JOIN vault.person USING (shop_id, person)"
)
_KEYS: Final = "SELECT shop_id, person, epoch, wrapped, versions FROM keystore.person_key"


@dataclass(frozen=True, slots=True)
class Sealed:
    """One field as it lies in the vault's rows."""

    shop: int
    person: UUID
    field: str
    version: int
    box: bytes
    kind: str


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A person's data key as it lies beside, under an epoch key."""

    epoch: bytes
    key: bytes
    versions: Mapping[str, int]


Keys = Mapping[tuple[int, UUID], Wrapped]


@dataclass(frozen=True, slots=True)
class Rows:
    """All that the vault's tables hold of persons' fields. A caller's key is no field of a person's."""

    fields: tuple[Sealed, ...]
    keys: Keys

    def named(self) -> set[Told]:
        """Name whose fields lie there; a canary is nobody."""
        return {(one.shop, one.person, one.field) for one in self.fields if one.kind != CANARY}

    def read(self, folder: Path) -> dict[Told, str]:
        """Read every field that opens with the keys of this folder, canaries too."""
        found = {}
        for one in self.fields:
            wrapped = self.keys.get((one.shop, one.person))
            text = "" if wrapped is None else _text(one, wrapped, folder)
            if text:
                found[one.shop, one.person, one.field] = text
        return found

    def real(self, read: Iterable[Told]) -> set[Told]:
        """Leave out of what was read the canaries, who are nobody."""
        return self.named().intersection(read)


def from_database(login: Mapping[str, str]) -> Rows:
    """Copy the rows out of the running database."""
    with psycopg.connect(**dict(login)) as connection:  # type: ignore[arg-type]
        fields = [_field(row) for row in connection.execute(_FIELDS).fetchall()]
        keys = {(row[0], row[1]): Wrapped(row[2], row[3], row[4]) for row in connection.execute(_KEYS)}
    return Rows(tuple(one for one in fields if one.field != "key"), keys)


def _field(row: Any) -> Sealed:
    return Sealed(*row)


def _text(one: Sealed, wrapped: Wrapped, folder: Path) -> str:
    bound = ",".join(f'"{name}":{wrapped.versions[name]}' for name in sorted(wrapped.versions))
    place = (
        f'{{"data_key":"{wrapped.key[:4].hex()}","key":"{wrapped.epoch.hex()}","person":"{one.person}",'
        f'"shop":{one.shop},"v":1,"versions":{{{bound}}}}}'
    )
    data_key = _opened(_key(folder, "epoch", wrapped.epoch.hex()), wrapped.key[4:], place)
    place = (
        f'{{"field":"{one.field}","key":"{wrapped.key[:4].hex()}","person":"{one.person}",'
        f'"shop":{one.shop},"v":1,"version":{one.version}}}'
    )
    return str(json.loads(_opened(data_key, one.box, place))["text"])


def _key(folder: Path, kind: str, name: str) -> bytes:
    (path,) = folder.glob(f"{kind}-*-{name}.key")
    return path.read_bytes()


def _opened(key: bytes, sealed: bytes, place: str) -> bytes:
    """Open: version (1 byte), key id (4), nonce (12), ciphertext and tag."""
    try:
        return AESGCM(key).decrypt(sealed[5:17], sealed[17:], place.encode())
    except InvalidTag:
        raise RuntimeError(f"what was taken does not open: {place}") from None


# -- a backup's folder


@dataclass(frozen=True, slots=True)
class Archives:
    """Who has a backup's folder, and whatever else: `backup-keys/`, `keys/`. `tool`: a `pg_restore`."""

    folder: Path
    tool: Path
    backup_keys: Path | None = None
    keys: Path | None = None

    def opens(self) -> set[str]:
        """Name the archives that open with what is in hand."""
        return {path.name for path in self.folder.glob("*.age") if self._open(path.name) is not None}

    def rows(self) -> Rows:
        """Give what the vault's archives hold, as far as they open."""
        kinds = {row[1]: row[2] for row in self._table("vault", "person")}
        fields = [
            Sealed(int(row[0]), UUID(row[1]), row[2], int(row[3]), _bytes(row[4]), kinds[row[1]])
            for row in self._table("vault", "field")
            if row[2] != "key"
        ]
        keys = {
            (int(row[0]), UUID(row[1])): Wrapped(_bytes(row[2]), _bytes(row[3]), json.loads(row[4]))
            for row in self._table("keystore", "person_key")
        }
        return Rows(tuple(fields), keys)

    def _table(self, archive: str, table: str) -> Iterator[list[str]]:
        plain = self._open(f"{archive}.dump.age")
        if plain is None:
            return
        argv = [str(self.tool), "--data-only", f"--schema={archive}", f"--table={table}", "-f", "-"]
        done = subprocess.run(argv, input=plain, capture_output=True, check=True)
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
                pyrage.decrypt_io(io.BytesIO((self.folder / name).read_bytes()), plain, [identity])
            except pyrage.DecryptError:
                continue
            return plain.getvalue()
        return None

    def _identities(self) -> Iterable["pyrage.x25519.Identity"]:
        texts = []
        if self.backup_keys is not None:
            texts += [path.read_text().splitlines()[-1] for path in sorted(self.backup_keys.glob("*.txt"))]
        if self.keys is not None:
            told = json.loads((self.folder / "manifest.json").read_text())
            master = _key(self.keys, "backup", told["key"])
            key = HKDF(SHA256(), 32, None, b"noren backup v1").derive(master)
            place = f"backup:{told['id']}/keystore"
            texts.append(_opened(key, bytes.fromhex(told["sealed"]), place).decode())
        return [pyrage.x25519.Identity.from_str(text) for text in texts]


def _bytes(text: str) -> bytes:
    """Read a bytea as COPY writes it."""
    return bytes.fromhex(text.removeprefix("\\\\x"))
