"""`noren-verify FOLDER ...`, or `bundle`, `notice`, `incident` and what to check."""

import sys
from collections.abc import Sequence

import noren_verify
from noren_verify import bundle, incident, notice


def main(arguments: Sequence[str] | None = None) -> int:
    """Choose by the first word. Gives the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["notice"]:
        return notice.main(given[1:])
    if given[:1] == ["incident"]:
        return incident.main(given[1:])
    return bundle.main(given[1:]) if given[:1] == ["bundle"] else noren_verify.main(given)


if __name__ == "__main__":
    sys.exit(main())
