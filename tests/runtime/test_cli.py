"""`noren`: every command has its help; what goes wrong is one line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import OperationalError

from noren import cli
from noren.cli import COMMANDS, Command
from noren.errors import ShopUnknown
from noren.runtime.env import StartRefused


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: "-".join(c.words))
def test_it_explains_every_command(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main([*command.words, "--help"])
    assert end.value.code == 0
    assert "usage:" in capsys.readouterr().out


def test_it_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 0
    listed = capsys.readouterr().out
    assert all(" ".join(command.words) in listed for command in COMMANDS)


def test_it_answers_two_to_a_word_it_does_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["dwon"]) == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize(
    "error", [StartRefused("the port is taken"), ShopUnknown(), OperationalError("password=x")]
)
def test_it_turns_an_error_into_one_line(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_command: Command, _argv: list[str]) -> int:
        raise error

    monkeypatch.setattr(cli, "run", fail)
    assert cli.main(["doctor"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("noren: ")
    assert said.count("\n") == 1
    assert "password" not in said


def test_it_stops_at_an_unknown_setting(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "noren.cli", "up"],
        env={"PATH": os.environ["PATH"], "NOREN_VAR": str(tmp_path / "var"), "NOREN_PROT": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("noren: Unknown setting NOREN_PROT.")
    assert not (tmp_path / "var").exists()
