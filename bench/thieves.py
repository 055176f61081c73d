"""More attackers of the leak benchmark: other credentials, and other things that can be taken.

Each fills the hand with what its own script holds, and gives what the operator asks by.
"""

import re
import tempfile
from collections.abc import Iterable
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from django.test import override_settings

from bench import backup
from bench.year import CARD, LIST, Hand, Look, Shop, Year, book, card, drain
from noren import people
from noren.drill.sealed import Archives, Told
from noren.errors import ApiKeyRefused, BudgetExceeded
from noren.people import Purpose, doors, wire
from noren_vault.budgets import LIMITS
from noren_vault.rights import Role
from tests.servers import wait_for

PLACE = {"address": "203.0.113.66", "device": "curl/8.5.0"}
_WORDS = "ひみつ caf\u00e9 umbrella 42"


# -- sessions


def password(year: Year, shop: Shop, hand: Hand, day: int) -> dict[str, Any]:
    """Mail and password were found somewhere: no passkey is needed."""
    staff = shop.staff
    people.password_set(staff.grant, _WORDS)
    session = f"password-{shop.number}-{day}"
    signed = people.password_check(
        shop.number,
        staff.mail,
        _WORDS,
        session=session,
        address=PLACE["address"],
        device=PLACE["device"],
    )
    if isinstance(signed, people.Second):
        raise TypeError("nobody turned one-time codes on")
    staff.grant = signed.grant
    drain(hand, staff, year.chance.sample(shop.customers, 30), Look(10, Purpose.DAY, LIST))
    return {"session": session}


def code(year: Year, shop: Shop, hand: Hand, day: int) -> dict[str, Any]:
    """Who reads a customer's mailbox takes the code there, and sees what is hers."""
    person = year.chance.choice(shop.customers)
    address = card(shop.numbers[person])["mail"]
    session = f"code-{shop.number}-{day}"
    before = len(_mails(year, address))
    people.prove_begin(shop.number, person, session=session)
    wait_for(lambda: len(_mails(year, address)) > before)
    found = re.search(r"Your code is (\d{6})", _mails(year, address)[-1].get_content())
    if found is None:
        raise RuntimeError("the mail has no code")
    hand.add(shop.number, person, ["mail"])
    signed = people.prove_finish(shop.number, person, found[1], session=session, **PLACE)
    if isinstance(signed, people.Second):
        raise TypeError("nobody turned one-time codes on")
    hand.take(shop.number, people.reveal(signed.grant, Purpose.OWN, [person], CARD))
    return {"session": session}


def api_key(year: Year, shop: Shop, hand: Hand, day: int) -> dict[str, Any]:
    """A key lay in a repository: whoever finds it takes a hundred at a time until its budget ends it.

    It is ended, and what is asked with it afterwards brings nobody.
    """
    shop.manager.sign_in(f"key-{shop.number}-{day}")
    made = people.make_api_key(shop.manager.grant, label="在庫", scopes=("people:read",), days=30)
    fresh = _fresh(year, shop, LIMITS[Role.KEY].hour + 60)
    try:
        for first in range(0, len(fresh), 50):
            some = fresh[first : first + 50]
            hand.take(shop.number, people.reveal_by_key(made.key, shop.number, "day", some, LIST[:1]))
    except BudgetExceeded:
        year.tick()
    people.end_api_key(shop.manager.grant, made.name)
    try:
        people.reveal_by_key(made.key, shop.number, "day", fresh[:1], LIST[:1])
    except ApiKeyRefused:
        return {"credential": made.name}
    raise RuntimeError("an ended key goes on")


def substring(year: Year, shop: Shop, hand: Hand, day: int) -> dict[str, Any]:
    """A few signs bring twenty people at a time; those who fit and are not shown are not held."""
    session = shop.staff.sign_in(f"substring-{shop.number}-{day}", **PLACE)
    for query in ("子1", "はなこ2", "0003", "ako4", "花子 @example"):
        try:
            hand.take(shop.number, people.search(shop.staff.grant, query))
        except BudgetExceeded:
            break
    year.tick()
    return {"session": session}


def second_person(year: Year, shop: Shop, hand: Hand, day: int) -> dict[str, Any]:
    """The budget ends it; the manager is talked into being the second person, and it goes on."""
    most = LIMITS[Role.RECEPTION].hour
    fresh = _fresh(year, shop, most + 60)
    year.tick()
    session = shop.desk.sign_in(f"second-{shop.number}-{day}", **PLACE)
    drain(hand, shop.desk, fresh, Look(20, Purpose.DAY, LIST))
    stopped = len(hand.held)
    request = people.ask_second(shop.desk.grant, reason="在庫の確認", amount=60, minutes=30)
    people.decide_second(shop.manager.grant, request, approve=True)
    drain(hand, shop.desk, fresh[stopped:], Look(20, Purpose.DAY, LIST))
    if not stopped < len(hand.held) <= most + 60:
        raise RuntimeError(f"the budget let {stopped} through, and {len(hand.held)} in all")
    return {"session": session}


def _fresh(year: Year, shop: Shop, count: int) -> list[UUID]:
    """So many customers whom nobody has looked at."""
    numbers = [5_000_000 + year.next() for _ in range(count)]
    rows = [people.Row(f"c{number}", card(number)) for number in numbers]
    persons = people.import_rows(shop.number, rows).persons
    shop.numbers |= {persons[f"c{number}"]: number for number in numbers}
    return [persons[f"c{number}"] for number in numbers]


# -- ways past the pages


def certificate(year: Year, shop: Shop, hand: Hand, day: int) -> dict[str, Any]:
    """The web host's certificate: what its pages may ask is asked from elsewhere, over TLS."""
    line = year.house.line
    serial = line.certify("web")
    wire.close()
    try:
        with override_settings(VAULT_SOCKET=line.address, VAULT_TLS=line.client, VAULT_CALLER="web"):
            some = year.chance.sample(shop.customers, 20)
            drain(hand, shop.staff, some, Look(7, Purpose.DAY, LIST))
            number = year.next() + 2_000_000 + day * 1000
            person = people.put(shop.number, f"hold-{number}", card(number), session=f"tls-{number}")
            hand.add(shop.number, person, CARD)
            query = f"hanako{shop.numbers[some[0]]}@example.jp"
            hand.take(shop.number, people.search(shop.manager.grant, query))
    finally:
        wire.close()
    # Which a web process's certificate may not.
    people.keep(shop.number, person)
    shop.add(person, number)
    return {"process": f"tls:web/{serial}"}


def door(year: Year, _shop: Shop, hand: Hand, day: int) -> dict[str, Any]:
    """A session at the vault's database that nobody knows: it reads rows; the watcher tells of it."""
    house, name = year.house, f"{day:08x}.1a2b"
    sign = {"session": name, "why": "stranger", "login": "noren_vault", "database": "noren_vault"}
    more = {"host": "203.0.113.66", "application": "psql", "started": house.clock}
    doors.report("vault", signs=[{**sign, **more}])
    with psycopg.connect(house.database_url) as connection:
        query = (
            "SELECT shop_id, person, field FROM vault.field JOIN vault.person USING (shop_id, person) "
            "WHERE kind <> 'canary' AND field <> 'key'"
        )
        for number, person, field in connection.execute(query):
            hand.add(number, person, [field])
    year.tick()
    doors.report("vault", ended=[(name, house.clock)])
    return {"door": f"pg-vault-{name}"}


# -- backups


def backup_alone(year: Year, _shop: Shop, hand: Hand, _day: int) -> dict[str, Any]:
    """The archives: nothing of them opens. Who is in them is told with all keys, which the thief has not."""
    archives = backup.make(year.house)
    with tempfile.TemporaryDirectory() as folder:
        poor = backup.take(archives, year.house, Path(folder) / "poor")
        _expect(poor, set())
        rich = backup.take(archives, year.house, Path(folder) / "rich", backup_keys=True, keys=True)
        _fill(hand, rich.rows().named())
    return {"backup": archives.name}


def backup_and_its_keys(year: Year, _shop: Shop, hand: Hand, _day: int) -> dict[str, Any]:
    """With `backup-keys/`: all but the wrapped keys' archive opens, and the fields in it are cipher."""
    archives = backup.make(year.house)
    with tempfile.TemporaryDirectory() as folder:
        thief = backup.take(archives, year.house, Path(folder) / "taken", backup_keys=True)
        _expect(thief, {"vault.dump.age", "ledger.tar.age"})
        _fill(hand, thief.rows().named())
    return {"backup": archives.name}


def backup_and_all_keys(year: Year, shop: Shop, hand: Hand, day: int) -> dict[str, Any]:
    """With `keys/` as well all is read: also who was erased since, and not who came since."""
    number = year.next() + 3_000_000 + day * 1000
    gone = book(shop, number, f"backup-{number}")
    year.tick()
    archives = backup.make(year.house)
    year.tick()
    people.erase(shop.number, gone, "asked")
    shop.customers.remove(gone)
    book(shop, number + 1, f"backup-{number + 1}")
    year.tick(2)
    with tempfile.TemporaryDirectory() as folder:
        thief = backup.take(archives, year.house, Path(folder) / "taken", backup_keys=True, keys=True)
        _expect(thief, {"vault.dump.age", "keystore.dump.age", "ledger.tar.age"})
        rows = thief.rows()
        _fill(hand, rows.real(rows.read(Path(folder) / "taken" / "keys")))
    if (shop.number, gone) not in hand.held:
        raise RuntimeError("who was erased afterwards is in the backup")
    return {"backup": archives.name, "store": "keys"}


def _expect(thief: Archives, opens: set[str]) -> None:
    if thief.opens() != opens:
        raise RuntimeError(f"the thief opens {sorted(thief.opens())}, not {sorted(opens)}")


def _fill(hand: Hand, told: Iterable[Told]) -> None:
    for number, person, field in told:
        hand.add(number, person, [field])


def _mails(year: Year, address: str) -> list[EmailMessage]:
    return [one for one in year.house.mail.messages if one["To"] == address]
