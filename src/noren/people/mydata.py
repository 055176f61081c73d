"""The door's functions about a person's own data: entering by a mailed code, who looked, the proof of it.

Each raises, beside what it names, VaultUnavailable and LedgerUnavailable.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.conf import settings

from noren.people import answers, wire
from noren.people.client import entered
from noren.people.model import Second, SignedIn

# A look for an incident is told at the latest so many days after it; the vault's own number.
WITHHELD_DAYS: Final = 90


@dataclass(frozen=True, slots=True)
class Lookup:
    """One line: an act on her data. `role`, `kind` and `purpose` are codes; `staff` is a staff key, or None.

    `state` is exposed, possibly, not, or none for what shows nothing of her. `late`: it was withheld once.
    """

    entry: int
    at: datetime
    kind: str
    role: str
    staff: str | None
    purpose: str
    fields: tuple[str, ...]
    state: str
    late: bool


@dataclass(frozen=True, slots=True)
class Lookups:
    """A page of lines, newest first, and what they cover: all `size` entries from `since` to `until`.

    `next` is what to ask for with `before`. `readings` is how often she opened this list, now
    counted, and `last_reading` when before.
    `searched` and `copied` are the last times of what is told in general words only.
    """

    lines: tuple[Lookup, ...]
    next: int | None
    records: int
    records_left_off: bool
    named: bool
    since: datetime
    until: datetime
    size: int
    readings: int
    last_reading: datetime | None
    searched: datetime | None
    copied: datetime | None


def own_begin(
    shop_id: int, mail: str, *, session: str = "", address: str = "", device: str = "", proof: str = ""
) -> None:
    """Have a code mailed to who has this address in the shop; the same answer where nobody has.

    Raises ChallengeNeeded; `proof` answers it.
    """
    params = {"shop": shop_id, "mail": mail, "session": session}
    _call("own_begin", {**params, "address": address, "device": device, "proof": proof})


def own_finish(
    shop_id: int,
    mail: str,
    code: str,
    *,
    session: str = "",
    address: str = "",
    device: str = "",
    known: str = "",
    proof: str = "",
) -> SignedIn | Second:
    """Take the code: gives her own grant, or asks for her second factor.

    Raises CodeRefused, one for all reasons, and ChallengeNeeded.
    """
    params = {"shop": shop_id, "mail": mail, "code": code, "session": session}
    visit = {"address": address, "device": device, "known": known, "proof": proof}
    return entered(_call("own_finish", {**params, **visit}))


def lookups(grant: str, before: int | None = None) -> Lookups:
    """Who looked at her data, newest first; that she reads it is on record. GrantExpired, GrantRefused."""
    asked = {"grant": grant} if before is None else {"grant": grant, "before": before}
    return _lookups(_call("lookups", asked, seconds=40))


def looks(grant: str, person: UUID, before: int | None = None) -> tuple[tuple[Lookup, ...], int | None]:
    """Who looked at a customer of the shop, newest first, for its owner; and what to ask for with `before`.

    `staff` is whose handle it was. The reading itself is one. Raises GrantRefused, NoSuchPerson.
    """
    asked: dict[str, Any] = {"grant": grant, "person": str(person)}
    answer = _call("looks", asked if before is None else {**asked, "before": before}, seconds=40)
    return tuple(_lookup(one) for one in answer["looks"]), answer["next"]


def lookup_proof(grant: str, entry: int) -> str:
    """The `.tlog-proof` of one of her lines. Raises NoSuchEntry where it is none of hers."""
    return str(_call("lookup_proof", {"grant": grant, "entry": entry}, seconds=40)["proof"])


def naming(grant: str) -> bool:
    """Whether the grant's shop names the staff who looked; an owner or manager asks."""
    return bool(_call("naming", {"grant": grant})["named"])


def name_staff(grant: str, *, named: bool) -> None:
    """Name them from now on, or no more; an owner's act. Raises GrantRefused."""
    _call("name_staff", {"grant": grant, "named": named})


def open_investigation(name: str, *, shop_id: int = 0) -> None:
    """From now on looks for an incident are told later; shop 0: of all shops. An admin's process."""
    _call("open_investigation", {"name": name, "shop": shop_id})


def close_investigation(name: str) -> None:
    """Close it for good: what was withheld is told. An admin's process."""
    _call("close_investigation", {"name": name})


def _lookups(answer: dict[str, Any]) -> Lookups:
    covered, readings, untold = answer["covered"], answer["readings"], answer["untold"]
    return Lookups(
        lines=tuple(_lookup(one) for one in answer["lookups"]),
        next=answer["next"],
        records=answer["records"],
        records_left_off=answer["records_left_off"],
        named=answer["named"],
        since=answers.instant(covered["since"]),
        until=answers.instant(covered["until"]),
        size=covered["size"],
        readings=readings["count"],
        last_reading=_maybe(readings["last"]),
        searched=_maybe(untold["search_build"]),
        copied=_maybe(untold["backup"]),
    )


def _lookup(one: dict[str, Any]) -> Lookup:
    at, fields = answers.instant(one["at"]), tuple(one["fields"])
    return Lookup(**{**one, "at": at, "fields": fields})


def _maybe(seconds: float | None) -> datetime | None:
    return None if seconds is None else answers.instant(seconds)


def _call(method: str, params: dict[str, Any], *, seconds: float = 10.0) -> dict[str, Any]:
    return wire.call(str(settings.VAULT_SOCKET), method, params, seconds=seconds)
