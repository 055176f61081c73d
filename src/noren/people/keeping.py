"""The door's functions on erasing people and on the vault's keys. Each raises what `client`'s raise, too."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from noren.people import wire
from noren.people.model import Certificate, Certified, Key, KeyList, KeyRotation


def _call(method: str, params: dict[str, Any], *, seconds: float) -> dict[str, Any]:
    return wire.call(str(settings.VAULT_SOCKET), method, params, seconds=seconds)


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def erase(shop_id: int, person: UUID, reason: str, *, grant: str | None = None) -> Certificate:
    """Erase a customer for good: "asked", "retention" or "mistake". Again gives the certificate again.

    Needs the shop's owner's `grant`, the person's own (fresh; for her own person, and each of the records of
    her account), or an administrator's process. Bookings keep the opaque id. Raises NoSuchPerson,
    GrantRefused, GrantExpired, FreshSignInNeeded, KeyProviderAway.
    """
    params = {"shop": shop_id, "person": str(person), "reason": reason, "grant": grant}
    answer = _call("erase", {key: value for key, value in params.items() if value is not None}, seconds=60)
    day = answer["unreadable_from"]
    return Certificate(
        shop_id=answer["shop"],
        person=UUID(answer["person"]),
        reason=answer["reason"],
        erased_at=_instant(answer["erased_at"]),
        unreadable_from=date.fromisoformat(day) if day else None,
        entries=tuple(Certified(one["index"], one["entry"], one["proof"]) for one in answer["entries"]),
        vkey=answer["vkey"],
    )


def keys(grant: str | None = None) -> KeyList:
    """Tell the vault's keys and rotations. Needs an administrator's process, or the power `rotate_keys`."""
    answer = _call("keys", {} if grant is None else {"grant": grant}, seconds=120)
    return KeyList(
        keys=tuple(
            Key(k["kind"], k["number"], k["id"], k["state"], _instant(k["since"]), _maybe(k["destroyed"]))
            for k in answer["keys"]
        ),
        rotations=tuple(
            KeyRotation(
                what=r["what"],
                key=r["key"],
                begun=_instant(r["begun"]),
                ended=_maybe(r["ended"]),
                total=r["total"],
                done=r["done"],
                left=r["left"],
                entries=tuple(r["entries"]),
            )
            for r in answer["rotations"]
        ),
    )


def rotate_keys(what: str, *, grant: str | None = None) -> int:
    """Begin a rotation ("epoch", "data", "index", "pepper"); gives its entry. KeysBusy, KeyProviderAway."""
    return int(
        _call("rotate_keys", {"what": what} | ({} if grant is None else {"grant": grant}), seconds=60)[
            "entry"
        ]
    )


def retire_keys(key: str | None = None) -> int:
    """Destroy the keys whose day has come, or one retired key now; gives their number. Raises NoSuchKey."""
    return int(_call("retire_keys", {} if key is None else {"key": key}, seconds=60)["destroyed"])


def _maybe(seconds: float | None) -> datetime | None:
    return None if seconds is None else _instant(seconds)
