"""The door's functions of forced resets: many accounts' passwords end at once, and their people are told.

They need an administrator's process; an operator may begin one under the power `end_grants`, and ask how they
stand. Raise what `client`'s raise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from django.conf import settings

from noren.people import wire


@dataclass(frozen=True, slots=True)
class Begun:
    """`accounts` that could sign in, `passwords` that are over among them, grants that `ended`."""

    reset: str
    accounts: int
    passwords: int
    ended: int


@dataclass(frozen=True, slots=True)
class Weight:
    """What a reset would end: `accounts` that can sign in, `passwords` among them, `living` sign-ins."""

    accounts: int
    passwords: int
    living: int


@dataclass(frozen=True, slots=True)
class Reset:
    """How one stands. Of its `passwords`: mails that wait, went out, failed, may have; set anew by now."""

    reset: str
    whose: str
    a_minute: int
    ended: int
    asked: datetime
    stopped: datetime | None
    passwords: int
    waiting: int
    told: int
    failed: int
    unknown: int
    set_anew: int


# So many persons at once are the vault's limit.
MOST_PERSONS: Final = 200_000


def weigh(persons: Sequence[UUID], *, grant: str | None = None) -> Weight:
    """Say what a reset of these persons' accounts would end. On record; with a grant as `begin` counts."""
    return Weight(**_call("forced_weigh", _of_persons(persons, grant)))


def begin(
    whose: str,
    name: str | int | None = None,
    *,
    persons: Sequence[UUID] = (),
    a_minute: int | None = None,
    grant: str | None = None,
) -> Begun:
    """End grants and passwords at once, and let the mails begin. With a grant the platform's own are spared.

    `whose` is "everybody", "shop" (`name` is its number), "actor" (a handle) or "persons" (200,000 at most).
    """
    params: dict[str, Any] = {"whose": whose}
    if name is not None:
        params["name"] = name
    if persons:
        params["persons"] = [str(one) for one in persons]
    if grant is not None:
        params["grant"] = grant
    if a_minute is not None:
        params["a_minute"] = a_minute
    return Begun(**_call("forced_begin", params))


def standing(grant: str | None = None) -> tuple[Reset, ...]:
    """Every forced reset, the newest first."""
    answer = _call("forced_resets", {} if grant is None else {"grant": grant})
    return tuple(
        Reset(**{**one, "asked": _instant(one["asked"]), "stopped": _instant(one["stopped"])})
        for one in answer["resets"]
    )


def stop(reset: str) -> None:
    """Hold the mails back. Raises NoSuchReset."""
    _call("forced_stop", {"reset": reset})


def resume(reset: str) -> None:
    """Let the mails go on. Raises NoSuchReset."""
    _call("forced_resume", {"reset": reset})


def _of_persons(persons: Sequence[UUID], grant: str | None) -> dict[str, Any]:
    params: dict[str, Any] = {"whose": "persons", "persons": [str(one) for one in persons]}
    return params if grant is None else params | {"grant": grant}


def _instant(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)


def _call(method: str, params: dict[str, Any]) -> dict[str, Any]:
    return wire.call(str(settings.VAULT_SOCKET), method, params, seconds=120)
