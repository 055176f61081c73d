"""The pages of operators and auditors: who gets in, under which power, and what a shop is told."""

import re
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.test import Client

from noren import people
from noren.booking.models import Booking
from noren.people import powers
from noren.people.powers import Ask
from noren.shops.tenancy import shop as in_shop
from tests.accounts.passkey import Passkey
from tests.api.salon import Salon
from tests.environment import GIVEN
from tests.servers import Sink, VaultProcess
from tests.vault.operators import second_passkey
from tests.web.conftest import TOMORROW, booked, joined
from tests.web.flow import CUSTOMER

WORKPLACES = {
    "support_shop": "/operations/shops/{shop}",
    "read_incident": "/operations/incident/{shop}",
    "read_ledger_entries": "/operations/audit",
    "rotate_keys": "/operations/keys",
    "end_grants": "/operations/sign-ins",
}


def grant_of(client: Client) -> str:
    return client.cookies["noren_grant"].value


class House:
    """A salon with an owner, an operator with two passkeys, and another to agree."""

    def __init__(self, made: Salon, vault: VaultProcess, mail: Sink, staff: Client, operator: Client) -> None:
        self.made, self.mail, self.staff, self.operator = made, mail, staff, operator
        # The client's own passkey is the browser's; this second one is in the test's hand.
        self.passkey = second_passkey(vault.database_url, "first.operator")
        wanted = Ask(what="invite_operator", words="二人目", about="kei", mail="kei@operators.example")
        grant = grant_of(operator)
        powers.break_glass(grant, wanted, self.passkey.get(powers.glass_begin(grant, wanted)))
        token, self.second_key = self._token("kei@operators.example"), Passkey(GIVEN.origin, "localhost")
        answer = self.second_key.create(people.register_begin(token))
        self.second = people.register_finish(token, answer, session="second").grant
        second_passkey(vault.database_url, "kei.operator")

    def _token(self, to: str) -> str:
        letters = [str(one.get_content()) for one in self.mail.messages if one["To"] == to]
        found = [found[1] for one in letters if (found := re.search(r"/operations/join#(\S+)", one))]
        return found[-1]

    def agree(self, power: str) -> None:
        options = powers.lend_begin(self.second, power)
        powers.lend_finish(self.second, power, self.second_key.get(options))

    def lend(self, what: str, minutes: int = 30) -> str:
        """By the pages: asked for with a form, agreed to, entered with a button; gives where it leads."""
        asked = self.operator.post(
            "/operations/powers/ask",
            {"what": what, "shop": self.made.id, "words": "問い合わせ", "minutes": minutes},
        )
        assert asked.status_code == 302, asked.content.decode()
        power = asked["Location"].rpartition("/")[2]
        self.agree(power)
        entered = self.operator.post(f"/operations/powers/{power}/deed", {"deed": "enter"})
        assert entered.status_code == 302
        return str(entered["Location"])

    def auditor(self) -> Client:
        wanted = Ask(
            what="invite_auditor", words="監査", about="audit", mail="audit@auditors.example", days=30
        )
        self.agree(powers.ask_power(grant_of(self.operator), wanted))
        return joined(self._token("audit@auditors.example"), "operations")


@pytest.fixture
def house(made: Salon, vault: VaultProcess, mail: Sink, staff: Client, operator: Client) -> House:
    return House(made, vault, mail, staff, operator)


def _text(client: Client, address: str, **given: Any) -> str:
    return client.get(address, **given).content.decode()


def test_each_workplace_opens_under_its_power_alone(house: House) -> None:
    """Without one: refused. Under another: refused. For staff and strangers: the door, and no other shop."""
    operator, places = house.operator, {k: v.format(shop=house.made.id) for k, v in WORKPLACES.items()}
    for what, place in places.items():
        refused = operator.get(place)
        assert refused.status_code == 403
        assert "権限が必要です" in refused.content.decode()
        for stranger in (Client(), house.staff):
            away = stranger.get(place)
            assert (away.status_code, away["Location"].split("?")[0]) == (302, "/operations/sign-in")
        assert house.lend(what) == place
        page = operator.get(place)
        assert page.status_code == 200
        assert "no-store" in page["Cache-Control"]
        assert 'class="lent"' in page.content.decode()
        for other in places.values():
            if other != place:
                assert operator.get(other).status_code == 403
        if str(house.made.id) in place:
            assert operator.get(place.replace(str(house.made.id), "9999")).status_code == 404
        power = powers.powers(grant_of(operator)).running()
        assert power is not None
        operator.post(f"/operations/powers/{power.power}/deed", {"deed": "end"})
        assert operator.get(place).status_code == 403


def test_it_shows_a_day_by_numbers_and_names_by_a_tap_and_tells_it(house: House) -> None:
    """GET shows no name; the shop's owner reads who and why, the customer that an operator looked."""
    booked(house.made, TOMORROW)
    people.keep(house.made.id, _person(house.made.id))
    place = house.lend("support_shop")
    address = f"{place}?date={TOMORROW.date()}"
    page = _text(house.operator, address)
    assert "カット" in page
    assert CUSTOMER["name"] not in page
    tapped = house.operator.post(address)
    assert tapped.status_code == 200
    assert CUSTOMER["name"] in tapped.content.decode()
    told = _text(house.staff, "/console/operators")
    assert "問い合わせ" in told
    assert "first.operator" in told
    assert "kei.operator" in told
    power = powers.powers(grant_of(house.operator)).running("support_shop")
    assert power is not None
    ended = house.staff.post("/console/operators/end", {"power": power.power})
    assert ended.status_code == 302
    assert house.operator.get(place).status_code == 403


def _person(shop_id: int) -> UUID:
    with in_shop(shop_id):
        person = Booking.objects.get().person_id
    assert person is not None
    return person


def test_an_auditor_reads_the_record_and_nothing_else(house: House) -> None:
    """Entries by number and time, a proof, scope, doctor; no page of operators; no name on any."""
    auditor = house.auditor()
    assert auditor.get("/operations/").status_code == 302
    for place in (
        "/operations/powers",
        "/operations/keys",
        f"/operations/shops/{house.made.id}",
        "/console/",
    ):
        assert auditor.get(place).status_code == 302
    page = _text(auditor, "/operations/audit?from=0")
    assert "/operations/audit/0.tlog-proof" in page
    assert "青木" not in page
    assert "問い合わせ" not in page
    assert auditor.get("/operations/audit/0.tlog-proof").content.startswith(b"c2sp.org/tlog-proof@v1\n")
    assert auditor.get("/operations/audit/999999.tlog-proof").status_code == 404
    assert auditor.get("/operations/audit", {"at": "2020-01-01T00:00"}).status_code == 200
    span = {"since": "2020-01-01T00:00", "until": "2036-01-01T00:00"}
    scope = auditor.post("/operations/audit/scope", span | {"path": "actor", "name": "admin"})
    assert scope.status_code == 200
    assert auditor.post("/operations/audit/scope", span | {"path": "actor"}).status_code == 422
    assert "break-glass" in auditor.post("/operations/audit/doctor").content.decode()
    assert "kei.operator" in _text(auditor, "/operations/people")
    bundle = auditor.get("/ledger/tile/entries/000.p/2")
    assert (bundle.status_code, house.operator.get("/ledger/tile/entries/000.p/2").status_code) == (200, 403)


def test_the_glass_is_broken_by_the_page(house: House) -> None:
    """It shows first, and nothing happens; the passkey's answer does it; another reviews it with words."""
    form = {"what": "rotate_keys", "words": "鍵の漏えいの疑い", "minutes": "60"}
    before = len(powers.powers(house.second).all)
    shown = house.operator.post("/operations/powers/glass", form)
    assert shown.status_code == 200
    assert 'name="minutes" value="15"' in shown.content.decode()
    assert len(powers.powers(house.second).all) == before
    json: Any = {"content_type": "application/json", "headers": {"Accept": "application/json"}}
    body = form | {"minutes": "15"}
    options = house.operator.post("/operations/powers/glass/begin", body, **json).json()["options"]
    answer = house.passkey.get(options)
    done = house.operator.post("/operations/powers/glass/finish", body | {"answer": answer}, **json)
    address = done.json()["next"]
    own = house.operator.post(f"{address}/deed", {"deed": "review", "words": "よし"})
    assert own.status_code == 403
    power = address.rpartition("/")[2]
    powers.review_power(house.second, power, "妥当")
    assert "妥当" in _text(house.operator, address)


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"what": "support_shop", "words": "x", "minutes": "5"},
        {"what": "support_shop", "words": "", "minutes": "5", "shop": "1"},
        {"what": "invite_operator", "words": "x", "about": "Ｋｅｉ", "mail": "k@example.jp"},
        {"what": "invite_operator", "words": "x", "about": "kei2", "mail": "nothing"},
        {"what": "invite_auditor", "words": "x", "about": "eve", "mail": "e@example.jp"},
        {"what": "end_member", "words": "x"},
    ],
    ids=str,
)
def test_a_form_comes_back_with_what_is_missing(house: House, form: dict[str, str]) -> None:
    assert house.operator.post("/operations/powers/ask", form).status_code == 422


def test_she_with_one_passkey_is_led_to_another(operator: Client) -> None:
    page = _text(operator, "/operations/powers")
    assert "/settings/security" in page
    assert "power_ask" not in page
    refused = operator.post("/operations/powers/ask", {"what": "rotate_keys", "words": "x", "minutes": "5"})
    assert refused.status_code == 409


def test_it_is_told_where_the_clock_says_it_ended(house: House, vault: VaultProcess) -> None:
    """The app has no clock of its own in this: what the vault calls over is over on each page."""
    place = house.lend("rotate_keys")
    assert house.operator.get(place).status_code == 200
    with psycopg.connect(vault.database_url, autocommit=True) as connection:
        connection.execute("UPDATE vault.power SET until = 1 WHERE state = 'running'")
    assert house.operator.get(place).status_code == 403
    assert "時間切れ" in _text(house.operator, "/operations/powers")
