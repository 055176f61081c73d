"""Shops from TOML files: on real databases and a real vault."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from noren.booking import actions, availability, classes, importing
from noren.booking.models import Booking, ShopFile
from noren.errors import ShopUnknown
from noren.shops import described, directory, rules
from noren.shops.models import Override, Resource, Service, Shop, Staff
from noren.shops.tenancy import shop
from tests.servers import AppDatabase, Sink, VaultProcess

EXAMPLES = Path(__file__).parents[2] / "examples"
FILES = [str(EXAMPLES / f"{name}.toml") for name in ("salon", "yoga", "court", "cottage", "clinic")]
SALON = (EXAMPLES / "salon.toml").read_text()
NOW = datetime(2026, 11, 24, 0, 0, tzinfo=UTC)
"""A Tuesday, 9:00 in Tokyo."""


def faults(text: str) -> list[str]:
    with pytest.raises(described.Faulty) as caught:
        described.read(text)
    return list(caught.value.faults)


def test_it_reads_the_examples() -> None:
    for path in FILES:
        given = described.read(Path(path).read_text())
        assert given.members[0].role == "owner"
        assert given.members[0].mail.endswith(".example")


@pytest.mark.parametrize(
    ("written", "instead", "told"),
    [
        ('slug = "salon"', 'slug = "console"', "slug: 'console' cannot be an address"),
        ('zone = "Asia/Tokyo"', 'zone = "Tokyo"', "zone: 'Tokyo' is no time zone; write one like"),
        ('rule = "shift"', 'rule = "shut"', "holidays.rule: 'shut' cannot be; write one of open, closed"),
        ('region = "JP"', 'region = "XX"', "holidays.region: 'XX' has no published holidays"),
        ('mon = "closed"', 'mon = "9-12"', "hours.mon: '9-12' are no hours; write"),
        ('mon = "closed"', 'mon = "12:00-10:00"', "hours.mon: '12:00-10:00' ends before it begins"),
        ('mon = "closed"', 'mno = "closed"', "hours.mno: is not known here; did you mean 'mon'?"),
        ('2026-12-31 = "', '2026-12-32 = "', "hours.dates.2026-12-32: is not a date"),
        ("align = 15", "align = 0", "booking.align: 0 is not between 1 and 720"),
        ('key = "haruto"', 'key = "aoi"', "staff[2].key: 'aoi' is there already"),
        (
            '"ritsu", "mei"], chair',
            '"ritsu", "may"], chair',
            "needs.staff: there is no staff or resource with",
        ),
        ('roles = ["chair"]', 'roles = ["seat"]', "roles: there is no role in needs named 'seat'"),
        ("price = 5500", 'price = "5500"', "services[1].price: '5500' cannot be; write a whole number"),
        ('kind = "packed"', 'kind = "dense"', "services[2].grid.kind: 'dense' cannot be; write one of clock"),
        ("cancel = { days = 1, at", "cancel = { days = 1, to", "cancel.at: is missing beside days"),
        (
            ', "quiet"]',
            ', "quite"]',
            "services[1].additions: there is no service with the key 'quite'; did you",
        ),
        (', "head-spa", "quiet"]', ', "head-spa", "cut"]', "services: 'cut' can have no such additions"),
        (
            "alone = false\nname",
            "alone = false\ncapacity = 4\nname",
            "'head-spa' is a class or a stay, and so no",
        ),
        (
            'key = "head-spa"',
            'key = "spa"',
            "'spa' is not booked alone, and no service names it in additions",
        ),
        ('role = "owner"', 'role = "staff"', "members: there is no owner; write one [[members]] with role"),
        ('"aoi.salon"', '"aoi.yoga"', "members[1].handle: 'aoi.yoga' is of another shop; write aoi.salon"),
        ('"aoi@salon.example"', '"aoi"', "members[1].mail: 'aoi' is no mail address"),
        ("fee = 1100", "fee = 1100\nfees = 1", "staff[1].fees: is not known here; did you mean 'fee'?"),
        ('slug = "salon"', "slug = salon", "This is not TOML"),
    ],
)
def test_it_says_which_key_is_wrong_and_how_to_mend_it(written: str, instead: str, told: str) -> None:
    assert written in SALON
    assert any(told in fault for fault in faults(SALON.replace(written, instead, 1)))


def test_it_tells_everything_that_is_wrong_at_once() -> None:
    assert len(faults(SALON.replace("minutes = 60", "minutes = 0").replace("2026-12-31", "x"))) > 2


def test_it_takes_23_59_for_midnight_and_a_text_for_each_day() -> None:
    given = described.read(
        'slug = "bar"\nname = "酒場"\nhours = "18:00-23:59"\nstaff = [{ key = "ken", name = "健" }]\n'
        "services = [{ key = 'seat', name = '席', segments = [{ minutes = 60, roles = ['staff'] }], "
        "needs = { staff = { any = ['ken'], units = 1 } } }]\n"
        "members = [{ handle = 'ken', role = 'owner', name = '健', mail = 'ken@bar.example' }]"
    )
    assert given.hours.columns["weekly"] == [[[1080, 1440]]] * 7
    assert given.services[0].columns["requirements"][0] == {
        "role": "staff",
        "pool": ["ken"],
        "count": 1,
        "units": 1,
        "per_guest": False,
    }


@pytest.fixture
def town(app_db: AppDatabase, vault: VaultProcess) -> AppDatabase:
    """An empty system."""
    return app_db


def revisions() -> list[int]:
    found = []
    for slug in ("salon", "yoga", "court"):
        with shop(directory.shop_id(slug)):
            found.append(rules.revision())
    return found


def test_it_imports_twice_without_doubling(
    town: AppDatabase, mail: Sink, capsys: pytest.CaptureFixture[str]
) -> None:
    assert importing.main(FILES) == 0
    assert "salon: aoi.salon: invitation sent" in capsys.readouterr().out
    before, letters = revisions(), len(mail.messages)
    assert letters == 11
    assert importing.main(FILES) == 0
    assert "salon: as in the file already" in capsys.readouterr().out
    assert revisions() == before
    assert len(mail.messages) == letters
    with shop(directory.shop_id("salon")):
        assert Staff.objects.count() == 4
        assert Resource.objects.count() == 8
        assert Service.objects.count() == 8


def test_what_it_imports_can_be_booked(town: AppDatabase, vault: VaultProcess) -> None:
    importing.main(FILES)
    salon, yoga, court = (directory.shop_id(slug) for slug in ("salon", "yoga", "court"))
    cottage = directory.shop_id("cottage")

    def starts(shop_id: int, key: str, day: date, **more: Any) -> list[str]:
        with shop(shop_id):
            service = Service.objects.get(key=key).id
        found = availability.month(shop_id, service, day, day, now=NOW, staff=None, **more)
        return [f"{start.at:%H:%M}" for start in found.days.get(day, ())]

    wednesday = date(2026, 11, 25)
    assert starts(salon, "cut", wednesday)[:2] == ["10:00", "10:30"]
    assert starts(salon, "cut", date(2026, 11, 30)) == []
    assert starts(court, "hour", date(2026, 11, 28))[:2] == ["00:00", "01:00"]
    friday = date(2026, 12, 4)
    assert starts(cottage, "stay", friday, nights=1) == []
    assert starts(cottage, "stay", friday, nights=2, party=5) == [f"{hour}:00" for hour in range(15, 21)]
    assert starts(cottage, "retreat", friday, nights=2, party=10)[:1] == ["15:00"]
    assert classes.schedule(yoga, now=NOW).made > 20
    assert starts(yoga, "morning-flow", wednesday) == ["07:00"]


def test_it_brings_a_shop_up_to_the_file_and_deletes_nobody(town: AppDatabase) -> None:
    importing.write(described.read(SALON), now=NOW)
    edited = SALON.replace("price = 5500", "price = 6000").replace("前日20時", "前日18時")
    edited = edited.replace('2027-01-03 = "closed"\n', "").replace('"ritsu", "mei"]', '"ritsu"]')
    edited = edited[: edited.index('[[staff]]\nkey = "mei"')] + edited[edited.index("[[resources]]") :]
    edited = edited[: edited.index('[[members]]\nhandle = "mei')]
    done = importing.write(described.read(edited), now=NOW)
    assert (done.made, done.changed) == (False, True)
    with shop(done.shop_id):
        row = Shop.objects.get()
        assert (row.rules_revision, row.policy_version) == (3, 2)
        assert Service.objects.get(key="cut").price == 6000
        assert not Resource.objects.get(key="mei").bookable
        assert Staff.objects.filter(key="mei").exists()
        assert Override.objects.count() == 3


def test_it_writes_nothing_while_a_file_is_faulty(
    app_db: AppDatabase, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text("slug = 'bad'")
    assert importing.main([FILES[0], str(bad), str(tmp_path / "none.toml")]) == 1
    told = capsys.readouterr().err
    assert "bad.toml: name: is missing; write" in told
    assert "none.toml: cannot be read" in told
    assert "Nothing was imported." in told
    with pytest.raises(ShopUnknown):
        directory.shop_id("salon")


def test_it_leaves_members_alone_once_the_shop_is_founded(
    town: AppDatabase, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    importing.main(FILES[:1])
    other = tmp_path / "salon.toml"
    other.write_text(SALON.replace('role = "manager"', 'role = "owner"'))
    assert importing.main([str(other)]) == 0
    assert "an owner changes them in the console" in capsys.readouterr().err


def test_it_lists_what_a_file_touches_and_changes_nothing_until_it_is_said(
    town: AppDatabase, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("noren.clock.now", lambda: NOW)
    importing.main(FILES[:1])
    salon = directory.shop_id("salon")
    with shop(salon):
        cut = Service.objects.get(key="cut").id
        ritsu = Resource.objects.get(key="ritsu").id
    wednesday = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
    held = actions.hold(salon, actions.HoldRequest(cut, wednesday, ritsu, 1), now=NOW)
    actions.confirm(salon, held.id, uuid4(), now=NOW, locale="ja", consent=1)
    edited = tmp_path / "salon.toml"
    text = SALON.replace("2026-12-31 = ", '2026-11-25 = "closed"\n2026-12-31 = ', 1)
    edited.write_text(text.replace("price = 5500", "price = 6000"))
    before = revisions_of(salon)
    capsys.readouterr()
    assert importing.main([str(edited)]) == 1
    told = capsys.readouterr()
    assert f"salon: touches booking {held.id}, 2026-11-25T03:00:00+00:00: hours" in told.out
    assert "salon: nothing was changed. Say --touched keep, move or cancel." in told.err
    assert revisions_of(salon) == before
    with shop(salon):
        assert Service.objects.get(key="cut").price == 5500
        assert not Override.objects.filter(date=wednesday.date()).exists()
    assert importing.main([str(edited), "--touched", "keep"]) == 0
    with shop(salon):
        assert Booking.objects.get(id=held.id).attention == "closed"
        assert Service.objects.get(key="cut").price == 6000


def revisions_of(shop_id: int) -> int:
    with shop(shop_id):
        return rules.revision()


def test_what_the_console_changed_is_listed_and_not_written_over_unasked(
    town: AppDatabase, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A price, a day off, a service made there, an exception taken away: each by its name, and only those."""
    importing.main(FILES[:1])
    salon = directory.shop_id("salon")
    with shop(salon), rules.change():
        Service.objects.filter(key="cut").update(price=7000)
        Override.objects.filter(date=date(2026, 12, 31)).delete()
        Override.objects.create(date=date(2026, 12, 20), ranges=[])
        made = Service.objects.get(key="cut")
        made.pk, made.key = None, "nails"
        made.save(force_insert=True)
    edited = tmp_path / "salon.toml"
    edited.write_text(SALON.replace("fee = 1100", "fee = 1200", 1))
    before = revisions_of(salon)
    capsys.readouterr()
    assert importing.main([str(edited)]) == 1
    told = capsys.readouterr()
    listed = {line.partition("over: ")[2] for line in told.out.splitlines()}
    assert listed == {
        "service cut: price",
        "service nails: bookable",
        "hours of the shop on 2026-12-20: ranges",
        "hours of the shop on 2026-12-31: ranges",
    }
    assert "salon: nothing was changed. Say --over to write over that." in told.err
    assert revisions_of(salon) == before
    with shop(salon):
        assert Staff.objects.get(key="aoi").fee == 1100
        assert Service.objects.get(key="cut").price == 7000
    assert importing.main([str(edited), "--over"]) == 0
    assert "is written over: service cut: price" in capsys.readouterr().out
    with shop(salon):
        assert Staff.objects.get(key="aoi").fee == 1200
        assert Service.objects.get(key="cut").price == 5500
        assert not Service.objects.get(key="nails").bookable
    assert importing.main([str(edited)]) == 0, "and that is what it said last"


def test_what_only_the_file_changes_is_written_as_before(
    town: AppDatabase, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also what leaves the file and comes back; and what the console says as the file does now."""
    importing.main(FILES[:1])
    salon = directory.shop_id("salon")
    edited = tmp_path / "salon.toml"
    edited.write_text(SALON.replace("price = 5500", "price = 6000").replace("2026-12-31 = ", "2026-12-30 = "))
    with shop(salon), rules.change():
        Service.objects.filter(key="cut").update(price=6000)
    for file in (edited, Path(FILES[0])):
        assert importing.main([str(file)]) == 0, capsys.readouterr()


def test_a_shop_that_was_never_a_file_is_not_written_over(
    town: AppDatabase, capsys: pytest.CaptureFixture[str]
) -> None:
    importing.main(FILES[:1])
    salon = directory.shop_id("salon")
    with shop(salon), rules.change():
        ShopFile.objects.all().delete()
        Service.objects.filter(key="cut").update(price=7000)
    assert importing.main(FILES[:1]) == 1
    assert "over: service cut: price" in capsys.readouterr().out
