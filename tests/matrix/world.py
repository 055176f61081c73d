"""Two shops and everybody who may come to an address, each signed in as they really are."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.sessions.backends.db import SessionStore
from django.test import Client, override_settings

from noren import clock, people
from noren.accounts.session import PLACES, cookie_name
from noren.booking import book, waiting
from noren.booking.models import Booking
from noren.people import powers
from noren.people.powers import Ask
from noren.shops import photos
from noren.shops.models import Service
from noren.shops.redraw import File, Kind
from noren.shops.rules import change
from noren.shops.tenancy import shop
from tests.api.salon import Salon, salon
from tests.servers import Sink, VaultProcess, wait_for
from tests.vault.authenticator import Passkey
from tests.vault.operators import second_passkey
from tests.web.conftest import joined
from tests.web.flow import CUSTOMER

CODE = re.compile(r"(?:コードです: |code is: |code: )(\d{6})")


@dataclass
class Player:
    """Somebody at a browser. What the session held at first is put back before each visit."""

    client: Client
    held: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, client: Client) -> "Player":
        """Take somebody who is signed in."""
        return cls(client, {one.key: client.session[one.key] for one in PLACES if one.key in client.session})

    @property
    def grant(self) -> str:
        [name] = [cookie_name(one) for one in PLACES if one.key in self.held]
        return self.client.cookies[name].value

    def come_back(self) -> None:
        """Stand as at first, in spite of what an answer did to the session."""
        key = self.client.session.session_key
        if self.held and key is not None:
            store = SessionStore(session_key=key)
            store.update(self.held)
            store.save()


@dataclass
class World:
    """The players by their names, and the ids of each shop's things by the parameter that names them."""

    players: dict[str, Player]
    salon: Mapping[str, str]
    yoga: Mapping[str, str]

    def values(self, template: str, shop_name: str = "salon") -> dict[str, str]:
        """Give what fills an address: a link's token is a booking's or that of a waiting list's place."""
        found = dict(self.salon if shop_name == "salon" else self.yoga)
        waits = template.startswith(("w/", "api/v1/waiting/"))
        if template.endswith("/relink"):
            found["booking_token"] = found["relink_token"]
        found["token"] = found["waiting_token" if waits else "booking_token"]
        for way in ("agree", "take"):
            if f"/{way}" in template:
                found["transfer"] = found[f"transfer_to_{way}"]
        return found


def member(name: str, role: str, shop_name: str) -> people.Member:
    return people.Member(
        handle=name, role=role, staff=None, name=f"{name}さん", mail=f"{name}@{shop_name}.example"
    )


@contextmanager
def world(mail: Sink, vault: VaultProcess) -> Iterator[World]:
    """Make it all, on the module's own databases and vault."""
    keys = {"LINK_KEY": b"l" * 32, "IDEMPOTENCY_KEY": b"i" * 32, "SECRET_KEY": "s" * 50}
    with override_settings(LEDGER=vault.ledger, **keys):
        ours, theirs = salon("salon"), salon("yoga")
        members = [member("aoi", "owner", "salon"), member("ren", "reception", "salon")]
        people.found_shop(ours.id, "salon", [*members, member("mei", "manager", "salon")])
        people.found_shop(theirs.id, "yoga", [member("sora", "owner", "yoga")])
        owner, other = _joined(mail, "aoi@salon.example"), _joined(mail, "sora@yoga.example")
        without, expired = _joined(mail, "ren@salon.example"), _joined(mail, "mei@salon.example")
        for permits in people.permissions(owner.grant):
            for name in permits.most if permits.role == "reception" else ():
                people.permit(owner.grant, "reception", name, given=False)
        salons, yogas = _things(ours, owner, expired), _things(theirs, other, other)
        people.signout(expired.grant)
        platform, power = _platform(ours, vault, mail)
        program = people.make_api_key(owner.grant, label="会計ソフト", scopes=people.SCOPES, days=1).key
        shared = {"power": power, "what": "0123456789abcdef"}
        yield World(
            players={
                "anonymous": Player(Client(headers={"Accept-Language": "en"})),
                "customer": _customer(ours, mail),
                "other_customer": _customer(theirs, mail),
                "without": without,
                "owner": owner,
                "other_owner": other,
                **platform,
                "program": Player(Client(headers={"Authorization": f"Bearer {program}"})),
                "expired": expired,
            },
            salon=salons | shared,
            yoga=yogas | shared | {"what": other.grant.split(".")[1]},
        )


def _platform(made: Salon, vault: VaultProcess, mail: Sink) -> tuple[dict[str, Player], str]:
    """An operator, one who broke the glass to be in the salon, an auditor; and a power that was asked for."""
    lent = Player.of(joined(people.invite_operator(), "operations"))
    passkey = second_passkey(vault.database_url, "first.operator")
    seats = {"operator": ("invite_operator", "kei", 0), "auditor": ("invite_auditor", "audit", 30)}
    players = {}
    for role, (what, about, days) in seats.items():
        address = f"{about}@platform.example"
        _broken(lent, passkey, Ask(what=what, words="着任", about=about, mail=address, days=days))
        players[role] = _joined(mail, address, "operations")
    into = Ask(what="support_shop", words="問い合わせ", shop_id=made.id, minutes=15)
    powers.enter_power(lent.grant, _broken(lent, passkey, into))
    asked = powers.ask_power(lent.grant, Ask(what="read_ledger_entries", words="調べもの", minutes=15))
    return players | {"lent": lent}, asked


def _broken(player: Player, passkey: Passkey, ask: Ask) -> str:
    """Break the glass."""
    return powers.break_glass(player.grant, ask, passkey.get(powers.glass_begin(player.grant, ask)))


def _joined(mail: Sink, address: str, area: str = "console") -> Player:
    for message in mail.messages:
        body = message.get_body(("plain",))
        found = body and re.search(r"/join#(\S+)", body.get_content())
        if found and message["To"] == address:
            return Player.of(joined(found[1], area))
    raise AssertionError(f"no invitation to {address}")


def _customer(made: Salon, mail: Sink) -> Player:
    """Who booked there, let in by a mailed code."""
    client, address = Client(headers={"Accept-Language": "ja"}), f"{made.slug}@kyaku.example"
    before = len(_codes(mail, address))
    client.post(f"/{made.slug}/my-data/code", {"mail": address})
    wait_for(lambda: len(_codes(mail, address)) > before)
    answer = client.post(f"/{made.slug}/my-data/enter", {"mail": address, "code": _codes(mail, address)[-1]})
    assert answer.status_code == 302, answer.content.decode()
    return Player.of(client)


def _codes(mail: Sink, address: str) -> list[str]:
    found: list[str] = []
    for message in mail.messages:
        body = message.get_body(("plain",))
        if body is not None and message["To"] == address:
            found += CODE.findall(body.get_content())
    return found


def _things(made: Salon, owner: Player, colleague: Player) -> dict[str, str]:
    """A booking, its customer, a place on the waiting list, lists that were asked for: by parameter."""
    now = clock.now()
    at = (now.astimezone(ZoneInfo("Asia/Tokyo")) + timedelta(days=2)).replace(
        hour=12, minute=0, second=0, microsecond=0
    )
    with shop(made.id), change():
        Service.objects.filter(id=made.cut).update(waiting={"hours": 4})
    tokens = [_booked(made, at, now, mail=f"{made.slug}@kyaku.example")]
    tokens += [_booked(made, at, now, mail=f"{made.slug}{number}@kyaku.example") for number in range(2)]
    waits = waiting.JoinRequest(made.cut, start=at)
    place = waiting.join(made.id, waits, book.Customer("佐藤 二郎", "jiro@example.com"), now=now)
    with shop(made.id):
        first = Booking.objects.earliest("id")
    assert first.person_id is not None
    people.keep(made.id, first.person_id)
    export, to_agree = (
        people.ask_export(each.grant, reason="moving", words="移るため", fields=["name"])
        for each in (owner, colleague)
    )
    to_take = people.ask_import(
        owner.grant, reason="moving", words="移るため", fields=["name"], rows=1, about="0" * 64
    )
    with shop(made.id):
        photo = photos.put(
            photos.Subject(service=made.cut), [File(Kind.WEBP, 96, 96, b"-")], {"ja": "鏡の前"}
        )
    shown = people.reveal(owner.grant, people.Purpose.CUSTOMER, [first.person_id], ["name"])
    return {
        "slug": made.slug,
        "service_id": str(made.cut),
        "booking_id": str(first.id),
        "person": str(first.person_id),
        "transfer": export,
        "transfer_to_agree": to_agree,
        "transfer_to_take": to_take,
        "handle": f"{'ren' if made.slug == 'salon' else 'sora'}.{made.slug}",
        "role": "manager",
        "step": "kind",
        "name": people.account(owner.grant).passkeys[0].name,
        "shop_id": str(made.id),
        "deed": "check-in",
        "level": "0",
        "form": "svg",
        "number": "000",
        "width": "1",
        "entry": str(shown.entry),
        "_0": "nothing",
        "about": f"service-{made.cut}",
        "photo_id": str(photo.id),
        "digest": photo.digest,
        "pixels": "96",
        "kind": "webp",
        "booking_token": tokens[0],
        "relink_token": tokens[2],
        "waiting_token": place.token,
    }


def _booked(made: Salon, at: datetime, now: datetime, **changed: str) -> str:
    customer = book.Customer(**{**CUSTOMER, **changed})
    return book.book(made.id, book.BookRequest(made.cut, at, None, 1, customer, "ja"), now=now).token
