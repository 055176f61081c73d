"""The vault-root drill: from T on somebody is root where the keys are. The right answer is: everyone, from T.

What is read on a copy leaves no entry, so nobody may be left out; what was before T stays proved.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from noren import clock, people
from noren.drill import aftermath, cast, made_up, sealed
from noren.drill.house import House
from noren.drill.play import Step, exposed, verified, vkey
from noren.drill.report import Report, Triple, persons
from noren.drill.stage import Member, Stage
from noren.drill.telling import Truth
from noren.incidents.scope import Question, ask
from noren.runtime import databases, env

_LATE_MAIL: Final = "drill.later@example.jp"
_CUT: Final = 0.6
NOTICE: Final = "vault-root-drill"
_WORDS: Final = {
    "ja": "鍵のあるサーバーに入られました。その時から保管していた全員の情報が読まれたものとして扱います。",
    "en": "Somebody was on the host where the keys are: all that lay there since then counts as read.",
}


@dataclass
class VaultRoot:
    """The drill: T, and the checkpoint that was kept before it."""

    stage: Stage
    report: Report
    since: datetime = field(default_factory=clock.now)
    held: frozenset[Triple] = frozenset()
    asked: datetime = field(default_factory=clock.now)
    house: House | None = None

    @property
    def house_of(self) -> House:
        """The operators at work. Raises RuntimeError before they are."""
        if self.house is None:
            raise RuntimeError("no incident was opened")
        return self.house

    @property
    def customers(self) -> frozenset[Triple]:
        """Of what was read, what is customers'."""
        there = {(shop.number, person) for shop in self.stage.shops for person in shop.customers}
        return frozenset(one for one in self.held if one[:2] in there)

    @property
    def kept(self) -> Path:
        return self.stage.own / "kept-checkpoint"

    def copy(self, name: str) -> Path:
        """Copy the ledger's folder as it lies now, as somebody outside would have it."""
        folder = self.stage.own / name
        shutil.copytree(
            self.stage.system.paths.ledger, folder, ignore=shutil.ignore_patterns("lock", "*.new")
        )
        return folder


def drill(stage: Stage, report: Report) -> VaultRoot:
    """Set it up."""
    return VaultRoot(stage, report)


def keep(drill: VaultRoot) -> str:
    """Before T an owner keeps a checkpoint elsewhere."""
    drill.kept.write_text(people.checkpoint(), encoding="utf-8")
    size = int(drill.kept.read_text(encoding="utf-8").splitlines()[1])
    return f"over {size} entries"


def enter(drill: VaultRoot) -> str:
    """From T on: rows and keys are copied, and opened with nothing of Noren's."""
    drill.since = clock.now()
    rows = sealed.from_database(databases.vault(env.read(), "vault"))
    keys = Path(shutil.copytree(drill.stage.system.paths.keys, drill.stage.own / "keys"))
    read = rows.read(keys)
    drill.held = frozenset(rows.real(read))
    made = drill.stage.held("\n".join(read.values()))
    drill.report.say("the thief", "made-up values that were read", len(made), len(_customers(drill)))
    return f"{len(read)} values read"


def _customers(drill: VaultRoot) -> set[Triple]:
    return {
        (shop.number, person, name)
        for shop in drill.stage.shops
        for person, one in shop.customers.items()
        for name in one.fields
    }


def come_later(drill: VaultRoot) -> str:
    """Whoever comes while nobody knows of it is in it, too."""
    shop = drill.stage.shops[0]
    cast.bring(shop, made_up.MadeUp("drill-later", {"name": "後日 来太", "mail": _LATE_MAIL}))
    later = next(reversed(shop.customers))
    drill.held |= {(shop.number, later, name) for name in ("name", "mail")}
    return "one more customer"


def ask_whose(drill: VaultRoot) -> str:
    """Everyone, from T: persons, fields, and what accounts sign in with."""
    drill.asked = clock.now()
    found = ask(Question(drill.since, drill.asked, {"store": ("host",)}))
    drill.report.compare("scope", "everyone from T", exposed(found), drill.held)
    drill.report.say("scope", "what happened later can be told", not _unbounded(found), False)
    # A record of the thief's own session at the database may be there by now, and is nobody's account.
    named = {one.actor for one in found.accounts if one.actor and one.kind != "door"}
    truth = {one.handle for one in _members(drill)}
    drill.report.say("scope", "accounts named", " ".join(sorted(named)), " ".join(sorted(truth)))
    return f"{len(found.persons)} persons, {len(found.accounts)} things of accounts"


def _members(drill: VaultRoot) -> list[Member]:
    return [one for shop in drill.stage.shops for one in shop.members.values()]


def _unbounded(found: people.Scope) -> bool:
    return any(one.unbounded for one in found.stores)


def prove(drill: VaultRoot) -> str:
    """What was before T stays proved, by the checkpoint that was kept."""
    words = ("--key", vkey(drill.stage), "--checkpoint", drill.kept)
    code, said = verified(drill.copy("ledger-whole"), *words)
    drill.report.say("the past", "noren-verify on the ledger ends with", code, 0)
    drill.report.say("the past", "unchanged up to the kept checkpoint", "unchanged: the first" in said, True)
    return said.splitlines()[0] if said else ""


def cut(drill: VaultRoot) -> str:
    """A thief with root cuts the ledger's end off, and changes an entry: both are found."""
    words = ("--key", vkey(drill.stage), "--checkpoint", drill.kept)
    folder = drill.copy("ledger-cut")
    newest = max((folder / "segments").glob("*.seg"))
    data = newest.read_bytes()
    newest.write_bytes(data[: int(len(data) * _CUT)])
    code, said = verified(folder, *words)
    drill.report.say("the past", "noren-verify on a cut ledger ends with", code, 1)
    changed = drill.copy("ledger-changed")
    first = min((changed / "segments").glob("*.seg"))
    first.write_bytes(first.read_bytes().replace(b'"kind":"import"', b'"kind":"reveal"', 1))
    code, _ = verified(changed, *words)
    drill.report.say("the past", "noren-verify on a changed ledger ends with", code, 1)
    return said.splitlines()[0] if said else ""


def open_incident(drill: VaultRoot) -> str:
    """Two operators come, open an incident, and write down that nobody can say of how many."""
    drill.house = aftermath.sit_down(drill.stage)
    return aftermath.open_incident(drill.house, "鍵のあるサーバーが乗っ取られた", None)


def report_everyone(drill: VaultRoot) -> str:
    """Each report says everyone, from T; the platform owes its own, for accounts are in it."""
    there = drill.house_of
    there.ask(drill.since, drill.asked, way="store", named="host")
    told = aftermath.Reported(drill.report, drill.held, bounded=False)
    aftermath.hold_reports(there, drill.stage.shops, told, "everyone")
    aftermath.hold_clock(there, drill.report, there.known)
    page = there.first.open(f"{there.place}/shops")
    everyone = page.count("cannot be bounded: everyone")
    drill.report.say("everyone", "shops that everyone's is said of", everyone, len(drill.stage.shops))
    return aftermath.publish(there, NOTICE, len(persons(drill.customers)), _WORDS)


def tell_everyone(drill: VaultRoot) -> str:
    """Everyone is mailed: customers what was read of theirs, members that their accounts were there."""
    others = tuple(one.mail for one in _members(drill))
    truth = Truth(drill.stage, drill.report, drill.customers, others)
    named = {"path": "store", "value": "host", "notice": NOTICE}
    return aftermath.tell(drill.house_of, truth, named, (drill.since, drill.asked))


STEPS: Sequence[Step[VaultRoot]] = (
    ("a checkpoint is kept elsewhere", keep),
    ("from T on, rows and keys are read", enter),
    ("somebody comes later", come_later),
    ("whose data", ask_whose),
    ("what was before stays proved", prove),
    ("a cut and a changed ledger", cut),
    ("an incident is opened", open_incident),
    ("reports of everyone", report_everyone),
    ("everyone is told", tell_everyone),
)
