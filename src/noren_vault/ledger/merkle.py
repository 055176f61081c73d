"""The Merkle tree of RFC 6962 section 2.1 with SHA-256. Pure: bytes in, bytes or an error out.

Hashes are 32 bytes. Sizes and indexes count entries from 0. A node is named by (level, index): node (k, i)
covers the entries [i * 2**k, (i + 1) * 2**k), all of them present.
"""

import hashlib
from collections.abc import Callable, Sequence

from .errors import ProofInvalid

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()

_sha256 = hashlib.sha256

NodeReader = Callable[[int, int], bytes]
"""Gives the hash of the whole node (level, index)."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of an entry's bytes."""
    return _sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees side by side."""
    return _sha256(b"\x01" + left + right).digest()


class CompactRange:
    """The tree over the first `size` entries, kept as its perfect subtrees from left (largest) to right."""

    __slots__ = ("peaks", "size")

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        if size < 0 or len(peaks) != size.bit_count():
            raise ValueError("a range over n entries has one peak for each 1 bit of n")
        self.size = size
        self.peaks = list(peaks)

    def append(self, value: bytes, level: int = 0) -> None:
        """Add on the right a leaf hash, or the root of 2**level leaves if the size is a multiple of that."""
        size = self.size >> level
        if size << level != self.size:
            raise ValueError("a perfect subtree begins at a multiple of its width")
        while size & 1:
            value = _sha256(b"\x01" + self.peaks.pop() + value).digest()
            size >>= 1
        self.peaks.append(value)
        self.size += 1 << level

    def root(self) -> bytes:
        """The root over everything appended so far."""
        if not self.peaks:
            return EMPTY_ROOT
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root

    def copy(self) -> "CompactRange":
        """The same range, to go on from without touching this one."""
        return CompactRange(self.size, self.peaks)


def perfect_root(hashes: Sequence[bytes]) -> bytes:
    """The root over 2**k hashes."""
    row = list(hashes)
    if not row or len(row) & (len(row) - 1):
        raise ValueError("a perfect subtree has 2**k leaves")
    while len(row) > 1:
        row = [_sha256(b"\x01" + row[i] + row[i + 1]).digest() for i in range(0, len(row), 2)]
    return row[0]


def root_at(size: int, node: NodeReader) -> bytes:
    """The root of the tree when it had `size` entries."""
    return EMPTY_ROOT if size == 0 else _range_hash(0, size, node)


def inclusion_proof(index: int, size: int, node: NodeReader) -> list[bytes]:
    """PATH(index, D[0:size]) of RFC 6962 section 2.1.1, from leaf to root."""
    if not 0 <= index < size:
        raise ProofInvalid(f"entry {index} is not in a tree of {size} entries")
    proof: list[bytes] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            proof.append(_range_hash(middle, high, node))
            high = middle
        else:
            proof.append(_range_hash(low, middle, node))
            low = middle
    return proof[::-1]


def consistency_proof(old: int, size: int, node: NodeReader) -> list[bytes]:
    """PROOF(old, D[0:size]) of RFC 6962 section 2.1.2; 0 < old <= size."""
    if not 0 < old <= size:
        raise ProofInvalid(f"no consistency proof leads from {old} to {size} entries")
    proof: list[bytes] = []
    low, high, known = 0, size, True
    while old != high:
        middle = low + _split(high - low)
        if old <= middle:
            proof.append(_range_hash(middle, high, node))
            high = middle
        else:
            proof.append(_range_hash(low, middle, node))
            low, known = middle, False
    if not known:
        proof.append(_range_hash(low, high, node))
    return proof[::-1]


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Raise ProofInvalid unless `leaf` is entry `index` of the tree with this size and root (RFC 9162
    2.1.3.2).
    """
    if not 0 <= index < size:
        raise ProofInvalid(f"entry {index} is not in a tree of {size} entries")
    _all_hashes([leaf, root, *proof])
    fn, sn, found = index, size - 1, leaf
    for step in proof:
        if sn == 0:
            raise ProofInvalid("the inclusion proof is too long")
        if fn & 1 or fn == sn:
            found = node_hash(step, found)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            found = node_hash(found, step)
        fn, sn = fn >> 1, sn >> 1
    if sn:
        raise ProofInvalid("the inclusion proof is too short")
    if found != root:
        raise ProofInvalid("the inclusion proof leads to another root")


def verify_consistency(old: int, size: int, old_root: bytes, root: bytes, proof: Sequence[bytes]) -> None:
    """Raise ProofInvalid unless the tree (size, root) begins with the tree (old, old_root) (RFC 9162
    2.1.4.2).
    """
    if not 0 < old <= size:
        raise ProofInvalid(f"no consistency proof leads from {old} to {size} entries")
    _all_hashes([old_root, root, *proof])
    if old == size:
        if proof or old_root != root:
            raise ProofInvalid("two heads of the same size differ, or the proof is not empty")
        return
    steps = list(proof) if old & (old - 1) else [old_root, *proof]
    if not proof:
        raise ProofInvalid("the consistency proof is empty")
    fn, sn = old - 1, size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    _walk_consistency(fn, sn, steps, old_root, root)


def _walk_consistency(fn: int, sn: int, steps: list[bytes], old_root: bytes, root: bytes) -> None:
    was = now = steps[0]
    for step in steps[1:]:
        if sn == 0:
            raise ProofInvalid("the consistency proof is too long")
        if fn & 1 or fn == sn:
            was, now = node_hash(step, was), node_hash(step, now)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            now = node_hash(now, step)
        fn, sn = fn >> 1, sn >> 1
    if sn:
        raise ProofInvalid("the consistency proof is too short")
    if was != old_root:
        raise ProofInvalid("the consistency proof leads to another old root")
    if now != root:
        raise ProofInvalid("the consistency proof leads to another root")


def _range_hash(low: int, high: int, node: NodeReader) -> bytes:
    """MTH(D[low:high]) where low is a multiple of the range's own power of two."""
    width = high - low
    if width & (width - 1) == 0:
        level = width.bit_length() - 1
        return node(level, low >> level)
    middle = low + _split(width)
    return node_hash(_range_hash(low, middle, node), _range_hash(middle, high, node))


def _split(width: int) -> int:
    """The largest power of two below `width`."""
    return 1 << ((width - 1).bit_length() - 1)


def _all_hashes(hashes: Sequence[bytes]) -> None:
    if any(len(value) != HASH_BYTES for value in hashes):
        raise ProofInvalid("a hash in the proof does not have 32 bytes")
