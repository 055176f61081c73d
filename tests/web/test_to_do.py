"""What waits for an operator stands on her first page, and goes once somebody has dealt with it."""

import re
from datetime import timedelta

from django.test import Client

from noren import clock, people
from noren.people import tellings
from noren.web import to_do
from tests.web.notice_house import NAME, agree, ask, publish, write
from tests.web.test_incident_reports import TODAY, asked, customers
from tests.web.test_incidents import opened
from tests.web.test_powers import House, grant_of, house
from tests.web.test_signs import report

__all__ = ["house"]


def _waits(client: Client) -> list[str]:
    page = client.get("/operations/").content.decode()
    found = re.search(r'aria-labelledby="waits".*?</section>', page, re.DOTALL)
    return re.findall(r'href="([^"]+)"', found[0]) if found else []


def test_alarms_and_promises_wait_on_the_first_page(house: House) -> None:
    operator = house.operator
    number = report(Client())
    assert _waits(operator) == [f"/operations/signs/{number}"]
    operator.post(f"/operations/signs/{number}/deed", {"deed": "take"})
    assert _waits(operator) == []
    waiting = ask(operator, write(operator))
    # Whoever asked waits herself; the other one finds it.
    assert _waits(operator) == []
    [found] = to_do.all_of(house.second, clock.now())
    assert (found.href, found.late) == (f"/operations/news/asked/{waiting}", False)
    agree(house, waiting)
    assert _waits(operator) == ["/operations/news"]
    [kept] = to_do.all_of(house.second, clock.now())
    [late] = to_do.all_of(house.second, clock.now() + timedelta(days=3))
    assert (kept.late, late.late) == (False, True)


def test_the_form_of_telling_begins_as_the_incident_asked(house: House) -> None:
    """Who is told are those of the answer: nobody types the way and the times a second time."""
    operator, place = house.operator, opened(house.operator)
    publish(house)
    begun = operator.get(f"{place}/telling").content.decode()
    assert 'value="7d"' in begun
    seen = customers(house, 3)
    people.reveal(grant_of(house.staff), TODAY, seen[:2], ["name"])
    house.lend("read_ledger_entries")
    handle = people.whoami(grant_of(house.staff)).actor.handle
    asked(house, place, way="actor", named=handle)
    begun = operator.get(f"{place}/telling").content.decode()
    assert '<option value="actor" selected>' in begun
    for value in (handle, "2020-01-01T00:00:00+00:00", "2099-01-01T00:00:00+00:00"):
        assert f'value="{value}"' in begun
    assert "（2人）" in begun
    # Sent off as it came, it finds the same people.
    given = dict(re.findall(r'name="(since|until|value)" value="([^"]*)"', begun))
    made = operator.post(f"{place}/telling", {**given, "path": "actor", "notice": NAME})
    assert made.status_code == 302, made.content.decode()
    assert tellings.show(grant_of(operator), made["Location"].rpartition("/")[2]).scope == 2
