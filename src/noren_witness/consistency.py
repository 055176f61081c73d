"""Whether a tree continues another (RFC 6962 section 2.1.2, checked as in RFC 9162 section 2.1.4.2). Pure."""

import hashlib
from collections.abc import Sequence
from typing import Final

EMPTY_ROOT: Final = hashlib.sha256(b"").digest()


def continues(old: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """Say whether the tree (size, root) begins with the tree (old, old_root); `proof` are 32-byte hashes.

    Nothing continues into everything: from 0 the proof is empty. 0 <= old <= size, else ValueError.
    """
    if not 0 <= old <= size:
        raise ValueError("a tree continues one that is not larger")
    if old == 0:
        return not proof and (size > 0 or root == EMPTY_ROOT)
    if old == size:
        return not proof and old_root == root
    if not proof:
        return False
    # A whole subtree is its own first step.
    return _walk(old - 1, size - 1, list(proof) if old & (old - 1) else [old_root, *proof]) == (
        old_root,
        root,
    )


def _walk(fn: int, sn: int, steps: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """The two roots to which the steps lead; None when there are too many or too few."""
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    was = now = steps[0]
    for step in steps[1:]:
        if sn == 0:
            return None
        if fn & 1 or fn == sn:
            was, now = _node(step, was), _node(step, now)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            now = _node(now, step)
        fn, sn = fn >> 1, sn >> 1
    return (was, now) if sn == 0 else None


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
