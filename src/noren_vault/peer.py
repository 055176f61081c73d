"""Who is at the other end of the socket: the kernel says, not the peer."""

import socket
import struct
import sys
from dataclasses import dataclass
from typing import Final

from noren_vault.record import Path, session_name

# macOS: getsockopt(SOL_LOCAL, LOCAL_PEERCRED) gives a struct xucred: version, uid, groups.
_SOL_LOCAL: Final = 0
_LOCAL_PEERCRED: Final = 1


@dataclass(frozen=True, slots=True)
class Peer:
    """A process's user; `admin` may ask for scope, doctor and the founding of shops."""

    uid: int
    admin: bool

    def path(self, session: str = "") -> Path:
        """The entries' "who" where no grant says more: the app itself, or an administrator's shell."""
        return Path("app", f"uid:{self.uid}", session_name(session))

    @property
    def admin_path(self) -> Path:
        """The entries' "who" for what only an administrator may."""
        return Path("admin", f"uid:{self.uid}")


def peer_uid(connection: socket.socket) -> int:
    """Ask the kernel for the user of the process that connected."""
    if sys.platform == "linux":
        raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return int(struct.unpack("3i", raw)[1])
    else:  # noqa: RET505 - an `else` tells the type checker that this is for another platform
        raw = connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, 8)
        return int(struct.unpack("=II", raw)[1])
