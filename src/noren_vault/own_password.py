"""The password of who is signed in already, given once more to show that it is she."""

from noren_vault.errors import OwnPasswordRefused
from noren_vault.freshness import Freshness
from noren_vault.grants import Grant
from noren_vault.passwords import Passwords
from noren_vault.record import Path, Record


class OwnPassword:
    """Checks it. Each wrong one is on record, and the fifth in a row ends the grant and nothing else."""

    def __init__(self, *, passwords: Passwords, freshness: Freshness, record: Record) -> None:
        """Keep the parts."""
        self._passwords = passwords
        self._freshness = freshness
        self._record = record

    async def check(self, grant: Grant, text: str) -> None:
        """Take the password and note that it was shown. Raises OwnPasswordRefused, GrantExpired, Busy."""
        more = await self._freshness.trying(grant)
        found = await self._passwords.check_of(grant.actor, text)
        path = Path(grant.handle, found.credential, grant.session)
        if not found.right:
            await self._record.write("refused", path, shop=grant.shop, note="password")
            if not more:
                await self._freshness.lost(grant)
            raise OwnPasswordRefused
        await self._record.write("prove", path, shop=grant.shop, note="confirmed")
        await self._freshness.confirm(grant, found.credential)
