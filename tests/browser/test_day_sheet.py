"""A day on paper, the figures, data and safety: by keys alone, in each screen and theme, and printed."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
import pypdfium2
import pytest
from playwright.sync_api import Browser, Page, expect

from noren.runtime import databases, doorkey, env
from noren.runtime.paths import Paths
from tests.browser import walk
from tests.browser.system import DESK, System, at_any_hour, look, running, visit, watch, with_passkey

HOURS = 40
# A copy of the first booking at another time, and what it takes.
_ONE = """
WITH one AS (
    SELECT b.* FROM booking_booking b JOIN booking_claim c ON c.shop_id = b.shop_id AND c.booking_id = b.id
    WHERE b.status IN ('confirmed', 'no_show') ORDER BY b.id LIMIT 1
), made AS (
    INSERT INTO booking_booking
    SELECT (jsonb_populate_record(NULL::booking_booking, to_jsonb(one) || jsonb_build_object(
        'id', 900000 + %(n)s, 'idempotency', NULL, 'status', %(status)s::text, 'takes', true,
        'person_id', gen_random_uuid(), 'start', %(at)s::timestamptz,
        'end', %(at)s::timestamptz + interval '1 hour'))).* FROM one
    RETURNING shop_id, id
)
INSERT INTO booking_claim (shop_id, resource_id, day, units, core_from, core_to, padded_from, padded_to,
    booking_id)
SELECT made.shop_id, one.staff_id, %(day)s, 1, %(m)s, %(m)s + 60, %(m)s, %(m)s + 60, made.id FROM made, one
"""


def signed_in(page: Page, system: System) -> None:
    with_passkey(page)
    page.goto(system.link("aoi@salon.example", r"/console/join#\S+"))
    page.get_by_role("button", name="パスキーを作る").click()
    expect(page).to_have_url(f"{system.origin}/console/")


def book_today(page: Page, system: System) -> None:
    """A customer of today: at any hour there is a time that is still to come."""
    walk.choose_service(page, system.origin, "カット")
    today = datetime.now(UTC).astimezone(ZoneInfo("Asia/Tokyo")).date()
    page.goto(f"{page.url.split('?', maxsplit=1)[0]}?from={today}&day={today}")
    walk.choose_time(page)
    walk.fill(page)
    walk.confirm(page)


def past(system: System) -> None:
    """Give the salon two weeks that have been, as the app's own rows: cuts at all hours, some missed."""
    given = env.read({"NOREN_VAR": str(system.var), "NOREN_PORT": str(system.up.port)})
    words = doorkey.marked(databases.app(given, "owner"), Paths(system.var).door_keys)
    options = f"-c role={databases.APP_OWNER}"
    with psycopg.connect(**words, options=options, autocommit=True) as connection:
        for number in range(HOURS):
            day = datetime.now(UTC) - timedelta(days=1 + number % 13)
            at = day.replace(hour=1 + number * 5 % 11, minute=0, second=0, microsecond=0)
            asked = {
                "n": number,
                "status": "no_show" if number % 9 == 4 else "confirmed",
                "at": at,
                "day": at.date(),
                "m": at.hour * 60,
            }
            connection.execute(_ONE.encode(), asked)


def text_of(pdf: bytes) -> list[str]:
    with pypdfium2.PdfDocument(pdf) as read:
        return [page.get_textpage().get_text_bounded() for page in read]


@pytest.fixture
def salon(tmp_path: Path) -> Iterator[System]:
    """A salon of this test's own: its owner comes in, and the first sheet is the first."""
    with running(at_any_hour(tmp_path)) as started:
        yield started


def test_a_day_goes_on_paper_by_keys_alone(salon: System, browser: Browser) -> None:
    page = visit(browser, wide=True, bypass_csp=True).new_page()
    signed_in(page, salon)
    book_today(page, salon)
    past(salon)
    complaints = watch(page)
    page.goto(f"{salon.origin}/console/")
    page.get_by_role("link", name="紙の控え（つながらないときのために）").press("Enter")
    faults = look(page, "day-sheet")
    page.set_viewport_size(DESK)  # type: ignore[arg-type]
    page.get_by_label("電話番号を載せる").press("Space")
    page.get_by_role("button", name="印刷用のページを開く").press("Enter")
    expect(page.get_by_role("button", name="印刷")).to_be_visible()
    faults += look(page, "day-sheet-print")
    [printed] = text_of(page.pdf(prefer_css_page_size=True))
    for words in ("紙の控え No.1", "山田 花子", "090-1234-5678", "0:00まで有効", "1 / 1"):
        assert words in printed, words
    assert "戻る" not in printed
    page.goto(f"{salon.origin}/console/day")
    page.emulate_media(color_scheme="dark")
    day = " ".join(text_of(page.pdf(prefer_css_page_size=True)))
    assert "山田 花子" in day
    assert "サインアウト" not in day
    for name in ("figures", "safety"):
        page.goto(f"{salon.origin}/console/{name}")
        faults += look(page, name)
    page.set_viewport_size(DESK)  # type: ignore[arg-type]
    page.goto(f"{salon.origin}/console/figures")
    page.locator(".heat a").first.press("Enter")
    expect(page.get_by_role("link", name=re.compile(r"^9000\d\d$")).first).to_be_visible()
    faults += look(page, "figure")
    assert complaints == []
    assert faults == []
