"""What can go wrong with the ledger, in words that the person at the machine can act on."""


class LedgerError(Exception):
    """The ledger cannot do what was asked."""


class EntryInvalid(LedgerError):
    """The entry may not be written: a field is missing, too long, or could hold a person's data."""


class NoteInvalid(LedgerError):
    """The signed note is malformed, or no known key signed it."""


class CheckpointInvalid(LedgerError):
    """The text is not a checkpoint: origin, size and a root of 32 bytes."""


class ProofInvalid(LedgerError):
    """The proof does not prove what it claims."""


class LedgerInUse(LedgerError):
    """Another process writes this ledger."""


class LedgerUnavailable(LedgerError):
    """The ledger cannot take entries now, so nothing may be told.

    `reason` is one of: full, lost, poisoned, slow, heads, busy, closed. Whether the refused entry was written
    is unknown for slow, poisoned, lost and heads; for full, busy and closed it was not.
    """

    def __init__(self, reason: str, words: str) -> None:
        super().__init__(words)
        self.reason = reason


class LedgerShort(LedgerError):
    """Entries that a signed head vouches for are missing: entries `first` to `last`, both included."""

    def __init__(self, first: int, last: int, words: str) -> None:
        super().__init__(words)
        self.first = first
        self.last = last


class LedgerForked(LedgerError):
    """The files tell another history than a head that was signed before, or are signed by another key."""


class LedgerDamaged(LedgerError):
    """An entry is not what it was: `entry` is the first wrong one, `last` the last suspect."""

    def __init__(self, entry: int, words: str, last: int | None = None) -> None:
        super().__init__(words)
        self.entry = entry
        self.last = entry if last is None else last
