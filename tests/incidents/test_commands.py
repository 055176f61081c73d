"""`noren scope` and its like, on a real vault: exactly what was seen, and nothing else."""

import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from django.test import override_settings

from noren import people
from noren.incidents import asked, commands, scope
from noren.people import card, wire
from noren.shops import directory
from noren_verify.bundle import verify
from tests.accounts.house import Colleague, staffed
from tests.servers import AppDatabase, Sink, VaultProcess

pytestmark = pytest.mark.usefixtures("house")


@pytest.fixture(scope="module")
def house(
    module_app_db: AppDatabase, module_vault: VaultProcess, module_mail: Sink
) -> tuple[dict[str, Colleague], list[UUID]]:
    """A shop with an owner, Aoi, and three customers; Aoi has seen two names and one phone."""
    shop_id = directory.found("salon")
    colleagues = staffed(shop_id, "salon", module_mail)
    persons = [
        people.put(shop_id, f"hold-{number}", {"name": f"客 {number}", "mail": f"c{number}@example.com"})
        for number in range(3)
    ]
    people.reveal(colleagues["aoi"].grant, people.Purpose.TODAY, persons[:2], ["name"])
    people.reveal(colleagues["aoi"].grant, people.Purpose.CUSTOMER, persons[:1], ["name", "mail"])
    return colleagues, persons


def seen(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, list[str]]:
    """Return the fields seen by person."""
    assert commands.scope([*words, "--since", "1h", "--json"]) == commands.DONE
    told = json.loads(capsys.readouterr().out)
    assert told["complete"] is True
    return {found["person"]: sorted(found["fields"]) for found in told["persons"]}


def test_it_lists_exactly_the_persons_and_fields_that_were_seen(
    house: tuple[dict[str, Colleague], list[UUID]], capsys: pytest.CaptureFixture[str]
) -> None:
    _, persons = house
    assert seen(capsys, "--actor", "aoi.salon") == {
        str(persons[0]): ["mail", "name"],
        str(persons[1]): ["name"],
    }


def test_it_lists_nobody_for_who_saw_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    assert seen(capsys, "--actor", "owner.salon") == {}


def test_it_narrows_to_a_shop(capsys: pytest.CaptureFixture[str]) -> None:
    directory.found("yoga")
    assert len(seen(capsys, "--actor", "aoi.salon", "--shop", "salon")) == 2
    assert seen(capsys, "--actor", "aoi.salon", "--shop", "yoga") == {}


def test_it_finds_the_same_by_the_session(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(seen(capsys, "--session", "joining")) == 2


def test_it_prints_for_a_person_up_to_which_entry_it_is_complete(
    house: tuple[dict[str, Colleague], list[UUID]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands.scope(["--actor", "aoi.salon", "--since", "1h"]) == commands.DONE
    told = capsys.readouterr().out
    for person in house[1][:2]:
        assert str(person) in told
    assert "Complete up to entry " in told
    assert "Checkpoint:\n  " in told


@pytest.mark.parametrize("since", ["yesterday", "2026-11-25", "0s"])
def test_it_says_what_is_wrong_with_the_question(capsys: pytest.CaptureFixture[str], since: str) -> None:
    assert commands.scope(["--actor", "aoi.salon", "--since", since]) == commands.ASKED_WRONGLY
    assert capsys.readouterr().err.startswith("noren: ")


def test_it_knows_no_other_shop(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--actor", "aoi.salon", "--since", "1h", "--shop", "nowhere"]
    assert commands.scope(words) == commands.ASKED_WRONGLY
    assert capsys.readouterr().err.startswith("noren: nowhere: ")


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--since", "1h"],
        ["--shop", "salon", "--since", "1h"],
        ["--actor", "a", "--since", "1h", "--complete"],
        ["--person", "nobody", "--since", "1h"],
        ["--store", "attic", "--since", "1h"],
    ],
)
def test_it_wants_one_path(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        commands.scope(words)
    assert ended.value.code == commands.ASKED_WRONGLY


def test_it_says_so_when_the_vault_is_away(capsys: pytest.CaptureFixture[str]) -> None:
    with override_settings(VAULT_SOCKET="/nowhere/vault.sock"):
        assert commands.scope(["--actor", "aoi.salon", "--since", "1h"]) == commands.NOT_NOW
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("noren: ")


def test_it_gives_the_same_answer_after_the_index_was_made_anew(capsys: pytest.CaptureFixture[str]) -> None:
    before = seen(capsys, "--actor", "aoi.salon")
    assert commands.rebuild_index([]) == commands.DONE
    assert capsys.readouterr().out.startswith("Indexed ")
    assert seen(capsys, "--actor", "aoi.salon") == before


def test_it_prints_the_checkpoint_that_is_to_be_kept(capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.checkpoint([]) == commands.DONE
    text, _, signatures = capsys.readouterr().out.rpartition("\n\n")
    assert text.splitlines()[1].isdecimal()
    assert signatures.startswith("— ")


def test_it_invites_the_first_operator_by_a_link_that_no_log_sees(capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.invite_operator([]) == commands.DONE
    link = capsys.readouterr().out.splitlines()[0]
    assert link.startswith("http://localhost:8000/operations/join#")
    options = people.register_begin(link.partition("#")[2])
    assert options["challenge"]


def test_it_says_which_builds_wrote_the_ledger(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """One build wrote every entry: published, it is well; on a list without it, an alarm, exit code 4."""
    health, listed = people.health(), tmp_path / "builds"
    assert commands.builds([]) == commands.DONE
    assert capsys.readouterr().out == (
        f"{health.build[:32]}  entries 0 to {health.size - 1}, {health.size} of them\n"
    )
    listed.write_text(f"# 1.0\n{'0' * 64}\n{health.build}  # 1.1\n")
    assert commands.builds(["--published", str(listed)]) == commands.DONE
    assert capsys.readouterr().out.endswith("  published\n")
    listed.write_text(f"{'0' * 64}\n")
    assert commands.builds(["--published", str(listed)]) == commands.UNPUBLISHED
    assert capsys.readouterr().out.endswith("  NOT PUBLISHED\n")


@pytest.mark.parametrize("text", ["no build\n", "0123\n", None])
def test_it_needs_a_list_of_builds(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str | None
) -> None:
    listed = tmp_path / "builds"
    if text is not None:
        listed.write_text(text)
    assert commands.builds(["--published", str(listed)]) == commands.ASKED_WRONGLY
    assert str(listed) in capsys.readouterr().err


def test_it_asks_for_both_records_of_one_customer(
    house: tuple[dict[str, Colleague], list[UUID]], capsys: pytest.CaptureFixture[str]
) -> None:
    """Joined, either id gives what was seen of both, and says which went into which."""
    colleagues, persons = house
    shop_id = directory.shop_id("salon")
    for person in persons:
        people.keep(shop_id, person)
    card.merge(colleagues["owner"].grant, persons[0], persons[2], [])
    for each in (persons[0], persons[2]):
        told = seen(capsys, "--person", str(each), "--actor", "aoi.salon")
        assert told == {str(persons[0]): ["mail", "name"]}
    words = ["--person", str(persons[2]), "--since", "1h"]
    assert commands.scope(words) == commands.DONE
    assert f"Joined by the shop: {persons[0]} went into {persons[2]}." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("kind", "words"),
    [("backup", "noren backup list"), ("key", "noren keys"), ("door", "noren doors")],
)
def test_it_says_what_to_write_instead_of_a_name_that_nothing_has(
    capsys: pytest.CaptureFixture[str], kind: str, words: str
) -> None:
    assert commands.scope([f"--{kind}", "nightly-1", "--since", "1h"]) == commands.ASKED_WRONGLY
    told = capsys.readouterr()
    assert (told.out, words in told.err, "nightly-1" in told.err) == ("", True, True)


def test_no_figure_counts_the_canary_of_a_backup(
    capsys: pytest.CaptureFixture[str], module_vault: VaultProcess, tmp_path: Path
) -> None:
    """She is named apart in JSON and words; the proof holds her, and still verifies."""
    words, path = ["--store", "vault", "--store", "keys", "--since", "1h"], tmp_path / "answer.zip"
    before = len(seen(capsys, *words[:4]))
    socket = str(module_vault.socket)
    begun = wire.call(socket, "backup_begin", {"backup": "20270110T180500Z-0a1b2c3d"}, seconds=30)
    assert commands.scope([*words, "--json", "--bundle", str(path), "--complete"]) == commands.DONE
    told = json.loads(capsys.readouterr().out)
    assert (len(told["persons"]), told["canaries"]) == (before, [begun["canary"]["person"]])
    assert commands.scope(words) == commands.DONE
    text = capsys.readouterr().out
    assert "Besides, canaries of backups, who are nobody: 1." in text
    assert f": {before} persons in " in text
    vkey = (module_vault.ledger / "vkey").read_text()
    assert any(f" {before + 1} persons" in line for line in verify(path, vkey))
    question = scope.Question(
        datetime(2026, 1, 1, tzinfo=UTC), datetime.now(UTC), {"store": ("vault", "keys")}
    )
    said = asked.said(question, scope.ask(question, untouched=True))
    assert said["persons"] == sum(one["persons"] for one in said["shops"]) == before
    assert [held for _, _, held in said["stores"]] == [before, before]
