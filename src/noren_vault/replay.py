"""What the ledger remembers, brought back to memory at the start: budgets, versions, builds.

One walk over all entries; blocks, so it runs before the vault serves.
"""

from noren_vault import floors
from noren_vault.budgets import Budgets
from noren_vault.builds import Builds
from noren_vault.floors import Floors
from noren_vault.ledger import Entry, Ledger
from noren_vault.record import Outcome

SEEING = ("intent", "search")
CHANGING = ("update", "erase")


def replay(ledger: Ledger, budgets: Budgets, least: Floors, builds: Builds) -> None:
    """Fill the empty counters, floors and builds."""
    waiting: dict[str, Entry] = {}
    for index, entry in ledger.entries():
        builds.replay(index, entry.build)
        if entry.kind in SEEING:
            budgets.replay(entry.actor, entry.persons, entry.time)
        elif entry.kind in CHANGING:
            waiting[str(index)] = entry
        elif entry.kind == "outcome" and entry.ref in waiting:
            changed = waiting.pop(entry.ref)
            if entry.note == Outcome.DONE:
                _settle(changed, least)


def _settle(changed: Entry, least: Floors) -> None:
    for person in changed.persons:
        if changed.kind == "erase":
            least.erase(changed.shop, person)
        else:
            least.raise_to(changed.shop, person, floors.from_ref(changed.ref))
