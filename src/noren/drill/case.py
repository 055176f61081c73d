"""The origin case as its people know it by now; each part of the way is a room of its own beside this one."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from noren import clock
from noren.drill.attacker import AGENT, ConsoleThief, Loot, Seen
from noren.drill.browser import Browser
from noren.drill.house import House
from noren.drill.report import Report, Triple, persons
from noren.drill.stage import Member, Shop, Stage

NOTICE: Final = "origin-drill"


@dataclass
class Origin:
    """The drill. `said`, `telling` and `inquiry` are addresses of pages."""

    stage: Stage
    report: Report
    house: House
    begun: datetime = field(default_factory=clock.now)
    console: ConsoleThief | None = None
    seen: Seen | None = None
    credential: str = ""
    door: str = ""
    sign: str = ""
    known: datetime = field(default_factory=clock.now)
    contained: datetime = field(default_factory=clock.now)
    named: frozenset[Triple] = frozenset()
    said: list[str] = field(default_factory=list)
    telling: str = ""
    inquiry: str = ""

    @property
    def thief(self) -> ConsoleThief:
        if self.console is None:
            loot = Loot(self.stage.own / "console.txt")
            self.console = ConsoleThief(Browser(self.stage.system.port, AGENT), loot)
        return self.console

    @property
    def shop(self) -> Shop:
        """The shop whose member it was."""
        return self.stage.shops[0]

    @property
    def victim(self) -> Member:
        return self.shop.members["mei"]

    @property
    def held(self) -> frozenset[Triple]:
        """The truth: whose values are in the thief's hand, and whose card."""
        known = {(self.shop.number, UUID(person), "presence") for person in self.thief.cards}
        return frozenset(self.stage.held(self.thief.loot.text) | known)

    def held_of(self, shop: Shop) -> frozenset[Triple]:
        """Those of one shop."""
        return frozenset(one for one in self.held if one[0] == shop.number)

    @property
    def whose(self) -> int:
        """How many persons Noren says it was."""
        return len(persons(self.named))
