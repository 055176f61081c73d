"""Who signs in, as the app's pages know it: an id and a number.

Names, mails, passkeys and rights are the vault's.
"""

from typing import Self
from uuid import UUID

from django.db import models
from django.db.models import F
from django.utils.crypto import salted_hmac


class Account(models.Model):
    """One row an actor of the vault, made at the first sign-in. Global: it belongs to no shop."""

    # The vault's actor id. Only noren.accounts.signin creates rows.
    id = models.UUIDField(primary_key=True, editable=False)
    # Part of every session's hash: raising it ends all of this account. Only `end_sessions` writes it.
    session_epoch = models.PositiveIntegerField(default=0)

    def session_hash(self) -> str:
        """What a session of this account and this epoch carries, as Django's do their password's hash."""
        return salted_hmac(
            "noren.accounts.session", f"{self.id}:{self.session_epoch}", algorithm="sha256"
        ).hexdigest()

    @classmethod
    def of(cls, actor: UUID) -> Self:
        """Return the actor's account, made now if this is the first sign-in."""
        account, _ = cls.objects.get_or_create(id=actor)
        return account


def end_sessions(account_id: UUID) -> None:
    """End every session of the account: none of them carries the new epoch's hash."""
    Account.objects.filter(id=account_id).update(session_epoch=F("session_epoch") + 1)
