"""The protocol's methods on backups: an administrator's process only."""

import re
from typing import Any, Final

from noren_vault.backups import Backups
from noren_vault.errors import BadRequest
from noren_vault.peer import Peer
from noren_vault.protocol import Params

_ID: Final = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}", re.ASCII)


class BackupMethods:
    """Reads the params and calls one act."""

    def __init__(self, backups: Backups) -> None:
        """Keep the acts."""
        self._backups = backups
        self.acts = {
            "backup_begin": self.begin,
            "backup_end": self.end,
            "backup_canary": self.canary,
            "backup_restored": self.restored,
        }

    async def begin(self, params: Params, peer: Peer) -> dict[str, Any]:
        """Give a backup its key and its canary."""
        return await self._backups.begin(_backup(params), peer.admin_path)

    async def end(self, params: Params, peer: Peer) -> dict[str, Any]:
        """Put a finished backup on record."""
        manifest = params.text("manifest", most=64)
        return {"entry": await self._backups.end(_backup(params), manifest, peer.admin_path)}

    async def canary(self, params: Params, peer: Peer) -> dict[str, Any]:
        """Reveal a backup's canary."""
        return {"mail": await self._backups.canary(params.person("person"), peer.admin_path)}

    async def restored(self, params: Params, peer: Peer) -> dict[str, Any]:
        """Put a restore or its trial on record."""
        told, size = params.text("told", most=40), params.number("size")
        return {"entry": await self._backups.restored(_backup(params), told, size, peer.admin_path)}


def _backup(params: Params) -> str:
    backup = params.text("backup", most=40)
    if not _ID.fullmatch(backup):
        raise BadRequest("a backup's id is YYYYMMDDTHHMMSSZ and eight hexadecimal digits")
    return backup
