"""How `make test` deals the tests out to its workers."""

from functools import cache
from pathlib import Path

from xdist.scheduler import LoadScopeScheduling

_TOP = Path(__file__).resolve().parents[1]


class ByFile(LoadScopeScheduling):  # type: ignore[misc] # untyped
    """The tests of a file stay together: their fixtures are made once. So do files that share one system."""

    def _split_scope(self, nodeid: str) -> str:
        return _scope(nodeid.partition("::")[0])


@cache
def _scope(file: str) -> str:
    """Walks in a browser go through one system, but for those that start their own; so do the crashes."""
    folder = file.rpartition("/")[0]
    if folder == "tests/crash":
        return folder
    if folder == "tests/browser" and " running(" not in (_TOP / file).read_text(encoding="utf-8"):
        return folder
    return file
