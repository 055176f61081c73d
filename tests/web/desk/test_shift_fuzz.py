"""Whatever is sent to the pages of staff and shifts, no answer is a 500."""

from typing import Any

from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from noren.shops import day_requests
from noren.shops.models import Resource
from noren.shops.rules import change
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon
from tests.web.test_fuzz import FORM, VALUES, _encoded

RIGHT: dict[str, bytes] = {
    "first": b"2026-12-03",
    "last": b"2026-12-04",
    "date": b"2026-12-03",
    "month": b"2026-12",
    "open": b"hours",
    "hours": b"10:00-12:00",
    "name": b"Rena",
    "fee": b"0",
    "key": b"rena",
    "kind": b"one",
    "a-mon": b"10:00-12:00",
    "b-mon": b"11:00-12:00",
    "stock": b"1",
    "seats": b"2",
    "from": b"2026-12-03T10:00",
    "until": b"2026-12-03T11:00",
    "block": b"1",
    "closing": b'{"nth": [1], "weekday": 1}',
    "weekday": b"1",
    "nth-1": b"1",
    "region": b"JP",
    "rule": b"own",
    "eighth": b"10:00-11:00",
    "step": b"1",
    "staff": b"1",
    "resource": b"4",
    "week": b"2026-11-30",
    "drop": b"",
    "why": b"leave",
    "request": b"1",
    "choice-1": b"keep",
    "then": b"away",
    "other_name": b"x",
    "serves-1": b"on",
}
DEEDS = ("words", "dates", "out", "again", "days", "usual", "closing", "open", "holidays", "week", "month")
MORE = ("ask", "withdraw", "accept", "decline", "reopen", "")


def test_whatever_is_sent_to_shifts_is_answered(staff: Client, made: Salon) -> None:
    with shop(made.id), change():
        room = Resource.objects.create(key="room", kind="room", texts={"name": {"ja": "個室"}}).id
        day_requests.ask(made.staff[0], NOON.date(), NOON.date(), [], day_requests.Why.PRIVATE, now=NOON)
    her = made.staff[0]
    pages = ["staff", "staff/new", f"staff/{her}", f"pattern/{her}", "shifts", f"shifts/{her}", "requests"]
    pages += ["me", "resources", "resources/new", f"resources/{room}", "holidays"]

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.sampled_from(pages),
        st.sampled_from([*DEEDS, *MORE]),
        st.lists(st.tuples(st.sampled_from(sorted(RIGHT)), VALUES), max_size=4),
    )
    def tried(page: str, deed: str, fields: list[tuple[str, Any]]) -> None:
        sent = _encoded(list({**RIGHT, "deed": deed.encode(), **dict(fields)}.items()))
        for answer in (
            staff.get(f"/console/{page}?{sent}"),
            staff.post(f"/console/{page}", sent, content_type=FORM),
        ):
            assert answer.status_code < 500, (page, sent)

    tried()
