"""The attack on the blind index in full: every 090 and 080 number tried without the vault's key.

`python -m tests.vault.phones` tries all of them against the tokens of 200 stored numbers: by plain
hashes and by HMACs with a key that is not the vault's. It prints matches and pace; a match is exit code 1.
"""

import argparse
import hashlib
import random
import secrets
import sys
import time
from collections.abc import Sequence

from noren_vault import sealing

SHOP, STORED, ALL = 1, 200, 200_000_000
_STEP = 1_000_000


def number(index: int) -> str:
    """The index-th number: 10^8 of 090, then 10^8 of 080."""
    return f"+81{('90', '80')[index // 100_000_000]}{index % 100_000_000:08d}"


def attack(numbers: int, seed: int) -> tuple[int, int]:
    """Give how many tokens were found without the key, and with it: the control."""
    chance = random.Random(seed)
    key, wrong = (sealing.index_key(b"\0\0\0\1", secrets.token_bytes(32)) for _ in range(2))
    stored = [number(chance.randrange(numbers)) for _ in range(STORED)]
    tokens = {key.token("phone", SHOP, one) for one in stored}
    found = 0
    for start in range(0, numbers, _STEP):
        for index in range(start, min(start + _STEP, numbers)):
            text = number(index)
            plain = f"phone\x00{SHOP}\x00{text}".encode()
            found += hashlib.sha256(plain).digest() in tokens
            found += wrong.token("phone", SHOP, text) in tokens
    return found, len(tokens & {key.token("phone", SHOP, one) for one in stored}) - len(tokens)


def main(words: Sequence[str] | None = None) -> int:
    """Run it and print one line."""
    parser = argparse.ArgumentParser(prog="tests.vault.phones", description=__doc__)
    parser.add_argument("--numbers", type=int, default=ALL)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args(words)
    begun = time.monotonic()
    found, missing = attack(asked.numbers, asked.seed)
    seconds = time.monotonic() - begun
    sys.stdout.write(
        f"{asked.numbers} numbers tried twice in {seconds:.0f} s ({2 * asked.numbers / seconds:.0f}/s): "
        f"{found} matches without the key; with it {-missing} of the stored ones are not found\n"
    )
    return 1 if found or missing else 0


if __name__ == "__main__":
    sys.exit(main())
