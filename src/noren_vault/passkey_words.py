"""What a passkey is called, and on which device it was made: sealed, for it may name a person."""

import json
from dataclasses import dataclass
from typing import Any, Final

from noren_vault.database import Connection
from noren_vault.errors import BadRequest, RecordDamaged
from noren_vault.keys import Keys
from noren_vault.visits import MOST_DEVICE

MOST_LABEL: Final = 60
_ATTACHED: Final = ("platform", "cross-platform")


@dataclass(frozen=True, slots=True)
class PasskeyWords:
    """`label` is the person's own name for it, empty before she gave one; `device` what the browser said.

    `attached`: `platform` (the device itself), `cross-platform` (a key or a phone beside it), or not told.
    """

    label: str = ""
    device: str = ""
    attached: str = ""

    @classmethod
    def of(cls, label: str, device: str, attached: object) -> "PasskeyWords":
        """Take what was given. Raises BadRequest."""
        told = attached if isinstance(attached, str) and attached in _ATTACHED else ""
        return cls(label_of(label), device[:MOST_DEVICE], told)

    def to_wire(self) -> dict[str, Any]:
        """The shape of the answer, and what is sealed."""
        return {"label": self.label, "device": self.device, "attached": self.attached}

    async def store(self, connection: Connection, keys: Keys, actor: str, name: str) -> None:
        """Store them for a passkey in the caller's transaction, which holds the keys steady."""
        sealed = keys.addresses.seal(json.dumps(self.to_wire()).encode(), place(name))
        await connection.execute(
            b"INSERT INTO vault.passkey_word (name, actor, sealed) VALUES (%s, %s, %s) "
            b"ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed",
            [name, actor, sealed],
        )


def place(name: str) -> str:
    """Where a passkey's sealed words belong."""
    return f"passkey:{name}"


def label_of(text: str) -> str:
    """Take a person's name for a passkey. Raises BadRequest."""
    label = text.strip()
    if len(label) > MOST_LABEL or not all(sign.isprintable() for sign in label):
        raise BadRequest(f"a passkey's name has at most {MOST_LABEL} printable characters")
    return label


def opened(keys: Keys, name: str, sealed: bytes | None) -> PasskeyWords:
    """Open a passkey's words; there may be none, or none that can be told any more."""
    if sealed is None:
        return PasskeyWords()
    try:
        return PasskeyWords(**json.loads(keys.opens(bytes(sealed)).open(bytes(sealed), place(name))))
    except RecordDamaged:
        return PasskeyWords()
