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
from noren.booking import blocks, book, changes, waiting, work
from noren.booking.models import Booking, Work
from noren.incidents import asked as asked_of
from noren.incidents import book as incident_book
from noren.incidents import handed, notices, telling
from noren.incidents.scope import Question
from noren.incidents.scope import ask as ask_scope
from noren.messages import to_many
from noren.people import incidents, inquiries, packs, powers, signs
from noren.people import notices as notice_door
from noren.people.powers import Ask
from noren.shops import photos
from noren.shops.models import Resource, Service
from noren.shops.redraw import File, Kind
from noren.shops.rules import change
from noren.shops.tenancy import shop
from noren_vault import puzzles
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
        if "/facts/" in template:
            found["record"] = "4"
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
        platform, things = _platform(ours, vault, mail)
        program = people.make_api_key(owner.grant, label="会計ソフト", scopes=people.SCOPES, days=1).key
        incident = _incident(platform, ours.id)
        told = {"telling": _telling(platform, incident, salons["person"]), "way": "agreed"}
        shared = {**things, **_inquiry(), **_signs(platform, incident), **told, "incident": incident}
        shared |= {"record": "3", "law": "jp-appi", "principal": str(ours.id), "what": "0123456789abcdef"}
        shared |= {"secret": "smtp-password"}
        shared |= {
            "pack": incident,
            "record": "3",
            "law": "jp-appi",
            "principal": str(ours.id),
            "what": "0123456789abcdef",
        }
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
            yoga=yogas | shared | {"what": other.grant.split(".")[1], "pack": _incident(platform, theirs.id)},
        )


def _platform(made: Salon, vault: VaultProcess, mail: Sink) -> tuple[dict[str, Player], dict[str, str]]:
    """An operator, one who broke the glass to be in the salon, an auditor; and what they asked for."""
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
    return players | {"lent": lent}, {"power": asked, **_notices(lent, passkey, mail)}


def _notices(player: Player, passkey: Passkey, mail: Sink) -> dict[str, str]:
    """A published notice, one that waits for a word, a draft, and a reader's link."""
    now, said = clock.now(), {"title": "題", "happened": "何か", "contact": "窓口"}
    first = notices.begin("2026-leak", now)
    notices.keep(first.id, 1, {"ja": said, "en": said}, now)
    options = notice_door.alone_begin(player.grant, notices.freeze(first.id, now))
    notices.alone(player.grant, first.id, passkey.get(options))
    asked = notices.ask(player.grant, notices.begin_next("2026-leak", now).id, now)
    notice_door.reader_ask("yomu@kyaku.example", "ja", "")
    wait_for(lambda: bool(_found(mail, "yomu@kyaku.example", r"/news/mail/(\S+)")))
    return {
        "notice": "2026-leak",
        "nth": "1",
        "version": "1",
        "ask": asked,
        "draft": str(notices.begin("2026-other", now).id),
        "reader": _found(mail, "yomu@kyaku.example", r"/news/mail/(\S+)")[-1],
    }


def _inquiry() -> dict[str, str]:
    """An inquiry with something pasted, and the link of who asked."""
    form = inquiries.form().challenge
    link = inquiries.ask(
        inquiries.Said("届きません", clock.now(), pasted=["password"]),
        about="booking",
        notice="",
        locale="ja",
        mail="",
        grant=None,
        proof=puzzles.solve(form["challenge"], form["bits"]),
        visit={},
    )
    return {"link": link, "inquiry": link.partition("-")[0]}


def _signs(platform: dict[str, Player], incident: str) -> dict[str, str]:
    """A report from outside that is part of the incident, with a file: an id that fits both addresses."""
    grant = platform["lent"].grant
    sign = signs.report("0" * 32, "番号を変えると名前が見える", "", [("log.txt", b"2026-11-28T00:00:00Z x")])
    words = incident_book.say(incident_book.Kind.FACT, text="外からの通報")
    signs.join(grant, sign, words, incident=incident)
    (file,) = signs.files_of(grant, incident)
    return {"sign": sign, "file": file.file}


def _incident(platform: dict[str, Player], shop_id: int) -> str:
    """An incident that both operators are members of; the shop was handed its pack, the fifth record."""
    incident = incidents.open_one(
        platform["lent"].grant, incident_book.say(incident_book.Kind.OPENED, title="夜中の閲覧")
    )
    incidents.change_member(platform["lent"].grant, incident, "kei.operator", "in")
    now = clock.now()
    question = Question(now - timedelta(hours=1), now)
    told = asked_of.said(question, ask_scope(question))
    incidents.add(None, incident, "scope", incident_book.say(incident_book.Kind.SCOPE, **told))
    # Its fourth record, by which its page of facts goes.
    suspect = incident_book.say(
        incident_book.Kind.SUSPECT, path="actor", name="kei.operator", since="2026-11-01T00:00:00+00:00"
    )
    incidents.add(platform["lent"].grant, incident, incident_book.Kind.SUSPECT, suspect)
    work = incident_book.workspace(incidents.read(None, incident).records)
    said = handed.words(work, shop_id, {"ja": {"happened": "名簿が見られた"}}, at=now, how="管理画面")
    packs.hand(None, incident, shop_id, said, handed.question(work))
    return incident


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
    return _found(mail, address, CODE)


def _found(mail: Sink, address: str, pattern: str | re.Pattern[str]) -> list[str]:
    found: list[str] = []
    for message in mail.messages:
        body = message.get_body(("plain",))
        if body is not None and message["To"] == address:
            found += re.findall(pattern, body.get_content())
    return found


def _things(made: Salon, owner: Player, colleague: Player) -> dict[str, str]:
    """A booking, its customer, a place on the waiting list, lists that were asked for: by parameter."""
    now = clock.now()
    at = _noon(now + timedelta(days=2))
    with shop(made.id), change():
        Service.objects.filter(id=made.cut).update(waiting={"hours": 4})
    tokens = [_booked(made, at, now, mail=f"{made.slug}@kyaku.example")]
    tokens += [_booked(made, at, now, mail=f"{made.slug}{number}@kyaku.example") for number in range(2)]
    waits = waiting.JoinRequest(made.cut, start=at)
    place = waiting.join(made.id, waits, book.Customer("佐藤 二郎", "jiro@example.com"), now=now)
    with shop(made.id):
        first, second = Booking.objects.order_by("id")[:2]
    assert first.person_id is not None
    assert second.person_id is not None
    for person in (first.person_id, second.person_id):
        people.keep(made.id, person)
    export, to_agree, to_take = _lists(owner, colleague)
    with shop(made.id):
        photo = photos.put(
            photos.Subject(service=made.cut), [File(Kind.WEBP, 96, 96, b"-")], {"ja": "鏡の前"}
        )
    day = at + timedelta(days=1)
    block = blocks.block(made.id, made.staff[0], day, day + timedelta(hours=1), now=now, by="staff:x")
    shown = people.reveal(owner.grant, people.Purpose.CUSTOMER, [first.person_id], ["name"])
    return {
        "slug": made.slug,
        "service_id": str(made.cut),
        "booking_id": str(first.id),
        "block_id": str(block),
        "staff_id": str(made.staff[0]),
        "resource_id": str(_room(made)),
        "person": str(first.person_id),
        "kept": str(second.person_id),
        "transfer": export,
        "transfer_to_agree": to_agree,
        **_works(made, to_take, now),
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
        "mail": "reminder",
        "booking_token": tokens[0],
        "relink_token": tokens[2],
        "waiting_token": place.token,
    }


def _noon(now: datetime) -> datetime:
    return now.astimezone(ZoneInfo("Asia/Tokyo")).replace(hour=12, minute=0, second=0, microsecond=0)


def _lists(owner: Player, colleague: Player) -> tuple[str, str, str]:
    """A list that was asked for, one to agree to, one to take in."""
    why: dict[str, Any] = {"reason": "moving", "words": "移るため", "fields": ["name"]}
    first, second = (people.ask_export(each.grant, **why) for each in (owner, colleague))
    return first, second, people.ask_import(owner.grant, **why, rows=1, about="0" * 64)


def _works(made: Salon, transfer: str, now: datetime) -> dict[str, str]:
    """Bookings that come in with a list, bookings that follow a change, a message to many: none of each."""
    by = f"staff:aoi.{made.slug}"
    long = work.bring(made.id, work.Ask(transfer, ()), now=now, by=by)
    many = to_many.draft(made.id, to_many.Pick(now, now + timedelta(days=3)), now=now, by=by)
    with shop(made.id):
        follows = Work.objects.create(kind=changes.CHANGE, by="staff:x", total=0, made_at=now)
    return {"work_id": str(long.id), "change_id": str(follows.id), "many_id": str(many)}


def _room(made: Salon) -> int:
    with shop(made.id), change():
        words = {"name": {"ja": "個室"}}
        return Resource.objects.create(key="room", kind="room", texts=words, position=20).id


def _booked(made: Salon, at: datetime, now: datetime, **changed: str) -> str:
    customer = book.Customer(**{**CUSTOMER, **changed})
    return book.book(made.id, book.BookRequest(made.cut, at, None, 1, customer, "ja"), now=now).token


def _telling(platform: dict[str, Player], incident: str, person: str) -> str:
    """A telling of that incident, which the one asked for and the other may agree to."""
    now = clock.now()
    question = Question(now - timedelta(hours=1), now + timedelta(hours=1), persons=(person,))
    return telling.begin(platform["lent"].grant, incident, question, "2026-leak").telling
