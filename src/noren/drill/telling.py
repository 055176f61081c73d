"""Those concerned are told: found, agreed to by two, mailed; each mail and page is held against the truth."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from noren.drill import reading
from noren.drill.browser import Browser
from noren.drill.house import House, spell
from noren.drill.report import Report, Triple, persons
from noren.drill.stage import Mail, Stage, until

if TYPE_CHECKING:
    from uuid import UUID

_STEP: Final = "told"
_NOBODYS: Final = "0000-0000-0000-0000"


@dataclass(frozen=True, slots=True)
class Truth:
    """Which customer is to be told what, by the thief's own list; `others`: who else, by mail address."""

    stage: Stage
    report: Report
    held: frozenset[Triple]
    others: tuple[str, ...] = ()

    @property
    def number(self) -> int:
        """How many are told."""
        return len(persons(self.held)) + len(self.others)

    @property
    def whose(self) -> Mapping[str, tuple[int, "UUID"]]:
        """By mail address, who reads it: of every shop's customers, also of those who are not concerned."""
        return {
            one.fields["mail"]: (shop.number, person)
            for shop in self.stage.shops
            for person, one in shop.customers.items()
        }

    def language(self, shop: int, person: "UUID") -> str:
        """Which she reads: the one she booked in last, else the shop's."""
        there = next(one for one in self.stage.shops if one.number == shop)
        return there.languages.get(person, "ja")

    def mails(self) -> list[Mail]:
        """The mails of tellings, whoever they went to."""
        return [one for one in self.stage.mails() if reading.code_in(one.text)]

    def say(self, what: str, said: object, truth: object) -> None:
        """Put one figure of it beside the truth."""
        self.report.say(_STEP, what, said, truth)


def find(house: House, truth: Truth, named: Mapping[str, str], span: tuple[datetime, datetime]) -> str:
    """Find whom to tell, by `path`, `value` and `notice`; gives the telling's address. Nothing is sent."""
    place = f"{house.place}/telling"
    told = house.first.press(place, **spell(*span), **named)
    facts = reading.facts_on(house.first.open(told))
    truth.say("dry run: in the scope", facts.get("In the scope"), truth.number)
    truth.say("dry run: to be told by mail", facts.get("To be told by mail", "0"), truth.number)
    truth.say("mails before the second operator agrees", len(truth.mails()), 0)
    return told


def agree(house: House, truth: Truth, telling: str) -> int:
    """The second operator agrees with a passkey, and everybody is mailed; gives how many mails."""
    house.second.confirm(telling)

    def told() -> str:
        facts = reading.facts_on(house.second.open(telling))
        return "" if "To be told by mail" in facts else facts.get("Told by mail", "none")

    number = until(told, "the mails to those concerned")
    truth.say("told by mail, by the telling's page", number, truth.number)
    return len(truth.mails())


def hold_mails(truth: Truth) -> None:
    """Each mail as it was caught, against the thief's list: whose, which fields, in which language."""
    mails, whose = truth.mails(), truth.whose
    hers = [one for one in mails if one.to in whose]
    named = {(*whose[one.to], name) for one in hers for name in reading.fields_in(one.text)}
    truth.report.compare(_STEP, "mailed to customers", named, truth.held)
    truth.say("mails to them, each once", len(hers), len(persons(truth.held)))
    fits = sum(reading.language_of(one.text) == truth.language(*whose[one.to]) for one in hers)
    truth.say("mails in her language", fits, len(persons(truth.held)))
    links = sum("://" in one.text for one in mails)
    truth.say("mails with a link in them", links, 0)


def by_fields(truth: Truth) -> list[Mail]:
    """The customers' mails, those that name the fewest fields first."""
    hers = [one for one in truth.mails() if one.to in truth.whose]
    return sorted(hers, key=lambda one: (len(reading.fields_in(one.text)), one.to))


def none_to_others(truth: Truth) -> None:
    """No such mail is to anybody else than customers, and those whose accounts' data it was."""
    others = sorted(one.to for one in truth.mails() if one.to not in truth.whose)
    truth.say("mails to anybody else", " ".join(others), " ".join(sorted(truth.others)))


def look_up(truth: Truth, mails: Iterable[Mail]) -> int:
    """The code of a mail opens what is hers; nobody's code opens nothing. Gives how many were opened."""
    shown: set[Triple] = set()
    opened = set()
    for one in mails:
        who, browser = truth.whose[one.to], Browser(truth.stage.system.port, language="en")
        browser.post("/exposed", {"code": reading.code_in(one.text)})
        shown |= {(*who, name) for name in reading.fields_on(browser.page)}
        opened.add(who)
    hers = {one for one in truth.held if one[:2] in opened}
    truth.report.compare(_STEP, "shown by the codes of mails", shown, hers)
    browser = Browser(truth.stage.system.port)
    status = browser.post("/exposed", {"code": _NOBODYS})
    truth.say("a code that is nobody's answers", status, int(HTTPStatus.NOT_FOUND))
    return len(opened)


def hold_file(house: House, truth: Truth, telling: str) -> str:
    """The file of who was told what, against the thief's list; it holds no address."""
    house.first.open(f"{telling}/people.csv")
    content = house.first.browser.content
    customers = [row for row in reading.rows_of(content) if row["kind"] == "customer"]
    told = [row for row in customers if row["state"] == "told"]
    truth.report.compare(_STEP, "told, by the file", reading.triples_of(told), truth.held)
    truth.say("mail addresses in the file", content.count(b"@"), 0)
    return f"{len(customers)} customers in the file"
