"""The backup drill: a backup is stolen off-site, without its keys and then with them."""

import hashlib
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from noren import clock
from noren.drill import aftermath, cast, made_up, reading, telling
from noren.drill.play import Step, exposed, spared
from noren.drill.report import Report, Triple, persons
from noren.drill.sealed import Archives
from noren.drill.stage import Stage
from noren.drill.telling import Truth
from noren.incidents.scope import Question, ask
from noren.runtime import env, postgres
from noren.runtime.backups import trial
from noren.runtime.backups.make import make

_LATE_MAIL: Final = "drill.later@example.jp"
NOTICE: Final = "backup-drill"
_WORDS: Final = {
    "ja": "外部に置いていたバックアップが、鍵とともに持ち出されました。",
    "en": "A backup that was kept elsewhere was taken, together with its keys.",
}


@dataclass
class Backup:
    """The drill: a backup's id, and the thief's copies."""

    stage: Stage
    report: Report
    begun: datetime = field(default_factory=clock.now)
    name: str = ""
    canary_sha256: str = ""
    canary: str = ""
    asked_at: datetime = field(default_factory=clock.now)
    held: frozenset[Triple] = frozenset()

    @property
    def taken(self) -> Path:
        return self.stage.own / "taken"

    def thief(self, *, backup_keys: bool = False, keys: bool = False) -> Archives:
        """Whoever has the folder, and as many of the keys' folders as are said."""
        return Archives(
            self.taken / "archives",
            postgres.binaries() / "pg_restore",
            self.taken / "backup-keys" if backup_keys else None,
            self.taken / "keys" if keys else None,
        )

    def asked(self, **more: tuple[str, ...]) -> Question:
        """The operator's question, by the backup's id."""
        return Question(self.begun, clock.now(), {"backup": (self.name,), **more})

    def told(self) -> set[Triple]:
        """The truth: every value in the archives. The backup's own canary, of no shop, is one of them."""
        return self.thief(backup_keys=True, keys=True).rows().named()


def drill(stage: Stage, report: Report) -> Backup:
    """Set it up."""
    return Backup(stage, report)


def back_up(backup: Backup) -> str:
    """A backup is made, as every night; somebody comes to the shop afterwards, and is not in it."""
    # The names and times of backups are of whole seconds: it begins in one of its own.
    time.sleep(1.0)
    done = make(env.read(), clock.now())
    backup.name, backup.canary_sha256 = done.manifest.id, done.manifest.canary_sha256
    backup.canary = done.manifest.canary
    time.sleep(1.0)
    late = made_up.MadeUp("drill-later", {"name": "後日 来太", "mail": _LATE_MAIL})
    cast.bring(backup.stage.shops[0], late)
    shutil.copytree(done.folder, backup.taken / "archives")
    paths = backup.stage.system.paths
    shutil.copytree(paths.backup_keys, backup.taken / "backup-keys")
    shutil.copytree(paths.keys, backup.taken / "keys")
    return f"{done.manifest.id}, {done.size} bytes"


def without_keys(backup: Backup) -> str:
    """The archives alone: nothing opens, and no name lies in them."""
    thief = backup.thief()
    lying = sum(
        one.fields["mail"].encode() in data or one.fields["name"].encode() in data
        for data in [path.read_bytes() for path in sorted(thief.folder.iterdir())]
        for shop in backup.stage.shops
        for one in shop.customers.values()
    )
    backup.report.say("without keys", "archives that open", len(thief.opens()), 0)
    backup.report.say("without keys", "names and mails that lie open in them", lying, 0)
    found = ask(backup.asked())
    backup.report.say("without keys", "persons exposed", len(found.persons), 0)
    named, truth = spared(found), backup.told()
    backup.report.compare("without keys", "in it as cipher", named, truth)
    of_shops = len(persons(one for one in truth if one[0]))
    said = len(persons(one for one in named if one[0]))
    backup.report.say("without keys", "of them of a shop, as a notice counts", said, of_shops)
    return "cipher"


def with_backup_keys(backup: Backup) -> str:
    """With `backup-keys/` too: the rows are cipher still, for the wrapped keys' archive does not open."""
    thief = backup.thief(backup_keys=True)
    truth = sorted(name for name in thief.opens() if name.startswith("keystore"))
    backup.report.say("backup-keys", "archives of wrapped keys that open", len(truth), 0)
    found = ask(backup.asked())
    backup.report.say("backup-keys", "persons exposed", len(found.persons), 0)
    return f"{len(thief.opens())} of the archives open"


def with_all_keys(backup: Backup) -> str:
    """With `keys/` as well everything in it is read: whoever came later is not."""
    rows = backup.thief(backup_keys=True, keys=True).rows()
    read = rows.read(backup.taken / "keys")
    held = backup.held = frozenset(rows.real(read))
    backup.asked_at = clock.now()
    found = ask(backup.asked(store=("keys",)))
    backup.report.compare("with all keys", "readable", exposed(found), held)
    late = sum(text == _LATE_MAIL for text in read.values())
    backup.report.say("with all keys", "who came later is in the thief's hand", late, 0)
    mails = [
        text for (_, person, name), text in read.items() if str(person) == backup.canary and name == "mail"
    ]
    hashes = [hashlib.sha256(one.encode()).hexdigest() for one in mails]
    backup.report.say("with all keys", "the canary names the backup", hashes == [backup.canary_sha256], True)
    return f"{len(held)} values read"


def restore(backup: Backup) -> str:
    """What was stolen can be restored by the house, too: a trial, with its canary revealed on record."""
    verdict = trial.verify(env.read(), backup.name)
    backup.report.say("restored", "what is wrong with the backup", "; ".join(verdict.wrong), "")
    return f"entry {verdict.entry}"


def tell_concerned(backup: Backup) -> str:
    """Who lay in it is mailed: not who came afterwards, and not the canary, which has an address, too."""
    there = aftermath.sit_down(backup.stage)
    members = {one.mail for shop in backup.stage.shops for one in shop.members.values()}
    customers = {(shop.number, person) for shop in backup.stage.shops for person in shop.customers}
    held = frozenset(one for one in backup.held if one[:2] in customers)
    aftermath.open_incident(there, "バックアップが盗まれた", len(persons(held)))
    aftermath.publish(there, NOTICE, len(persons(held)), _WORDS)
    truth = Truth(backup.stage, backup.report, held, tuple(sorted(members)))
    span = (backup.begun, backup.asked_at)
    cipher = aftermath.find_by_command(there, NOTICE, span, "--backup", backup.name)
    said = reading.facts_on(there.first.open(cipher)).get("Customers", "0")
    truth.say("customers to be told, had the keys not been taken", said, 0)
    place = aftermath.find_by_command(there, NOTICE, span, "--backup", backup.name, "--store", "keys")
    said = reading.facts_on(there.first.open(place)).get("To be told by mail", "0")
    truth.say("to be told by mail, with all keys", said, truth.number)
    number = telling.agree(there, truth, place)
    telling.hold_mails(truth)
    telling.none_to_others(truth)
    telling.hold_file(there, truth, place)
    return f"{number} mails"


STEPS: Sequence[Step[Backup]] = (
    ("a backup is made and stolen", back_up),
    ("without its keys", without_keys),
    ("with backup-keys/", with_backup_keys),
    ("with keys/ as well", with_all_keys),
    ("a trial of it", restore),
    ("those concerned are told", tell_concerned),
)
