"""The folder of keys: each made once, whole, for one user only."""

import asyncio
import stat
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from noren_vault.keys import Keys, Steady
from noren_vault.providers import FileProvider, KeysError, Kind, Stored
from noren_vault.vault import Vault
from tests.vault.conftest import Bench, ask


@pytest.fixture
def provider(tmp_path: Path) -> FileProvider:
    made = FileProvider(tmp_path / "keys")
    for kind in (Kind.EPOCH, Kind.INDEX, Kind.LEDGER):
        made.make(made.new(kind))
    return made


def _epoch(provider: FileProvider) -> Stored:
    return provider.stored(Kind.EPOCH)[0]


def _file(provider: FileProvider) -> Path:
    return provider.folder / f"{_epoch(provider).name}.key"


def test_it_makes_each_kind_of_key_for_its_user_only(provider: FileProvider) -> None:
    """The folder is 0700, each file 0600 and 32 bytes long."""
    files = sorted(provider.folder.iterdir())
    assert [path.name.split("-")[0] for path in files] == ["epoch", "index", "ledger"]
    assert stat.S_IMODE(provider.folder.stat().st_mode) == 0o700
    assert {(stat.S_IMODE(path.stat().st_mode), path.stat().st_size) for path in files} == {(0o600, 32)}


def test_it_never_makes_a_key_over_another(provider: FileProvider) -> None:
    """The same name again is refused, and what lies there stays."""
    before = provider.read(_epoch(provider))
    with pytest.raises(FileExistsError):
        provider.make(_epoch(provider))
    assert provider.read(_epoch(provider)) == before
    assert len(list(provider.folder.iterdir())) == 3


def test_it_numbers_keys_and_gives_each_an_id(provider: FileProvider) -> None:
    """The next of a kind has the next number; the newest is the last."""
    second = provider.new(Kind.EPOCH)
    provider.make(second)
    first, newest = provider.stored(Kind.EPOCH)
    assert (first.number, newest) == (1, second)
    assert second.number == 2
    assert first.id != second.id


def test_it_destroys_a_key_and_says_so_ever_after(provider: FileProvider) -> None:
    """A destroyed key cannot be read; to destroy it again is no error."""
    epoch = _epoch(provider)
    provider.destroy(epoch)
    provider.destroy(epoch)
    assert provider.stored(Kind.EPOCH) == []
    with pytest.raises(KeysError, match=f"no epoch key {epoch.id.hex()}"):
        provider.read(epoch)


@pytest.mark.parametrize("mode", [0o750, 0o701, 0o777])
def test_it_refuses_a_folder_that_others_can_enter(provider: FileProvider, mode: int) -> None:
    """A folder that is wider than 0700 stops the start."""
    provider.folder.chmod(mode)
    with pytest.raises(KeysError, match="reached by others"):
        provider.read(_epoch(provider))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o700])
def test_it_refuses_a_file_that_others_can_read(provider: FileProvider, mode: int) -> None:
    """A key file that is wider than 0600 stops the start."""
    _file(provider).chmod(mode)
    with pytest.raises(KeysError, match="reached by others"):
        provider.read(_epoch(provider))


def test_it_refuses_a_link_in_place_of_a_key(provider: FileProvider, tmp_path: Path) -> None:
    """A symbolic link is no key: who made it may have the file it names."""
    path = _file(provider)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(KeysError, match="does not belong"):
        provider.read(_epoch(provider))


@pytest.mark.parametrize("content", [b"", b"x" * 31, b"x" * 33])
def test_it_refuses_a_key_of_another_length(provider: FileProvider, content: bytes) -> None:
    """A file that does not hold 32 bytes stops the start."""
    _file(provider).write_bytes(content)
    with pytest.raises(KeysError, match="32 bytes"):
        provider.read(_epoch(provider))


@pytest.mark.parametrize("name", ["epoch-0001-zz.key", "other-0001-00000000.key", "x.key"])
def test_it_refuses_what_has_no_name_of_a_key(provider: FileProvider, name: str) -> None:
    """A file that could be a key and has no key's name is not passed over."""
    (provider.folder / name).write_bytes(b"x" * 32)
    with pytest.raises(KeysError, match="not the name of a key"):
        provider.stored(Kind.EPOCH)


def test_it_names_the_ledger_after_its_key_and_registers_what_it_uses(bench: Bench) -> None:
    """The ledger's origin holds the id of the key that signs it; the tables name the keys in use."""
    bench.run(_nothing)
    provider = FileProvider(bench.configured.keys)
    [epoch], [ledger] = provider.stored(Kind.EPOCH), provider.stored(Kind.LEDGER)

    async def told(vault: Vault) -> tuple[str, str]:
        [one] = [key for key in (await ask(vault, "keys"))["keys"] if key["kind"] == "epoch"]
        return vault.record.ledger.vkey(), one["id"]

    vkey, used = bench.run(told)
    assert vkey.startswith(f"noren/{ledger.id.hex()}+")
    assert used == epoch.id.hex()


async def _nothing(_vault: Vault) -> None:
    """Open and close."""


def _within(act: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(act, 10))


def test_it_changes_keys_only_while_nobody_holds_them() -> None:
    """Who changes them waits for all that hold them, and who comes then waits for the change."""
    seen: list[str] = []

    async def act() -> None:
        steady, inside, leave = Steady(), asyncio.Event(), asyncio.Event()

        async def holder(name: str) -> None:
            async with steady.hold():
                inside.set()
                await leave.wait()
                seen.append(name)

        async def changer() -> None:
            async with steady.change():
                seen.append("change")

        first = asyncio.create_task(holder("first"))
        await inside.wait()
        change = asyncio.create_task(changer())
        await asyncio.sleep(0.01)
        second = asyncio.create_task(holder("second"))
        await asyncio.sleep(0.01)
        leave.set()
        await asyncio.gather(first, change, second)

    _within(act())
    assert seen == ["first", "change", "second"]


def test_it_lets_go_of_the_keys_when_a_holder_fails() -> None:
    """A fault inside leaves nobody waiting for ever."""

    async def act() -> None:
        steady = Steady()
        with pytest.raises(ValueError, match="x"):
            async with steady.hold():
                raise ValueError("x")
        async with steady.change():
            pass

    _within(act())


def test_it_seals_with_the_newest_and_opens_with_all() -> None:
    """A key that is taken up becomes the one that seals; those before stay."""
    keys = Keys(ledger=None, origin="x")  # type: ignore[arg-type]
    for number in (1, 2):
        keys.take(Stored(Kind.EPOCH, number, bytes([0, 0, 0, number])), bytes([number]) * 32)
        keys.take(Stored(Kind.INDEX, number, bytes([1, 0, 0, number])), bytes([number]) * 32)
    assert keys.epoch.id == keys.addresses.id == b"\0\0\0\2"
    assert keys.index.id == b"\1\0\0\2"
    assert (len(keys.epochs), len(keys.indexes)) == (2, 2)
