"""The password of who is signed in already, given once more to show that it is she."""

from noren_vault.defence import Defence
from noren_vault.errors import Busy, OwnPasswordRefused
from noren_vault.freshness import Freshness
from noren_vault.grants import Grant
from noren_vault.passwords import Passwords
from noren_vault.record import Path, Record
from noren_vault.signin_mails import SigninMails


class OwnPassword:
    """Checks it. Each wrong one is on record and counted; the fifth in a row ends the grant, nothing else."""

    def __init__(
        self,
        *,
        passwords: Passwords,
        freshness: Freshness,
        record: Record,
        mails: SigninMails,
        defence: Defence,
    ) -> None:
        """Keep the parts."""
        self._passwords = passwords
        self._freshness = freshness
        self._record = record
        self._mails = mails
        self._defence = defence

    async def check(self, grant: Grant, text: str) -> None:
        """Take the password and note that it was shown. Raises OwnPasswordRefused, GrantExpired, Busy."""
        more = await self._freshness.trying(grant)
        standing = self._defence.trying_own(grant.shop, await self._mails.address(grant.actor))
        try:
            found = await self._passwords.check_of(grant.actor, text)
        except Busy:
            self._defence.undo(standing)
            raise
        path = Path(grant.handle, found.credential, grant.session)
        if not found.right:
            await self._record.write("refused", path, shop=grant.shop, note="password")
            if not more:
                await self._freshness.lost(grant)
            raise OwnPasswordRefused
        self._defence.undo(standing)
        await self._record.write("prove", path, shop=grant.shop, note="confirmed")
        await self._freshness.confirm(grant, found.credential)
