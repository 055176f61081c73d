"""Customers from a CSV file, into a real vault."""

import csv
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from noren.errors import ShopUnknown
from noren.shops import customers, directory
from tests.servers import AppDatabase, VaultProcess

GENERATOR = Path(__file__).parents[2] / "examples" / "customers.py"


@pytest.fixture
def salon(app_db: AppDatabase, vault: VaultProcess) -> int:
    return directory.found("salon")


def listed(folder: Path, text: str) -> list[str]:
    path = folder / "customers.csv"
    path.write_text(text, encoding="utf-8")
    return [str(path), "--shop", "salon"]


GOOD = "id,name,mail,phone\n1,佐藤 花,hana@mail.example,090-1234-5678\n2,鈴木 蓮,,+81 80 1234 5678\n"
BAD = GOOD + "3,,x@mail.example,\n4,高橋 凛,at home,\n1,佐藤 花,hana@mail.example,090-1234-5678\n"


def test_it_takes_the_good_rows_and_tells_of_the_bad(
    salon: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert customers.main(listed(tmp_path, BAD)) == 0
    told = capsys.readouterr()
    assert told.out.splitlines() == [
        "line 4: name is missing",
        "line 5: mail is no mail address",
        "line 6: row is the same as an earlier one",
        "2 customers are there; 3 faults",
    ]
    assert "customer/s" in told.err


def test_it_takes_none_when_one_is_bad_and_that_was_asked(
    salon: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [*listed(tmp_path, BAD), "--all-or-nothing"]
    assert customers.main(asked) == 1
    assert "0 customers are there; 3 faults" in capsys.readouterr().out
    assert customers.main([*listed(tmp_path, GOOD + "5,田中,,,,,\n"), "--all-or-nothing"]) == 1
    assert "line 4: row has more columns" in capsys.readouterr().out
    assert customers.main([*listed(tmp_path, GOOD), "--all-or-nothing"]) == 0
    assert "2 customers are there; 0 faults" in capsys.readouterr().out


def test_it_doubles_nobody_when_it_is_run_twice(
    salon: int, vault: VaultProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        assert customers.main(listed(tmp_path, GOOD)) == 0
        assert "2 customers are there" in capsys.readouterr().out
    with psycopg.connect(vault.database_url) as conn:
        row = conn.execute("SELECT count(*) FROM vault.person WHERE shop_id = %s", [salon]).fetchone()
    assert row == (2,)


def test_it_names_a_shop_that_is_not_there_and_a_file_that_is_not(
    app_db: AppDatabase, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ShopUnknown):
        customers.main(listed(tmp_path, GOOD))
    directory.found("salon")
    assert customers.main([str(tmp_path / "none.csv"), "--shop", "salon"]) == 1
    assert "none.csv" in capsys.readouterr().err


def generated(count: int) -> str:
    command = [sys.executable, str(GENERATOR), "--count", str(count), "--seed", "7", "--dirty", "0.1"]
    return subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout


def test_it_takes_what_the_generator_makes(
    salon: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = generated(600)
    assert text == generated(600)
    rows = list(csv.DictReader(text.splitlines(keepends=True)))
    assert len(rows) == 600
    customers.main(listed(tmp_path, text))
    summary = capsys.readouterr().out.splitlines()[-1]
    taken = int(summary.split()[0])
    assert 500 < taken < 590
