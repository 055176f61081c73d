"""`noren keys` and `noren erase`, on a real vault: what they print, and what they leave behind."""

import re
from pathlib import Path
from uuid import UUID

import pytest

from noren import errors, people
from noren.incidents import erasing, keys
from noren.shops import directory
from tests.servers import AppDatabase, VaultProcess


@pytest.fixture(scope="module")
def customers(module_app_db: AppDatabase, module_vault: VaultProcess) -> list[UUID]:
    """A shop with three customers."""
    shop_id = directory.found("salon")
    rows = [people.Row(f"c{number}", {"name": f"客 {number}"}) for number in range(3)]
    return list(people.import_rows(shop_id, rows).persons.values())


def test_it_rotates_and_waits_for_the_end(customers: list[UUID], capsys: pytest.CaptureFixture[str]) -> None:
    assert keys.keys(["rotate", "epoch"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"Begun: entry \d+ of the ledger\.", told[0])
    assert "3 persons, nothing left under old keys" in told[-1]
    assert keys.keys(["list"]) == 0
    listed = capsys.readouterr().out
    assert len(re.findall(r"^epoch .* in use ", listed, re.MULTILINE)) == 1
    assert len(re.findall(r"^epoch .* retired .* destroyed \d{4}-", listed, re.MULTILINE)) == 1
    assert keys.keys(["status"]) == 0
    assert capsys.readouterr().out == told[-1] + "\n"


def test_it_begins_without_waiting(customers: list[UUID], capsys: pytest.CaptureFixture[str]) -> None:
    assert keys.keys(["rotate", "data", "--no-wait"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_it_destroys_nothing_before_its_day(
    customers: list[UUID], capsys: pytest.CaptureFixture[str]
) -> None:
    assert keys.keys(["retire"]) == 0
    assert capsys.readouterr().out == "Destroyed 0 key(s).\n"
    with pytest.raises(errors.NoSuchKey):
        keys.keys(["retire", "--now", "00000000"])


@pytest.mark.parametrize("words", [[], ["rotate"], ["rotate", "salt"], ["melt"]])
def test_it_refuses_other_words(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        keys.keys(words)


def test_it_erases_and_leaves_the_certificate(
    customers: list[UUID], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["salon", str(customers[0]), "--reason", "retention", "--out", str(tmp_path)]
    assert erasing.erase(words) == 0
    told = capsys.readouterr().out
    assert told.startswith("Certificate of erasure\n")
    assert "reason      retention" in told
    files = {path.suffix or path.name for path in (tmp_path / f"erased-{customers[0]}").iterdir()}
    assert files == {".txt", ".entry", ".tlog-proof", "vkey"}


def test_it_erases_nobody_of_another_shop(customers: list[UUID], tmp_path: Path) -> None:
    directory.found("yoga")
    with pytest.raises(errors.NoSuchPerson):
        erasing.erase(["yoga", str(customers[1]), "--out", str(tmp_path)])
    with pytest.raises(errors.ShopUnknown):
        erasing.erase(["nowhere", str(customers[1]), "--out", str(tmp_path)])
    assert list(tmp_path.iterdir()) == []
