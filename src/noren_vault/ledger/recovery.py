"""What the segment files say, walked from first to last byte and held against every known head.

Nothing is written here. The walk ends whole, or with a torn batch beyond every known head (which the ledger
repairs and records), or with an error that says which entries are missing or wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .checkpoint import Head, open_head
from .entry import Entry
from .errors import CheckpointInvalid, EntryInvalid, LedgerDamaged, LedgerForked, LedgerShort, NoteInvalid
from .frames import ENTRY, HEAD, SEGMENT, Frame, FrameInvalid, SegmentStart, heads_after, read_frames
from .index import OffsetIndex
from .merkle import CompactRange, leaf_hash, root_at
from .note import Verifier
from .segments import list_segments, segment_path
from .tiles import Tree


@dataclass(slots=True)
class Recovered:
    """A walked ledger: `end` is where the next batch goes in segment `segment`, `torn` counts the bytes
    behind it.
    """

    tree: Tree
    index: OffsetIndex
    head: Head
    time: int
    segment: int
    end: int
    batch: int  # where the last batch begins in the last segment, 0 where that has none
    data: bytes  # the last segment, as it was read
    torn: int = 0
    words: str = ""


class _Walk:
    """State of the walk. `count` entries were read, of which `size` are covered by a head frame."""

    def __init__(self, folder: Path, verifier: Verifier, known: int) -> None:
        self.folder = folder
        self.verifier = verifier
        self.known = known  # size of the largest head known from elsewhere
        self.tree = Tree(folder)
        self.index = OffsetIndex()
        self.size = 0
        self.covered: list[bytes] = []  # leaves that a head covers and that are not in the tree yet
        self.pending: list[bytes] = []  # leaves that no head covers yet
        self.signed = b""
        self.data = b""
        self.latest = b""  # the last entry read
        self.last = b""  # the last entry that a head covers
        self.segment = self.end = self.batch = self.start = 0

    @property
    def count(self) -> int:
        return self.size + len(self.pending)

    def begin(self, number: int) -> None:
        """Come to the beginning of a segment."""
        self.segment, self.start, self.end, self.batch = number, 0, 0, 0

    def take(self, frame: Frame) -> None:
        """Add a frame; raises FrameInvalid when it is intact but cannot stand here."""
        if (frame.offset == 0) != (frame.kind == SEGMENT):
            raise FrameInvalid(frame.offset, "a segment does not begin as it must")
        if frame.kind == HEAD:
            self._close_batch(frame)
        elif frame.kind == SEGMENT:
            expected = SegmentStart(self.verifier.name, self.segment, self.size).to_bytes()
            if frame.payload != expected:
                raise FrameInvalid(frame.offset, "the segment does not continue the one before")
            self.start = frame.end
        elif self.end == 0:
            raise FrameInvalid(frame.offset, "a segment begins without a signed head")
        else:
            self.latest = frame.payload
            self.pending.append(leaf_hash(frame.payload))

    def grow(self) -> None:
        """Put the covered leaves into the tree, many at once."""
        self.tree.extend(self.covered)
        self.covered.clear()

    def _close_batch(self, frame: Frame) -> None:
        lines = frame.payload.split(b"\n", 2)
        if len(lines) != 3 or lines[1] != b"%d" % self.count:
            raise FrameInvalid(frame.offset, f"the signed head after entry {self.count - 1} has another size")
        if not self.pending and self.end:
            raise FrameInvalid(frame.offset, "a batch without entries")
        if self.pending:
            self.index.add(self.size, self.segment, self.start)
            self.size = self.count
            self.covered += self.pending
            self.pending.clear()
            self.batch = self.start
            self.last = self.latest
        self.signed = frame.payload
        self.start = self.end = frame.end


def recover(folder: Path, verifier: Verifier, known: Sequence[Head]) -> Recovered:
    """Walk all segments; at least one exists. `known` heads were verified by the caller.

    Raises LedgerShort, LedgerForked or LedgerDamaged.
    """
    walk = _Walk(folder, verifier, max((head.size for head in known), default=0))
    torn, words = _walk_segments(walk)
    if walk.size < walk.known:
        first, last = walk.size, walk.known - 1
        raise LedgerShort(
            first, last, f"entries {first} to {last} are missing: a signed head knows {walk.known} entries"
        )
    head = _last_head(walk)
    for one in known:
        if root_at(one.size, walk.tree.node) != one.root:
            raise LedgerForked(
                f"the first {one.size} entries are not those of the head that was signed over them: "
                "they were changed, or the folder is another ledger's"
            )
    return Recovered(
        walk.tree, walk.index, head, _time(walk), walk.segment, walk.end, walk.batch, walk.data, torn, words
    )


def _walk_segments(walk: _Walk) -> tuple[int, str]:
    """Walk every segment; the number of torn bytes at the end, and what is wrong with them."""
    paths = list_segments(walk.folder)
    for number, path in enumerate(paths):
        if path != segment_path(walk.folder, number):
            words = f"segment {number} is missing; it begins with entry {walk.count}"
            raise LedgerDamaged(walk.count, words)
        data = walk.data = path.read_bytes()
        walk.begin(number)
        try:
            for frame in read_frames(data):
                walk.take(frame)
            _check_end(walk, len(data))
        except FrameInvalid as error:
            _judge(walk, error, data, is_last=number == len(paths) - 1)
            walk.pending.clear()
            walk.grow()
            return len(data) - walk.end, str(error)
        walk.grow()
    return 0, ""


def _check_end(walk: _Walk, length: int) -> None:
    if walk.end == 0:
        raise FrameInvalid(length, "the segment has no beginning", cut=True)
    if walk.pending:
        raise FrameInvalid(walk.start, "the last entries have no signed head", cut=True)


def _judge(walk: _Walk, error: FrameInvalid, data: bytes, *, is_last: bool) -> None:
    """Decide whether an invalid frame is the torn end of an unanswered batch; raise when it is not.

    A batch is written only when the one before is durable and its head is stored, so at most one head, the
    torn batch's own, can lie behind the tear. More than one means that something written before was changed.
    """
    where = f"{segment_path(walk.folder, walk.segment).name} at byte {error.offset}"
    heads = [text for text in heads_after(data, error.offset, walk.verifier.name) if _is_signed(walk, text)]
    if not is_last or len(heads) > 1:
        raise LedgerDamaged(walk.count, f"entry {walk.count} is damaged ({where}: {error})")
    if walk.size >= walk.known and walk.end > 0:
        return
    first, last = walk.size, walk.known - 1
    if error.cut and first <= last:
        raise LedgerShort(first, last, f"entries {first} to {last} are missing ({where}: {error})")
    if walk.pending and walk.count > last:
        raise LedgerDamaged(
            first, f"the signed head over the entries {first} to {last} is damaged ({where})", last
        )
    raise LedgerDamaged(walk.count, f"entry {walk.count} is damaged ({where}: {error})")


def _is_signed(walk: _Walk, text: bytes) -> bool:
    try:
        open_head(text.decode(), [walk.verifier], walk.verifier.name)
    except (UnicodeDecodeError, NoteInvalid, CheckpointInvalid):
        return False
    return True


def _last_head(walk: _Walk) -> Head:
    """The last head frame, its signature and root checked; it covers everything before it."""
    size = walk.size
    try:
        head = open_head(walk.signed.decode(), [walk.verifier], walk.verifier.name)
    except (UnicodeDecodeError, NoteInvalid, CheckpointInvalid) as error:
        raise LedgerDamaged(
            max(size - 1, 0), f"the signed head after entry {size - 1} is wrong: {error}"
        ) from error
    if (head.size, head.root) == (size, walk.tree.range.root()):
        return head
    first, last = _first_wrong(walk)
    words = f"entry {first} is" if first == last else f"one of the entries {first} to {last} is"
    raise LedgerDamaged(first, f"{words} not what was signed", last)


def _first_wrong(walk: _Walk) -> tuple[int, int]:
    """The batch whose head is the first that does not fit, found by computing the root at every head."""
    tree, begin = CompactRange(), 0
    for path in list_segments(walk.folder):
        for frame in read_frames(
            path.read_bytes()[: walk.end if path.stem == f"{walk.segment:08d}" else None]
        ):
            if frame.kind == ENTRY:
                tree.append(leaf_hash(frame.payload))
            elif frame.kind == HEAD:
                try:
                    fits = (
                        open_head(frame.payload.decode(), [walk.verifier], walk.verifier.name).root
                        == tree.root()
                    )
                except (UnicodeDecodeError, NoteInvalid, CheckpointInvalid):
                    fits = False
                if not fits:
                    return begin, max(tree.size - 1, begin)
                begin = tree.size
    return begin, begin


def _time(walk: _Walk) -> int:
    if not walk.last:
        return 0
    try:
        return Entry.from_bytes(walk.last).time
    except EntryInvalid as error:
        raise LedgerDamaged(
            walk.size - 1, f"entry {walk.size - 1} is signed, but no entry: {error}"
        ) from error
