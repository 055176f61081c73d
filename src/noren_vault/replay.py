"""What the ledger remembers, brought back to memory at the start: budgets, versions, builds, used nonces, and
which API keys were ended.

One walk over all entries; blocks, so it runs before the vault serves.
"""

from noren_vault import floors
from noren_vault.budgets import Allowance, Budgets, units
from noren_vault.builds import Builds
from noren_vault.floors import Floors
from noren_vault.ledger import Entry, Ledger
from noren_vault.nonces import Nonces
from noren_vault.record import Outcome
from noren_vault.rights import Purpose

SEEING = ("intent", "search")
CHANGING = ("update", "erase")
GIVING = ("step_up", "approved")


def replay(ledger: Ledger, budgets: Budgets, least: Floors, builds: Builds, nonces: Nonces) -> list[str]:
    """Fill the empty counters, floors, builds and nonces; gives the names of the keys that were ended."""
    waiting: dict[str, Entry] = {}
    ended: list[str] = []
    for index, entry in ledger.entries():
        builds.replay(index, entry.build)
        if entry.kind in SEEING:
            nonces.replay(entry.actor, entry.ref, entry.time)
            if entry.purpose != Purpose.OWN:
                budgets.replay(entry.actor, entry.shop, units(entry.persons, entry.fields), entry.time)
        elif entry.kind == "export" and entry.note == "alone":
            budgets.replay(entry.actor, entry.shop, units(entry.persons, entry.fields), entry.time)
        elif entry.kind == "budget" and entry.note in GIVING:
            budgets.give(Allowance.from_ref(entry.ref, actor=entry.actor, shop=entry.shop, at=entry.time))
        elif entry.kind == "register" and entry.note == "api_key_ended":
            ended.append(entry.credential)
        elif entry.kind in CHANGING:
            waiting[str(index)] = entry
        elif entry.kind == "outcome" and entry.ref in waiting:
            changed = waiting.pop(entry.ref)
            if entry.note == Outcome.DONE:
                _settle(changed, least)
    return ended


def _settle(changed: Entry, least: Floors) -> None:
    for person in changed.persons:
        if changed.kind == "erase":
            least.erase(changed.shop, person)
        else:
            least.raise_to(changed.shop, person, floors.from_ref(changed.ref))
