"""Who is at the other end: the kernel says, or a certificate that was verified; never the peer."""

import socket
import struct
import sys
from dataclasses import dataclass
from typing import Final

from noren_vault.callers import may
from noren_vault.record import Path, session_name
from noren_vault.tls import Certificate

# macOS: getsockopt(SOL_LOCAL, LOCAL_PEERCRED) gives a struct xucred: version, uid, groups.
_SOL_LOCAL: Final = 0
_LOCAL_PEERCRED: Final = 1


@dataclass(frozen=True, slots=True)
class Peer:
    """A process's user, or over the network a certificate; `admin` may ask for scope, doctor and the founding
    of shops.
    """

    uid: int | None
    admin: bool
    certificate: Certificate | None = None

    @property
    def name(self) -> str:
        """How it stands in the record."""
        return f"uid:{self.uid}" if self.certificate is None else self.certificate.name

    def may(self, method: str) -> bool:
        """Whether its certificate is for this method; a user of this machine has none to be held to."""
        return self.certificate is None or may(self.certificate.role, method)

    def path(self, session: str = "") -> Path:
        """The entries' "who" where no grant says more: the app itself, or an administrator's shell."""
        return Path("app", self.name, session_name(session))

    @property
    def admin_path(self) -> Path:
        """The entries' "who" for what only an administrator may."""
        return Path("admin", self.name)


def peer_uid(connection: socket.socket) -> int:
    """Ask the kernel for the user of the process that connected."""
    if sys.platform == "linux":
        raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return int(struct.unpack("3i", raw)[1])
    else:  # noqa: RET505 - an `else` tells the type checker that this is for another platform
        raw = connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, 8)
        return int(struct.unpack("=II", raw)[1])
