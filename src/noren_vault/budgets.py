"""How much of how many persons may be seen: by one credential's lineage, in one shop, on the platform.

The unit is a *new* person's class of fields (`fields.FieldClass`): the same again within 24 hours costs
nothing. The ledger's intent entry is the debit; this is its count in memory, made anew from the entries at
each start. The lineage is the actor, so another passkey, another grant or a restart fills nothing again.

Who meets the limit goes three steps: a fresh passkey's answer widens it once a day by a third of an hour's;
then a second person of the shop does, for a named amount and time; then it is held. A shop's total widens by
second persons only, the platform's not at all.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, NoReturn

from noren_vault.errors import BudgetExceeded, BudgetHeld, SecondPersonNeeded, StepUpNeeded
from noren_vault.fields import CLASS_OF
from noren_vault.rights import SHOP_ROLES, Role

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
MINUTE_MS: Final = 60_000
STEP_UP_MINUTES: Final = 60
MOST_MINUTES: Final = 60
MOST_AMOUNT: Final = 500
APPROVALS_OF_ONE: Final = 2
APPROVALS_OF_SHOP: Final = 4


@dataclass(frozen=True, slots=True)
class Limits:
    """New units in a rolling hour and in rolling 24 hours."""

    hour: int
    day: int


_DESK: Final = Limits(300, 600)
_DECIDING: Final = Limits(400, 1000)
LIMITS: Final[Mapping[Role, Limits]] = MappingProxyType(
    {
        Role.STAFF: _DESK,
        Role.RECEPTION: _DESK,
        Role.MANAGER: _DECIDING,
        Role.OWNER: _DECIDING,
        Role.ACCOUNTANT: Limits(0, 0),
        Role.CUSTOMER: Limits(0, 0),
        Role.OPERATOR: Limits(20, 100),
        Role.KEY: _DESK,
        Role.AUDITOR: Limits(0, 0),
    }
)
# A shop's: distinct in the whole shop, so a list that ten people look at counts once.
SHOP: Final = Limits(1000, 2000)
# The platform's: a part that is there with one shop, and a part for each shop.
PLATFORM_BASE: Final = Limits(2000, 4000)
PLATFORM_A_SHOP: Final = Limits(250, 600)


@dataclass(frozen=True, slots=True)
class Budget:
    """`today` is what this lineage's 24 hours have used, `left` what may still be seen now; in units."""

    today: int
    left: int

    def to_wire(self) -> dict[str, int]:
        """The shape of the answer."""
        return {"today": self.today, "left": self.left}


@dataclass(frozen=True, slots=True)
class Spender:
    """Whose budgets a look is debited from. `passkey`: was signed in by one, so it can be asked for again."""

    lineage: str
    shop: int
    role: Role
    passkey: bool = True


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a lineage was given on top, from `since` to `until` (ms). `request` is empty for a step-up."""

    lineage: str
    shop: int
    amount: int
    since: int
    until: int
    request: str = ""

    @classmethod
    def step_up(cls, who: Spender, at: int) -> "Allowance":
        """What a fresh passkey's answer gives."""
        amount = LIMITS[who.role].hour // 3
        return cls(who.lineage, who.shop, amount, at, at + STEP_UP_MINUTES * MINUTE_MS)

    @property
    def minutes(self) -> int:
        """How long it holds."""
        return (self.until - self.since) // MINUTE_MS

    def to_ref(self) -> str:
        """Write it as an entry's `ref`; the entry has shop and time, and a step-up's has the lineage."""
        words = f"amount={self.amount}/minutes={self.minutes}"
        return f"request:{self.request}/for={self.lineage}/{words}" if self.request else words

    @classmethod
    def from_ref(cls, ref: str, *, actor: str, shop: int, at: int) -> "Allowance":
        """Read it again."""
        parts = dict(part.split("=", 1) for part in ref.split("/") if "=" in part)
        request = ref.partition("/")[0].removeprefix("request:") if ref.startswith("request:") else ""
        until = at + int(parts["minutes"]) * MINUTE_MS
        return cls(parts.get("for", actor), shop, int(parts["amount"]), at, until, request)


def units(persons: Iterable[str], fields: Iterable[str]) -> list[str]:
    """Give the units of a look: each person with each class of the fields."""
    classes = sorted({CLASS_OF[name] for name in fields if name in CLASS_OF})
    return [f"{person}/{kind}" for person in persons for kind in classes]


class _Count:
    """How many in the last so many milliseconds."""

    __slots__ = ("_span", "_steps", "total")

    def __init__(self, span: int) -> None:
        self._span = span
        self._steps: deque[tuple[int, int]] = deque()
        self.total = 0

    def add(self, number: int, at: int) -> None:
        if number:
            self._steps.append((at, number))
            self.total += number

    def at(self, now: int) -> int:
        while self._steps and self._steps[0][0] <= now - self._span:
            self.total -= self._steps.popleft()[1]
        return self.total


class _Window:
    """The distinct units of one lineage or one shop in the running 24 hours, oldest first."""

    __slots__ = ("_hour", "_seen")

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}
        self._hour = _Count(HOUR_MS)

    def new(self, wanted: Iterable[str], now: int) -> list[str]:
        self._forget(now)
        return [unit for unit in dict.fromkeys(wanted) if unit not in self._seen]

    def add(self, wanted: Iterable[str], at: int) -> int:
        fresh = self.new(wanted, at)
        self._seen.update(dict.fromkeys(fresh, at))
        self._hour.add(len(fresh), at)
        return len(fresh)

    def used(self, now: int) -> Limits:
        self._forget(now)
        return Limits(self._hour.at(now), len(self._seen))

    def _forget(self, now: int) -> None:
        while self._seen:
            unit, at = next(iter(self._seen.items()))
            if at > now - DAY_MS:
                break
            del self._seen[unit]


@dataclass(slots=True)
class _Given:
    """Step-ups and approvals of the last 24 hours; the newest of a request takes its earlier ones' place."""

    all: list[Allowance] = field(default_factory=list)

    def add(self, one: Allowance) -> None:
        kept = [old for old in self.all if not one.request or old.request != one.request]
        self.all = [*kept, one]

    def of(self, now: int) -> list[Allowance]:
        self.all = [one for one in self.all if one.since > now - DAY_MS]
        return self.all


class Budgets:
    """The counters. Only the vault's one event loop calls, and none waits: check and debit are one step."""

    def __init__(self) -> None:
        """Start with nothing seen; `replay` adds what the ledger remembers. `shops`: founded so far."""
        self.shops = 1
        self._lineages: dict[str, _Window] = {}
        self._shops: dict[int, _Window] = {}
        self._platform = _Count(HOUR_MS), _Count(DAY_MS)
        self._given = _Given()

    def replay(self, lineage: str, shop: int, wanted: Iterable[str], at: int) -> None:
        """Count what an entry of the ledger says, in the ledger's order."""
        self._add(lineage, shop, list(wanted), at)

    def debit(self, who: Spender, wanted: Iterable[str], now: int) -> Budget:
        """Count the units, all or none.

        Raises StepUpNeeded, SecondPersonNeeded or BudgetHeld: what would widen it (facts: today, left).
        """
        asked = list(wanted)
        own = len(self._lineage(who).new(asked, now))
        shops = len(self._shop(who.shop).new(asked, now)) if who.shop else own
        if own > self._left_own(who, now):
            self._refuse(who, now, own=True)
        if who.shop and shops > self._left_shop(who.shop, now):
            self._refuse(who, now, own=False)
        if shops > self._left_platform(now):
            raise BudgetHeld("the platform's", **self.standing(who, now).to_wire())
        self._add(who.lineage, who.shop, asked, now)
        return self.standing(who, now)

    def standing(self, who: Spender, now: int) -> Budget:
        """What is used and left, without using any."""
        left = min(self._left_own(who, now), self._left_platform(now))
        if who.shop:
            left = min(left, self._left_shop(who.shop, now))
        return Budget(today=self._lineage(who).used(now).day, left=max(0, left))

    def next_step(self, who: Spender, now: int) -> type[BudgetExceeded]:
        """What would widen this lineage's budget now."""
        if who.passkey and self.may_step_up(who.lineage, now):
            return StepUpNeeded
        if who.role in SHOP_ROLES and self.may_approve(who.lineage, who.shop, now):
            return SecondPersonNeeded
        return BudgetHeld

    def may_step_up(self, lineage: str, now: int) -> bool:
        """Whether the lineage has its step-up of the day still."""
        return not any(one.lineage == lineage and not one.request for one in self._given.of(now))

    def may_approve(self, lineage: str, shop: int, now: int) -> bool:
        """Whether the day has an approval left, for the lineage and in the shop."""
        approved = [one for one in self._given.of(now) if one.request and one.shop == shop]
        of_one = sum(one.lineage == lineage for one in approved)
        return of_one < APPROVALS_OF_ONE and len(approved) < APPROVALS_OF_SHOP

    def give(self, allowance: Allowance) -> None:
        """Count an allowance that is in the ledger."""
        self._given.add(allowance)

    def take_back(self, allowance: Allowance) -> None:
        """Forget an allowance whose entry could not be written."""
        self._given.all = [one for one in self._given.all if one is not allowance]

    # -- inside

    def _refuse(self, who: Spender, now: int, *, own: bool) -> NoReturn:
        if own:
            step = self.next_step(who, now)
        else:
            step = SecondPersonNeeded if self.may_approve(who.lineage, who.shop, now) else BudgetHeld
        raise step("this lineage's" if own else "the shop's", **self.standing(who, now).to_wire())

    def _add(self, lineage: str, shop: int, asked: list[str], at: int) -> None:
        own = self._lineages.setdefault(lineage, _Window()).add(asked, at)
        new = self._shop(shop).add(asked, at) if shop else own
        for count in self._platform:
            count.add(new, at)

    def _lineage(self, who: Spender) -> _Window:
        return self._lineages.setdefault(who.lineage, _Window())

    def _shop(self, shop: int) -> _Window:
        return self._shops.setdefault(shop, _Window())

    def _left_own(self, who: Spender, now: int) -> int:
        extra = sum(
            one.amount for one in self._given.of(now) if one.lineage == who.lineage and now < one.until
        )
        return _left(LIMITS[who.role], self._lineage(who).used(now), extra)

    def _left_shop(self, shop: int, now: int) -> int:
        extra = sum(
            one.amount for one in self._given.of(now) if one.shop == shop and one.request and now < one.until
        )
        return _left(SHOP, self._shop(shop).used(now), extra)

    def _left_platform(self, now: int) -> int:
        hour, day = (count.at(now) for count in self._platform)
        most = Limits(
            PLATFORM_BASE.hour + PLATFORM_A_SHOP.hour * self.shops,
            PLATFORM_BASE.day + PLATFORM_A_SHOP.day * self.shops,
        )
        return _left(most, Limits(hour, day), 0)


def _left(limits: Limits, used: Limits, extra: int) -> int:
    return min(limits.day - used.day, limits.hour - used.hour) + extra
