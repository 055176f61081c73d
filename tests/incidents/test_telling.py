"""`noren telling`, on a real vault: each in the language she booked in, and no address on the app side."""

import csv
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from psycopg import sql

from noren import clock, errors, people
from noren.booking.models import Booking
from noren.incidents import notices, telling, telling_commands
from noren.incidents.models import NoticeVersion
from noren.incidents.telling_words import HOUSE, fit
from noren.people import incidents, tellings
from noren.shops.tenancy import shop
from tests.api.salon import Salon, salon
from tests.servers import AppDatabase, Sink, VaultProcess

NOTICE = "2026-leak"


@pytest.fixture(scope="module")
def made(module_app_db: AppDatabase, module_vault: VaultProcess) -> Salon:
    """A salon, and a published notice."""
    NoticeVersion.objects.create(
        notice=NOTICE, number=1, version=1, text="{}", entry=0, published_at=clock.now(), alone=True
    )
    return salon()


@pytest.fixture(scope="module")
def customers(made: Salon) -> list[UUID]:
    """Three, of whom two booked, one in English and one in easy Japanese."""
    rows = [
        people.Row(f"c{number}", {"name": f"客 {number}", "mail": f"kyaku{number}@told.example.jp"})
        for number in range(3)
    ]
    found = list(people.import_rows(made.id, rows).persons.values())
    start = datetime.now(UTC) + timedelta(days=1)
    with shop(made.id):
        for person, locale in zip(found, ("en", "ja-easy", ""), strict=True):
            Booking.objects.create(
                service_id=1,
                start=start,
                end=start + timedelta(hours=1),
                wall="2026-11-23T10:00",
                zone="Asia/Tokyo",
                status="cancelled",
                takes=False,
                person_id=person,
                locale=locale,
                rules_revision=1,
                created_at=clock.now(),
            )
    return found


def _begun(capsys: pytest.CaptureFixture[str], made: Salon) -> str:
    incident = incidents.open_one(None, '{"title": "名簿"}')
    words = [incident, "--notice", NOTICE, "--all", "--shop", made.slug, "--since", "1h"]
    assert telling_commands.begin(words) == 0
    told = capsys.readouterr().out
    assert "in the scope: 3 records" in told
    assert "waiting 3" in told
    assert "Nothing is sent" in told
    return told.split()[0]


def test_each_is_told_in_her_language_and_nothing_is_sent_yet(
    made: Salon, customers: list[UUID], module_mail: Sink, capsys: pytest.CaptureFixture[str]
) -> None:
    name = _begun(capsys, made)
    spoken = {one.person: one.language for one in tellings.people(None, name)}
    assert spoken == dict(zip(customers, ("en", "easy", "ja"), strict=True))
    subject, text = tellings.preview(None, name, customers[0])
    assert "Important" in subject
    assert "name, mail address" in text
    assert "もれたかもしれない もの: なまえ、メールアドレス" in tellings.preview(None, name, customers[1])[1]
    assert not [one for one in module_mail.messages if "told.example.jp" in str(one["To"])]


def test_it_is_followed_and_written_out_and_not_held_before_it_runs(
    made: Salon, customers: list[UUID], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = _begun(capsys, made)
    file = tmp_path / "told.csv"
    assert telling_commands.show([name, "--csv", str(file)]) == 0
    rows = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
    assert {row["person"] for row in rows} == {str(one) for one in customers}
    assert {row["telling"] for row in rows} == {f"sha256:{tellings.show(None, name).hash}"}
    assert "@" not in file.read_text(encoding="utf-8")
    for act in (telling_commands.stop, telling_commands.resume):
        assert act([name]) == 1
    assert "すでに決まったか" in capsys.readouterr().err


def test_it_names_no_notice_that_nobody_can_read(made: Salon, capsys: pytest.CaptureFixture[str]) -> None:
    incident = incidents.open_one(None, '{"title": "名簿"}')
    assert notices.updates("another") == []
    assert telling_commands.begin([incident, "--notice", "another", "--all", "--since", "1h"]) == 1
    assert "お知らせはありません" in capsys.readouterr().err
    with pytest.raises(errors.NoSuchTelling):
        tellings.show(None, "0123456789abcdef")


def test_no_address_is_on_the_app_side(
    made: Salon, customers: list[UUID], module_app_db: AppDatabase, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every row of every table that was written, as text."""
    _begun(capsys, made)
    with module_app_db.connect("migrate", autocommit=True) as connection:
        tables = connection.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables "
            "WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        for (table,) in tables:
            query = sql.SQL("SELECT t::text FROM {} t").format(sql.SQL(table))
            found = connection.execute(query).fetchall()
            assert not [row for (row,) in found if re.search(r"told\.example\.jp", row)]


def test_the_houses_words_fit() -> None:
    """And what the vault refuses is refused here."""
    assert all(fit(one) for languages in HOUSE.values() for one in languages.values())
    good = HOUSE["customer"]["en"]
    for bad in ("https://evil.example", "{password}", "{", "ｗｗｗ．evil.example"):
        assert not fit({**good, "text": good["text"] + bad})
    assert not fit({**good, "text": good["text"].replace("{code}", "")})
    assert telling.HEADING[0] == "shop"
