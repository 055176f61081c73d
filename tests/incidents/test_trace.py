"""`noren trace FILE`: a list that turned up names its export, however it was changed; else it says so."""

import csv
import io
import json
import random
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from noren.incidents import commands, trace
from noren.people import exporting
from noren_verify import bundle
from tests.servers import AppDatabase, Sink, VaultProcess
from tests.vault import cast as casting
from tests.vault.cast import SALON, Cast, customer
from tests.vault.test_transfers import CARD, agreed, asked, taken

Rows = list[list[str]]
_CHANCE = random.Random(7)


@dataclass(frozen=True)
class Lists:
    """Two exports of one shop, as their files' rows."""

    one: str
    two: str
    rows: dict[str, Rows]

    def real(self) -> Rows:
        """The rows that both have: the customers, and no canary."""
        known = {tuple(row) for row in self.rows[self.two]}
        return [row for row in self.rows[self.one] if tuple(row) in known]


@pytest.fixture(scope="module")
def lists(module_vault: VaultProcess, module_mail: Sink) -> Lists:
    assert module_vault
    cast: Cast = casting.found(module_mail)
    casting.customers(SALON, 1000, 400)
    one, two = asked(cast.owner), asked(cast.manager)
    agreed(cast.manager, one)
    agreed(cast.owner, two)
    rows = {one: taken(cast.owner, one), two: taken(cast.manager, two)}
    return Lists(one, two, rows)


def _file(rows: Rows) -> bytes:
    return "".join(exporting.text(CARD, [rows], "ja")).encode()


def _plain(rows: Rows, encoding: str, separator: str = ",") -> bytes:
    """As a spreadsheet saves it: its own quoting and encoding, no marks of ours."""
    told = io.StringIO(newline="")
    csv.writer(told, delimiter=separator).writerows(rows)
    return told.getvalue().encode(encoding)


def _shuffled(rows: Rows) -> Rows:
    return _CHANCE.sample(rows, len(rows))


def _numbers(rows: Rows) -> Rows:
    """Numbers as a spreadsheet makes them: without the first zero and the hyphens."""
    return [[row[3].replace("-", "").lstrip("0"), row[0]] for row in rows]


VARIANTS: dict[str, Callable[[Rows], bytes]] = {
    "as it was": _file,
    "half of it": lambda rows: _file(_CHANCE.sample(rows, len(rows) // 2 + 30)),
    "in another order": lambda rows: _file(_shuffled(rows)),
    "in Shift_JIS": lambda rows: _plain(rows, "cp932"),
    "in UTF-16": lambda rows: _plain(rows, "utf-16"),
    "with tabs": lambda rows: _plain(rows, "utf-8", "\t"),
    "with semicolons": lambda rows: _plain(rows, "utf-8-sig", ";"),
    "mails alone": lambda rows: "\n".join(row[2].upper() for row in rows).encode(),
    "mails in sentences": lambda rows: " and ".join(f"<{row[2]}>" for row in rows).encode(),
    "numbers and names": lambda rows: _plain(_numbers(rows), "utf-8"),
    "broken bytes in it": lambda rows: b"\xff\xfa\x80" + _file(rows),
}


def _asked(tmp_path: Path, raw: bytes, *words: str) -> tuple[int, str]:
    file, printed = tmp_path / "list", io.StringIO()
    file.write_bytes(raw)
    with redirect_stdout(printed):
        code = trace.main([str(file), *words])
    return code, printed.getvalue()


def _verdicts(tmp_path: Path, raw: bytes) -> dict[str, str]:
    code, printed = _asked(tmp_path, raw, "--json")
    told: dict[str, Any] = json.loads(printed)
    assert code == (0 if told["exports"] else 3)
    return {one["export"]: one["verdict"] for one in told["exports"]}


@pytest.mark.parametrize("variant", VARIANTS)
def test_it_names_the_export_and_no_other(lists: Lists, tmp_path: Path, variant: str) -> None:
    found = _verdicts(tmp_path, VARIANTS[variant](lists.rows[lists.one]))
    assert {export for export, verdict in found.items() if verdict == "sure"} == {lists.one}


def test_it_names_both_of_a_mixed_list(lists: Lists, tmp_path: Path) -> None:
    mixed = _shuffled(lists.rows[lists.one] + lists.rows[lists.two])
    assert _verdicts(tmp_path, _file(mixed)) == {lists.one: "sure", lists.two: "sure"}


def test_names_alone_are_no_more_than_possible(lists: Lists, tmp_path: Path) -> None:
    names = _plain([[row[0]] for row in lists.rows[lists.one]], "utf-8")
    assert _verdicts(tmp_path, names).get(lists.one) == "possible"


@pytest.mark.parametrize("what", ["without the canaries", "another list", "nothing"])
def test_it_says_that_no_canary_proves_nothing(lists: Lists, tmp_path: Path, what: str) -> None:
    others = [list(customer(number).values()) for number in range(9000, 9100)]
    rows = {"without the canaries": lists.real(), "another list": others, "nothing": []}[what]
    if what == "without the canaries":
        assert len(rows) == 430
    code, printed = _asked(tmp_path, _file(rows) if rows else b"")
    assert code == 3
    assert "No canary of any export" in printed
    assert "That proves nothing" in printed


def test_it_says_who_asked_who_agreed_and_when_with_proofs(lists: Lists, tmp_path: Path) -> None:
    code, printed = _asked(tmp_path, _file(lists.rows[lists.one]))
    assert code == 0
    for words in (
        f"This list comes from export {lists.one} of salon: moving",
        "asked for by aoi.salon, agreed to by mei.salon",
        "approved by mei.salon (pk-",
        f"noren scope --export {lists.one}",
        "1 pieces of 430 persons by aoi.salon",
    ):
        assert words in printed
    _, printed = _asked(tmp_path, _file(lists.rows[lists.one]), "--json")
    [one] = [each for each in json.loads(printed)["exports"] if each["export"] == lists.one]
    proved = [step["entry"] for step in one["steps"] if step["note"] != "piece"]
    assert {int(entry) for entry in one["proofs"]} == set(proved)
    for entry, proof in one["proofs"].items():
        assert proof.startswith(f"c2sp.org/tlog-proof@v1\nindex {entry}\n")
    assert (len(one["matched"]), one["canaries"]) == (8, 8)


def test_an_outsider_proves_who_was_in_it(
    lists: Lists, tmp_path: Path, module_vault: VaultProcess, module_app_db: AppDatabase
) -> None:
    """From the export's id to its persons, with a bundle that the verifier works out anew."""
    assert module_app_db
    file, words = tmp_path / "bundle.zip", ["--export", lists.one, "--since", "1h"]
    assert commands.scope([*words, "--bundle", str(file), "--complete"]) == commands.DONE
    lines = bundle.verify(file, (module_vault.ledger / "vkey").read_text())
    assert any(line.startswith("proved: the answer follows from them: 430 persons") for line in lines), lines


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert trace.main([str(tmp_path / "none")]) == 1
    assert "No such file" in capsys.readouterr().err
