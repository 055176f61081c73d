"""Forced resets as an operator follows them, and as they are begun, stopped and resumed from a shell."""

import io
import json
import re
from pathlib import Path
from uuid import uuid4

import pytest
from django.test import Client

from noren.incidents import forced
from noren.people import forced as door
from tests.api.salon import Salon
from tests.servers import VaultProcess
from tests.vault.cast import sql

pytestmark = pytest.mark.usefixtures("operator")


def _count(vault: VaultProcess) -> int:
    [(number,)] = sql(vault, "SELECT count(*) FROM vault.forced_reset")
    return int(number)


def test_it_tells_an_operator_how_each_stands(operator: Client) -> None:
    """None at first; begun, it is there with its numbers and the command that stops it."""
    assert "noren resets begin" in operator.get("/operations/resets").content.decode()
    assert forced.begin(["--actor", "first.operator", "--mails-per-minute", "60"]) == 0
    # It was her own session that ended.
    assert operator.get("/operations/resets").status_code == 302
    [one] = door.standing()
    assert (one.whose, one.passwords, one.waiting, one.ended) == ("actor:first.operator", 0, 0, 1)


def test_it_shows_nobody_else() -> None:
    """A stranger is led to the operators' sign-in."""
    answer = Client().get("/operations/resets")
    assert (answer.status_code, answer["Location"]) == (
        302,
        "/operations/sign-in?next=%2Foperations%2Fresets",
    )


def test_it_stops_and_resumes_by_its_id(
    made: Salon, vault: VaultProcess, staff: Client, operator: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    """Stopped it says so on the page and in the shell; another id is told that there is none."""
    assert staff.get("/console/").status_code == 200
    assert forced.begin(["--shop", made.slug]) == 0
    assert staff.get("/console/").status_code == 302
    [reset] = re.findall(r"[0-9a-f]{16}", capsys.readouterr().out)
    assert forced.stop([reset]) == 0
    assert "stopped" in capsys.readouterr().out
    page = operator.get("/operations/resets").content.decode()
    assert f"noren resets resume {reset}" in page
    assert forced.resume([reset]) == 0
    assert "stopped" not in capsys.readouterr().out
    assert forced.stop(["0123456789abcdef"]) == 1
    assert "0123456789abcdef" not in operator.get("/operations/resets").content.decode()
    assert _count(vault) == 1


def test_it_reads_whom_a_scope_names(
    vault: VaultProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, staff: Client
) -> None:
    """From a file or here; what is no answer, and whom nobody knows, changes nothing."""
    [(person,)] = sql(
        vault, "SELECT person::text FROM vault.actor WHERE kind = 'member' AND person IS NOT NULL LIMIT 1"
    )
    answer = tmp_path / "answer.json"
    answer.write_text(json.dumps({"persons": [{"person": "00000000-0000-4000-8000-000000000000"}]}))
    assert forced.begin(["--scope", str(answer)]) == 1
    for wrong in ("[]", "no", '{"persons": [{"person": "x"}]}'):
        answer.write_text(wrong)
        assert forced.begin(["--scope", str(answer)]) == 2
    assert forced.begin(["--scope", str(tmp_path / "nowhere")]) == 2
    assert _count(vault) == 0
    assert staff.get("/console/").status_code == 200
    # In a store that was taken lay what somebody signs in with; of another it surely did not.
    held = [{"person": None, "state": "exposed"}, {"person": person, "state": "not"}]
    for accounts, code in ((held, 1), ([*held, {"person": person, "state": "exposed"}], 0)):
        given = json.dumps({"persons": [{"person": str(uuid4())}], "accounts": accounts})
        monkeypatch.setattr("sys.stdin", io.StringIO(given))
        assert forced.begin(["--scope", "-"]) == code
    assert _count(vault) == 1
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps({"persons": [{"person": person}]})))
    assert forced.begin(["--scope", "-"]) == 0
    assert _count(vault) == 2
