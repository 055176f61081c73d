"""Several services in one visit, on the pages: added by links, told with what each costs, booked as one."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from noren.booking import book, late
from noren.booking.models import Booking
from noren.messages import about, ics
from noren.messages.notice import Kind
from noren.shops.models import Service, Shop, Staff
from noren.shops.rules import change
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon
from tests.servers import VaultProcess
from tests.web.conftest import TOMORROW
from tests.web.flow import CUSTOMER, Visitor

pytestmark = pytest.mark.usefixtures("made")


@pytest.fixture
def ids(made: Salon) -> dict[str, int]:
    """Colour by ren; two options of the cut, one that takes no time."""
    found = {"cut": made.cut, "lesson": made.lesson}
    new: dict[str, dict[str, Any]] = {
        "colour": {
            "texts": {"name": {"ja": "カラー", "en": "Colour"}},
            "segments": [{"minutes": 90, "roles": ["staff"]}],
            "requirements": [{"role": "staff", "pool": [made.staff[1]]}],
            "price": 8000,
        },
        "shampoo": {
            "texts": {"name": {"ja": "シャンプー", "en": "Shampoo"}},
            "segments": [{"minutes": 10, "roles": []}],
            "requirements": [],
            "price": 500,
            "alone": False,
        },
        "towels": {
            "texts": {"name": {"ja": "自前タオル", "en": "Own towels"}},
            "segments": [],
            "requirements": [],
            "alone": False,
        },
    }
    with shop(made.id), change():
        for number, (key, columns) in enumerate(new.items(), start=2):
            found[key] = Service.objects.create(key=key, position=number, **columns).id
        Service.objects.filter(key="cut").update(additions=[found["shampoo"], found["towels"]])
        Staff.objects.filter(id=made.staff[1]).update(fee=550)
    return found


def added(text: str) -> list[tuple[str, str]]:
    """What may be added, by name, and the page with it."""
    inside = text.partition('id="adding"')[2].partition("</details>")[0]
    return [
        (name, href.replace("&amp;", "&"))
        for href, name in re.findall(r'href="([^"]+)".*?<span>(.*?)</span>', inside)
    ]


def parts(text: str) -> list[str]:
    """The lines of a visit, as they are read."""
    inside = text.partition('<ul class="parts">')[2].partition("</ul>")[0]
    lines = [re.sub(r"<[^>]+>", "", each) for each in inside.split("</li>")]
    return [" ".join(line.split()) for line in lines if line.strip()]


def rows(made: Salon) -> list[Booking]:
    with shop(made.id):
        return list(Booking.objects.order_by("id"))


def test_options_come_first_and_each_leads_to_the_page_with_it(made: Salon, ids: dict[str, int]) -> None:
    page = Visitor()
    page.open(f"/salon/book/{made.cut}/")
    assert [name for name, _ in added(page.text)] == ["シャンプー", "自前タオル", "カラー"]
    assert "無料" in page.text.partition('id="adding"')[2]
    page.open(dict(added(page.text))["シャンプー"])
    page.open(dict(added(page.text))["カラー"])
    assert page.now_at == f"/salon/book/{made.cut}/?also={ids['shampoo']}-{ids['colour']}"
    assert parts(page.text) == [
        "カット 1時間 6,600円",
        "シャンプー 10分 500円 外す シャンプー",
        "カラー 1時間30分 8,000円 外す カラー",
    ]
    assert "15,100円" in page.text
    assert "2時間40分" in page.text
    assert [name for name, _ in added(page.text)] == ["自前タオル"]
    assert "ren" not in re.findall(r'id="staff-\d+"', page.text), (
        "one can do all of it: nobody is to be chosen"
    )
    [without] = re.findall(rf'id="add-{ids["shampoo"]}" href="([^"]+)"', page.text)
    assert without == f"/salon/book/{made.cut}/?also={ids['colour']}"


def test_a_class_has_nothing_to_add_and_options_stand_on_no_list(made: Salon, ids: dict[str, int]) -> None:
    client = Client()
    assert 'id="adding"' not in client.get(f"/salon/book/{made.lesson}/").content.decode()
    listed = client.get("/salon/").content.decode()
    assert "カラー" in listed
    assert "シャンプー" not in listed
    assert client.get(f"/salon/book/{ids['shampoo']}/").status_code == 404


@pytest.mark.parametrize(
    "also", ["0", "999999", "x", "-", "{lesson}", "{cut}", "1" * 50, "{colour}-{colour}"]
)
def test_what_cannot_be_added_is_as_if_it_were_not_there(made: Salon, ids: dict[str, int], also: str) -> None:
    page = Visitor()
    page.open(f"/salon/book/{made.cut}/?also={also.format(**ids)}")
    assert page.page.status_code == 200
    assert len(parts(page.text)) in ((2,) if "colour" in also else (0,))


def test_it_is_booked_as_one_and_each_page_names_all(
    made: Salon, ids: dict[str, int], vault: VaultProcess
) -> None:
    assert vault
    page = Visitor()
    page.open(
        f"/salon/book/{ids['colour']}/?staff={made.staff[1]}&also={made.cut}-{ids['towels']}&from=2026-11-25"
    )
    at = page.times()[0]
    page.press("at", at)
    lines = ["カット 1時間 6,600円", "自前タオル 無料", "カラー 1時間30分 8,000円", "指名料（ren） 550円"]
    page.press("step", "final", **CUSTOMER)
    assert parts(page.text) == lines
    assert "15,150円" in page.text
    page.press("step", "book")
    assert parts(page.text) == lines
    [row] = rows(made)
    assert (row.service_id, row.also, row.staff_id) == (
        ids["colour"],
        (made.cut, ids["towels"]),
        made.staff[1],
    )
    with shop(made.id):
        notice = about.notice(row, Kind.BOOKED)
        row.locale = "en"
        english = about.notice(row, Kind.BOOKED)
    assert (notice.service, notice.price) == ("カット＋自前タオル＋カラー", 15150)
    assert english.service == "Cut + Own towels + Colour"
    assert "SUMMARY:カット＋自前タオル＋カラー · サロン青葉" in ics.calendar(
        notice, now=NOON
    ).decode().replace("\r\n ", "")


def test_who_was_not_fast_enough_is_shown_the_nearest_of_the_same_visit(
    made: Salon, ids: dict[str, int], vault: VaultProcess
) -> None:
    assert vault
    one, two = Visitor(), Visitor()
    for page in (one, two):
        page.open(f"/salon/book/{made.cut}/?also={ids['colour']}&from=2026-11-25")
    at = one.times()[0]
    one.press("at", at)
    two.press("at", at)
    assert two.page.status_code == 409
    again = two.times()[0]
    assert again != at
    two.press("at", again)
    assert len(parts(two.text)) == 2
    assert [row.also for row in rows(made)] == [(ids["colour"],)] * 2


def test_she_moves_all_of_it_and_asks_for_the_same_again(
    made: Salon, ids: dict[str, int], vault: VaultProcess
) -> None:
    assert vault
    wish = book.BookRequest(
        made.cut, TOMORROW, None, 1, book.Customer(**CUSTOMER), "ja", also=(ids["colour"], ids["shampoo"])
    )
    token = book.book(made.id, wish, now=NOON).token
    page = Visitor()
    page.open(f"/b/{token}/move?from=2026-11-27")
    assert "カット＋シャンプー＋カラー" in page.text
    assert 'id="adding"' not in page.text
    at = page.times()[1]
    page.press("at", at)
    page.press("step", "move")
    [row] = rows(made)
    assert (str(int(row.start.timestamp())), len(row.parts)) == (at, 3)
    assert late.slack(made.id, row, now=NOON) == late.MINUTES[-1]
    client = Client()
    client.post(f"/b/{token}/cancel")
    again = f"/salon/book/{made.cut}/?also={ids['shampoo']}-{ids['colour']}"
    assert f'href="{again}"' in client.get(f"/b/{token}").content.decode()
    with shop(made.id), change():
        Service.objects.filter(key="colour").update(bookable=False)
    assert again not in client.get(f"/b/{token}").content.decode()


def test_it_is_the_same_in_a_frame(made: Salon, ids: dict[str, int]) -> None:
    with shop(made.id), change():
        Shop.objects.update(embed_origins=["https://www.aoba.example"])
    page = Visitor()
    page.open(f"/salon/embed/book/{made.cut}/?lang=en&also={ids['shampoo']}")
    assert parts(page.text)[1].startswith("Shampoo 10 min ¥500")
    assert all(href.startswith("/salon/embed/book/") and "lang=en" in href for _, href in added(page.text))
    [form] = [form for form in page.forms() if ("at", page.times()[0]) in form.buttons]
    assert form.values["also"] == str(ids["shampoo"])


def test_another_visits_hold_is_not_taken_for_this_one(made: Salon, ids: dict[str, int]) -> None:
    page = Visitor()
    page.open(f"/salon/book/{made.cut}/?also={ids['colour']}&from=2026-11-25")
    page.press("at", page.times()[0])
    held = re.search(r'name="held" value="([^"]+)"', page.text)
    assert held is not None
    answer = Client().get(f"/salon/book/{ids['colour']}/you", {"held": held[1]})
    assert answer.status_code == 410


def test_the_desk_sees_all_of_it_and_moves_all_of_it(made: Salon, ids: dict[str, int], staff: Client) -> None:
    wish = book.BookRequest(
        made.cut, NOON + timedelta(hours=2), None, 1, book.Customer(**CUSTOMER), "ja", also=(ids["colour"],)
    )
    booking = book.book(made.id, wish, now=NOON).booking
    for address in ("/console/", "/console/day", f"/console/bookings/{booking.id}/move"):
        assert "カット＋カラー" in staff.get(address).content.decode(), address
    page = staff.get(f"/console/bookings/{booking.id}").content.decode()
    assert parts(page) == ["カット 1時間 6,600円", "カラー 1時間30分 8,000円"]
    [why] = re.findall(r'href="(/console/why[^"]+)"', page)
    asked = staff.get(why.replace("&amp;", "&")).content.decode()
    assert "同時のメニュー: カラー" in asked
    moving = staff.get(f"/console/bookings/{booking.id}/move").content.decode()
    assert '<select id="with"' not in moving, "one alone can do all of it"
    assert str(int((NOON + timedelta(hours=1)).timestamp())) in moving
    with shop(made.id), change():
        Service.objects.filter(key="colour").update(together=False)
    asked = staff.get(why.replace("&amp;", "&").partition("&booking")[0]).content.decode()
    assert "一度のご来店ではお受けしていません" in asked
