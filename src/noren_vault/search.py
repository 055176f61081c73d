"""Searching a shop's people by any part: a text of them is made in memory, searched, and let go again.

It is made by opening everybody inside the process, which tells nobody; that is an entry all the same. It lies
in this memory only: on no disk, in no backup, and (see `__main__`) in no core dump.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from noren_vault import booking_lines, spelling
from noren_vault.clock import Now
from noren_vault.errors import RecordDamaged
from noren_vault.fields import Values
from noren_vault.haystack import Haystack, Hits, mark, record_of
from noren_vault.people import People, Sealed
from noren_vault.record import Outcome, Path, Record

SEARCHED: Final = ("name", "kana", "mail", "phone", "guests", "tags")
# What one person's two records have in common.
ALIKE: Final = ("kana", "mail", "phone")
# As many are opened while somebody waits for a page.
_FEW: Final = 5_000
_VAULT: Final = Path("vault")
# Opened at once on a thread: some milliseconds, so that reveals come in between.
_BATCH: Final = 250
_PAGE: Final = 5_000
_AN_ENTRY: Final = 500
_FIRST: Final = "00000000-0000-0000-0000-000000000000"
_IDLE_MS: Final = 3_600_000
_log = structlog.get_logger("search")


@dataclass(slots=True)
class _Shop:
    """A shop's text; None before it is made. `stale` are those to be read anew before the next search."""

    hay: Haystack | None = None
    stale: set[str] = field(default_factory=set)
    used_at: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Search:
    """Holds the texts of the shops that were searched last, `most_bytes` together."""

    def __init__(self, people: People, record: Record, now: Now, *, most_bytes: int) -> None:
        """Keep the parts, and hear of every change of a person."""
        self._people = people
        self._record = record
        self._now = now
        self._most_bytes = most_bytes
        self._shops: OrderedDict[int, _Shop] = OrderedDict()
        people.tell_changes_to(self._changed)

    @property
    def held(self) -> dict[int, int]:
        """The bytes held in clear, by shop."""
        return {shop: len(one.hay) for shop, one in self._shops.items() if one.hay is not None}

    async def find(self, shop: int, query: str, most: int, *, tag: int | None = None) -> Hits:
        """Find persons by parts of name, kana, mail, phone and guests, and by a mark. Raises
        LedgerUnavailable.
        """
        words = spelling.needles(query)
        if tag is not None:
            words.append((mark(tag).encode(),))
        if not words:
            return Hits([], 0)
        hay = await self._ready(shop)
        return await asyncio.to_thread(hay.find, words, most)

    async def alike(self, shop: int, person: str, values: Values, *, wait: bool) -> dict[str, list[str]]:
        """Find who has the same kana, phone or mail, whole: person -> which.

        Without `wait` a large shop whose text is not there is not opened for it, and nobody is found. Raises
        LedgerUnavailable.
        """
        one = self._shops.get(shop)
        there = wait or (one is not None and one.hay is not None)
        if not there and len(await self._people.kept_after(shop, _FIRST, _FEW + 1)) > _FEW:
            return {}
        hay = await self._ready(shop)
        found: dict[str, list[str]] = {}
        for name, spelling_of in _whole(values).items():
            for other in hay.having_whole(spelling_of) - {person}:
                found.setdefault(other, []).append(name)
        return found

    def forget_idle(self) -> None:
        """Let go of what nobody searched for an hour."""
        for shop, one in list(self._shops.items()):
            if one.used_at <= self._now() - _IDLE_MS and not one.lock.locked():
                del self._shops[shop]

    def _changed(self, shop: int, persons: Iterable[str]) -> None:
        """What was true of them is true no more: out of the text now, read anew before the next search."""
        one = self._shops.get(shop)
        if one is not None:
            changed = set(persons)
            one.stale |= changed
            if one.hay is not None:
                one.hay.forget(changed)

    async def _ready(self, shop: int) -> Haystack:
        one = self._shops.setdefault(shop, _Shop())
        self._shops.move_to_end(shop)
        one.used_at = self._now()
        async with one.lock:
            if one.hay is None:
                one.hay = await self._build(shop)
            if one.stale:
                await self._renew(shop, one, one.hay)
            self._make_room()
            return one.hay

    async def _build(self, shop: int) -> Haystack:
        """Open everybody of the shop."""
        entry = await self._record.write("search_build", _VAULT, shop=shop, fields=SEARCHED, note="everybody")
        pieces: list[bytes] = []
        page = [_FIRST]
        try:
            while page := await self._people.kept_after(shop, page[-1], _PAGE):
                for start in range(0, len(page), _BATCH):
                    sealed = await self._people.read(shop, page[start : start + _BATCH], SEARCHED)
                    pieces += (await asyncio.to_thread(self._records, shop, sealed)).values()
            made = await asyncio.to_thread(Haystack, pieces)
        except BaseException:
            self._record.outcome_later(entry, Outcome.FAILED, _VAULT)
            raise
        self._record.outcome_later(entry, Outcome.DONE, _VAULT)
        return made

    async def _renew(self, shop: int, one: _Shop, hay: Haystack) -> None:
        """Open anew who was changed; who is not there any more stays out."""
        stale, one.stale = one.stale, set()
        try:
            records: dict[str, bytes] = dict.fromkeys(stale, b"")
            persons = await self._people.kept_among(shop, sorted(stale))
            for start in range(0, len(persons), _AN_ENTRY):
                chunk = persons[start : start + _AN_ENTRY]
                entry = await self._record.write(
                    "search_build", _VAULT, shop=shop, persons=chunk, fields=SEARCHED, note="changed"
                )
                sealed = await self._people.read(shop, chunk, SEARCHED)
                records |= await asyncio.to_thread(self._records, shop, sealed)
                self._record.outcome_later(entry, Outcome.DONE, _VAULT)
            await asyncio.to_thread(hay.replace, records)
        except BaseException:
            one.stale |= stale
            raise
        finally:
            # Who was changed meanwhile may have come back into the text.
            hay.forget(one.stale)

    def _records(self, shop: int, sealed: Sequence[Sealed]) -> dict[str, bytes]:
        """Open and spell, on a thread. A damaged record rings and is left out: the others are found."""
        made: dict[str, bytes] = {}
        for one in sealed:
            try:
                values = self._people.open(shop, one, SEARCHED)
            except RecordDamaged:
                _log.error("record_damaged", shop=shop, person=one.person)
                continue
            made[one.person] = record_of(one.person, spelt(values))
        return made

    def _make_room(self) -> None:
        """Let go of the shops searched longest ago. The last one stays, whatever its size."""
        held = self.held
        while sum(held.values()) > self._most_bytes and len(held) > 1:
            oldest = next(iter(held))
            del self._shops[oldest], held[oldest]


def spelt(values: Values) -> list[str]:
    """What a person is found by, kana first: in its order people are listed."""
    made = [spelling.name(values[name].text) for name in ("kana", "name") if name in values]
    if "mail" in values:
        made.append(spelling.mail(values["mail"].text))
    if "phone" in values:
        made += spelling.numbers(values["phone"].text, values["phone"].e164)
    if "guests" in values:
        made += [spelling.name(one) for one in booking_lines.names(values["guests"].text)]
    # What was escaped where it is kept must not end a field, or begin a record.
    made = [one.translate(spelling.CONTROLS) for one in made]
    if "tags" in values:
        made += [mark(int(one)) for one in values["tags"].text.split() if one.isdecimal()]
    return made


def _whole(values: Values) -> dict[str, str]:
    """Return by which whole fields of the text a person's other records are found."""
    found = {}
    if "kana" in values:
        found["kana"] = spelling.name(values["kana"].text)
    if "mail" in values:
        found["mail"] = spelling.mail(values["mail"].text)
    if "phone" in values and values["phone"].e164:
        found["phone"] = values["phone"].e164
    return {name: text for name, text in found.items() if text}
