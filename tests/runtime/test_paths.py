"""The data folder: everything under it, sockets short enough."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

import pytest

from noren.runtime import folders, secrets_file
from noren.runtime.env import StartRefused
from noren.runtime.paths import Paths
from noren.runtime.users import Sides

ONE_USER = Sides(None, None)


@dataclass(frozen=True)
class Var:
    var: Path


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_it_keeps_keys_out_of_every_database_folder() -> None:
    paths = Paths.of(Var(Path("/srv/noren/var")))
    assert not paths.keys.is_relative_to(paths.vault)
    assert not paths.keys.is_relative_to(paths.app)


def test_it_puts_sockets_into_a_short_folder_when_the_path_is_long() -> None:
    deep = Paths(Path("/srv") / ("x" * 90))
    assert not deep.sockets.is_relative_to(deep.var)
    assert len(os.fsencode(deep.vault_pg_socket_dir / ".s.PGSQL.5432.lock")) < 104
    assert deep.sockets != Paths(Path("/srv") / ("y" * 90)).sockets
    short = Paths(Path("/srv/var"))
    assert short.sockets == short.run


def test_it_closes_each_folder_to_others(tmp_path: Path) -> None:
    paths = Paths(tmp_path / "var")
    folders.prepare(paths, ONE_USER)
    for path in (paths.app, paths.vault, paths.keys, paths.mail, paths.app_pg_socket_dir):
        assert _mode(path) == 0o700, path
    for path in (paths.ledger, paths.vault_socket.parent):
        assert _mode(path) == 0o755, path


def test_it_refuses_a_short_folder_that_is_a_link(tmp_path: Path) -> None:
    paths = Paths(tmp_path / ("x" * 90))
    paths.sockets.symlink_to(tmp_path)
    try:
        with pytest.raises(StartRefused, match="belongs to somebody else"):
            folders.prepare(paths, ONE_USER)
    finally:
        paths.sockets.unlink()


def test_it_makes_secrets_once(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    made = secrets_file.ensure(path, ("one", "two"))
    assert secrets_file.ensure(path, ("one", "two")) == made
    assert _mode(path) == 0o600
    assert made["one"] != made["two"]
    assert {name for name in made if name.endswith(".made")} == {"one.made", "two.made"}


def test_it_adds_a_new_secret_and_keeps_the_old(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    old = secrets_file.ensure(path, ("one",))
    new = secrets_file.ensure(path, ("one", "two"))
    assert (new["one"], new["one.made"]) == (old["one"], old["one.made"])


def test_it_follows_no_link_to_the_other_sides_secrets(tmp_path: Path) -> None:
    """Root would read the vault's passwords by it, and write them into the app's own file."""
    theirs, mine = tmp_path / "vault.json", tmp_path / "secrets.json"
    secrets_file.ensure(theirs, ("vault_password",))
    mine.symlink_to(theirs)
    with pytest.raises(OSError, match="symbolic links"):
        secrets_file.ensure(mine, ("app_password",))
    assert mine.is_symlink()
