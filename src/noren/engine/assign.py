"""Who of several: a stable order, a search where choices touch each other, and the claims that follow."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations

from noren.engine.model import Assignment, Claim, Load, Resource, ShopRules
from noren.engine.plan import Need, Option, Plan

Chosen = dict[str, tuple[int, ...]]


def ranked(rules: ShopRules, candidates: Iterable[int], loads: Mapping[int, Load]) -> list[int]:
    """Order by priority, then by fewest for one's weight, then by longest unassigned, then by id."""

    def key(each: int) -> tuple[int, float, int, int]:
        resource, load = rules.resources[each], loads.get(each, Load())
        share = (load.count + load.credit) / max(1, resource.weight)
        return -resource.priority, share, -1 if load.last is None else load.last, each

    return sorted(candidates, key=key)


def credit(newcomer: Resource, others: Mapping[int, Load], resources: Mapping[int, Resource]) -> int:
    """Return what a newcomer is counted as having had, so that they are not flooded: the others' mean
    share.
    """
    shares = [
        (load.count + load.credit) / max(1, resources[each].weight)
        for each, load in others.items()
        if each != newcomer.id and each in resources
    ]
    return round(newcomer.weight * sum(shares) / len(shares)) if shares else 0


def search(choices: Sequence[tuple[Need, list[int]]], works: Callable[[Chosen], bool]) -> Chosen | None:
    """Return the first combination that works, in the order of preference, the first need's wishes first."""

    def deeper(at: int, chosen: Chosen) -> Chosen | None:
        if at == len(choices):
            return chosen
        need, ids = choices[at]
        for some in combinations(ids, need.requirement.count):
            attempt = {**chosen, need.requirement.role: some}
            if works(attempt):
                found = deeper(at + 1, attempt)
                if found is not None:
                    return found
        return None

    return deeper(0, {})


def claims(plan: Plan, chosen: Mapping[str, tuple[int, ...]], start: int, party: int) -> list[Claim]:
    """Return what the chosen resources are taken for: a whole claims its parts. In the order in which to
    lock.
    """
    found: list[Claim] = []
    for need in plan.needs:
        ids = chosen.get(need.requirement.role, ())
        for option in need.options:
            if option.resource.id in ids:
                found += _claims_of(plan, need, option, start, party)
    return sorted(found, key=lambda claim: (claim.resource_id, claim.start))


def assignment(plan: Plan, chosen: Mapping[str, tuple[int, ...]], start: int, party: int) -> Assignment:
    return Assignment(
        plan.service.id, start, plan.end(start), dict(chosen), tuple(claims(plan, chosen, start, party))
    )


def _claims_of(plan: Plan, need: Need, option: Option, start: int, party: int) -> Iterable[Claim]:
    for leaf in option.leaves:
        units = need.units(leaf, party)
        for use in need.uses_at(plan, start):
            begin = start + use.offset
            end = begin + use.minutes
            yield Claim(leaf.id, units, begin, end, begin - use.before, end + use.after)
