"""The ledger: who looked at whose data, written before it is told, and impossible to alter unseen.

A transparency log (design W4): framed append-only segment files are the truth, entries are the leaves of an
RFC 6962 Merkle tree, each batch ends with a signed head. The format is described in docs/ledger-format.md.
"""

from .checkpoint import Head
from .entry import Entry
from .errors import (
    EntryInvalid,
    LedgerDamaged,
    LedgerError,
    LedgerForked,
    LedgerInUse,
    LedgerShort,
    LedgerUnavailable,
    ProofInvalid,
)
from .ledger import Ledger
from .sequencer import HeadStore, Receipt

__all__ = [
    "Entry",
    "EntryInvalid",
    "Head",
    "HeadStore",
    "Ledger",
    "LedgerDamaged",
    "LedgerError",
    "LedgerForked",
    "LedgerInUse",
    "LedgerShort",
    "LedgerUnavailable",
    "ProofInvalid",
    "Receipt",
]
