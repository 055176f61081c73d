"""Classes: their starts are sessions with seats. Their staff and rooms were claimed when the session was
made.
"""

from collections.abc import Iterable

from noren.engine import limits, policy, sheet, windows
from noren.engine.model import Reason, Session, ShopRules, Why


def offered(
    rules: ShopRules,
    service_id: int,
    sessions: Iterable[Session],
    *,
    now: int,
    party: int = 1,
    used: limits.UsedMap | None = None,
) -> tuple[Session, ...]:
    """Return the sessions that may be booked now (POSIX seconds) for so many, ascending by start."""
    mine = (session for session in sessions if session.service_id == service_id)
    found = (session for session in mine if why_not(rules, session, now=now, party=party, used=used) is None)
    return tuple(sorted(found, key=lambda session: (session.start, session.id)))


def why_not(
    rules: ShopRules, session: Session, *, now: int, party: int = 1, used: limits.UsedMap | None = None
) -> Reason | None:
    """Return why a session cannot be booked. A party is never split: two seats left are none for three."""
    service = rules.services[session.service_id]
    if not service.bookable:
        return Reason(Why.NOT_OFFERED)
    if not service.party_min <= party <= service.party_max:
        return Reason(Why.PARTY)
    late = policy.why_not(rules, service, session.start, now)
    if late is not None:
        return late
    if used:
        window = windows.of_start(rules, service.id, session.start)
        if sheet.has(limits.closed(rules, service, window, used), window, session.start):
            return Reason(Why.LIMIT)
    return Reason(Why.SEATS) if session.left < party else None
