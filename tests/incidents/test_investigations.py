"""`noren investigation`: opened and closed once, on record, with words for what cannot be."""

import pytest

from noren import people
from noren.incidents import investigations
from tests.servers import VaultProcess
from tests.vault.cast import sql


def test_it_opens_and_closes_once(vault: VaultProcess, capsys: pytest.CaptureFixture[str]) -> None:
    assert investigations.open_one(["case-7"]) == 0
    assert investigations.close_one(["case-7"]) == 0
    for again in (investigations.open_one, investigations.close_one):
        assert again(["case-7"]) == 1
    assert investigations.open_one(["Not a code"]) == 1
    told = capsys.readouterr()
    assert told.out.splitlines() == ["Investigation case-7 is open.", "Investigation case-7 is closed."]
    assert len(told.err.splitlines()) == 3
    people.doctor()
    rows = sql(vault, "SELECT actor, note, ref FROM vault.ledger_entry WHERE kind = 'right' ORDER BY entry")
    assert rows == [
        ("admin", "investigation:opened", "investigation:case-7"),
        ("admin", "investigation:closed", "investigation:case-7"),
    ]
