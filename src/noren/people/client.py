"""The door's functions: one per method of the vault's protocol, typed.

Each raises, beside what it names, VaultUnavailable (not reached, no answer in time) and LedgerUnavailable
(the vault cannot write down what it would tell, so it neither shows nor takes personal data).
"""

import base64
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.conf import settings

from noren.people import answers, wire
from noren.people.model import (
    Actor,
    Attachment,
    BadRow,
    Budget,
    Build,
    Evidence,
    Finding,
    Found,
    Health,
    Imported,
    Invited,
    Member,
    Membership,
    Revealed,
    Row,
    Scope,
    Second,
    SendState,
    SignedIn,
    Who,
    Witness,
    Witnessed,
)

ROWS_A_REQUEST: Final = 500
# Asked for on every page of somebody signed in: a vault that hangs holds no page for long.
WHOAMI_SECONDS: Final = 2


def _call(method: str, params: dict[str, Any], *, seconds: float = 10.0) -> dict[str, Any]:
    return wire.call(str(settings.VAULT_SOCKET), method, params, seconds=seconds)


# -- records


def put(shop_id: int, key: str, fields: Mapping[str, str], *, session: str = "") -> UUID:
    """Store a new person's fields, provisionally: erased after an hour unless `keep` follows.

    The same key gives the same person again. Raises BadField (facts: field, reason, fields {field: reason}).
    """
    answer = _call("put", {"shop": shop_id, "key": key, "fields": dict(fields), "session": session})
    return UUID(answer["person"])


def keep(shop_id: int, person: UUID) -> None:
    """Keep a provisional person for good; again does nothing. Raises NoSuchPerson once it was erased."""
    _call("keep", {"shop": shop_id, "person": str(person)})


def update(grant: str, person: UUID, fields: Mapping[str, str]) -> int:
    """Write fields anew (an empty text removes one); gives the person's new version. Raises BadField."""
    answer = _call("update", {"grant": grant, "person": str(person), "fields": dict(fields)})
    return int(answer["version"])


def reveal(grant: str, purpose: str, persons: Iterable[UUID], fields: Iterable[str]) -> Revealed:
    """Ask for plaintext. Raises GrantExpired, GrantRefused, PurposeRefused, BudgetExceeded, NoSuchPerson."""
    wanted = [str(person) for person in persons]
    asked = {
        "grant": grant,
        "purpose": str(purpose),
        "persons": wanted,
        "fields": list(fields),
        # Made anew for each call: what is recorded off the wire and sent again is refused.
        "nonce": secrets.token_hex(16),
    }
    return revealed(_call("reveal", asked))


def search(grant: str, query: str, *, limit: int = 20, tag: int | None = None) -> Found:
    """Find persons by any part of name, kana, mail or phone (spelling aside), and by a tag; shows name and
    kana.

    Several words must all be there. The first search of a large shop takes some seconds.
    """
    marked = {} if tag is None else {"tag": tag}
    answer = _call("search", {"grant": grant, "query": query, "limit": limit, **marked}, seconds=60)
    seen = revealed(answer)
    return Found(seen.persons, seen.entry, seen.budget, found=answer["found"])


def revealed(answer: dict[str, Any]) -> Revealed:
    """Read the answer of a reveal."""
    persons = {UUID(person): dict(fields) for person, fields in answer["persons"].items()}
    budget = Budget(today=answer["budget"]["today"], left=answer["budget"]["left"])
    return Revealed(persons=persons, entry=answer["entry"], budget=budget)


def import_rows(
    shop_id: int,
    rows: Sequence[Row],
    *,
    all_or_nothing: bool = False,
    reason: str = "moving",
    progress: Callable[[int], None] | None = None,
) -> Imported:
    """Import many persons, kept at once; a key that is there already is left as it is.

    With `all_or_nothing` every row is checked first, and nothing is written when one is bad.
    An administrator's process alone may: a shop's own list comes by `take_import`. `reason`: of REASONS.
    `progress` is called with the number of rows done in each step.
    """
    good, bad = _without_doubles(rows)
    if all_or_nothing:
        for chunk in _chunks(good):
            bad.extend(_import(shop_id, chunk, reason, check=True).bad)
        if bad:
            return Imported(persons={}, bad=tuple(bad))
    persons: dict[str, UUID] = {}
    for chunk in _chunks(good):
        done = _import(shop_id, chunk, reason, check=False)
        persons |= done.persons
        bad.extend(done.bad)
        if progress is not None:
            progress(len(chunk))
    return Imported(persons=persons, bad=tuple(bad))


def _without_doubles(rows: Sequence[Row]) -> tuple[list[Row], list[BadRow]]:
    seen: set[str] = set()
    good: list[Row] = []
    bad: list[BadRow] = []
    for row in rows:
        if row.key in seen:
            bad.append(BadRow(key=row.key, field="key", reason="double"))
        else:
            good.append(row)
        seen.add(row.key)
    return good, bad


def _chunks(rows: Sequence[Row]) -> Iterable[Sequence[Row]]:
    return (rows[start : start + ROWS_A_REQUEST] for start in range(0, len(rows), ROWS_A_REQUEST))


def _import(shop_id: int, rows: Sequence[Row], reason: str, *, check: bool) -> Imported:
    sent = [{"key": row.key, "fields": dict(row.fields)} for row in rows]
    params = {"shop": shop_id, "rows": sent, "all_or_nothing": False, "check": check, "reason": reason}
    answer = _call("import", params, seconds=60)
    persons = {key: UUID(person) for key, person in answer["persons"].items()}
    return Imported(persons=persons, bad=tuple(BadRow(**bad) for bad in answer["bad"]))


# -- messages


def send(
    shop_id: int,
    person: UUID,
    message_key: str,
    *,
    subject: str,
    text: str,
    values: Mapping[str, str] | None = None,
    attachments: Sequence[Attachment] = (),
    neutral: Mapping[str, str] | None = None,
) -> SendState:
    """Send a mail to a person; the vault knows the address. One message key is sent once.

    `{name}` and `{kana}` in subject and text are the person's; any other `{word}` must be in `values`, which
    hold nothing personal. A letter to an address that was changed and is not proved names nobody: there the
    parts of the text that are keys of `neutral` are replaced by its values. Raises NoSuchPerson.
    """
    sent = [
        {"name": a.name, "type": a.type, "content": base64.b64encode(a.content).decode()} for a in attachments
    ]
    params = {
        "shop": shop_id,
        "person": str(person),
        "message_key": message_key,
        "subject": subject,
        "text": text,
        "values": dict(values or {}),
        "attachments": sent,
        "neutral": dict(neutral or {}),
    }
    return SendState(_call("send", params, seconds=60)["state"])


# -- who works where, and signing in


def found_shop(
    shop_id: int, slug: str, members: Sequence[Member], *, tell: bool = False
) -> tuple[Invited, ...]:
    """Tell the vault of a new shop and invite its members by mail; the same list again changes nothing.

    With `tell` the tokens of their links come, too: who has not joined is invited anew. Such a link proves
    no address, and no password is set by it.
    """
    given = [_member(member) for member in members]
    params = {"shop": shop_id, "slug": slug, "members": given, "tell": tell}
    answer = _call("found_shop", params, seconds=120)
    return tuple(Invited(i["handle"], i["mail"], i.get("invite", "")) for i in answer["invited"])


def add_member(grant: str, member: Member) -> Invited:
    """Invite one more member of the grant's shop; needs an owner's grant."""
    answer = _call("add_member", {"grant": grant, "member": _member(member)}, seconds=60)["invited"]
    return Invited(handle=answer["handle"], mail=answer["mail"])


def _member(member: Member) -> dict[str, Any]:
    return {
        "handle": member.handle,
        "role": member.role,
        "staff": member.staff,
        "name": member.name,
        "mail": member.mail,
    }


def owners(shop_id: int) -> tuple[UUID, ...]:
    """Who owns the shop, by person ids: those who have joined. To be written to, not to be looked at."""
    return tuple(UUID(person) for person in _call("owners", {"shop": shop_id})["persons"])


def invite_operator(*, name: str = "first", mail: str | None = None) -> str:
    """Make the first operator's invitation; gives the link's token. InviteRefused once there is one."""
    return str(_call("invite_operator", {"name": name, "mail": mail}, seconds=60)["token"])


def register_begin(invite: str) -> dict[str, Any]:
    """Options for `navigator.credentials.create`, as JSON for the page. Raises InviteRefused."""
    return dict(_call("register_begin", {"invite": invite})["options"])


def register_finish(
    invite: str,
    response: Mapping[str, Any],
    *,
    session: str = "",
    address: str = "",
    device: str = "",
    known: str = "",
) -> SignedIn:
    """Enrol the passkey and sign in at once. Raises InviteRefused, PasskeyRefused.

    `known` is the browser's own secret, by which the vault knows it again (`noren.accounts.device`).
    """
    visit = {"session": session, "address": address, "device": device, "known": known}
    params = {"invite": invite, "response": dict(response), **visit}
    return signed_in(_call("register_finish", params))


def signin_begin() -> dict[str, Any]:
    """Options for `navigator.credentials.get`; its `challenge` goes back with the answer."""
    return dict(_call("signin_begin", {})["options"])


def signin_finish(
    challenge: str,
    response: Mapping[str, Any],
    *,
    session: str = "",
    address: str = "",
    device: str = "",
    known: str = "",
    shop_id: int | None = None,
    first: str = "",
) -> SignedIn:
    """Check the passkey's answer and issue a grant. PasskeyRefused; GrantRefused: not of this shop.

    `first`: the ticket of an operator for whom a provider has vouched.
    """
    params = {
        "challenge": challenge,
        "response": dict(response),
        "session": session,
        "address": address,
        "device": device,
        "known": known,
        "shop": shop_id,
        "first": first,
    }
    return signed_in(_call("signin_finish", params))


def whoami(grant: str) -> Who:
    """Whose grant this is, if it still holds. Raises GrantExpired, GrantRefused."""
    return _who(_call("whoami", {"grant": grant}, seconds=WHOAMI_SECONDS))


def signout(grant: str) -> None:
    """End the grant; one that has ended already is no error."""
    _call("signout", {"grant": grant})


def signed_in(answer: dict[str, Any]) -> SignedIn:
    """Read the answer of every way to sign in."""
    return SignedIn(grant=answer["grant"], who=_who(answer))


def entered(answer: dict[str, Any]) -> SignedIn | Second:
    """Read the answer of a way to sign in that may ask for a second factor."""
    return Second(answer["second"], answer.get("way", "code")) if "second" in answer else signed_in(answer)


def prove_begin(shop_id: int, person: UUID, *, session: str = "") -> None:
    """Have a code mailed to a person's own address. The answer is the same where there is none."""
    _call("prove_begin", {"shop": shop_id, "person": str(person), "session": session})


def prove_finish(
    shop_id: int, person: UUID, code: str, *, session: str = "", address: str = "", device: str = ""
) -> SignedIn | Second:
    """Take the code: the address is proved, and the person has a grant of her own. Raises CodeRefused.

    Whose account asks for a second factor is asked for it, as after a password.
    """
    visit = {"session": session, "address": address, "device": device}
    params = {"shop": shop_id, "person": str(person), "code": code, **visit}
    return entered(_call("prove_finish", params))


def _who(answer: dict[str, Any]) -> Who:
    memberships = tuple(
        Membership(shop_id=m["shop"], slug=m["slug"], role=m["role"], staff=m["staff"])
        for m in answer["memberships"]
    )
    return Who(
        actor=Actor(id=UUID(answer["actor"]["id"]), handle=answer["actor"]["handle"]),
        shop_id=answer["shop"],
        role=answer["role"],
        staff=answer["staff"],
        expires=answers.instant(answer["expires"]),
        memberships=memberships,
        person=UUID(answer["person"]) if answer.get("person") else None,
        permissions=frozenset(answer["permissions"]),
    )


# -- the record


Paths = str | Sequence[str] | None


def scope(
    *,
    since: datetime,
    until: datetime,
    actor: Paths = None,
    credential: Paths = None,
    session: Paths = None,
    process: Paths = None,
    address: Paths = None,
    device: Paths = None,
    export: Paths = None,
    store: Paths = None,
    backup: Paths = None,
    key: Paths = None,
    door: Paths = None,
    person: Paths = None,
    shop_id: int | None = None,
    grant: str | None = None,
    proofs: Sequence[int] = (),
    size: int | None = None,
    untouched: bool = False,
) -> Scope:
    """Whose data passed by any of these paths in [since, until], or lay in what was taken of the stores then.

    `address` is one or a network, `device` a part of what a browser says it is, `store` app, vault, keys or
    host; `person` and `shop_id` narrow the answer. Without any path or store: whatever passed in the time.
    `size`: as of so many entries of the ledger; `untouched`: count whom it leaves out, too.
    Complete up to the head it names. Needs an admin's process, or an operator's `grant`. Raises GrantRefused.
    """
    given: dict[str, object] = {
        "actor": actor,
        "credential": credential,
        "session": session,
        "process": process,
        "address": address,
        "device": device,
        "export": export,
        "store": store,
        "backup": backup,
        "key": key,
        "door": door,
        "person": person,
        "shop": shop_id,
        "grant": grant,
        "since": since.timestamp(),
        "until": until.timestamp(),
        "proofs": list(proofs),
        "size": size,
        "untouched": untouched or None,
    }
    params = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in given.items()
        if value is not None
    }
    return answers.scope(_call("scope", params, seconds=600))


def evidence(
    *,
    size: int,
    bounds: tuple[int, int] | None = None,
    outcomes: Sequence[int] = (),
    entries: Sequence[int] = (),
    nodes: Sequence[tuple[int, int]] = (),
    grant: str | None = None,
) -> Evidence:
    """What proves an answer in the tree of `size` entries: a time's bounds, outcomes, entries, hashes.

    `bounds` in POSIX milliseconds. Of entries and of nodes (level, index) at most 5,000 at once. Needs what
    `scope` needs.
    """
    params: dict[str, object] = {
        "size": size,
        "outcomes": list(outcomes),
        "entries": list(entries),
        "nodes": [list(one) for one in nodes],
    }
    if bounds is not None:
        params["bounds"] = list(bounds)
    if grant is not None:
        params["grant"] = grant
    return answers.evidence(_call("evidence", params, seconds=600))


def health() -> Health:
    """How the vault is; answers while the ledger cannot be written, too."""
    answer = _call("health", {}, seconds=5)
    return Health(
        ledger=answer["ledger"],
        reason=answer["reason"],
        size=answer["size"],
        indexed=answer["indexed"],
        build=answer["build"],
        witnessed=_witnessed(answer["witness"]),
    )


def _witnessed(told: dict[str, Any]) -> Witnessed:
    witnesses = tuple(
        Witness(w["name"], w["size"], answers.instant(w["at"] / 1000) if w["at"] else None, w["why"])
        for w in told["witnesses"]
    )
    return Witnessed(
        wanted=told["wanted"],
        entries=told["entries"],
        seconds=told["seconds"],
        late=told["late"],
        forked=tuple(told["forked"]),
        witnesses=witnesses,
    )


def checkpoint() -> str:
    """The ledger's newest signed checkpoint (a C2SP note)."""
    return str(_call("checkpoint", {})["checkpoint"])


def builds() -> tuple[Build, ...]:
    """The builds of the vault that wrote the ledger's entries, in the order of their first entry."""
    return tuple(Build(**one) for one in _call("builds", {})["builds"])


def entries(grant: str, first: int, count: int) -> list[bytes]:
    """Entries of the ledger as they stand in it, fewer at its end; on record.

    A grant of an auditor's, or one under the power `read_ledger_entries`.
    """
    answer = _call("entries", {"grant": grant, "first": first, "count": count}, seconds=30)
    return [str(one).encode("ascii") for one in answer["entries"]]


def doctor() -> tuple[Finding, ...]:
    """Let the vault examine itself: ledger, index, keys, schema."""
    answer = _call("doctor", {}, seconds=600)
    return tuple(Finding(check=f["check"], ok=f["ok"], detail=f["detail"]) for f in answer["findings"])


def rebuild_index() -> int:
    """Drop the search index of the ledger and build it anew from the files; gives the number of entries."""
    return int(_call("rebuild_index", {}, seconds=600)["entries"])
