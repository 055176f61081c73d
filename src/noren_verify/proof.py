"""The proof of one entry (c2sp.org/tlog-proof@v1), and what it may bring along in its extra line."""

import hashlib

from noren_verify.signed import NUMBER, Key, Misuse, NotWhole, Signed, decoded, read_signed


def leaf_of(entry: bytes) -> bytes:
    """The hash under which an entry stands in the tree."""
    return hashlib.sha256(b"\x00" + entry).digest()


def read_proof(text: bytes, key: Key) -> tuple[int, list[bytes], Signed]:
    """A c2sp.org/tlog-proof@v1 file: index, hashes from leaf to root, checkpoint. Raises NotWhole."""
    top, blank, checkpoint = text.partition(b"\n\n")
    lines = top.decode(errors="replace").split("\n")
    if lines[0] != "c2sp.org/tlog-proof@v1" or not blank:
        raise NotWhole("the proof is not a tlog-proof")
    if len(lines) > 1 and lines[1].startswith("extra ") and decoded(lines.pop(1)[6:]) is None:
        raise NotWhole("the proof's extra line is not base64")
    index = lines[1].removeprefix("index ") if len(lines) > 1 and lines[1].startswith("index ") else ""
    hashes = [decoded(line) or b"" for line in lines[2:]]
    if not NUMBER.fullmatch(index) or len(hashes) > 63 or any(len(one) != 32 for one in hashes):
        raise NotWhole("the proof has no index, or hashes that are not 32 bytes of base64")
    return int(index), hashes, read_signed(checkpoint, key, "the proof's checkpoint")


def carried(text: bytes) -> bytes:
    """What a proof brings along in its extra line: the entry, or 32 bytes, its leaf's hash. Or nothing."""
    lines = text.split(b"\n", 2)
    found = lines[1].removeprefix(b"extra ") if len(lines) > 1 and lines[1].startswith(b"extra ") else b""
    return decoded(found.decode(errors="replace")) or b""


def verify_leaf(leaf: bytes, index: int, hashes: list[bytes], signed: Signed) -> None:
    """Raise NotWhole unless the proof leads from the entry's leaf to the signed root."""
    if index >= signed.size:
        raise NotWhole(f"entry {index}: the proof's checkpoint has only {signed.size} entries")
    found, at, last, rest = leaf, index, signed.size - 1, list(hashes)
    while last:
        if at % 2 or at < last:  # a right child, or a left child that has a sibling
            if not rest:
                raise NotWhole(f"entry {index}: the proof is too short")
            pair = (rest.pop(0), found) if at % 2 else (found, rest.pop(0))
            found = hashlib.sha256(b"\x01" + pair[0] + pair[1]).digest()
        at, last = at // 2, last // 2
    if rest or found != signed.root:
        raise NotWhole(f"entry {index}: the proof does not lead to the signed root")


def verify_proof(entry: bytes, index: int, hashes: list[bytes], signed: Signed) -> None:
    """Raise NotWhole unless the proof leads from the entry to the signed root."""
    verify_leaf(leaf_of(entry), index, hashes, signed)


def prove(entry: bytes, brought: bytes, index: int, hashes: list[bytes], signed: Signed) -> list[str]:
    """Hold a proof against the entry, and against what it brings along itself; the lines to print.

    Raises NotWhole, or Misuse where there is neither.
    """
    if not entry and not brought:
        raise Misuse("the proof brings no entry along: give --entry")
    leaf = brought if len(brought) == 32 else leaf_of(brought or entry)
    if entry and leaf != leaf_of(entry):
        raise NotWhole(f"entry {index}: the entry is not the one that the proof brings along")
    verify_leaf(leaf, index, hashes, signed)
    told = f"entry {index} is in the ledger of {signed.size} entries"
    if entry:
        return [f"proved: {told}"]
    if len(brought) == 32:
        return [f"proved: {told}, known by its fingerprint alone: {leaf.hex()}"]
    return [f"proved: {told}, and says:", brought.decode(errors="replace")]
