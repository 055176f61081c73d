"""The leak benchmark: attackers take people in a simulated year, and `noren scope` says whom.

The truth is what each attacker's own script holds, outside Noren. Nobody may be missed, ever; nobody may be
named too many where all answers arrived; where the vault was killed in the middle of answers, whoever is
named beyond must be of an answer that was lost. SEED=7 DAYS=365 SHOPS=3.
"""

import csv
import io
import multiprocessing
import os
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from bench import thieves
from bench.thieves import PLACE
from bench.year import CARD, DAY, LIST, Hand, Held, House, Look, Shop, Year, book, card, drain, house, stage
from noren import people
from noren.errors import NorenError
from noren.incidents import trace
from noren.people import Purpose, exporting
from noren_vault.passkeys import credential_name
from tests.servers import Server, Sink

Triples = set[tuple[int, UUID, str]]


@dataclass(frozen=True, slots=True)
class Attack:
    """What an attacker has in hand, by which way it takes people, and how the operator asks afterwards.

    `act` fills the hand and gives what `people.scope` is asked by. `sealed`: what is held cannot be read, so
    that whoever is in it must stand in the answer as not exposed.
    """

    thing: str
    way: str
    act: Callable[[Year, Shop, Hand, int], dict[str, Any]]
    sealed: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """One attack's truth and answer, as (shop, person, field)."""

    name: str
    asked: str
    held: Triples
    named: Triples
    lost: Triples
    milliseconds: float

    @property
    def missed(self) -> Triples:
        """Held and not named: never allowed."""
        return self.held - self.named

    @property
    def unexplained(self) -> Triples:
        """Named, not held, and not of an answer that was lost."""
        return self.named - self.held - self.lost

    def line(self) -> str:
        """A line of the table."""
        persons = len({one[:2] for one in self.held})
        named = len({one[:2] for one in self.named})
        recall = len(self.held & self.named) / len(self.held) if self.held else 1.0
        precision = len(self.held & self.named) / len(self.named) if self.named else 1.0
        excess = len(self.named - self.held)
        return (
            f"{self.name:42} {self.asked:16} {persons:7d} {named:7d} {recall:7.1%} {precision:9.1%} "
            f"{excess:6d} {excess - len(self.unexplained):9d} {self.milliseconds:7.0f}"
        )


HEADING = (
    f"{'attacker and way':42} {'asked by':16} {'held':>7} {'named':>7} {'recall':>7} {'precision':>9} "
    f"{'excess':>6} {'explained':>9} {'ms':>7}"
)


# -- the attackers


def _one_by_one(year: Year, shop: Shop, hand: Hand, day: int) -> dict[str, Any]:
    some = year.chance.sample(shop.customers, 30)
    drain(hand, shop.staff, some, Look(1, Purpose.TODAY, ("name",)))
    return {"session": f"{shop.staff.handle}-day-{day}"}


def _pages(year: Year, shop: Shop, hand: Hand, day: int) -> dict[str, Any]:
    some = year.chance.sample(shop.customers, 25)
    drain(hand, shop.staff, some, Look(1, Purpose.CUSTOMER, CARD))
    return {"session": f"{shop.staff.handle}-day-{day}", "shop_id": shop.number}


def _search(year: Year, shop: Shop, hand: Hand, _day: int) -> dict[str, Any]:
    for person in year.chance.sample(shop.customers, 20):
        query = f"hanako{shop.numbers[person]}@example.jp"
        hand.take(shop.number, people.search(shop.staff.grant, query))
    return {"actor": shop.staff.handle}


def _bulk(_year: Year, shop: Shop, hand: Hand, day: int) -> dict[str, Any]:
    shop.manager.sign_in(f"stolen-{day}", **PLACE)
    drain(hand, shop.manager, shop.customers, Look(100, Purpose.CUSTOMER, CARD))
    return {"credential": credential_name(shop.manager.passkey.credential_id)}


def _from_a_place(year: Year, shop: Shop, hand: Hand, day: int) -> dict[str, Any]:
    shop.manager.sign_in(f"stolen-{day}", **PLACE)
    drain(hand, shop.manager, year.chance.sample(shop.customers, 40), Look(20, Purpose.DAY, LIST))
    return {"address": "203.0.113.0/24"}


def _by_device(year: Year, shop: Shop, hand: Hand, day: int) -> dict[str, Any]:
    return {**_from_a_place(year, shop, hand, day), "address": None, "device": "CURL"}


def _root(year: Year, shop: Shop, hand: Hand, day: int) -> dict[str, Any]:
    """Whoever is root on the app's server has what its process types, asks, gets and mails."""
    numbers = [year.next() + 1_000_000 + day * 1000 for _ in range(5)]

    def act(mine: Hand) -> None:
        for number in numbers:
            mine.add(shop.number, book(shop, number, f"root-{number}"), CARD)
        for player in (shop.staff, shop.manager):
            drain(mine, player, year.chance.sample(shop.customers[:40], 20), Look(7, Purpose.DAY, LIST))
        _mail(mine, shop, shop.customers[:6], f"root-{day}")

    name = elsewhere(act, hand)
    # Who booked there is a customer like any other: a list that is taken later holds them, too.
    booked = [person for _, person in hand.held if person not in shop.numbers]
    for person, number in zip(booked, numbers, strict=True):
        shop.add(person, number)
    return {"process": name}


def _worker(year: Year, shop: Shop, hand: Hand, day: int) -> dict[str, Any]:
    some = year.chance.sample(shop.customers, 15)
    return {"process": elsewhere(lambda mine: _mail(mine, shop, some, f"worker-{day}"), hand)}


def _export(year: Year, shop: Shop, hand: Hand, day: int) -> dict[str, Any]:
    """A list of all customers, taken out by two people, turns up later: the operator asks by its file."""
    raw = exported(shop, day)
    numbers = {card(number)["mail"]: person for person, number in shop.numbers.items()}
    rows = list(csv.DictReader(io.StringIO(raw.decode("cp932"), newline="")))
    for row in year.chance.sample(rows, len(rows)):
        # Whose mail is nobody's is a canary: there is nobody to be told of it.
        if row["mail"] in numbers:
            hand.add(shop.number, numbers[row["mail"]], [name for name in CARD if row[name]])
    answer = trace.ask(trace.texts(raw))
    return {"export": [one["export"] for one in answer["exports"] if one["verdict"] == "sure"]}


def exported(shop: Shop, day: int) -> bytes:
    """Take a shop's list out by two people; as a spreadsheet in Japan saves it."""
    shop.owner.sign_in(f"{shop.owner.handle}-day-{day}")
    transfer = people.ask_export(shop.manager.grant, reason="letters", words="年賀状", fields=CARD)
    if any(one.state == "asked" for one in people.transfers(shop.manager.grant) if one.transfer == transfer):
        options = people.agree_begin(shop.owner.grant, transfer)
        people.agree_finish(shop.owner.grant, transfer, shop.owner.passkey.get(options))
    opened = people.open_export(shop.manager.grant, transfer)
    pieces = people.export_rows(shop.manager.grant, transfer, opened)
    return "".join(exporting.text(opened.fields, pieces, "en")).removeprefix(exporting.MARK).encode("cp932")


def _dump_and_keys(year: Year, shop: Shop, hand: Hand, _day: int) -> dict[str, Any]:
    for number, person, name in dump(year.house):
        if number == shop.number:
            hand.add(number, person, [name])
    return {"store": ["vault", "keys"], "shop_id": shop.number}


def _dump(year: Year, _shop: Shop, hand: Hand, _day: int) -> dict[str, Any]:
    """Ciphertext in hand: everybody's, and nobody's to be read."""
    for number, person, name in dump(year.house):
        hand.add(number, person, [name])
    return {"store": "vault"}


ATTACKS: Sequence[Attack] = (
    Attack("staff session", "day list, one by one", _one_by_one),
    Attack("staff session", "customer pages", _pages),
    Attack("staff session", "search", _search),
    Attack("manager passkey", "bulk", _bulk),
    Attack("manager passkey", "from another place", _from_a_place),
    Attack("manager passkey", "on another device", _by_device),
    Attack("app-server root", "all that passes", _root),
    Attack("worker", "sends", _worker),
    Attack("export file", "taken out by two", _export),
    Attack("database dump", "with the keys' folder", _dump_and_keys),
    Attack("database dump", "ciphertext alone", _dump, sealed=True),
    Attack("staff password", "from another place", thieves.password),
    Attack("API key", "until its budget ends it", thieves.api_key),
    Attack("customer's code", "from her mailbox", thieves.code),
    Attack("staff session", "search by a few signs", thieves.substring),
    Attack("desk session", "with a second person", thieves.second_person),
    Attack("web certificate", "over TLS", thieves.certificate),
    Attack("database session", "unknown, reads rows", thieves.door),
    Attack("stolen backup", "archives alone", thieves.backup_alone, sealed=True),
    Attack("stolen backup", "with backup-keys/", thieves.backup_and_its_keys, sealed=True),
    Attack("stolen backup", "with all keys", thieves.backup_and_all_keys),
)


def _mail(hand: Hand, shop: Shop, persons: Sequence[UUID], key: str) -> None:
    """Mail through the vault; who holds the relay reads what it carries."""
    for person in persons:
        sent = people.send(shop.number, person, f"{key}-{person}", subject="x", text="{name} {kana}")
        if sent == people.SendState.SENT:
            hand.add(shop.number, person, ["name", "kana", "mail"])


def dump(house: House) -> Iterator[tuple[int, UUID, str]]:
    """Read the vault's database as a thief of it does: shop, person, field of each sealed value.

    A canary is nobody whose data could be taken.
    """
    with psycopg.connect(house.database_url) as connection:
        # Not the caller's key, an id that lies sealed beside the fields.
        yield from connection.execute(
            "SELECT shop_id, person, field FROM vault.field JOIN vault.person USING (shop_id, person) "
            "WHERE kind <> 'canary' AND field <> 'key'"
        )


def elsewhere(act: Callable[[Hand], None], hand: Hand) -> str:
    """Act in a process of its own; gives its name, as the kernel has it."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_child, args=(act, theirs))
    process.start()
    theirs.close()
    name, held = ours.recv()
    process.join()
    for (shop, person), names in held.items():
        hand.add(shop, person, names)
    return str(name)


def _child(act: Callable[[Hand], None], line: Connection) -> None:
    mine = Hand()
    start = Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]
    act(mine)
    line.send((f"uid:{os.geteuid()}/{os.getpid()}.{start}", mine.held))


# -- the year, and the questions


def run(server: Server, mail: Sink, folder: Path, *, seed: int, days: int, shops: int) -> list[Verdict]:
    """Live the year with the attackers in it, and judge the answers."""
    begin = int((datetime.now(UTC) - timedelta(days=days + 2)).timestamp() * 1000)
    with house(server, mail, folder, begin) as place:
        asked: list[tuple[Attack, Hand, dict[str, Any]]] = []
        with place.simulated():
            year = Year(place, seed)
            for number in range(1, shops + 1):
                year.found(number, 60)
            plan = _plan(year.chance, days)
            for day in range(days):
                place.clock = begin + (day + 1) * DAY
                year.day(day)
                asked += [_attacked(attack, year, day) for attack in plan.get(day, ())]
            verdicts = [_judge(*one) for one in asked]
        with place.real():
            verdicts.append(_killed(place, year))
        return verdicts


def _plan(chance: random.Random, days: int) -> dict[int, list[Attack]]:
    """Each attack comes on some day; in a long year three times."""
    plan: dict[int, list[Attack]] = {}
    for attack in ATTACKS:
        for _ in range(3 if days >= 100 else 1):
            plan.setdefault(chance.randrange(days), []).append(attack)
    return plan


def _attacked(attack: Attack, year: Year, day: int) -> tuple[Attack, Hand, dict[str, Any]]:
    """Let it act, with a quiet minute before and after: the operator knows from when to when."""
    hand, shop = Hand(), year.chance.choice(year.shops)
    shop.staff.sign_in(f"{shop.staff.handle}-day-{day}")
    shop.manager.sign_in(f"{shop.manager.handle}-day-{day}")
    year.tick()
    since = year.house.clock
    question = attack.act(year, shop, hand, day)
    until = year.house.clock
    year.tick()
    return attack, hand, {**question, "since": _at(since), "until": _at(until)}


def _judge(attack: Attack, hand: Hand, question: dict[str, Any]) -> Verdict:
    begin = time.perf_counter()
    found = people.scope(**question)
    took = (time.perf_counter() - begin) * 1000
    by = ",".join(name for name in question if name not in ("since", "until") and question[name] is not None)
    named = _named(found.persons)
    if attack.sealed:
        named = _named(found.spared) | {(shop, person, f"{name}, readable") for shop, person, name in named}
    return Verdict(f"{attack.thing}: {attack.way}", by, _triples(hand.held), named, set(), took)


def _killed(place: House, year: Year) -> Verdict:
    """Four threads of a stolen session take people while the vault is killed, three times.

    Each person is asked for once, so that who was in a lost answer is not held by another.
    """
    shop, hand, lost = year.shops[0], Hand(), Hand()
    rows = [people.Row(f"c{year.next()}", card(number)) for number in range(240)]
    fresh = list(people.import_rows(shop.number, rows).persons.values())
    sessions = []
    since = datetime.now(UTC)
    for number in range(3):
        sessions.append(shop.staff.sign_in(f"killed-{number}", **PLACE))
        threads = [
            threading.Thread(target=_take, args=(shop, hand, lost, fresh[start : start + 20]))
            for start in range(number * 80, number * 80 + 80, 20)
        ]
        enough = len(hand.held) + 12
        for thread in threads:
            thread.start()
        while len(hand.held) < enough:
            time.sleep(0.001)
        place.kill()
        for thread in threads:
            thread.join()
        place.start()
    begin = time.perf_counter()
    found = people.scope(session=sessions, since=since, until=datetime.now(UTC))
    took = (time.perf_counter() - begin) * 1000
    name = "staff session: vault killed in mid-answer"
    return Verdict(name, "session", _triples(hand.held), _named(found.persons), _triples(lost.held), took)


def _take(shop: Shop, hand: Hand, lost: Hand, persons: Sequence[UUID]) -> None:
    """Take until the line breaks; what was asked for and not answered is lost."""
    for start in range(0, len(persons), 2):
        some = persons[start : start + 2]
        try:
            told = people.reveal(shop.staff.grant, Purpose.DAY, some, LIST)
        except NorenError:
            for person in some:
                lost.add(shop.number, person, LIST)
            return
        hand.take(shop.number, told)


def _at(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _triples(held: Held) -> Triples:
    return {(shop, person, name) for (shop, person), names in held.items() for name in names}


def _named(found: Sequence[people.Exposure]) -> Triples:
    return {(one.shop_id, one.person, name) for one in found for name in one.fields}


def main() -> int:
    """Print the table. Gives 1 when somebody was missed, or named without a reason."""
    seed, days, shops = (int(os.environ.get(name, default)) for name, default in _SIZES)
    with stage() as (server, mail, folder):
        begin = time.perf_counter()
        verdicts = run(server, mail, folder, seed=seed, days=days, shops=shops)
        took = time.perf_counter() - begin
    print(f"seed {seed}, {days} days, {shops} shops, lived and asked in {took:.0f} s")
    print(HEADING)
    for verdict in verdicts:
        print(verdict.line())
    wrong = [one for one in verdicts if one.missed or one.unexplained]
    for one in wrong:
        print(f"WRONG {one.name}: missed {sorted(one.missed)[:5]}, too many {sorted(one.unexplained)[:5]}")
    return 1 if wrong else 0


_SIZES = (("SEED", "7"), ("DAYS", "365"), ("SHOPS", "3"))

if __name__ == "__main__":
    sys.exit(main())
