"""The door's functions of a customer's account. `grant` is her own; each raises what `client`'s raise, too.

What she signs in with is changed with a grant that was issued within the last five minutes, her own fields
within fifteen (FreshSignInNeeded).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings

from noren.people import wire


@dataclass(frozen=True, slots=True)
class OwnAccount:
    """Whose it is, which records are hers (her own person first), and by which ways she comes in.

    `proved`: her present address; only then records that were found by it are among them.
    """

    person: UUID
    records: tuple[UUID, ...]
    records_left_off: bool
    passkeys: int
    password: bool
    totp: bool
    proved: bool


def _call(method: str, params: Mapping[str, Any]) -> dict[str, Any]:
    return wire.call(str(settings.VAULT_SOCKET), method, dict(params), seconds=10)


def own_account(grant: str) -> OwnAccount:
    """Ids and numbers, nothing personal; that she asked is on record. Raises GrantExpired, GrantRefused."""
    answer = _call("own_account", {"grant": grant})
    return OwnAccount(
        person=UUID(answer["person"]),
        records=tuple(UUID(one) for one in answer["records"]),
        records_left_off=answer["records_left_off"],
        passkeys=answer["passkeys"],
        password=answer["password"],
        totp=answer["totp"],
        proved=answer["proved"],
    )


def own_let_go(grant: str, person: UUID) -> None:
    """She says that a record is not hers: never shown to her again. Raises NoSuchPerson: none of hers."""
    _call("own_let_go", {"grant": grant, "person": str(person)})


def own_end(grant: str) -> None:
    """End the account: its ways in and all its sign-ins. Raises FreshSignInNeeded."""
    _call("own_end", {"grant": grant})


def own_word(grant: str, text: str) -> None:
    """Add a word to the shop under what her record's note holds. Raises BadField (too long in all)."""
    _call("own_word", {"grant": grant, "text": text})


def own_answers(grant: str, booking: int, fields: Mapping[str, str]) -> None:
    """Put her lines of answers, health, guests for a booking before those of others; an empty one takes hers
    away. Raises BadField.
    """
    _call("own_answers", {"grant": grant, "booking": booking, "fields": dict(fields)})


def own_forget(grant: str, fields: Iterable[str]) -> None:
    """Erase what she said for all her bookings: of answers, health, guests. Raises FreshSignInNeeded."""
    _call("own_forget", {"grant": grant, "fields": list(fields)})


def own_address_begin(grant: str) -> None:
    """Have a code mailed to her present address."""
    _call("own_address_begin", {"grant": grant})


def own_address_finish(grant: str, code: str) -> None:
    """Take it: the address is proved. Raises CodeRefused; MailTaken: another account has proved the same."""
    _call("own_address_finish", {"grant": grant, "code": code})
