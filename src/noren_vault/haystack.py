"""A shop's people as one text that is searched from end to end: bytes in, ids out. Nothing here waits.

A record, in the order of ids:

    0x02 | id (32 bytes, each 0x10 + four bits) | 0x01 field | 0x01 field | ...

Fields and needles are in one spelling (`spelling`), UTF-8, without any byte below 0x20: so a needle is found
in a field and nowhere else, and where a record begins can be told from any place in it. A mark that a shop
has given is such a field between 0x03 and 0x04, its digits as those of an id: no text that is typed finds it.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

Needles = tuple[bytes, ...]
_RECORD: Final = b"\x02"
_FIELD: Final = b"\x01"
_ID: Final = 1 + 32
_HEX: Final = b"0123456789abcdef"
_CODED: Final = bytes(range(0x10, 0x20))
_CODE: Final = bytes.maketrans(_HEX, _CODED)
_DECODE: Final = bytes.maketrans(_CODED, _HEX)


@dataclass(frozen=True, slots=True)
class Hits:
    """The first persons of `number` who were found."""

    persons: list[str]
    number: int


def record_of(person: str, fields: Iterable[str]) -> bytes:
    """Make a person's record; `person` is a UUID in lower case, the fields are spelt."""
    spelt = (_FIELD + field.encode() for field in fields if field)
    return _RECORD + _coded(person) + b"".join(spelt)


def mark(number: int) -> str:
    """Give the field of a mark."""
    return "\x03" + "".join(chr(0x10 + int(digit)) for digit in str(number)) + "\x04"


class Haystack:
    """The text, and how it is searched and changed. `find` and `replace` may run on a thread."""

    __slots__ = ("_text",)

    def __init__(self, records: Iterable[bytes] = ()) -> None:
        """Begin with records in the order of their ids."""
        self._text = bytearray().join(records)

    def __len__(self) -> int:
        """Its size in bytes."""
        return len(self._text)

    def find(self, words: Sequence[Needles], most: int) -> Hits:
        """Find who has every word, in one of its spellings, in any field.

        First those one of whose fields begins with the first word, then the others; in the order of kana.
        """
        if not words:
            return Hits([], 0)
        text = self._text
        starts = [_FIELD + needle for needle in words[0]]
        rarest = max(words, key=lambda needles: min(map(len, needles)))
        others = [needles for needles in words if needles is not rarest]
        number = 0
        leading: list[tuple[bytearray, bytearray]] = []
        following: list[tuple[bytearray, bytearray]] = []
        for begin, end in self._having(text, rarest):
            if others and not all(any(text.find(one, begin, end) >= 0 for one in word) for word in others):
                continue
            number += 1
            for start in starts:
                if text.find(start, begin, end) >= 0:
                    leading.append((text[begin + _ID : end], text[begin + 1 : begin + _ID]))
                    break
            else:
                if len(leading) < most:
                    following.append((text[begin + _ID : end], text[begin + 1 : begin + _ID]))
        first = heapq.nsmallest(most, leading)
        first += heapq.nsmallest(most - len(first), following)
        return Hits([_decoded(coded) for _, coded in first], number)

    def having_whole(self, field: str) -> set[str]:
        """Find who has just this field, and nothing longer."""
        text, needle = self._text, _FIELD + field.encode()
        found: set[str] = set()
        at = text.find(needle)
        while at >= 0:
            end = at + len(needle)
            if end == len(text) or text[end] in _RECORD + _FIELD:
                begin = text.rfind(_RECORD, 0, at)
                found.add(_decoded(text[begin + 1 : begin + _ID]))
            at = text.find(needle, end)
        return found

    def replace(self, records: Mapping[str, bytes]) -> None:
        """Put new records in the place of persons' old ones; an empty one takes a person out."""
        text = self._text
        pieces: list[bytes | bytearray] = []
        at = 0
        for person in sorted(records):
            begin, end = self._bounds(person)
            pieces += (text[at:begin], records[person])
            at = end
        pieces.append(text[at:])
        self._text = bytearray().join(pieces)

    def forget(self, persons: Iterable[str]) -> None:
        """Overwrite persons' fields where they stand; cheap, and safe while a thread searches."""
        for person in persons:
            begin, end = self._bounds(person)
            if begin < end:
                self._text[begin + _ID : end] = bytes(end - begin - _ID)

    def _having(self, text: bytearray, needles: Needles) -> Iterator[tuple[int, int]]:
        """Give the bounds of each record that has one of the needles, once."""
        seen: set[int] = set()
        for number, needle in enumerate(needles):
            at = text.find(needle)
            while at >= 0:
                begin, end = text.rfind(_RECORD, 0, at), self._end(text, at)
                if begin not in seen:
                    yield begin, end
                if number < len(needles) - 1:
                    seen.add(begin)
                at = text.find(needle, end)

    def _bounds(self, person: str) -> tuple[int, int]:
        """Where the person's record is, or, with nothing between the two, where it would be."""
        text, wanted = self._text, _coded(person)
        low, high = 0, len(text)
        while low < high:
            begin = text.rfind(_RECORD, low, (low + high) // 2 + 1)
            coded = text[begin + 1 : begin + _ID]
            if coded == wanted:
                return begin, self._end(text, begin + 1)
            if coded < wanted:
                low = self._end(text, begin + 1)
            else:
                high = begin
        return low, low

    @staticmethod
    def _end(text: bytearray, at: int) -> int:
        end = text.find(_RECORD, at)
        return len(text) if end < 0 else end


def _coded(person: str) -> bytes:
    return person.replace("-", "").encode().translate(_CODE)


def _decoded(coded: bytearray) -> str:
    text = coded.translate(_DECODE).decode()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
