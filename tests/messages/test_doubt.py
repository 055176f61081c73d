"""Mails of which nobody knows whether they arrived: listed, never sent again by themselves, decided on."""

import json
import threading
from itertools import count

import pytest
from django.db import connections

from noren import errors, people
from noren.cli import COMMANDS
from noren.messages import commands
from noren.messages.deliver import deliver
from noren.messages.models import Message, State
from noren.messages.notice import Kind
from noren.people import Decision
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon, salon
from tests.messages.test_deliver import booked, states, weekly
from tests.servers import AppDatabase, Sink, VaultProcess, wait_for
from tests.vault.cast import sql

_numbers = count(1)


@pytest.fixture
def house(module_app_db: AppDatabase, module_vault: VaultProcess, module_mail: Sink) -> Salon:
    assert module_app_db
    module_mail.hold = False
    module_mail.messages.clear()
    return salon(f"doubt{next(_numbers)}")


def killed_after_the_data(vault: VaultProcess, mail: Sink, house: Salon, booking_id: int) -> None:
    """Kill the vault, as a crash would, when the mail server has the mail and has not said so."""
    before = len(mail.messages)
    mail.hold = True

    def send() -> None:
        try:
            with pytest.raises(errors.VaultUnavailable):
                deliver(house.id, booking_id, Kind.BOOKED, now=NOON)
        finally:
            connections.close_all()

    sending = threading.Thread(target=send)
    sending.start()
    wait_for(lambda: len(mail.messages) > before)
    vault.kill()
    sending.join(60)
    mail.hold = False
    vault.start()


def key_of(house: Salon, booking_id: int) -> str:
    return f"{house.id}:{booking_id}:booked:0"


def jobs(database: AppDatabase, house: Salon) -> list[dict[str, object]]:
    with database.connect("owner") as conn:
        found = conn.execute(
            "SELECT args FROM procrastinate_jobs WHERE task_name = 'noren.messages.tasks.send' "
            "AND args->>'kind' = 'booked' AND args->>'shop_id' = %s ORDER BY id",
            [str(house.id)],
        ).fetchall()
    return [args for (args,) in found]


def test_case_40_it_lists_a_mail_in_doubt_and_sends_it_again_only_when_told(
    house: Salon,
    module_app_db: AppDatabase,
    module_vault: VaultProcess,
    module_mail: Sink,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Killed between the data and our record: unknown, one mail, listed; told to, the same once more."""
    booking = booked(house)
    killed_after_the_data(module_vault, module_mail, house, booking.id)
    assert deliver(house.id, booking.id, Kind.BOOKED, now=NOON) is State.UNKNOWN
    assert len(module_mail.messages) == 1
    key, slug = key_of(house, booking.id), house.slug
    assert commands.unknown([]) == 1
    assert f"--shop {slug} {key}  customer {booking.person_id}" in capsys.readouterr().out
    assert commands.resend([key, "--shop", slug]) == 0
    wanted = {"shop_id": house.id, "booking_id": booking.id, "kind": "booked"}
    assert jobs(module_app_db, house) == [wanted, wanted | {"others": [], "again": 0}]
    assert commands.unknown([]) == 0
    assert "No message is in doubt" in capsys.readouterr().out
    assert deliver(house.id, booking.id, Kind.BOOKED, now=NOON) is State.SENT
    first, second = module_mail.messages
    assert first["Message-ID"] == second["Message-ID"]
    people.rebuild_index()
    rows = sql(
        module_vault,
        "SELECT actor, ref, note FROM vault.ledger_entry WHERE kind = 'messages' ORDER BY entry",
    )
    assert [(ref, note) for _, ref, note in rows] == [("", "unknown"), (key, "resend"), ("", "unknown")]
    assert {actor for actor, _, _ in rows} == {"admin"}


def test_it_leaves_what_is_left_and_decides_once(
    house: Salon, module_vault: VaultProcess, module_mail: Sink, capsys: pytest.CaptureFixture[str]
) -> None:
    """Left: not listed, not sent; a second decision finds nothing in doubt."""
    booking = booked(house)
    killed_after_the_data(module_vault, module_mail, house, booking.id)
    assert commands.unknown(["--json"]) == 1
    [listed] = json.loads(capsys.readouterr().out)
    assert (listed["shop"], listed["key"], listed["reason"]) == (
        house.slug,
        key_of(house, booking.id),
        "interrupted",
    )
    assert commands.leave([listed["key"], "--shop", house.slug]) == 0
    assert people.unknown_messages() == ()
    for command in (commands.leave, commands.resend):
        with pytest.raises(errors.NoSuchMessage):
            command([listed["key"], "--shop", house.slug])
    assert deliver(house.id, booking.id, Kind.BOOKED, now=NOON) is State.UNKNOWN
    assert len(module_mail.messages) == 1


def test_it_enqueues_nothing_when_the_decision_is_refused(
    house: Salon, module_app_db: AppDatabase, module_mail: Sink
) -> None:
    """A mail that was sent is not in doubt: no job, and no second mail."""
    booking = booked(house)
    deliver(house.id, booking.id, Kind.BOOKED, now=NOON)
    before = jobs(module_app_db, house)
    with pytest.raises(errors.NoSuchMessage):
        commands.resend([key_of(house, booking.id), "--shop", house.slug])
    assert jobs(module_app_db, house) == before


def test_it_remembers_of_which_dates_a_series_mail_tells(house: Salon, module_mail: Sink) -> None:
    first, *others = [each.id for each in weekly(house)]
    deliver(house.id, first, Kind.BOOKED, others=others, now=NOON)
    with shop(house.id):
        assert Message.objects.get(booking_id=first).others == others
    assert states(house) == [("booked", "sent", 1)]


def test_it_frees_an_invitation_without_a_job(
    house: Salon, module_vault: VaultProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    """The vault's own mails have no job on this side: the command says so."""
    person = people.put(house.id, "k", {"name": "花子", "mail": "hanako@example.com"})
    people.send(house.id, person, "invite:1", subject="s", text="t")
    sql(module_vault, "UPDATE vault.message SET state = 'unknown' WHERE message_key = 'invite:1'")
    assert commands.resend(["invite:1", "--shop", house.slug]) == 0
    assert "made anew" in capsys.readouterr().out
    with pytest.raises(RuntimeError, match="resend, or leave"):
        people.decide_message(house.id, "invite:1", "burn")  # type: ignore[arg-type]
    assert [str(each) for each in Decision] == ["resend", "leave"]


def test_it_is_on_the_command_line() -> None:
    words = {command.words for command in COMMANDS}
    assert {("messages", "unknown"), ("messages", "resend"), ("messages", "leave")} <= words
