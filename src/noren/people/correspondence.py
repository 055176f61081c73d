"""The door's functions about messages that were sent: which, how they stand, and whether anything arrives.

No text and no address passes here: keys, states, codes, instants. Each raises, beside what it names,
VaultUnavailable and LedgerUnavailable.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from django.conf import settings

from noren.people import answers, wire

# As many as one entry of the ledger names.
_AT_ONCE: Final = 500


class AddressState(StrEnum):
    """How a person's mail address stands; a changed address is UNPROVED again."""

    GOOD = "good"
    BOUNCED = "bounced"
    REFUSED = "refused"
    UNPROVED = "unproved"
    NO_ADDRESS = "no_address"

    @property
    def shut(self) -> bool:
        """Whether nothing is sent there until it is changed, or somebody says that it works."""
        return self in (AddressState.BOUNCED, AddressState.REFUSED)


class MessageState(StrEnum):
    """QUEUED, SENDING: just now. DEFERRED: surely not taken, tried again. FAILED: surely not taken, for good.

    UNKNOWN: may have been taken. BOUNCED: taken, and came back.
    """

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"
    DEFERRED = "deferred"
    FAILED = "failed"
    BOUNCED = "bounced"


class Decision(StrEnum):
    """RESEND: the key may be sent again. LEAVE: it is not listed any more."""

    RESEND = "resend"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class Message:
    """One message key. `reason` is a code (`smtp_550_5.1.1`, `dsn_5.2.1`, `interrupted`); `at` in UTC."""

    key: str
    state: MessageState
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Correspondence:
    """How a customer's address stands, and her newest messages, the newest first."""

    address: AddressState
    reason: str
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Doubt:
    """A message of which nobody knows whether it arrived. `shop_id` 0 is the platform's."""

    shop_id: int
    person: UUID
    message: Message


def messages(grant: str, person: UUID) -> Correspondence:
    """Ask what a customer was sent, on record. Raises GrantExpired, GrantRefused, NoSuchPerson."""
    answer = _call("messages", {"grant": grant, "person": str(person)})
    return Correspondence(
        address=AddressState(answer["address"]["state"]),
        reason=answer["address"]["reason"],
        messages=tuple(_message(one) for one in answer["messages"]),
    )


def unreached(grant: str, persons: Sequence[UUID]) -> set[UUID]:
    """Ask whom of some customers no mail reaches, on record: no address, or one that takes none.

    Raises GrantExpired, GrantRefused, PurposeRefused, NoSuchPerson (none of them is there).
    """
    found: set[UUID] = set()
    for first in range(0, len(persons), _AT_ONCE):
        piece = [str(each) for each in persons[first : first + _AT_ONCE]]
        found |= {UUID(one) for one in _call("unreached", {"grant": grant, "persons": piece})["persons"]}
    return found


def try_address(grant: str, person: UUID) -> None:
    """Let mail go to her address again; one that is not shut is left as it is. Raises as `messages` does."""
    _call("try_address", {"grant": grant, "person": str(person)})


def unknown_messages() -> tuple[Doubt, ...]:
    """List every message in doubt, the oldest first, at most 500. Needs an admin's process."""
    return tuple(
        Doubt(shop_id=one["shop"], person=UUID(one["person"]), message=_message(one))
        for one in _call("unknown_messages", {})["messages"]
    )


def decide_message(shop_id: int, key: str, decision: Decision) -> None:
    """Decide on a message in doubt, on record. Needs an admin's process. Raises NoSuchMessage."""
    _call("decide_message", {"shop": shop_id, "message_key": key, "decision": str(decision)})


def _message(one: dict[str, Any]) -> Message:
    state, at = MessageState(one["state"]), answers.instant(one["at"])
    return Message(key=one["key"], state=state, reason=one["reason"], at=at)


def _call(method: str, params: dict[str, Any]) -> dict[str, Any]:
    return wire.call(str(settings.VAULT_SOCKET), method, params, seconds=10.0)
