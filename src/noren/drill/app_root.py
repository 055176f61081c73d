"""The app-root drill: somebody is the app's own user, and has what passes there with others' sign-ins."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from noren import clock, people
from noren.drill import aftermath, cast, telling
from noren.drill.attacker import Loot
from noren.drill.house import House
from noren.drill.play import Step, exposed
from noren.drill.report import Report, Triple, persons
from noren.drill.stage import Member, Shop, Stage
from noren.drill.telling import Truth
from noren.incidents.scope import Question, ask
from noren.runtime import users

# New classes of persons' data in an hour, of who decides in a shop; decision 15.
_CAP: Final = 400
_FIELDS: Final = ("name", "phone")
_CLASSES: Final = 2
# What an administrator's process may ask, and the app's user may not.
_ADMINS: Final = ("scope", "end_grants", "doctor", "rebuild_index")
_REFUSED: Final = "GrantRefused"
_SECONDS: Final = 300
NOTICE: Final = "app-root-drill"
_WORDS: Final = {
    "ja": "アプリ側のサーバーに入られ、その間にサインインしていた担当者の権限で情報が読まれました。",
    "en": "Somebody was on the app's host, and read data with the sign-ins that passed there.",
}


@dataclass
class AppRoot:
    """The drill: what the thief's process got, and by what name the ledger knows it."""

    stage: Stage
    report: Report
    begun: datetime = field(default_factory=clock.now)
    process: str = ""
    loot: str = ""
    taken: dict[str, frozenset[Triple]] = field(default_factory=dict)
    ended: datetime = field(default_factory=clock.now)
    house: House | None = None

    @property
    def shop(self) -> Shop:
        return self.stage.shops[0]

    @property
    def live(self) -> list[Member]:
        """Whose sign-ins pass through the app while the thief is there."""
        return [self.shop.members["mei"], self.shop.members["aoi"]]

    @property
    def held(self) -> frozenset[Triple]:
        return frozenset().union(*self.taken.values())


def drill(stage: Stage, report: Report) -> AppRoot:
    """Set it up."""
    return AppRoot(stage, report)


def sign_in(drill: AppRoot) -> str:
    """Members sign in with their passkeys, and so their grants pass through the app."""
    for member in drill.live:
        cast.sign_in(member)
    return f"{len(drill.live)} live sessions"


def read_files(drill: AppRoot) -> str:
    """All that lies on the app's side, at rest: no name, no mail."""
    marks = [one.fields["name"].encode() for one in list(drill.shop.customers.values())[:20]]
    marks += [b"drill.0", b"drill.1"]
    lying, files = 0, 0
    for path in sorted(drill.stage.system.paths.app.rglob("*")):
        if path.is_file() and not path.is_symlink():
            data, files = path.read_bytes(), files + 1
            lying += any(mark in data for mark in marks)
    drill.report.say("at rest", "files of the app with a customer's name or mail", lying, 0)
    return f"{files} files"


def take(drill: AppRoot) -> str:
    """The app's user asks the vault for everybody, with each grant that passed, until refused."""
    whys, persons = [], list(map(str, drill.shop.customers))
    for member in drill.live:
        told = _thief(drill, member.grant, persons)
        persons.reverse()  # the next one begins at the other end
        whys.append(told["why"])
        text = json.dumps(told["got"], ensure_ascii=False)
        Loot(drill.stage.own / f"{member.handle}.json").take(text)
        drill.taken[member.session] = frozenset(drill.stage.held(text))
        units = len({one[1] for one in drill.taken[member.session]}) * _CLASSES
        drill.report.say("cap", f"within the budget of an hour, {member.handle}", 0 < units <= _CAP, True)
        drill.process = told["name"]
        _no_administrator(drill, told["refused"])
    drill.report.say("cap", "refused at last, each time", all(whys), True)
    return f"{len(drill.held)} values; refused with {', '.join(whys)}"


def _no_administrator(drill: AppRoot, refused: dict[str, str]) -> None:
    if users.sides().separate:
        answers = " ".join(sorted(set(refused.values())))
        drill.report.say("cap", "an administrator's questions, asked by the app's user", answers, _REFUSED)


def _thief(drill: AppRoot, grant: str, persons: list[str]) -> dict[str, Any]:
    """Run the thief's program as the app's user; gives what it says."""
    app = users.sides().app
    moment = int(clock.now().timestamp())
    asked = {
        "grant": grant,
        "persons": persons,
        "fields": _FIELDS,
        "methods": _ADMINS,
        "params": {"since": moment - 60, "until": moment, "whose": "operators"},
    }
    if not users.sides().separate:
        asked["methods"] = ()  # the one user is an administrator: it would do them
    who: dict[str, Any] = {} if app is None else {"user": app.uid, "group": app.gid, "extra_groups": []}
    done = subprocess.run(
        [sys.executable, "-m", "noren.drill.attacker", str(drill.stage.system.paths.vault_socket)],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
        cwd="/",
        **who,
    )
    if done.returncode:
        raise RuntimeError(f"the thief's program ended with {done.stderr[-500:]}")
    return dict(json.loads(done.stdout))


def ask_whose(drill: AppRoot) -> str:
    """By session, by all of them, and by the last process: each answer is what the thief got."""
    now = clock.now()
    for member in drill.live:
        found = ask(Question(drill.begun, now, {"session": (member.session,)}))
        held = drill.taken[member.session]
        drill.report.compare("scope", f"by the session of {member.handle}", exposed(found), held)
    both = tuple(member.session for member in drill.live)
    found = ask(Question(drill.begun, now, {"session": both}))
    drill.report.compare("scope", "by both sessions", exposed(found), drill.held)
    if "." in drill.process:
        found = ask(Question(drill.begun, now, {"process": (drill.process,)}))
        last = drill.taken[drill.live[-1].session]
        drill.report.compare("scope", "by the thief's last process", exposed(found), last)
    return f"{len(found.ways)} ways"


def shut_out(drill: AppRoot) -> str:
    """Everybody's grants end; the same process's next question brings nobody."""
    begun = drill.ended = clock.now()
    people.end_grants("everybody")
    told = _thief(drill, drill.live[0].grant, list(map(str, drill.shop.customers))[:10])
    took = (clock.now() - begun).total_seconds()
    drill.report.say("shut out", "answers to the thief afterwards", len(told["got"]), 0)
    return f"refused with {told['why']}, {took:.2f} s after the word was given"


def open_incident(drill: AppRoot) -> str:
    """Two operators come, open an incident, and write down since when it is known."""
    drill.house = aftermath.sit_down(drill.stage)
    return aftermath.open_incident(drill.house, "アプリ側のユーザーが乗っ取られた", len(persons(drill.held)))


def _house(drill: AppRoot) -> House:
    if drill.house is None:
        raise RuntimeError("no incident was opened")
    return drill.house


def report_history(drill: AppRoot) -> str:
    """What lay on the app's side alone: pseudonymous history, nobody to report of, and nobody to tell."""
    there, nobody = _house(drill), frozenset[Triple]()
    there.ask(drill.begun, drill.ended, way="store", named="app")
    told = aftermath.Reported(drill.report, nobody)
    aftermath.hold_reports(there, drill.stage.shops, told, "history only")
    place = aftermath.publish(there, NOTICE, len(persons(drill.held)), _WORDS)
    truth = Truth(drill.stage, drill.report, nobody)
    telling.find(there, truth, {"path": "store", "value": "app", "notice": NOTICE}, _span(drill))
    return place


def report_taken(drill: AppRoot) -> str:
    """What was asked of the vault while it was in other hands: by both sessions, shop by shop."""
    there = _house(drill)
    words = [word for one in drill.live for word in ("--session", one.session)]
    aftermath.ask_in_book(there, *_span(drill), *words)
    told = aftermath.Reported(drill.report, drill.held)
    aftermath.hold_reports(there, drill.stage.shops, told, "asked live")
    return f"{len(persons(drill.held))} persons"


def tell_concerned(drill: AppRoot) -> str:
    """Exactly those are mailed."""
    sessions = " ".join(one.session for one in drill.live)
    named = {"path": "session", "value": sessions, "notice": NOTICE}
    return aftermath.tell(_house(drill), Truth(drill.stage, drill.report, drill.held), named, _span(drill))


def _span(drill: AppRoot) -> tuple[datetime, datetime]:
    return drill.begun, drill.ended


STEPS: Sequence[Step[AppRoot]] = (
    ("members sign in", sign_in),
    ("what lies on the app's side", read_files),
    ("a process of the app's user takes people", take),
    ("whose data", ask_whose),
    ("everybody is shut out", shut_out),
    ("an incident is opened", open_incident),
    ("reports of what lay there alone", report_history),
    ("reports of what was taken", report_taken),
    ("those concerned are told", tell_concerned),
)
