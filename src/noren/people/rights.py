"""The door's functions about rights and budgets. They raise as `client`'s do, and need a member's grant.

Who works for a shop and what a role may see there is the vault's; what it answers, the app's copy follows.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from noren.people import answers, wire
from noren.people.model import Budget, Colleague, Right, Standing, Step, Wish

_INSTANTS = ("since", "ended", "invited", "seen")


def _call(method: str, grant: str, **params: Any) -> dict[str, Any]:
    return wire.call(str(settings.VAULT_SOCKET), method, {"grant": grant, **params}, seconds=10.0)


def members(grant: str, *, ended: bool = False) -> tuple[Colleague, ...]:
    """Who works for the grant's shop, or did; an owner or manager asks."""
    return tuple(_colleague(one) for one in _call("members", grant, ended=ended)["members"])


def change_member(grant: str, handle: str, role: str) -> Colleague:
    """Give a member another role; an owner's act. Raises NoSuchMember, LastOwner."""
    return _colleague(_call("change_member", grant, handle=handle, role=role)["member"])


def end_member(grant: str, handle: str) -> Colleague:
    """End a membership, its grants and open invitations; an owner's act. Raises NoSuchMember, LastOwner."""
    return _colleague(_call("end_member", grant, handle=handle)["member"])


def shop_rights(grant: str) -> tuple[Right, ...]:
    """What each role may see for each purpose in the grant's shop; an owner or manager asks."""
    return tuple(
        Right(one["role"], one["purpose"], tuple(one["most"]), tuple(one["fields"]))
        for one in _call("rights", grant)["rights"]
    )


def narrow(grant: str, role: str, purpose: str, fields: Iterable[str]) -> None:
    """Leave a role only these fields for a purpose; an owner's act. PurposeRefused: more than there is."""
    _call("narrow", grant, role=role, purpose=str(purpose), fields=list(fields))


def standing(grant: str) -> Standing:
    """How the budget stands, what would widen it next, and the requests that this grant may see."""
    answer = _call("budget", grant)
    return Standing(
        budget=_budget(answer["budget"]),
        next=Step(answer["next"]),
        wishes=tuple(_wish(one) for one in answer["requests"]),
    )


def step_up_begin(grant: str) -> dict[str, Any]:
    """Options for `navigator.credentials.get`. Raises BudgetHeld when the day's step-up was used."""
    return dict(_call("step_up_begin", grant)["options"])


def step_up_finish(grant: str, response: Mapping[str, Any]) -> Budget:
    """Check the passkey's answer; the budget is wider for an hour then. Raises PasskeyRefused, BudgetHeld."""
    return _budget(_call("step_up_finish", grant, response=dict(response))["budget"])


def ask_second(grant: str, *, reason: str, amount: int, minutes: int) -> str:
    """Ask a second person: in words why, at most 500, at most 60 minutes. Raises BudgetHeld."""
    return str(_call("ask_second", grant, reason=reason, amount=amount, minutes=minutes)["request"])


def decide_second(grant: str, request: str, *, approve: bool) -> None:
    """Approve or decline a colleague's request. Raises GrantRefused, NoSuchRequest, BudgetHeld."""
    _call("decide_second", grant, request=request, approve=approve)


def _budget(answer: Mapping[str, int]) -> Budget:
    return Budget(today=answer["today"], left=answer["left"])


def _colleague(answer: Mapping[str, Any]) -> Colleague:
    ids = {name: UUID(answer[name]) for name in ("actor", "person") if answer.get(name)}
    instants = {name: answers.instant(answer[name]) for name in _INSTANTS if answer.get(name)}
    return Colleague(**{**answer, **ids, **instants})


def _wish(answer: Mapping[str, Any]) -> Wish:
    instants = {name: datetime.fromtimestamp(answer[name], UTC) for name in ("asked", "until")}
    return Wish(**{**answer, **instants})
