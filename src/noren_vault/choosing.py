"""Whether an account may have a password: the rules, the words that stand for it, what stood in breaches."""

import asyncio
from collections.abc import Sequence
from typing import Final

from noren_vault import password_rules as rules
from noren_vault.pwned import Pwned
from noren_vault.second_factors import SecondFactors
from noren_vault.signin_mails import SigninMails

_SERVICE: Final = "noren"


class Choosing:
    """Says yes, or why not."""

    def __init__(self, *, mails: SigninMails, factors: SecondFactors, pwned: Pwned, host: str) -> None:
        """Keep the parts; `host` is the service's, and no part of a password."""
        self._mails = mails
        self._factors = factors
        self._pwned = pwned
        self._words = [_SERVICE, host]

    async def check(self, actor: str, text: str, words: Sequence[str]) -> None:
        """Raise BadPassword unless the account may have it."""
        second = await self._factors.is_on(actor)
        least = rules.LEAST_WITH_SECOND if second else rules.LEAST_ALONE
        own = [*self._words, *words, *await self._mails.words(actor)]
        # In a thread: the first one unpacks the blocklist.
        await asyncio.to_thread(rules.check, text, least=least, words=own)
        if await self.breached(text):
            raise rules.breached(least)

    async def breached(self, text: str) -> bool:
        """Whether it is known from a breach, as far as that may be asked."""
        return await self._pwned.knows(rules.prepared(text))
