"""How `make test` deals the tests out to its workers."""

from xdist.scheduler import LoadScopeScheduling


class ByFile(LoadScopeScheduling):  # type: ignore[misc] # untyped
    """The tests of a file stay together: their fixtures are made once. So do the browser's files."""

    # The browser's files walk through one running system.
    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "tests/browser" if file.startswith("tests/browser/") else file
