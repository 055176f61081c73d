"""`noren-verify FOLDER ...` and `noren-verify bundle FILE ...`; also `python -m noren_verify`."""

import sys
from collections.abc import Sequence

import noren_verify
from noren_verify import bundle


def main(arguments: Sequence[str] | None = None) -> int:
    """Choose by the first word. Gives the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    return bundle.main(given[1:]) if given[:1] == ["bundle"] else noren_verify.main(given)


if __name__ == "__main__":
    sys.exit(main())
