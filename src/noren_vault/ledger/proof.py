"""Offline proofs (C2SP tlog-proof@v1): that one entry is in the tree of a signed checkpoint."""

import base64
from collections.abc import Sequence

from .checkpoint import Head


def proof_text(index: int, hashes: Sequence[bytes], head: Head, extra: bytes = b"") -> str:
    """The text of a `.tlog-proof` file; `hashes` from leaf to root. `extra` goes with it in its own line."""
    lines = ["c2sp.org/tlog-proof@v1"]
    lines += [f"extra {base64.b64encode(extra).decode()}"] if extra else []
    lines += [f"index {index}"]
    lines += [base64.b64encode(one).decode() for one in hashes]
    return "\n".join(lines) + f"\n\n{head.signed}"
