"""The Merkle tree against published vectors and against the definition, written down naively."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noren_vault.ledger.errors import ProofInvalid
from noren_vault.ledger.merkle import (
    EMPTY_ROOT,
    CompactRange,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    perfect_root,
    root_at,
    verify_consistency,
    verify_inclusion,
)
from tests.ledger.naive import LEAVES, LIMIT, flip, mth, node, path, subproof

VECTORS = Path(__file__).parent / "vectors"


def load(name: str) -> Any:
    """A file of vectors."""
    return json.loads((VECTORS / name).read_text())


@pytest.mark.parametrize(
    "probe", load("merkle_inclusion.json")["vectors"], ids=lambda probe: str(probe["_path"])
)
def test_it_agrees_with_published_inclusion_probes(probe: dict[str, Any]) -> None:
    """Every published inclusion probe is accepted or rejected as it says."""
    proof = [base64.b64decode(one) for one in probe["proof"] or ()]
    leaf, root = base64.b64decode(probe["leafHash"] or ""), base64.b64decode(probe["root"] or "")
    try:
        verify_inclusion(probe["leafIdx"], probe["treeSize"], leaf, proof, root)
    except ProofInvalid:
        assert probe["wantErr"]
    else:
        assert not probe["wantErr"]


@pytest.mark.parametrize(
    "probe", load("merkle_consistency.json")["vectors"], ids=lambda probe: str(probe["_path"])
)
def test_it_agrees_with_published_consistency_probes(probe: dict[str, Any]) -> None:
    """Each published consistency probe is decided as it says, but for a valid one with roots of 12 bytes."""
    proof = [base64.b64decode(one) for one in probe["proof"] or ()]
    roots = base64.b64decode(probe["root1"] or ""), base64.b64decode(probe["root2"] or "")
    short_but_valid = not probe["wantErr"] and len(roots[0]) == 12
    try:
        verify_consistency(probe["size1"], probe["size2"], *roots, proof)
    except ProofInvalid:
        assert probe["wantErr"] or short_but_valid
    else:
        assert not probe["wantErr"]


def test_it_gives_the_hashes_of_the_reference_tree() -> None:
    """Leaves, nodes and the eight roots of the reference tree come out as published."""
    reference = load("ct_reference_tree.json")
    assert reference["empty_root"] == EMPTY_ROOT.hex()
    for one in reference["leaf_hashes"]:
        assert leaf_hash(bytes.fromhex(one["data"])).hex() == one["hash"]
    for one in reference["node_hashes"]:
        assert node_hash(bytes.fromhex(one["left"]), bytes.fromhex(one["right"])).hex() == one["hash"]
    tree = CompactRange()
    for data, root in zip(reference["reference_tree_leaves"], reference["roots_by_size_1_to_8"], strict=True):
        tree.append(leaf_hash(bytes.fromhex(data)))
        assert tree.root().hex() == root


def test_it_accepts_the_reference_consistency_proofs() -> None:
    """The reference tree's consistency proofs verify; with equal sizes too."""
    for one in load("ct_reference_tree.json")["consistency"]:
        roots = bytes.fromhex(one["root1"]), bytes.fromhex(one["root2"])
        verify_consistency(one["size1"], one["size2"], *roots, [bytes.fromhex(step) for step in one["proof"]])


def test_it_accepts_a_real_audit_path_of_a_public_log() -> None:
    """An entry of a certificate log of 2013, with 3.6 million entries, is proved by its published path."""
    real = load("ct_reference_tree.json")["real_ct_inclusion"]
    leaf, root = leaf_hash(bytes.fromhex(real["leaf"])), bytes.fromhex(real["root"])
    assert leaf.hex() == real["leaf_hash"]
    proof = [bytes.fromhex(step) for step in real["audit_path"]]
    verify_inclusion(int(real["index"]), int(real["tree_size"]), leaf, proof, root)


def test_it_computes_the_root_of_every_size_up_to_300() -> None:
    """The compact range and the root from nodes agree with the definition at every size."""
    tree = CompactRange()
    for size in range(LIMIT + 1):
        assert tree.root() == mth(0, size) == root_at(size, node)
        if size < LIMIT:
            tree.append(LEAVES[size])


def test_it_makes_and_accepts_every_inclusion_proof_of_every_size_up_to_300() -> None:
    """For every size to 300 and every entry the proof is the definition's, and verifies."""
    for size in range(1, LIMIT + 1):
        for index in range(size):
            proof = inclusion_proof(index, size, node)
            assert proof == path(index, 0, size)
            verify_inclusion(index, size, LEAVES[index], proof, mth(0, size))


def test_it_makes_and_accepts_every_consistency_proof_of_every_size_up_to_300() -> None:
    """For every pair of sizes to 300 the proof is the definition's, and verifies."""
    for size in range(1, LIMIT + 1):
        for old in range(1, size + 1):
            proof = consistency_proof(old, size, node)
            assert proof == subproof(old, 0, size, whole=True)
            verify_consistency(old, size, mth(0, old), mth(0, size), proof)


@settings(max_examples=200)
@given(st.data())
def test_it_rejects_an_inclusion_proof_with_any_bit_turned(data: st.DataObject) -> None:
    """Whichever bit of whichever element, of the leaf or of the root is turned, the proof fails."""
    size = data.draw(st.integers(1, LIMIT))
    index = data.draw(st.integers(0, size - 1))
    bit = data.draw(st.integers(0, 255))
    proof, root = inclusion_proof(index, size, node), mth(0, size)
    assert proof == path(index, 0, size)
    verify_inclusion(index, size, LEAVES[index], proof, root)
    for at, step in enumerate(proof):
        with pytest.raises(ProofInvalid):
            verify_inclusion(
                index, size, LEAVES[index], [*proof[:at], flip(step, bit), *proof[at + 1 :]], root
            )
    with pytest.raises(ProofInvalid):
        verify_inclusion(index, size, flip(LEAVES[index], bit), proof, root)
    with pytest.raises(ProofInvalid):
        verify_inclusion(index, size, LEAVES[index], proof, flip(root, bit))


@settings(max_examples=200)
@given(st.data())
def test_it_rejects_a_consistency_proof_with_any_bit_turned(data: st.DataObject) -> None:
    """Whichever bit of whichever element or of a root is turned, the proof fails."""
    size = data.draw(st.integers(2, LIMIT))
    old = data.draw(st.integers(1, size - 1))
    bit = data.draw(st.integers(0, 255))
    proof, was, now = consistency_proof(old, size, node), mth(0, old), mth(0, size)
    assert proof == subproof(old, 0, size, whole=True)
    verify_consistency(old, size, was, now, proof)
    for at, step in enumerate(proof):
        with pytest.raises(ProofInvalid):
            verify_consistency(old, size, was, now, [*proof[:at], flip(step, bit), *proof[at + 1 :]])
    for roots in ((flip(was, bit), now), (was, flip(now, bit))):
        with pytest.raises(ProofInvalid):
            verify_consistency(old, size, *roots, proof)


def test_it_rejects_every_single_bit_of_one_proof() -> None:
    """All 256 bits of every element of one proof of each kind are looked at."""
    inclusion, consistency = inclusion_proof(97, 300, node), consistency_proof(97, 300, node)
    for bit in range(256):
        for at in range(len(inclusion)):
            bad = [*inclusion[:at], flip(inclusion[at], bit), *inclusion[at + 1 :]]
            with pytest.raises(ProofInvalid):
                verify_inclusion(97, 300, LEAVES[97], bad, mth(0, 300))
        for at in range(len(consistency)):
            bad = [*consistency[:at], flip(consistency[at], bit), *consistency[at + 1 :]]
            with pytest.raises(ProofInvalid):
                verify_consistency(97, 300, mth(0, 97), mth(0, 300), bad)


@pytest.mark.parametrize(("old", "size"), [(0, 0), (0, 5), (6, 5), (-1, 5)])
def test_it_refuses_consistency_from_nothing_or_from_the_future(old: int, size: int) -> None:
    """A proof from size 0, or from a larger size, is never made and never accepted."""
    with pytest.raises(ProofInvalid):
        consistency_proof(old, size, node)
    with pytest.raises(ProofInvalid):
        verify_consistency(old, size, EMPTY_ROOT, EMPTY_ROOT, [])


@pytest.mark.parametrize("index", [-1, 5, 6])
def test_it_refuses_an_entry_outside_the_tree(index: int) -> None:
    """No proof is made or accepted for an entry that the tree does not have."""
    with pytest.raises(ProofInvalid):
        inclusion_proof(index, 5, node)
    with pytest.raises(ProofInvalid):
        verify_inclusion(index, 5, LEAVES[0], [], mth(0, 5))


def test_it_needs_a_power_of_two_for_a_perfect_subtree() -> None:
    """A perfect subtree of three leaves does not exist."""
    with pytest.raises(ValueError, match="perfect"):
        perfect_root(LEAVES[:3])


def test_it_takes_whole_subtrees_only_where_they_begin() -> None:
    """Eight leaves at once make the same tree as one by one; in the middle of eight they are refused."""
    tree = CompactRange()
    tree.append(mth(0, 8), 3)
    tree.append(LEAVES[8])
    assert tree.root() == mth(0, 9)
    with pytest.raises(ValueError, match="multiple"):
        tree.append(mth(8, 16), 3)


def test_it_needs_as_many_peaks_as_the_size_has_bits() -> None:
    """A compact range cannot be made of peaks that do not fit its size."""
    with pytest.raises(ValueError, match="peak"):
        CompactRange(3, [LEAVES[0]])
