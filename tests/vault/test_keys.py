"""The folder of keys: made once, whole, for one user only."""

import stat
from pathlib import Path

import pytest

from noren_vault import keys
from noren_vault.keys import KeysError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "keys"
    keys.make(made)
    return made


def test_it_makes_each_kind_of_key_for_its_user_only(folder: Path) -> None:
    """The folder is 0700, each file 0600 and 32 bytes long."""
    files = sorted(folder.iterdir())
    assert [path.name.split("-")[0] for path in files] == ["epoch", "index", "ledger"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {(stat.S_IMODE(path.stat().st_mode), path.stat().st_size) for path in files} == {(0o600, 32)}


def test_it_never_makes_a_key_over_another(folder: Path) -> None:
    """Making again changes nothing."""
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    keys.make(folder)
    assert before == {path.name: path.read_bytes() for path in folder.iterdir()}


def test_it_names_the_ledger_after_its_key(folder: Path) -> None:
    """The ledger's origin holds the id of the key that signs it."""
    loaded = keys.load(folder)
    assert loaded.origin == f"noren/{next(folder.glob('ledger-*')).stem[-8:]}"
    assert loaded.epochs == {loaded.epoch.id: loaded.epoch}


@pytest.mark.parametrize("mode", [0o750, 0o701, 0o777])
def test_it_refuses_a_folder_that_others_can_enter(folder: Path, mode: int) -> None:
    """A folder that is wider than 0700 stops the start."""
    folder.chmod(mode)
    with pytest.raises(KeysError, match="reached by others"):
        keys.load(folder)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o700])
def test_it_refuses_a_file_that_others_can_read(folder: Path, mode: int) -> None:
    """A key file that is wider than 0600 stops the start."""
    next(folder.glob("epoch-*")).chmod(mode)
    with pytest.raises(KeysError, match="reached by others"):
        keys.load(folder)


def test_it_refuses_a_link_in_place_of_a_key(folder: Path, tmp_path: Path) -> None:
    """A symbolic link is no key: who made it may have the file it names."""
    path = next(folder.glob("index-*"))
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(KeysError):
        keys.load(folder)


@pytest.mark.parametrize("content", [b"", b"x" * 31, b"x" * 33])
def test_it_refuses_a_key_of_another_length(folder: Path, content: bytes) -> None:
    """A file that does not hold 32 bytes stops the start."""
    next(folder.glob("epoch-*")).write_bytes(content)
    with pytest.raises(KeysError, match="32 bytes"):
        keys.load(folder)


def test_it_says_which_key_is_missing(folder: Path) -> None:
    """The refusal names the kind that is not there."""
    next(folder.glob("epoch-*")).unlink()
    assert keys.missing(folder) == ["epoch"]
    with pytest.raises(KeysError, match="no epoch key"):
        keys.load(folder)
