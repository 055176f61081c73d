"""Her data in her own hands: a file to take along; deleted, with what is in the way, and a certificate."""

import io
import json
import re
import subprocess
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from django.test import Client

from noren import clock, errors, people
from noren.booking.models import Booking
from noren.people import containment, incidents
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon
from tests.servers import Sink
from tests.web.conftest import TOMORROW, booked
from tests.web.flow import CUSTOMER, Visitor
from tests.web.test_account import OTHER, come_in, hanako, kept, own_links

__all__ = ["hanako"]
pytestmark = pytest.mark.usefixtures("hanako")
ERASE = "/salon/account/erase"


def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Her time is over; she has just signed in."""
    monkeypatch.setattr(clock, "now", lambda: TOMORROW + timedelta(hours=3))


def grants(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The grants under which somebody was erased."""
    used: list[str] = []
    erase = people.erase

    def kept_grant(shop_id: int, person: UUID, reason: str, *, grant: str) -> people.Certificate:
        used.append(grant)
        return erase(shop_id, person, reason, grant=grant)

    monkeypatch.setattr(people, "erase", kept_grant)
    return used


def test_she_takes_everything_of_hers_along_and_nothing_else(made: Salon, mail: Sink) -> None:
    booked(made, TOMORROW + timedelta(hours=4), **OTHER)
    visitor = Visitor()
    come_in(mail, visitor)
    visitor.open("/salon/account")
    assert 'href="/salon/account/take"' in visitor.text
    answer = visitor.client.get("/salon/account/take")
    told = json.loads(answer.content)
    assert told["you"] == {key: CUSTOMER[key] for key in ("name", "kana", "mail", "phone")}
    assert [(one["service"], one["start"], one["price"], one["status"]) for one in told["bookings"]] == [
        ("カット", "2026-11-25T12:00:00+09:00", 6600, "confirmed")
    ]
    assert 'filename="my-data-salon.json"' in answer["Content-Disposition"]
    assert OTHER["name"] not in answer.content.decode()
    assert Client().get("/salon/account/take").status_code == 302


def test_a_booking_to_come_stands_in_the_way(made: Salon, mail: Sink, hanako: UUID) -> None:
    visitor = Visitor()
    come_in(mail, visitor)
    visitor.open(ERASE)
    assert "これからのご予約があります" in visitor.text
    assert "完全に削除する" not in visitor.text
    assert visitor.client.post(ERASE, {"sure": "yes"}).status_code == 409
    [link] = own_links(visitor)
    visitor.client.post(f"{link}/cancel", {"fee": "0"})
    visitor.open(ERASE)
    assert "完全に削除する" in visitor.text
    assert visitor.client.post(ERASE, {}).status_code == 422
    with shop(made.id):
        assert Booking.objects.get().person_id == hanako
    visitor.open("/salon/account/data")
    assert CUSTOMER["name"] in visitor.text


def test_it_tells_what_goes_and_stays_then_erases_and_certifies(
    made: Salon, mail: Sink, hanako: UUID, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    as_guest = kept(made, TOMORROW + timedelta(hours=2))
    theirs = kept(made, TOMORROW + timedelta(hours=1), **OTHER)
    later(monkeypatch)
    used = grants(monkeypatch)
    visitor = Visitor()
    come_in(mail, visitor)
    links = own_links(visitor)
    visitor.open(ERASE)
    for words in ("このアドレスの記録 2件", "お店の会計に必要", "長くても35日で鍵を破棄"):
        assert words in visitor.text
    assert people.own_account(_grant(visitor)).person == hanako
    with pytest.raises(errors.GrantRefused):
        # Hers alone: her sign-in erases nobody else.
        people.erase(made.id, theirs, "asked", grant=_grant(visitor))
    used.clear()
    visitor.press("", sure="yes")
    assert "削除しました" in visitor.text
    assert len(used) == 2
    assert re.search(r"\d{4}年\d+月\d+日（.）以降、どのバックアップからも読めなくなります", visitor.text)
    # Signed out; nothing opens; the bookings stand under a number, their links are dead.
    assert [visitor.client.get(link).status_code for link in links] == [410] * len(links)
    assert visitor.client.get("/salon/account/data").status_code == 302
    for grant in used:
        with pytest.raises((errors.GrantRefused, errors.GrantExpired)):
            people.own_account(grant)
    with shop(made.id):
        assert {row.person_id for row in Booking.objects.all()} == {hanako, as_guest, theirs}
    files = saved(visitor)
    folders = {Path(name).parent.name for name in files}
    assert folders == {f"erased-{hanako}", f"erased-{as_guest}"}
    proves(files, tmp_path)
    assert CUSTOMER["name"] not in b"".join(files.values()).decode()


def _grant(visitor: Visitor) -> str:
    """Her sign-in's secret, which is in her browser alone."""
    return next(morsel.value for name, morsel in visitor.client.cookies.items() if "customer" in name)


def saved(visitor: Visitor) -> dict[str, bytes]:
    [form] = [form for form in visitor.forms() if form.action.endswith("/certificate")]
    answer = visitor.client.post(form.action, form.values)
    assert answer["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def proves(files: dict[str, bytes], folder: Path) -> None:
    """The verifier is content with each entry."""
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    entries = [folder / name for name in files if name.endswith(".entry")]
    assert len(entries) == 4
    for entry in entries:
        words = ["--key", str(entry.parent / "vkey"), "--proof", str(entry.with_suffix(".tlog-proof"))]
        done = subprocess.run(
            [sys.executable, "-m", "noren_verify", *words, "--entry", str(entry)],
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("given", ["", "x", "eyJhIjoxfQ:x"])
def test_it_gives_back_no_certificate_that_it_did_not_make(given: str) -> None:
    assert Client().post("/salon/account/certificate", {"certificate": given}).status_code == 302
    assert Client().get("/salon/account/certificate").status_code == 302


def test_a_place_on_the_waiting_list_stands_in_the_way(
    made: Salon, mail: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = Visitor()
    come_in(mail, visitor)
    monkeypatch.setattr("noren.web.account_home.places_of", lambda *_: [_Place()])
    [link] = own_links(visitor)
    visitor.client.post(f"{link}/cancel", {"fee": "0"})
    assert visitor.client.post(ERASE, {"sure": "yes"}).status_code == 409


class _Place:
    service, day, whole_day, href = "カット", NOON, True, "/w/x"


def test_what_is_held_waits_and_goes_by_itself(
    made: Salon, mail: Sink, hanako: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """She is told why and until when it is looked at again; her links end at once; nobody need ask again."""
    later(monkeypatch)
    incident = incidents.open_one(None, '{"title": "x"}')
    hold, _ = containment.hold(None, incident, made.id, days=30)
    visitor = Visitor()
    come_in(mail, visitor)
    links = own_links(visitor)
    visitor.open(ERASE)
    answer = visitor.client.post(ERASE, {"sure": "yes"})
    text = answer.content.decode()
    day = (datetime.now(UTC) + timedelta(days=30)).date()
    assert answer.status_code == 423
    assert "いまは待つ必要があります" in text
    assert f"{day.year}年{day.month}月{day.day}日" in text
    assert "完全に削除する" not in text
    assert [visitor.client.get(link).status_code for link in links] == [410] * len(links)
    assert people.own_account(_grant(visitor)).person == hanako
    assert containment.release_hold(None, incident, hold) >= 1
    with pytest.raises((errors.GrantRefused, errors.GrantExpired)):
        people.own_account(_grant(visitor))
