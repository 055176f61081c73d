"""The passwords of exactly those in a scope, from an incident's page: counted, for a reason, in one press."""

import json
import re
from datetime import timedelta
from uuid import UUID

import pytest

from noren import people
from noren.incidents import contain_commands
from noren.people import forced
from tests.api.salon import Salon
from tests.servers import Sink, VaultProcess
from tests.vault.cast import sql
from tests.web.conftest import TOMORROW
from tests.web.flow import CUSTOMER, Visitor
from tests.web.test_account import DOOR, OTHER, PASSWORD, come_in, hanako, kept, type_password
from tests.web.test_containment import _book as book_of
from tests.web.test_incident_reports import asked, text, work_of
from tests.web.test_incidents import opened
from tests.web.test_powers import House, grant_of, house

__all__ = ["hanako", "house"]

TODAY = people.Purpose.TODAY
WHY = "受付の端末から見られていたため"
SEEN = re.compile(r'name="seen" value="([0-9a-f]{64})"')


def _with_password(mail: Sink, address: str) -> Visitor:
    visitor = Visitor()
    come_in(mail, visitor, address)
    visitor.open("/salon/account/ways")
    type_password(visitor, password=PASSWORD)
    assert "追加しました" in visitor.text
    return visitor


def _is_in(visitor: Visitor) -> bool:
    visitor.open("/salon/account")
    return DOOR not in visitor.text


def _seen_by_staff(house: House, place: str, *persons: UUID) -> str:
    """The number of the question that names exactly these."""
    people.reveal(grant_of(house.staff), TODAY, list(persons), ["name"])
    handle = people.whoami(grant_of(house.staff)).actor.handle
    return asked(house, place, way="actor", named=handle).rpartition("/")[2]


def _fact(told: str, name: str) -> str:
    found = re.search(rf"<dt>{name}</dt><dd[^>]*>(\d+)</dd>", told)
    return found[1] if found else ""


def test_exactly_those_in_a_scope_set_their_passwords_anew(
    house: House, made: Salon, hanako: UUID, mail: Sink
) -> None:
    """Counted before; without powers, a reason or the same answer nothing is done; the other stays in."""
    kept(made, TOMORROW + timedelta(hours=4), **OTHER)
    hers, his = _with_password(mail, CUSTOMER["mail"]), _with_password(mail, OTHER["mail"])
    place, operator = opened(house.operator), house.operator
    assert "誰のデータか" in text(operator, place).split('id="contain"')[1]
    house.lend("read_ledger_entries")
    number = _seen_by_staff(house, place, hanako)
    wanted = {"deed": "reset", "whose": "scope", "name": number}
    assert operator.post(f"{place}/contain", wanted).status_code == 403
    assert 'id="reset-scope"' not in text(operator, place)
    house.lend("end_grants")
    assert 'id="reset-scope"' in text(operator, place)
    before = len(book_of(operator, place))
    told = operator.post(f"{place}/contain", wanted).content.decode()
    counted = ("範囲に含まれる人", "そのアカウント", "無効になるパスワード", "終了するサインイン")
    assert [_fact(told, each) for each in counted] == ["1", "1", "1", "1"]
    (seen,) = SEEN.findall(told)
    for wrong, status in (({"seen": seen}, 422), ({"seen": "0" * 64, "because": WHY}, 409)):
        answer = operator.post(f"{place}/contain", wanted | wrong)
        assert answer.status_code == status
        assert 'role="alert"' in answer.content.decode()
    for nothing in ("999", "x", ""):
        assert operator.post(f"{place}/contain", wanted | {"name": nothing}).status_code == 404
    assert len(book_of(operator, place)) == before
    assert (_is_in(hers), _is_in(his), forced.standing()) == (True, True, ())
    done = operator.post(f"{place}/contain", wanted | {"seen": seen, "because": WHY}, follow=True)
    (_, first), (_, last) = book_of(operator, place)[-2:]
    assert (first["deed"], first["on"], first["text"]) == ("reset", f"scope {number}", WHY)
    (reset,) = forced.standing()
    assert (last["outcome"], last["touched"], last["reset"]) == ("done", 1, reset.reset)
    assert (reset.whose, reset.passwords, reset.ended) == ("persons", 1, 1)
    assert f"/operations/resets#r{reset.reset}" in done.content.decode()
    assert f'id="r{reset.reset}">' in text(operator, "/operations/resets")
    assert (_is_in(hers), _is_in(his)) == (False, True)
    type_password(hers, mail=CUSTOMER["mail"], password=PASSWORD)
    assert not _is_in(hers)
    assert operator.get("/operations/").status_code == 200


def test_where_nobody_signs_in_or_everybody_may_be_there_is_no_button(
    house: House, made: Salon, hanako: UUID, vault: VaultProcess
) -> None:
    """Said in words; what the form would have sent does nothing either."""
    place, operator = opened(house.operator), house.operator
    for power in ("read_ledger_entries", "end_grants"):
        house.lend(power)
    number = _seen_by_staff(house, place, hanako)
    wanted = {"deed": "reset", "whose": "scope", "name": number}
    told = operator.post(f"{place}/contain", wanted).content.decode()
    assert not SEEN.findall(told)
    assert "サインインできる人はいません" in told
    (line,) = work_of(house, place).scopes
    answer = operator.post(
        f"{place}/contain", wanted | {"seen": line.said["sha256"], "because": WHY}, follow=True
    )
    assert answer.status_code == 422
    assert book_of(operator, place)[-1][1]["why"] == "no_such_name"
    taken = asked(house, place, way="store", named="host").rpartition("/")[2]
    told = operator.post(f"{place}/contain", wanted | {"name": taken}).content.decode()
    assert "以降の全員です" in told
    assert not SEEN.findall(told)
    host = next(each for each in work_of(house, place).scopes if str(each.record.number) == taken)
    sent = {"seen": host.said["sha256"], "because": WHY}
    assert (
        "以降の全員です"
        in operator.post(f"{place}/contain", wanted | {"name": taken} | sent).content.decode()
    )
    assert not sql(vault, "SELECT 1 FROM vault.forced_reset")


def test_a_shell_resets_them_by_the_records_number(
    house: House, made: Salon, hanako: UUID, mail: Sink, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same from the machine, without a power, into the same book."""
    hers = _with_password(mail, CUSTOMER["mail"])
    place = opened(house.operator)
    house.lend("read_ledger_entries")
    number = _seen_by_staff(house, place, hanako)
    words = [place.rpartition("/")[2], "reset", "--scope"]
    assert contain_commands.contain([*words, "999"]) == 1
    assert contain_commands.contain([*words, number, "--because", WHY]) == 0
    assert "touched: 1" in capsys.readouterr().out
    said = json.dumps(book_of(house.operator, place)[-2][1], ensure_ascii=False)
    assert f'"on": "scope {number}"' in said
    assert not _is_in(hers)
