"""`python -m tests.fuzz TARGET SECONDS [SEED]`: guided by coverage (atheris), from the committed corpus on.

What it finds stands in `crash-*` in the present folder and fails the run. New inputs go to a folder that is
thrown away; one that is worth keeping is copied to tests/fuzz/corpus by hand.
"""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["noren_vault", "noren_verify"]):
    from tests.fuzz.targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"


def main(target: str, seconds: str, seed: str = "0") -> None:
    """Fuzz one target. Does not return: libFuzzer ends the process."""
    found = tempfile.mkdtemp(prefix="noren-fuzz-")
    words = [f"-max_total_time={seconds}", f"-seed={seed}", "-max_len=4096", "-print_final_stats=1"]
    if seconds == "0":
        words = ["-runs=3000", *words[1:]]
    atheris.Setup([sys.argv[0], *words, found, str(CORPUS / target)], TARGETS[target])
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
