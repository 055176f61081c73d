"""What the house does after any leak: an incident of two operators, the public, those concerned, reports."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from noren.drill import cast, owing, telling
from noren.drill.house import House, house
from noren.drill.publishing import heading
from noren.drill.report import Report, Triple, persons
from noren.drill.stage import Shop, Stage, quietly
from noren.drill.telling import Truth
from noren.incidents import commands, telling_commands
from noren.incidents.duties import LAWS, TOLD
from noren.people import tellings


def sit_down(stage: Stage) -> House:
    """Two operators come, and sign in."""
    return house(stage, cast.operators(stage))


def open_incident(there: House, title: str, number: int | None) -> str:
    """They open an incident; since when it is known, and of how many at most, stands in its book."""
    there.opens(there.first.press("/operations/incidents", title=title))
    there.known = owing.know(there, number)
    there.lend("read_ledger_entries")
    return f"incident {there.incident}"


def ask_in_book(there: House, since: datetime, until: datetime, *words: str) -> None:
    """Put a question of several values into the book, by the command line. Raises RuntimeError."""
    asked = ("--since", since.isoformat(), "--until", until.isoformat(), "--incident", there.incident)
    with quietly():
        code = commands.scope([*words, *asked])
    if code:
        raise RuntimeError(f"noren scope {' '.join(words)} ended with {code}")


def publish(there: House, notice: str, number: int, words: Mapping[str, str]) -> str:
    """Publish a notice with these words, by language, agreed to by two; gives where it is."""
    said = {
        "ja-title": "予約データの漏えいについて(訓練)",
        "ja-happened": words["ja"],
        "ja-whose": f"お客様{number}名",
        "ja-unaffected": "台帳の記録で確かめたものだけを書いています。",
        "ja-contact": "窓口: desk@example.jp",
        "en-title": "A leak of booking data (drill)",
        "en-happened": words["en"],
        "en-whose": f"Data of {number} persons.",
        "en-unaffected": "Only what the ledger's entries show is said here.",
        "en-contact": "Desk: desk@example.jp",
    }
    return there.publish("new", notice, said | heading(there, "identified", number))


def find_by_command(there: House, notice: str, span: tuple[datetime, datetime], *words: str) -> str:
    """Find whom to tell, by words that no page takes; gives the telling's address. Raises RuntimeError."""
    since, until = (one.isoformat() for one in span)
    asked = (there.incident, "--notice", notice, "--since", since, "--until", until)
    with quietly():
        code = telling_commands.begin([*asked, *words])
    if code:
        raise RuntimeError(f"noren telling begin {' '.join(words)} ended with {code}")
    return f"/operations/tellings/{tellings.all_of(None, there.incident)[0].telling}"


def tell(there: House, truth: Truth, named: Mapping[str, str], span: tuple[datetime, datetime]) -> str:
    """Find, agree, mail, look up: everybody's mail is held against the truth. `span`: from when to when."""
    place = telling.find(there, truth, named, span)
    number = telling.agree(there, truth, place)
    telling.hold_mails(truth)
    telling.none_to_others(truth)
    telling.look_up(truth, telling.by_fields(truth)[:2])
    telling.hold_file(there, truth, place)
    return f"{number} mails"


@dataclass(frozen=True, slots=True)
class Reported:
    """What reports are held against: the list, and whether the number can be bounded at all."""

    report: Report
    held: frozenset[Triple]
    bounded: bool = True


def hold_reports(there: House, shops: Iterable[Shop], truth: Reported, step: str) -> None:
    """The notice to each shop: persons, fields, and that everybody's is said where none can be left out."""
    for shop in shops:
        held = frozenset(one for one in truth.held if one[0] == shop.number)
        told = owing.report_of(there, TOLD, shop.number)
        number = len(persons(held)) if truth.bounded else None
        truth.report.say(step, f"{shop.slug}'s report: persons", told["persons"], number)
        owing.hold_fields(truth.report, (step, f"{shop.slug}'s report"), told, held)
        everyone = "Cannot be bounded: everyone" in owing.whole_of(told)
        truth.report.say(step, f"{shop.slug}'s report says everyone", everyone, not truth.bounded)


def hold_clock(there: House, report: Report, known: datetime) -> None:
    """The platform's own terms, where its accounts are in it."""
    owing.hold_dates(report, owing.report_of(there, LAWS[0], 0), known, "the platform")
