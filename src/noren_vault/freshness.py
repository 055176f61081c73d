"""Whether somebody has shown just now who she is: by signing in, by a passkey, or by her own password.

What an account signs in with is changed within five minutes of that: a cookie that was stolen does not do.
"""

from dataclasses import dataclass
from typing import Final

from noren_vault.clock import Now
from noren_vault.database import Database
from noren_vault.errors import FreshSignInNeeded, GrantExpired
from noren_vault.grants import Grant, Grants

FRESH_MS: Final = 300_000
# So long after coming in a customer changes her own fields.
OWN_FRESH_MS: Final = 900_000
MOST_MISSES: Final = 5


@dataclass(frozen=True, slots=True)
class Shown:
    """What was shown within that time: anything, and a passkey."""

    fresh: bool
    by_passkey: bool


class Freshness:
    """Reads and notes it, for one grant."""

    def __init__(self, database: Database, grants: Grants, now: Now) -> None:
        """Keep the parts."""
        self._database = database
        self._grants = grants
        self._now = now

    async def shown(self, grant: Grant, within: int = FRESH_MS) -> Shown:
        """Say what the grant's holder has shown within so many milliseconds."""
        row = await self._database.row(
            "SELECT issued_at, credential, confirmed_at, confirmed_by FROM vault.access_grant "
            "WHERE grant_id = %s",
            [grant.grant_id],
        )
        issued, credential, confirmed, by = row or (0, "", None, "")
        recent = [
            name
            for at, name in ((issued, credential), (confirmed, by))
            if at is not None and self._now() < at + within
        ]
        return Shown(bool(recent), any(name.startswith("pk-") for name in recent))

    async def check(self, grant: Grant, within: int = FRESH_MS) -> None:
        """Raise FreshSignInNeeded unless something was shown."""
        if not (await self.shown(grant, within)).fresh:
            raise FreshSignInNeeded("it is too long ago")

    async def confirm(self, grant: Grant, credential: str) -> None:
        """Note that the credential was shown."""
        await self._database.run(
            "UPDATE vault.access_grant SET confirmed_at = %s, confirmed_by = %s, misses = 0 "
            "WHERE grant_id = %s",
            [self._now(), credential, grant.grant_id],
        )

    async def trying(self, grant: Grant) -> int:
        """Count a password as wrong before it is looked at; gives how many more may follow.

        So no number of tries at once gets past the bound. Raises GrantExpired: there were too many.
        """
        row = await self._database.row(
            "UPDATE vault.access_grant SET misses = misses + 1 WHERE grant_id = %s AND misses < %s "
            "RETURNING misses",
            [grant.grant_id, MOST_MISSES],
        )
        if row is None:
            raise GrantExpired("too many wrong passwords")
        return MOST_MISSES - int(row[0])

    async def lost(self, grant: Grant) -> None:
        """End the grant in whose name the last password was wrong, too."""
        await self._grants.end(grant)
        raise GrantExpired("too many wrong passwords")
