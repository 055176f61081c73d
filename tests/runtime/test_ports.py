"""The tests' own ports: two runs at once never meet on one."""

import socket
import subprocess
import sys
from pathlib import Path

from tests.ports import free_port

TOP = Path(__file__).resolve().parents[2]
ASK = "from tests.ports import free_port; print(free_port(), flush=True); input()"


def test_it_gives_a_port_once() -> None:
    assert len({free_port() for _ in range(5)}) == 5


def test_it_passes_by_what_another_run_was_given() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ASK], cwd=TOP, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        theirs = int(other.stdout.readline())
        # Nobody listens there yet. Who asks afterwards, from the first port on, passes them by all the same.
        socket.create_server(("127.0.0.1", theirs)).close()
        asked = subprocess.run(
            [sys.executable, "-c", ASK], cwd=TOP, text=True, input="\n", capture_output=True, check=True
        )
        assert abs(int(asked.stdout) - theirs) > 3
        other.communicate("\n")


def test_it_gives_four_that_are_free() -> None:
    first = free_port()
    for port in range(first, first + 4):
        socket.create_server(("127.0.0.1", port)).close()
