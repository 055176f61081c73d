"""What is looked into, contained and held from an incident's page, and what customers and shops are told."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from noren import errors, people
from noren.people import containment, incidents
from tests.web.test_incidents import opened, write
from tests.web.test_powers import House, grant_of, house

__all__ = ["house"]


def _book(client: Client, place: str) -> list[tuple[str, dict[str, object]]]:
    told = incidents.read(grant_of(client), place.rpartition("/")[2])
    return [(one.kind, json.loads(one.words)) for one in told.records]


def _contain(client: Client, place: str, **given: str) -> str:
    answer = client.post(f"{place}/contain", given, follow=True)
    assert answer.status_code == 200, answer.content.decode()
    return answer.content.decode()


def _look_into(client: Client, place: str, path: str, name: str) -> str:
    now, hour = datetime.now(UTC), timedelta(hours=1)
    since, until = (f"{at:%Y-%m-%dT%H:%M}" for at in (now - hour, now + hour))
    return write(client, place, kind="suspect", path=path, name=name, since=since, until=until, zone="UTC")


def _owner(house: House) -> str:
    """The handle of whoever works at the salon."""
    return people.whoami(grant_of(house.staff)).actor.handle


def test_facts_drop_into_the_timeline_by_themselves(house: House) -> None:
    """Beside what people wrote, told apart, in UTC; numbers of people, and nobody's id."""
    place, handle = opened(house.operator), _owner(house)
    told = _look_into(house.operator, place, "actor", handle)
    assert "台帳から" in told
    assert handle in told.split('id="timeline"')[1]
    (number,) = re.findall(r"/facts/(\d+)", told)
    answer = house.operator.get(f"{place}/facts/{number}")
    assert answer.status_code == 200
    assert handle in answer.content.decode()
    assert house.operator.get(f"{place}/facts/1").status_code == 404
    bad = house.operator.post(
        f"{place}/add",
        {
            "kind": "suspect",
            "path": "actor",
            "name": handle,
            "since": "2026-11-28T09:30",
            "until": "2026-11-28T09:00",
        },
    )
    assert bad.status_code in (400, 422)


def test_ending_sign_ins_needs_the_power_and_takes_a_snapshot_first(house: House) -> None:
    """Without the power nothing is done, nor written; with it the book has what stood before, and the end."""
    place, handle = opened(house.operator), _owner(house)
    refused = house.operator.post(
        f"{place}/contain", {"deed": "end_grants", "whose": "actor", "name": handle}
    )
    assert refused.status_code == 403
    assert [kind for kind, _ in _book(house.operator, place)] == ["opened"]
    house.lend("end_grants")
    told = _look_into(house.operator, place, "actor", handle)
    # One tap for a session that the ledger names.
    session = re.search(
        r'name="whose" value="session"><input type="hidden" name="name" value="([^"]+)"', told
    )
    assert session is not None
    told = _contain(house.operator, place, deed="end_grants", whose="session", name=session[1])
    assert house.staff.get("/console/").status_code == 302
    (before_kind, before), (after_kind, after) = _book(house.operator, place)[-2:]
    assert (before_kind, after_kind) == ("contain", "contained")
    assert before["on"] == f"session {session[1]}"
    taken = before["before"]
    assert isinstance(taken, dict)
    assert taken["checkpoint"].startswith("noren/")
    assert session[1] in {one[0] for one in taken["named"]}
    assert sum(taken["app_connections"].values()) >= 1
    assert sum(taken["vault_connections"].values()) >= 1
    assert (after["outcome"], after["touched"]) == ("done", 1)
    assert after["of"] == len(_book(house.operator, place)) - 1
    assert "済み" in told


def test_lists_are_frozen_and_thawed_by_another(house: House) -> None:
    place = opened(house.operator)
    told = _contain(house.operator, place, deed="freeze", shop="salon")
    (freeze,) = re.findall(r'name="deed" value="thaw"><input type="hidden" name="of" value="([^"]+)"', told)
    asked = house.staff.post(
        "/console/lists/export", {"reason": "moving", "words": "引っ越し", "fields": ["name"]}
    )
    assert asked.status_code == 423
    own = house.operator.post(f"{place}/contain", {"deed": "thaw", "of": freeze})
    assert own.status_code == 403
    kind, said = _book(house.operator, place)[-1]
    assert (kind, said["outcome"], said["why"]) == ("contained", "failed", "grant_refused")
    incident = place.rpartition("/")[2]
    incidents.change_member(grant_of(house.operator), incident, "kei.operator", "in")
    containment.thaw_exports(house.second, incident, freeze)
    assert 'value="thaw"' not in house.operator.get(place).content.decode()


def test_a_shop_is_held_and_released(house: House) -> None:
    place = opened(house.operator)
    told = _contain(house.operator, place, deed="hold", shop="salon", days="30")
    (hold,) = re.findall(r'name="deed" value="release"><input type="hidden" name="of" value="([^"]+)"', told)
    told = _contain(house.operator, place, deed="release", of=hold)
    assert 'value="release"' not in told
    assert [one[1].get("deed") for one in _book(house.operator, place) if one[0] == "contain"] == [
        "hold",
        "release",
    ]


def test_a_form_that_says_nothing_does_nothing(house: House) -> None:
    place = opened(house.operator)
    for given in (
        {},
        {"deed": "hold"},
        {"deed": "hold", "shop": "salon", "days": "1000"},
        {"deed": "end_grants", "whose": "actor"},
        {"deed": "thaw"},
        {"deed": "drop_tables"},
    ):
        assert house.operator.post(f"{place}/contain", given).status_code == 422
    assert house.operator.post(f"{place}/contain", {"deed": "freeze", "shop": "none"}).status_code == 404
    assert [kind for kind, _ in _book(house.operator, place)] == ["opened"]


def test_a_path_is_weighed_blocked_and_opened_by_another(house: House) -> None:
    """First it shows what it shuts out, and does nothing; whoever is there herself is told so."""
    place = opened(house.operator)
    incident = place.rpartition("/")[2]
    asked = {"deed": "block", "whose": "address", "name": "203.0.113.0/24", "hours": "24"}
    told = _contain(house.operator, place, **asked)
    assert "203.0.113.0/24" in told
    assert "有効なサインインは0件" in told
    assert 'name="own"' not in told
    assert [kind for kind, _ in _book(house.operator, place)] == ["opened"]
    _contain(house.operator, place, **asked, seen="1")
    (_, before), (_, after) = _book(house.operator, place)[-2:]
    assert (before["deed"], before["on"], after["outcome"]) == ("block", "address 203.0.113.0/24", "done")
    with pytest.raises(errors.PathBlocked):
        people.password_check(1, "who@example.jp", "ながい合言葉を持つ人", session="s", address="203.0.113.9")
    (block,) = containment.blocks(grant_of(house.operator), incident)
    own = house.operator.post(f"{place}/contain", {"deed": "open", "of": block.block})
    assert own.status_code == 403
    incidents.change_member(grant_of(house.operator), incident, "kei.operator", "in")
    containment.open_path(house.second, incident, block.block)
    assert 'value="open"' not in house.operator.get(place).content.decode()


def test_whoever_is_there_is_asked_twice(house: House) -> None:
    """What the browser of the operator says it is: past the page that weighs it, it is refused."""
    place = opened(house.operator)
    house.operator.defaults["HTTP_USER_AGENT"] = "Kashi/7"
    asked = {"deed": "block", "whose": "device", "name": "kashi/7", "hours": "1"}
    told = _contain(house.operator, place, **asked)
    assert '<input type="hidden" name="own" value="1">' in told
    assert house.operator.post(f"{place}/contain", {**asked, "seen": "1"}).status_code == 409
    kind, said = _book(house.operator, place)[-1]
    assert (kind, said["outcome"], said["why"]) == ("contained", "failed", "blocks_yourself")
    _contain(house.operator, place, **asked, seen="1", own="1")
    assert _book(house.operator, place)[-1][1]["outcome"] == "done"
    (block,) = containment.blocks(grant_of(house.operator), place.rpartition("/")[2])
    containment.open_path(None, place.rpartition("/")[2], block.block)
    for bad in ({"name": "nowhere", "whose": "address"}, {"hours": "5"}, {"whose": "session"}, {"name": ""}):
        assert house.operator.post(f"{place}/contain", {**asked, **bad}).status_code == 422


def test_an_address_that_is_looked_into_is_blocked_by_one_tap(house: House) -> None:
    place = opened(house.operator)
    told = _look_into(house.operator, place, "address", "203.0.113.7")
    tap = 'name="whose" value="address"><input type="hidden" name="name" value="203.0.113.7"'
    assert tap in told


def test_what_somebody_signs_in_with_is_revoked_by_one_tap(house: House) -> None:
    """Under the power, and the page says how they come in again; a name of nobody's fails in the book."""
    place, handle = opened(house.operator), _owner(house)
    asked = {"deed": "revoke", "whose": "actor", "name": handle}
    assert house.operator.post(f"{place}/contain", asked).status_code == 403
    assert [kind for kind, _ in _book(house.operator, place)] == ["opened"]
    house.lend("end_grants")
    told = _look_into(house.operator, place, "actor", handle)
    assert f'name="whose" value="actor"><input type="hidden" name="name" value="{handle}"' in told
    told = _contain(house.operator, place, **asked)
    assert house.staff.get("/console/").status_code == 302
    said = _book(house.operator, place)[-1][1]
    assert (said["outcome"], said["back"]) == ("done", ["invited"])
    assert "いま送られた招待メールで" in told
    nobody = house.operator.post(f"{place}/contain", {**asked, "name": "nobody.salon"})
    assert nobody.status_code == 404
    assert _book(house.operator, place)[-1][1]["why"] == "no_such_credential"


def test_passwords_are_set_anew_from_the_page(house: House) -> None:
    """Of a shop; its people are out, the operator is not."""
    place = opened(house.operator)
    house.lend("end_grants")
    told = _contain(house.operator, place, deed="reset", whose="shop", name="salon")
    assert "済み" in told
    assert house.staff.get("/console/").status_code == 302
    said = _book(house.operator, place)[-2:]
    assert (said[0][1]["deed"], said[0][1]["on"], said[1][1]["outcome"]) == ("reset", "shop salon", "done")
    empty = house.operator.post(f"{place}/contain", {"deed": "reset", "whose": "actor", "name": "no.salon"})
    assert empty.status_code == 422
    assert _book(house.operator, place)[-1][1]["why"] == "no_such_name"
    for bad in ({"whose": "shop"}, {"whose": "session", "name": "s"}):
        assert house.operator.post(f"{place}/contain", {"deed": "reset", **bad}).status_code == 422


def test_whoever_comes_from_there_is_told_so_on_every_way(house: House) -> None:
    """By password, by a mailed code, and where one was forgotten: a page with words, for customers, too."""
    place = opened(house.operator)
    incident = place.rpartition("/")[2]
    containment.block_path(None, incident, "device", "Kashi/8", hours=1)
    there = Client(HTTP_USER_AGENT="Kashi/8")
    given = {"shop": "salon", "mail": "who@example.jp", "password": "ながい合言葉を持つ人の四つ"}
    customers = ("/salon/account/password", "/salon/account/code")
    for way in ("/console/sign-in/password", "/password/forgot", *customers):
        answer = there.post(way, given)
        assert answer.status_code == 403, way
        assert "サインインできません" in answer.content.decode(), way
    (block,) = containment.blocks(None, incident)
    containment.open_path(None, incident, block.block)
