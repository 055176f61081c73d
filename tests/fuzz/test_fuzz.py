"""The short form of `make fuzz`: the corpus, seeded changes of it, and a moment of the guided fuzzer."""

import os
import platform
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS, seeds

HOUSE = Path(__file__).parents[2]
CORPUS = Path(__file__).parent / "corpus"
# Where atheris has wheels; elsewhere the seeded changes stand alone (see pyproject.toml).
GUIDED = sys.platform == "linux" and platform.machine() == "x86_64" and sys.version_info < (3, 14)


def corpus(target: str) -> list[bytes]:
    """The committed inputs of a target."""
    return [path.read_bytes() for path in sorted((CORPUS / target).iterdir())]


def change(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """Some bytes turned, cut out, doubled, or put in from elsewhere."""
    out = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at, length = chance.randint(0, len(out)), chance.randint(0, 8)
        match chance.randrange(4):
            case 0:
                out[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del out[at : at + length]
            case 2:
                out[at:at] = out[at : at + length]
            case _:
                out[at:at] = other[chance.randint(0, len(other)) :][:length]
    return bytes(out)


@pytest.mark.parametrize("target", TARGETS)
def test_no_bytes_make_it_stumble(target: str) -> None:
    """The corpus and 1,500 changes of it by a fixed seed: refused, or accepted as what they are."""
    chance, inputs = random.Random(20190318), corpus(target)
    assert set(seeds()[target]) <= set(inputs)
    for data in inputs:
        TARGETS[target](data)
    for _ in range(1_500):
        TARGETS[target](change(chance.choice(inputs), chance.choice(inputs), chance))


@pytest.mark.skipif(not GUIDED, reason="atheris has no wheel for this platform: make fuzz does not run here")
@pytest.mark.parametrize("target", TARGETS)
def test_the_guided_fuzzer_finds_nothing_in_a_moment(tmp_path: Path, target: str) -> None:
    """3,000 inputs by a fixed seed, guided by coverage."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", target, "0", "7"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{HOUSE}{os.pathsep}{HOUSE / 'src'}"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "number_of_executed_units: 3" in done.stderr
