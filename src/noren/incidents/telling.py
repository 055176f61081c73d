"""Telling people: names of shops, and who reads which language. All else is the vault's.

Persons are opaque ids here. In which language somebody booked last stands with her bookings; who works for a
shop reads the shop's.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Final
from uuid import UUID

from noren.booking.models import Booking
from noren.errors import NoSuchNotice, ShopUnknown
from noren.incidents import notices
from noren.incidents.scope import Question
from noren.incidents.telling_words import HOUSE, Words
from noren.messages import easy
from noren.messages.words import language
from noren.people import tellings
from noren.people.tellings import PAGE, Telling, Wanted
from noren.shops.models import Shop, ShopDirectory
from noren.shops.tenancy import shop

PLATFORM: Final = 0
# What can be told by no mail, and is told by a letter, or not at all.
LETTERS: Final = ("failed", "bounced", "no_mail", "unknown")
HEADING: Final = (
    *("shop", "person", "kind", "state", "language", "fields", "since", "until", "at", "channel"),
    *("reason", "told as", "telling"),
)


def begin(
    grant: str | None,
    incident: str,
    question: Question,
    notice: str,
    *,
    words: Words = HOUSE,
    a_minute: int | None = None,
) -> Telling:
    """Find who is to be told, each in her language; nothing is sent. Raises NoSuchNotice, NoSuchIncident."""
    if not notices.updates(notice):
        raise NoSuchNotice
    asked: dict[str, Any] = {name: list(values) for name, values in question.named.items()}
    asked |= {"since": question.since.timestamp(), "until": question.until.timestamp()}
    asked |= {"shop": question.shop_id, "person": list(question.persons) or None}
    names = _names([question.shop_id] if question.shop_id is not None else _every_shop())
    made = tellings.make(grant, incident, Wanted(asked, notice, words, names, a_minute))
    _languages(grant, made)
    return tellings.show(grant, made.telling)


def rows(grant: str | None, telling: str) -> Iterator[list[str]]:
    """Who was told what, when and how, for a file: a heading, then a line each. On record."""
    one = tellings.show(grant, telling)
    yield [*HEADING]
    for told in tellings.people(grant, telling):
        times = [each.isoformat() for each in (told.since, told.until, told.at)]
        plain = [str(told.shop), str(told.person), told.kind, told.state, told.language]
        channel = "mail" if told.state in ("told", "unknown", "bounced", "failed") else ""
        last = [channel, told.reason, "" if told.into is None else str(told.into), f"sha256:{one.hash}"]
        yield [*plain, " ".join(told.fields), *times, *last]


def _every_shop() -> list[int]:
    return list(ShopDirectory.objects.order_by("id").values_list("id", flat=True))


def _names(shops: Sequence[int]) -> dict[str, str]:
    """By shop the name it goes by; where it has none the vault says its address."""
    found: dict[str, str] = {}
    for shop_id in shops:
        with shop(shop_id):
            one = Shop.objects.first()
            if one is not None:
                texts = one.texts.get("name", {})
                found[str(shop_id)] = texts.get("ja") or texts.get("en") or ""
    return {shop_id: name for shop_id, name in found.items() if name}


def _languages(grant: str | None, made: Telling) -> None:
    by_shop: dict[int, list[tuple[UUID, str]]] = defaultdict(list)
    for told in tellings.people(grant, made.telling):
        if told.state == "waiting" and told.shop != PLATFORM:
            by_shop[told.shop].append((told.person, told.kind))
    for shop_id, persons in by_shop.items():
        for start in range(0, len(persons), PAGE):
            chosen = _chosen(shop_id, persons[start : start + PAGE])
            tellings.languages(grant, made.telling, shop_id, chosen)


def _chosen(shop_id: int, persons: Sequence[tuple[UUID, str]]) -> dict[UUID, str]:
    """In which language each reads: as she booked last, else as the shop does."""
    with shop(shop_id):
        here = Shop.objects.first()
        if here is None:
            raise ShopUnknown
        rows = Booking.objects.filter(person_id__in=[person for person, _ in persons]).exclude(locale="")
        booked = dict(rows.order_by("id").values_list("person_id", "locale"))
        usual = here.locale
    return {person: _spoken(booked.get(person, usual), kind) for person, kind in persons}


def _spoken(locale: str, kind: str) -> str:
    spoken = language(locale)
    if spoken == easy.CODE:
        return "easy" if kind == "customer" else "ja"
    return spoken
