"""`noren incident contain`: every deed of the page from the machine, in the book, and lifted there, too."""

import re

import pytest

from noren import errors, people
from noren.incidents import book
from noren.incidents.contain_commands import contain, open_book
from noren.people import incidents
from noren.shops import directory
from tests.servers import AppDatabase, VaultProcess

Printed = pytest.CaptureFixture[str]
FAR = "203.0.113.9"


@pytest.fixture(scope="module")
def shop_id(module_app_db: AppDatabase, module_vault: VaultProcess) -> int:
    found = directory.found("salon")
    people.import_rows(found, [people.Row("c0", {"name": "客"})])
    return found


@pytest.fixture
def incident(shop_id: int, capsys: Printed) -> str:
    assert open_book(["夜中の閲覧"]) == 0
    return capsys.readouterr().out.strip()


def _deeds(incident: str) -> list[tuple[str, str, str]]:
    found = book.workspace(incidents.read(None, incident).records)
    return [(str(one.line.said["deed"]), str(one.line.said["on"]), one.state) for one in found.deeds]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["freeze"], ("freeze", "*", "freeze")),
        (["freeze", "--shop", "salon"], ("freeze", "salon", "freeze")),
        (["hold", "--shop", "salon", "--days", "9"], ("hold", "salon", "hold")),
        (["block", "--address", "203.0.113.0/24"], ("block", "address 203.0.113.0/24", "block")),
        (["block", "--device", "Kashi/7", "--hours", "2"], ("block", "device Kashi/7", "block")),
    ],
)
def test_what_it_sets_lasts_and_is_lifted(
    words: list[str], told: tuple[str, str, str], incident: str, capsys: Printed
) -> None:
    deed, on, kind = told
    assert contain([incident, *words, "--because", "速く"]) == 0
    assert contain([incident, "show"]) == 0
    found = re.search(rf"^{kind} +([0-9a-f]{{16}})", capsys.readouterr().out, re.MULTILINE)
    assert found is not None
    assert contain([incident, "lift", f"--{kind}", found[1]]) == 0
    capsys.readouterr()
    assert contain([incident, "show"]) == 0
    assert capsys.readouterr().out == "Nothing.\n"
    lifted = {"freeze": "thaw", "hold": "release", "block": "open"}[kind]
    assert _deeds(incident) == [(deed, on, "done"), (lifted, found[1], "done")]


def test_a_blocked_path_is_shut_until_it_is_lifted(incident: str, shop_id: int, capsys: Printed) -> None:
    contain([incident, "block", "--address", FAR])
    with pytest.raises(errors.PathBlocked):
        people.password_check(shop_id, "who@example.jp", "ながい合言葉", session="s", address=FAR)
    capsys.readouterr()
    contain([incident, "show"])
    block = capsys.readouterr().out.split()[1]
    contain([incident, "lift", "--block", block])
    with pytest.raises(errors.PasswordRefused):
        people.password_check(shop_id, "who@example.jp", "ながい合言葉", session="s", address=FAR)


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (["end", "--everybody"], 0, None),
        (["end", "--shop", "salon"], 0, None),
        (["revoke", "--actor", "nobody.salon"], 1, "no_such_credential"),
        (["reset", "--actor", "nobody.salon"], 1, "no_such_name"),
        (["block", "--address", "nowhere"], 1, "no_such_name"),
        (["lift", "--block", "0" * 16], 1, "no_such_block"),
    ],
)
def test_how_it_ended_is_in_the_book(
    words: list[str], code: int, why: str | None, incident: str, capsys: Printed
) -> None:
    """And what stood in the way is said on the screen."""
    assert contain([incident, *words]) == code
    (deed,) = book.workspace(incidents.read(None, incident).records).deeds
    assert deed.since[-1].said.get("why") == why
    assert bool(capsys.readouterr().err) == bool(code)


def test_asked_wrongly_it_does_nothing(incident: str, capsys: Printed) -> None:
    for words in ([], ["end"], ["block"], ["hold"], ["drop"], ["block", "--address", FAR, "--device", "x"]):
        with pytest.raises(SystemExit) as left:
            contain([incident, *words])
        assert left.value.code == 2
    assert contain([incident, "end", "--shop", "none"]) == 1
    assert contain(["0" * 16, "freeze"]) == 1
    assert _deeds(incident) == []


def test_it_lets_operators_in(shop_id: int, capsys: Printed) -> None:
    """Whoever is none is refused; what was opened by then stays."""
    assert shop_id
    people.invite_operator(mail="first@operators.example.jp")
    assert open_book(["夜中の閲覧", "--member", "first.operator"]) == 0
    incident = capsys.readouterr().out.strip()
    assert incidents.read(None, incident).members == {"first.operator": "in"}
    assert open_book(["夜中の閲覧", "--member", "nobody.operator"]) == 1
