"""The workspace of an incident as an operator uses it, and as whoever is no member does not see it."""

import re
from typing import Any

from django.test import Client

from noren import people
from noren.people import incidents
from tests.servers import VaultProcess
from tests.vault.cast import as_owner, sql
from tests.web.test_powers import House, grant_of, house

__all__ = ["house"]

LIST = "/operations/incidents"


def opened(client: Client, title: str = "夜中の閲覧", text: str = "外からの知らせ") -> str:
    answer = client.post(LIST, {"title": title, "text": text})
    assert answer.status_code == 302, answer.content.decode()
    return str(answer["Location"])


def write(client: Client, place: str, **given: Any) -> str:
    answer = client.post(f"{place}/add", given, follow=True)
    assert answer.status_code == 200, answer.content.decode()
    return answer.content.decode()


def test_it_is_opened_written_to_and_read(operator: Client) -> None:
    place = opened(operator)
    told = write(
        operator, place, kind="fact", text="名簿が3回見られた", when="2026-11-28T09:30", zone="Asia/Tokyo"
    )
    assert "2026-11-28T00:30:00+00:00" in told or "00:30 UTC" in told
    told = write(operator, place, kind="hypothesis", text="鍵が盗まれた")
    told = write(operator, place, kind="weighed", of="3", weight="refuted", text="鍵は手元にある")
    told = write(operator, place, kind="task", text="店に知らせる", who="kei")
    told = write(operator, place, kind="done", of="5")
    assert "<s>店に知らせる</s>" in told
    told = write(operator, place, kind="decision", text="サインインを終わらせる", because="速いから")
    told = write(operator, place, kind="evidence", name="proxy.log", sha256="A" * 64, text="2分遅れ")
    told = write(operator, place, kind="correction", of="2", text="4回")
    told = write(operator, place, kind="severity", level="critical")
    told = write(operator, place, kind="state", state="contained")
    for words in ("名簿が3回見られた", "鍵は手元にある", "速いから", "a" * 64, "4回", "外からの知らせ"):
        assert words in told
    assert len(re.findall(r'id="record-\d+"', told)) == 11
    assert "夜中の閲覧" in operator.get(LIST).content.decode()


def test_a_record_that_does_not_open_hides_no_other(operator: Client, vault: VaultProcess) -> None:
    """It says so in its place."""
    place = opened(operator)
    write(operator, place, kind="note", text="ひとつ")
    write(operator, place, kind="severity", level="critical")
    write(operator, place, kind="known", at="2026-03-05T15:00", zone="Asia/Tokyo", persons="3")
    incident = place.rpartition("/")[2]
    spoil = "UPDATE vault.incident_record SET sealed = '\\x00' WHERE incident = "
    for number in (4, 3, 1):
        as_owner(vault, f"{spoil}'{incident}' AND number = {number}")
        told = operator.get(place).content.decode()
        assert ("ひとつ" in told, "この記録は開けません" in told) == (True, True)
    assert operator.get(LIST).status_code == 200


def test_the_terms_run_from_the_moment_of_knowing(operator: Client) -> None:
    place = opened(operator)
    told = write(
        operator,
        place,
        kind="known",
        at="2026-03-05T15:00",
        zone="Asia/Tokyo",
        persons="1",
        kinds=["unlawful"],
        laws=["jp-appi"],
    )
    assert re.search(r"5月7日|May 7", told)
    assert re.search(r"3月9日|March 9", told)
    told = write(
        operator,
        place,
        kind="known",
        at="2026-03-05T15:00",
        zone="Asia/Tokyo",
        persons="1000",
        laws=["jp-appi"],
    )
    assert not re.search(r"5月7日|May 7", told)


WRONG: tuple[dict[str, str], ...] = (
    {},
    {"kind": "opened", "title": "x"},
    {"kind": "member", "handle": "x"},
    {"kind": "nothing"},
    {"kind": "note", "text": " "},
    {"kind": "decision", "text": "x"},
    {"kind": "weighed", "of": "x", "weight": "open"},
    {"kind": "state", "state": "over"},
    {"kind": "fact", "text": "x", "when": "yesterday"},
    {"kind": "fact", "text": "x", "when": "2026-11-28T09:30", "zone": "Mars/Olympus"},
    {"kind": "known", "at": "2026-11-28T09:30", "persons": "many"},
    {"kind": "evidence", "name": "x", "sha256": "abc"},
)


def test_what_cannot_be_written_says_why(operator: Client) -> None:
    place = opened(operator)
    for given in WRONG:
        answer = operator.post(f"{place}/add", given)
        assert answer.status_code == 422, given
        assert 'role="alert"' in answer.content.decode(), given
    assert len(incidents.read(grant_of(operator), place.rpartition("/")[2]).records) == 1


def test_an_incident_without_a_title_is_none(operator: Client) -> None:
    answer = operator.post(LIST, {"title": " ", "text": "was typed"})
    assert answer.status_code == 422
    assert "was typed" in answer.content.decode()
    assert incidents.all_of(grant_of(operator)) == []


def test_another_operator_is_let_in_and_barred(house: House) -> None:
    """To who is no member the address is the same as one of nobody's."""
    place = opened(house.operator)
    incident = place.rpartition("/")[2]
    assert incidents.all_of(house.second) == []
    answer = house.operator.post(f"{place}/member", {"handle": "kei.operator", "standing": "in"})
    assert answer.status_code == 302
    assert incidents.read(house.second, incident).members["kei.operator"] == "in"
    house.operator.post(f"{place}/member", {"handle": "kei.operator", "standing": "barred"})
    assert incidents.all_of(house.second) == []
    for wrong in ({"handle": "kei.operator", "standing": "x"}, {"handle": "", "standing": "in"}):
        assert house.operator.post(f"{place}/member", wrong).status_code == 422
    assert house.operator.post(f"{place}/member", {"handle": "no.one", "standing": "in"}).status_code == 404
    assert (
        house.operator.post(f"{place}/member", {"handle": "first.operator", "standing": "out"}).status_code
        == 409
    )
    auditor = house.auditor()
    assert auditor.get(place)["Location"].startswith("/operations/sign-in")
    nobodys = house.operator.get(f"{LIST}/{'0' * 16}")
    assert nobodys.status_code == 404


def test_what_is_written_lies_sealed(operator: Client, vault: VaultProcess) -> None:
    place = opened(operator, "佐藤の鍵", "佐藤を疑う")
    write(operator, place, kind="note", text="佐藤に聞いた")
    people.doctor()
    for table in ("vault.incident_record", "vault.incident", "vault.ledger_entry"):
        assert "佐藤" not in str(sql(vault, f"SELECT * FROM {table}"))  # noqa: S608 - names from the list above


def test_without_the_vault_the_page_says_so(operator: Client, vault: VaultProcess) -> None:
    place = opened(operator)
    vault.stop()
    assert operator.get(place).status_code == 503


def test_a_moment_that_no_clock_can_tell_is_refused_and_one_in_the_book_breaks_nothing(
    operator: Client,
) -> None:
    """A book is never changed: what it cannot be asked to show must not come in, nor hide the rest."""
    place = opened(operator)
    for at in ("0001-01-01T00:00", "9999-12-31T23:59", "9999-12-31T23:59:00-23:00"):
        for given in (
            {"kind": "fact", "text": "古い", "when": at},
            {"kind": "known", "at": at},
            {"kind": "suspect", "path": "actor", "name": "owner", "since": at},
        ):
            answer = operator.post(f"{place}/add", {**given, "zone": "Asia/Tokyo"})
            assert answer.status_code == 422, (at, given)
        assert operator.get(f"/operations/secrets?since={at}&zone=Asia/Tokyo").status_code == 200
        assert operator.get(f"{place}?file=none&since={at}").status_code in (200, 404)
    grant = grant_of(operator)
    incident = place.rpartition("/")[2]
    words = '{"text": "古い", "when": "0001-01-01T00:00:00+09:00", "at": "0001-01-01T00:00:00+09:00"}'
    for kind in ("fact", "known"):
        incidents.add(grant, incident, kind, words)
    assert "古い" in operator.get(place).content.decode()
