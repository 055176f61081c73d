"""The tree as C2SP tlog-tiles: files of 256 hashes, derived from the segments, from which proofs are made.

`Tree` is extended by recovery and by the sequencer with the same method. Full tiles wait in memory until
`publish` writes them; a full tile never changes. Nothing here is synced: what is lost is made again when the
ledger is opened.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Final

from .merkle import HASH_BYTES, CompactRange, perfect_root

TILE_WIDTH: Final = 256
_TILE_BITS: Final = 8
_TILE_BYTES: Final = TILE_WIDTH * HASH_BYTES


def tile_path(folder: Path, level: int, number: int, width: int = TILE_WIDTH) -> Path:
    """`tile/<level>/x001/x234/067`, with `.p/<width>` for a tile that is not full."""
    groups = [f"{number % 1000:03d}"]
    while number >= 1000:
        number //= 1000
        groups.append(f"x{number % 1000:03d}")
    path = folder.joinpath("tile", str(level), *reversed(groups))
    return path if width == TILE_WIDTH else path.with_name(f"{path.name}.p") / str(width)


class Tree:
    """The Merkle tree of the ledger: the compact range for roots, the tiles for proofs."""

    def __init__(self, folder: Path) -> None:
        self.range = CompactRange()
        self._folder = folder
        self._rows: list[bytearray] = []  # for each level the hashes of its last tile, not full
        self._full: list[int] = []  # for each level the number of full tiles
        self._waiting: dict[tuple[int, int], bytes] = {}
        self._load = lru_cache(maxsize=64)(self._read_full)

    @property
    def size(self) -> int:
        """The number of entries."""
        return self.range.size

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Add leaf hashes on the right; whole tiles at once where there are so many."""
        at = 0
        while at < len(leaves):
            if self.size % TILE_WIDTH == 0 and len(leaves) - at >= TILE_WIDTH:
                row = leaves[at : at + TILE_WIDTH]
                root = perfect_root(row)
                self.range.append(root, _TILE_BITS)
                self._close(0, b"".join(row), root)
                at += TILE_WIDTH
            else:
                self.range.append(leaves[at])
                self._add(0, leaves[at])
                at += 1

    def node(self, level: int, index: int) -> bytes:
        """The hash of the whole node (level, index). Raises OSError when its tile's file is gone."""
        tile_level, within = divmod(level, _TILE_BITS)
        number, first = divmod(index << within, TILE_WIDTH)
        row = self._tile(tile_level, number)
        start, end = first * HASH_BYTES, (first + (1 << within)) * HASH_BYTES
        return perfect_root([row[at : at + HASH_BYTES] for at in range(start, end, HASH_BYTES)])

    def snapshot(self) -> list[tuple[int, int, bytes]]:
        """The tiles to write for the tree as it is now: (level, number, hashes); those not full come last."""
        full = [(level, number, data) for (level, number), data in self._waiting.items()]
        return full + [(at, self._full[at], bytes(row)) for at, row in enumerate(self._rows) if row]

    def written(self, tiles: Iterable[tuple[int, int, bytes]]) -> None:
        """Forget the full tiles that are in files now (one may have become full since it was written)."""
        for level, number, data in tiles:
            if len(data) == _TILE_BYTES:
                self._waiting.pop((level, number), None)

    def _add(self, level: int, value: bytes) -> None:
        row = self._row(level)
        row += value
        if len(row) == _TILE_BYTES:
            tile = bytes(row)
            row.clear()
            hashes = [tile[at : at + HASH_BYTES] for at in range(0, _TILE_BYTES, HASH_BYTES)]
            self._close(level, tile, perfect_root(hashes))

    def _close(self, level: int, tile: bytes, root: bytes) -> None:
        """A tile is full: it waits to be written unless it lies there, and its root goes one level up."""
        self._row(level)
        number = self._full[level]
        self._full[level] += 1
        if not _same(tile_path(self._folder, level, number), tile):
            self._waiting[level, number] = tile
        self._add(level + 1, root)

    def _row(self, level: int) -> bytearray:
        if level == len(self._rows):
            self._rows.append(bytearray())
            self._full.append(0)
        return self._rows[level]

    def _tile(self, level: int, number: int) -> bytes:
        if number == self._full[level]:
            return bytes(self._rows[level])
        return self._waiting.get((level, number)) or self._load(level, number)

    def _read_full(self, level: int, number: int) -> bytes:
        return tile_path(self._folder, level, number).read_bytes()


def write_tiles(folder: Path, tiles: Iterable[tuple[int, int, bytes]]) -> None:
    """Write tiles; blocks. A narrower tile of the same number is removed once a wider one is there."""
    for level, number, data in tiles:
        width = len(data) // HASH_BYTES
        path = tile_path(folder, level, number, width)
        if not _same(path, data):
            replace_file(path, data)
        partial = tile_path(folder, level, number, 1).parent
        if partial.is_dir():
            for old in partial.iterdir():
                if old != path:
                    old.unlink(missing_ok=True)
            with suppress(OSError):
                partial.rmdir()


def replace_file(path: Path, data: bytes) -> None:
    """Put a whole file in place of what was there, so that a reader sees the old or the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    passing = path.with_name(f"{path.name}.new")
    passing.write_bytes(data)
    passing.replace(path)


def _same(path: Path, data: bytes) -> bool:
    try:
        return path.read_bytes() == data
    except OSError:
        return False
