"""One bit of a proof is turned: it is refused, whichever bit of whichever proof.

`make test` samples by a seed; `make ledger-proofs` (LEDGER_PROOFS=all) turns every bit of every element of
every proof of every tree to 300 entries (or SIZES), on all processors.
"""

import os
import random
from collections.abc import Callable, Iterable, Sequence
from multiprocessing import get_context

from noren_vault.ledger.errors import ProofInvalid
from noren_vault.ledger.merkle import (
    consistency_proof,
    inclusion_proof,
    verify_consistency,
    verify_inclusion,
)
from tests.ledger.naive import LEAVES, LIMIT, flip, mth, node

ALL = os.environ.get("LEDGER_PROOFS") == "all"
SIZES = int(os.environ.get("SIZES", LIMIT))
SEED = 20190318


def changed(
    hashes: Sequence[bytes], bits: Iterable[int], verify: Callable[[list[bytes]], None]
) -> tuple[int, int]:
    """Turn each bit of each hash in turn; how many were turned, and how many of those were accepted."""
    turned = accepted = 0
    for at, one in enumerate(hashes):
        for bit in bits:
            turned += 1
            try:
                verify([*hashes[:at], flip(one, bit), *hashes[at + 1 :]])
                accepted += 1
            except ProofInvalid:
                pass
    return turned, accepted


def inclusion(index: int, size: int, bits: Iterable[int]) -> tuple[int, int]:
    """Leaf, proof and root of one inclusion proof."""

    def verify(hashes: list[bytes]) -> None:
        verify_inclusion(index, size, hashes[0], hashes[1:-1], hashes[-1])

    whole = [LEAVES[index], *inclusion_proof(index, size, node), mth(0, size)]
    verify(whole)
    return changed(whole, bits, verify)


def consistency(old: int, size: int, bits: Iterable[int]) -> tuple[int, int]:
    """Both roots and the proof of one consistency proof."""

    def verify(hashes: list[bytes]) -> None:
        verify_consistency(old, size, hashes[0], hashes[-1], hashes[1:-1])

    whole = [mth(0, old), *consistency_proof(old, size, node), mth(0, size)]
    verify(whole)
    return changed(whole, bits, verify)


def of_size(size: int) -> tuple[int, int]:
    """All bits of all proofs of one size: how many were turned, how many accepted."""
    bits = range(256)
    told = [inclusion(index, size, bits) for index in range(size)]
    told += [consistency(old, size, bits) for old in range(1, size + 1)]
    return sum(one for one, _ in told), sum(one for _, one in told)


def test_it_refuses_every_proof_of_which_one_bit_was_turned() -> None:
    """Not one is accepted."""
    if ALL:
        with get_context("spawn").Pool() as pool:
            told = list(pool.imap_unordered(of_size, range(SIZES, 0, -1)))
    else:
        chance = random.Random(SEED)
        told = []
        for size in range(1, SIZES + 1):
            bits = chance.sample(range(256), 4)
            told.append(inclusion(chance.randrange(size), size, bits))
            told.append(consistency(chance.randint(1, size), size, bits))
    turned, accepted = sum(one for one, _ in told), sum(one for _, one in told)
    assert turned >= SIZES * 16
    assert accepted == 0
