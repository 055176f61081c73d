"""What widens a budget that is used up: a fresh passkey's answer, then a second person. Each step an entry.

A step-up comes once in 24 hours. A second person is another owner or manager of the shop: the request names a
reason (in words, kept sealed), an amount of at most 500 units and a time of at most 60 minutes, and waits an
hour for its answer. An approval holds from the moment it is given; a lineage has two a day, a shop four.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from noren_vault import budgets
from noren_vault.budgets import MINUTE_MS, Allowance, Budgets
from noren_vault.clock import Now
from noren_vault.database import Connection, Database, Row
from noren_vault.errors import (
    BadRequest,
    BudgetHeld,
    GrantRefused,
    LedgerUnavailable,
    NoSuchRequest,
    SecondPersonNeeded,
    StepUpNeeded,
)
from noren_vault.grants import Grant, Grants
from noren_vault.keys import Keys
from noren_vault.permissions import Permission
from noren_vault.record import Path, Record
from noren_vault.rights import SHOP_ROLES
from noren_vault.signin import SignIn

WAITS_MS: Final = 60 * MINUTE_MS
_LONGEST_REASON: Final = 300
_NEXT: Final = {StepUpNeeded: "step_up", SecondPersonNeeded: "second_person", BudgetHeld: "hold"}
_FIND: Final = """
SELECT r.request, r.actor::text, a.handle, m.role, r.sealed, r.amount, r.minutes, r.state, r.asked_at,
       r.expires_at, r.decided_at
FROM vault.allowance r JOIN vault.actor a USING (actor)
LEFT JOIN vault.membership m ON m.shop_id = r.shop_id AND m.actor = r.actor AND m.ended_at IS NULL
WHERE r.shop_id = %s
"""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of a second person."""

    reason: str
    amount: int
    minutes: int

    def check(self) -> None:
        """Raise BadRequest for what no page would ask."""
        if not self.reason.strip() or len(self.reason) > _LONGEST_REASON:
            raise BadRequest(f"a reason has 1 to {_LONGEST_REASON} characters")
        if not 0 < self.amount <= budgets.MOST_AMOUNT or not 0 < self.minutes <= budgets.MOST_MINUTES:
            raise BadRequest("at most 500 for at most 60 minutes")


class Allowances:
    """Steps up, asks, decides."""

    def __init__(
        self,
        *,
        database: Database,
        record: Record,
        counters: Budgets,
        grants: Grants,
        signin: SignIn,
        keys: Keys,
        now: Now,
    ) -> None:
        """Keep the parts."""
        self._database = database
        self._record = record
        self._budgets = counters
        self._grants = grants
        self._signin = signin
        self._keys = keys
        self._now = now

    async def standing(self, grant: Grant) -> dict[str, Any]:
        """How the grant's budget stands, what would widen it next, and the shop's requests that it may see.

        Who decides sees all that wait; others see their own.
        """
        now = self._now()
        step = self._budgets.next_step(grant.spender, now)
        if step is SecondPersonNeeded and not await self._grants.another_decides(grant):
            step = BudgetHeld
        approves = Permission.BUDGET_APPROVE in grant.permissions
        rows = await self._database.rows(
            _FIND
            + "AND r.asked_at > %s AND (r.actor = %s OR (%s AND r.state = 'asked' AND r.expires_at > %s)) "
            "ORDER BY r.asked_at DESC LIMIT 50",
            [
                grant.shop,
                now - budgets.DAY_MS,
                grant.actor,
                approves,
                now,
            ],
        )
        return {
            "budget": self._budgets.standing(grant.spender, now).to_wire(),
            "next": _NEXT[step],
            "requests": [self._told(row, grant) for row in rows],
        }

    async def step_up_begin(self, grant: Grant) -> dict[str, Any]:
        """Options for showing a passkey again. Raises BudgetHeld when the day's step-up was used."""
        self._may_step_up(grant)
        return await self._signin.fresh_begin(grant)

    async def step_up_finish(self, grant: Grant, response: Mapping[str, Any]) -> dict[str, Any]:
        """Check the passkey's answer and widen the budget for an hour; gives how it stands then."""
        self._may_step_up(grant)
        path = await self._signin.fresh_finish(grant, response)
        # Of two answers at once one comes second.
        self._may_step_up(grant)
        await self._give(path, grant, "step_up", Allowance.step_up(grant.spender, self._now()))
        return self._budgets.standing(grant.spender, self._now()).to_wire()

    async def ask(self, grant: Grant, wish: Wish) -> str:
        """Ask a second person; gives the request's id. Raises BudgetHeld when there is none to be asked."""
        wish.check()
        if grant.role not in SHOP_ROLES:
            raise GrantRefused("who works for a shop asks its second person")
        now = self._now()
        if not self._budgets.may_approve(grant.lineage, grant.shop, now):
            raise BudgetHeld("the day's approvals are used", **self._standing(grant))
        if not await self._grants.another_decides(grant):
            raise BudgetHeld("there is no second person", **self._standing(grant))
        request = secrets.token_hex(8)
        asked = Allowance(grant.lineage, grant.shop, wish.amount, 0, wish.minutes * MINUTE_MS, request)
        await self._write(grant.path, grant, "asked", asked.to_ref())
        # One request of somebody waits at a time: a new one takes the old one's place.
        async with self._keys.steady.hold(), self._database.transaction() as connection:
            await connection.execute(
                b"UPDATE vault.allowance SET expires_at = %s "
                b"WHERE shop_id = %s AND actor = %s AND state = 'asked' AND expires_at > %s",
                [now, grant.shop, grant.actor, now],
            )
            await connection.execute(
                b"INSERT INTO vault.allowance (request, shop_id, actor, sealed, amount, minutes, state, "
                b"asked_at, expires_at) VALUES (%s, %s, %s, %s, %s, %s, 'asked', %s, %s)",
                [
                    request,
                    grant.shop,
                    grant.actor,
                    self._keys.addresses.seal(wish.reason.strip().encode(), place(request)),
                    wish.amount,
                    wish.minutes,
                    now,
                    now + WAITS_MS,
                ],
            )
        return request

    async def decide(self, grant: Grant, request: str, *, approve: bool) -> None:
        """Approve or decline a colleague's request. Raises GrantRefused, NoSuchRequest, BudgetHeld."""
        grant.needs(Permission.BUDGET_APPROVE)
        state = "approved" if approve else "declined"
        async with self._database.transaction() as connection:
            row = await self._waiting(connection, grant, request)
            if row[1] == grant.actor:
                raise GrantRefused("nobody is their own second person")
            if row[3] is None:
                raise NoSuchRequest("who asked does not work there any more")
            now = self._now()
            if approve and not self._budgets.may_approve(row[2], grant.shop, now):
                raise BudgetHeld("the day's approvals are used", **self._standing(grant))
            allowance = Allowance(row[2], grant.shop, row[5], now, now + row[6] * MINUTE_MS, request)
            if approve:
                await self._give(grant.path, grant, state, allowance)
            else:
                await self._write(grant.path, grant, state, allowance.to_ref())
            await connection.execute(
                b"UPDATE vault.allowance SET state = %s, decided_by = %s, decided_at = %s WHERE request = %s",
                [state, grant.actor, now, request],
            )

    # -- inside

    def _may_step_up(self, grant: Grant) -> None:
        if not grant.spender.passkey or not self._budgets.may_step_up(grant.lineage, self._now()):
            raise BudgetHeld("the day's step-up is used", **self._standing(grant))

    def _standing(self, grant: Grant) -> dict[str, int]:
        return self._budgets.standing(grant.spender, self._now()).to_wire()

    async def _waiting(self, connection: Connection, grant: Grant, request: str) -> Row:
        cursor = await connection.execute(
            _FIND.encode()
            + b"AND r.request = %s AND r.state = 'asked' AND r.expires_at > %s FOR UPDATE OF r",
            [grant.shop, request, self._now()],
        )
        row = await cursor.fetchone()
        if row is None:
            raise NoSuchRequest
        return row

    async def _give(self, path: Path, grant: Grant, note: str, allowance: Allowance) -> None:
        """Count it and write it down. Counted first, so that of two at once the second sees the first."""
        self._budgets.give(allowance)
        try:
            await self._write(path, grant, note, allowance.to_ref())
        except LedgerUnavailable:
            self._budgets.take_back(allowance)
            raise

    async def _write(self, path: Path, grant: Grant, note: str, ref: str) -> None:
        await self._record.write("budget", path, shop=grant.shop, ref=ref, note=note)

    def _told(self, row: Row, grant: Grant) -> dict[str, Any]:
        return {
            "request": row[0],
            "handle": row[2],
            "role": row[3],
            "reason": self._reason(row),
            "amount": row[5],
            "minutes": row[6],
            "state": row[7] if row[7] != "asked" or row[9] > self._now() else "over",
            "asked": row[8] / 1000,
            "until": (row[10] + row[6] * MINUTE_MS if row[7] == "approved" else row[9]) / 1000,
            "own": row[1] == grant.actor,
        }

    def _reason(self, row: Row) -> str:
        sealed = bytes(row[4])
        return self._keys.opens(sealed).open(sealed, place(row[0])).decode()


def place(request: str) -> str:
    """Binds the sealed reason to its request."""
    return f"allowance:{request}"
