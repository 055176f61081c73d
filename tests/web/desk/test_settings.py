"""The page of settings leads each to what she may set, and to nothing else."""

import re

from django.test import Client

from noren import people
from tests.api.salon import Salon
from tests.servers import Sink
from tests.vault.cast import invitation_of
from tests.web.conftest import joined

ADDRESS = "/console/settings"


def _led(client: Client) -> set[str]:
    answer = client.get(ADDRESS)
    assert answer.status_code == 200
    main = answer.content.decode().partition("<main")[2]
    return set(re.findall(r'<a class="when" href="(/console/[^"]+)"', main))


def test_an_owner_is_led_to_all_of_it_and_each_is_there(staff: Client) -> None:
    led = _led(staff)
    assert {"/console/hours", "/console/words", "/console/sso", "/console/budget", "/console/lists"} <= led
    for address in sorted(led):
        assert staff.get(address).status_code == 200, address


def test_the_rail_marks_it_on_the_pages_under_it(staff: Client) -> None:
    mark = re.compile(r'href="/console/settings" aria-current="(\w+)"')
    assert mark.findall(staff.get(ADDRESS).content.decode()) == ["page"]
    assert mark.findall(staff.get("/console/photos").content.decode()) == ["true"]
    assert mark.findall(staff.get("/console/day").content.decode()) == []


def test_a_receptionist_is_led_to_her_look_ups_alone(made: Salon, staff: Client, module_mail: Sink) -> None:
    grant = staff.cookies["noren_grant"].value
    who = people.Member(handle="uke", role="reception", staff=None, name="受付", mail="uke@salon.example")
    people.add_member(grant, who)
    client = joined(invitation_of(module_mail, "uke@salon.example"), "console")
    assert _led(client) == {"/console/budget"}
    assert made
