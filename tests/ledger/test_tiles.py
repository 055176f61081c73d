"""Tiles and proofs: their names, their content, and that an outsider can use them offline."""

import asyncio
import hashlib
from pathlib import Path

import pytest

import noren_verify
from noren_vault.ledger import ProofInvalid
from noren_vault.ledger.merkle import inclusion_proof, leaf_hash, perfect_root, root_at
from noren_vault.ledger.tiles import Tree, tile_path, write_tiles
from tests.ledger.cast import VKEY, Heads, intent, opened, outsider

LEAVES = [leaf_hash(b"%d" % number) for number in range(70_000)]


@pytest.mark.parametrize(
    ("number", "width", "name"),
    [
        (0, 256, "tile/0/000"),
        (999, 256, "tile/0/999"),
        (1_000, 256, "tile/0/x001/000"),
        (1_234_067, 256, "tile/0/x001/x234/067"),
        (273, 112, "tile/0/273.p/112"),
    ],
)
def test_it_names_tiles_as_the_specification_does(tmp_path: Path, number: int, width: int, name: str) -> None:
    """Groups of three digits, an x before all but the last, the width behind `.p/`."""
    assert tile_path(tmp_path, 0, number, width).relative_to(tmp_path).as_posix() == name


def test_it_writes_the_tiles_of_70000_entries(tmp_path: Path) -> None:
    """The specification's own example: 273 full and one of 112, one full and one of 17, one of 1."""
    tree = Tree(tmp_path)
    tree.extend(LEAVES)
    tiles = tree.snapshot()
    write_tiles(tmp_path, tiles)
    tree.written(tiles)
    names = {
        path.relative_to(tmp_path / "tile").as_posix()
        for path in tmp_path.glob("tile/**/*")
        if path.is_file()
    }
    assert names == {f"0/{at:03d}" for at in range(273)} | {"0/273.p/112", "1/000", "1/001.p/17", "2/000.p/1"}
    first = (tmp_path / "tile/0/000").read_bytes()
    assert first == b"".join(LEAVES[:256])
    assert (tmp_path / "tile/1/000").read_bytes()[:32] == perfect_root(LEAVES[:256])
    assert root_at(70_000, tree.node) == tree.range.root()


def test_it_keeps_one_partial_tile_for_each_level(tmp_path: Path) -> None:
    """When the tree grows, a narrower tile is removed, and a full one takes its place."""
    tree = Tree(tmp_path)
    for end in (3, 5, 300):
        tree.extend(LEAVES[tree.size : end])
        write_tiles(tmp_path, tree.snapshot())
    names = {
        path.relative_to(tmp_path / "tile").as_posix()
        for path in tmp_path.glob("tile/**/*")
        if path.is_file()
    }
    assert names == {"0/000", "0/001.p/44", "1/000.p/1"}


def test_it_does_not_forget_a_tile_that_became_full_while_it_was_written(tmp_path: Path) -> None:
    """What was written is the tile as it was; the full one still waits to be written."""
    tree = Tree(tmp_path)
    tree.extend(LEAVES[:200])
    tiles = tree.snapshot()
    tree.extend(LEAVES[200:300])
    write_tiles(tmp_path, tiles)
    tree.written(tiles)
    assert tree.node(8, 0) == perfect_root(LEAVES[:256])
    write_tiles(tmp_path, tree.snapshot())
    assert (tmp_path / "tile/0/000").read_bytes() == b"".join(LEAVES[:256])


def test_it_reads_nodes_from_memory_and_from_files_alike(tmp_path: Path) -> None:
    """Before and after the tiles are written, the same proofs come out."""
    tree = Tree(tmp_path)
    tree.extend(LEAVES[:1_000])
    before = [inclusion_proof(index, 1_000, tree.node) for index in range(0, 1_000, 37)]
    tiles = tree.snapshot()
    write_tiles(tmp_path, tiles)
    tree.written(tiles)
    assert [inclusion_proof(index, 1_000, tree.node) for index in range(0, 1_000, 37)] == before


def test_it_gives_proofs_that_an_outsider_verifies_offline(tmp_path: Path) -> None:
    """With the key, the proof and the entry, and without the ledger, the outsider finds it proved."""

    async def story() -> None:
        async with opened(tmp_path / "ledger", Heads()) as ledger:
            await asyncio.gather(*(ledger.append(intent(at)) for at in range(300)))
            for index in (0, 1, 128, 255, 256, 299):
                proof, entry = tmp_path / "a.tlog-proof", tmp_path / "entry.json"
                proof.write_text(ledger.proof(index))
                entry.write_bytes(next(ledger.entries(index))[1].to_bytes())
                assert noren_verify.main(["--key", VKEY, "--proof", str(proof), "--entry", str(entry)]) == 0
                entry.write_bytes(entry.read_bytes().replace(b"name", b"mail"))
                assert noren_verify.main(["--key", VKEY, "--proof", str(proof), "--entry", str(entry)]) == 1

    asyncio.run(story())
    code, words = outsider(tmp_path / "ledger", "--proof", str(tmp_path / "a.tlog-proof"))
    assert (code, words.splitlines()[-1]) == (0, "proved: entry 299 is in the ledger of 300 entries")


@pytest.mark.parametrize("index", [-1, 2, 10**30])
def test_it_gives_no_proof_for_what_is_not_there(tmp_path: Path, index: int) -> None:
    """An index outside the ledger has no proof."""

    async def story() -> None:
        async with opened(tmp_path, Heads()) as ledger:
            await asyncio.gather(ledger.append(intent()), ledger.append(intent()))
            with pytest.raises(ProofInvalid):
                ledger.proof(index)

    asyncio.run(story())


@pytest.mark.parametrize("harm", ["changed", "removed", "cut"])
def test_it_never_gives_a_proof_that_does_not_prove(tmp_path: Path, harm: str) -> None:
    """A tile that was damaged behind the ledger's back leads to an error and not to a false proof."""

    async def story() -> None:
        async with opened(tmp_path, Heads()) as ledger:
            await asyncio.gather(*(ledger.append(intent(at)) for at in range(600)))
            await ledger.publish()
            tile = tmp_path / "tile/0/000"
            if harm == "changed":
                tile.write_bytes(hashlib.sha256(b"").digest() * 256)
            elif harm == "cut":
                tile.write_bytes(tile.read_bytes()[:100])
            else:
                tile.unlink()
            with pytest.raises(ProofInvalid):
                ledger.proof(7)

    asyncio.run(story())


def test_it_publishes_a_checkpoint_that_its_tiles_cover(tmp_path: Path) -> None:
    """The published checkpoint is the head at that moment."""

    async def story() -> None:
        async with opened(tmp_path, Heads()) as ledger:
            await ledger.append(intent())
            await ledger.publish()
            assert (tmp_path / "checkpoint").read_text() == ledger.checkpoint() == ledger.head().signed
            assert (tmp_path / "vkey").read_text().strip() == ledger.vkey() == VKEY

    asyncio.run(story())
