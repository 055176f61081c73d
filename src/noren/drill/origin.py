"""The origin drill: an internal system was entered, and what lay in it opens a shop's console and a database.

So it was in 2019, and nobody could say whose data. Here it is played from the first sign to the last report.
"""

from collections.abc import Sequence

from noren.drill import asking, breach, cast, finding, owing, publishing, telling
from noren.drill.case import NOTICE, Origin
from noren.drill.house import house
from noren.drill.play import Step
from noren.drill.report import Report, persons
from noren.drill.stage import Stage


def drill(stage: Stage, report: Report) -> Origin:
    """Set it up."""
    return Origin(stage, report, house(stage, cast.operators(stage)))


# -- those concerned


def find_concerned(origin: Origin) -> str:
    """Whom there is to tell: the dry run sends nothing."""
    named = {"path": "credential", "value": origin.credential, "notice": NOTICE}
    truth = _truth(origin)
    origin.telling = telling.find(origin.house, truth, named, (origin.begun, origin.contained))
    return f"telling {origin.telling.rpartition('/')[2]}"


def tell_concerned(origin: Origin) -> str:
    """The second operator agrees; every mail is caught and read."""
    truth = _truth(origin)
    number = telling.agree(origin.house, truth, origin.telling)
    telling.hold_mails(truth)
    telling.none_to_others(truth)
    return f"{number} mails"


def look_up(origin: Origin) -> str:
    """Some of them type the code of their mail in: those of whom most and least is known."""
    truth = _truth(origin)
    there = telling.by_fields(truth)
    return f"{telling.look_up(truth, [*there[:2], *there[-2:]])} of {len(persons(origin.held))} looked"


def keep_evidence(origin: Origin) -> str:
    """Who was told what, as a file."""
    return telling.hold_file(origin.house, _truth(origin), origin.telling)


def _truth(origin: Origin) -> telling.Truth:
    return telling.Truth(origin.stage, origin.report, origin.held)


STEPS: Sequence[Step[Origin]] = (
    ("what lay in a business system", breach.lay),
    ("the thief reads in the console", breach.enter),
    ("the thief reads the app's database", breach.enter_database),
    ("the shop works as ever", breach.work_on),
    ("a first sign", finding.notice_sign),
    ("a report from outside", finding.hear),
    ("an incident is opened", finding.open_incident),
    ("a foreign session is found", finding.find_door),
    ("whose data", finding.ask_whose),
    ("whose data, person by person", finding.ask_each),
    ("the question goes into the book", finding.ask_in_book),
    ("the thief is shut out", finding.shut_out),
    ("whose password is over is told", finding.mail_resets),
    ("what the law makes due", owing.count_terms),
    ("a reader subscribes", publishing.subscribe),
    ("a notice is published", publishing.publish),
    ("the notice is corrected", publishing.correct),
    ("whom there is to tell", find_concerned),
    ("those concerned are told", tell_concerned),
    ("some look up what is theirs", look_up),
    ("who was told what, as a file", keep_evidence),
    ("the shops and their packs", owing.tell_shops),
    ("the preliminary report is filed", owing.file_first),
    ("a customer asks, and pastes a card number", asking.ask),
    ("the desk answers her", asking.answer),
    ("nothing of what she pasted remains", asking.search),
    ("the last update", publishing.resolve),
    ("the final report is filed", owing.file_last),
    ("readers got their mails", publishing.mail_readers),
    ("the notices as files", publishing.export),
    # Last: this process was set for the login that is over then.
    ("the leaked login is made anew", finding.renew_login),
)
