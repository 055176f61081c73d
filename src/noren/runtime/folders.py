"""The data folder's folders, each with its one owner and mode."""

import os
from pathlib import Path

from noren.runtime.env import StartRefused
from noren.runtime.paths import Paths
from noren.runtime.users import OsUser, Sides, own


def owner(user: OsUser | None) -> tuple[int, int] | None:
    """Return (uid, gid) for a file that is to be the user's, None where it is ours anyway."""
    return None if user is None else (user.uid, user.gid)


def prepare(paths: Paths, sides: Sides, *, app: bool = True, vault: bool = True) -> None:
    """Make every folder of the sides that are here. Safe to run again; somebody else's folder is refused."""
    for path, mode in ((paths.var, 0o755), (paths.run, 0o755), (paths.log, 0o700)):
        own(path, None, mode)
    if paths.sockets != paths.run:
        _short(paths.sockets)
    if app:
        own(paths.app, sides.app, 0o700)
        own(paths.app_pg_socket_dir, sides.app, 0o700)
    if vault:
        _prepare_vault(paths, sides)


def _prepare_vault(paths: Paths, sides: Sides) -> None:
    own(paths.mail, sides.app, 0o700)  # caught where it is sent
    own(paths.vault, sides.vault, 0o700)
    own(paths.keys, sides.vault, 0o700)
    own(paths.vault_pg_socket_dir, sides.vault, 0o700)
    # Entered by the app, whose user id the vault checks on the socket; the ledger holds ids and may be read.
    own(paths.vault_socket.parent, sides.vault, 0o755)
    own(paths.ledger, sides.vault, 0o755)


def _short(path: Path) -> None:
    """Make the short folder for sockets in the temp folder, where anybody could have made it before us."""
    try:
        path.mkdir(mode=0o755)
    except FileExistsError:
        found = path.lstat()
        if path.is_symlink() or found.st_uid != os.geteuid():
            raise StartRefused(
                f"{path} belongs to somebody else: remove it, or give NOREN_VAR a shorter path."
            ) from None
    path.chmod(0o755)
