"""What a shop's file asks of who books: what can be written, and which wording it was."""

from datetime import UTC, datetime

import pytest

from noren.booking import importing
from noren.shops import described, rules
from noren.shops.models import Service, Shop
from noren.shops.questions import Guests
from noren.shops.tenancy import shop
from tests.servers import AppDatabase, VaultProcess
from tests.shops.test_importing import EXAMPLES, faults

NOW = datetime(2026, 11, 24, 0, 0, tzinfo=UTC)
CLINIC = (EXAMPLES / "clinic.toml").read_text()


@pytest.mark.parametrize(
    ("written", "instead", "told"),
    [
        ('kind = "several"', 'kind = "many"', "services[1].questions[1].kind: 'many' cannot be"),
        ('kind = "several"', 'kind = "long"', "choices: are for the kinds one and several"),
        ('key = "mr"', 'key = "influenza"', "choices: have a key twice"),
        ('key = "vaccines"', 'key = "first-visit"', "questions[1].key: 'first-visit' is asked already"),
        ('key = "history"', 'key = "vaccines"', "questions[2].key: 'vaccines' is asked already"),
        ('kind = "long"\nhealth', 'kind = "consent"\nhealth', "health: is no consent's"),
        ('guests = "required"', 'guests = "yes"', "services[1].guests: 'yes' cannot be; write one of hidden"),
        ("ご希望のワクチン", "あ" * 601, "question: is longer than 600 characters"),
        (
            "ご希望のワクチン",
            "a\\u202eb",
            "question: is longer than 600 characters, or holds what is no text",
        ),
        ("水痘", "水" * 61, "choices[3].words: is longer than 60"),
        ('question = { ja = "ご', 'help = 5\nquestion = { ja = "ご', "help: 5 cannot be"),
    ],
)
def test_it_says_what_is_wrong_with_a_question(written: str, instead: str, told: str) -> None:
    assert written in CLINIC
    assert any(told in fault for fault in faults(CLINIC.replace(written, instead, 1)))


def test_it_says_when_the_wording_would_not_fit_beside_the_answers() -> None:
    one = '[[questions]]\nkey = "q%d"\nquestion = "' + "あ" * 500 + '"\n'
    many = "".join(one % number for number in range(5))
    told = faults(f"{CLINIC}\n{many}")
    assert any("questions: have 25" in fault and "2000 at most" in fault for fault in told)
    short = "".join(f'[[questions]]\nkey = "q{number}"\nquestion = "x"\n' for number in range(13))
    assert any("questions: are more than 12" in fault for fault in faults(f"{CLINIC}\n{short}"))


def test_a_new_wording_is_a_new_version(app_db: AppDatabase, vault: VaultProcess) -> None:
    """Of any question, of the shop or of a service; the same file again is none, nor is another price."""
    assert app_db
    assert vault

    def brought(text: str) -> int:
        done = importing.write(described.read(text), now=NOW)
        with shop(done.shop_id):
            terms, keys = rules.known().terms, dict(Service.objects.values_list("key", "id"))
            version = Shop.objects.get().questions_version
        first, second = (terms.services[keys[key]].asks for key in ("vaccination", "check-up"))
        assert first.version == second.version == version
        assert [each.key for each in first.questions][:2] == ["first-visit", "vaccines"]
        assert (first.guests, second.guests) == (Guests.REQUIRED, Guests.OPTIONAL)
        return version

    texts = [CLINIC, CLINIC, CLINIC.replace("ご希望のワクチン", "どのワクチンを"), CLINIC]
    assert [brought(text) for text in texts] == [1, 1, 2, 3]
    assert brought(CLINIC.replace("price = 8800", "price = 9900")) == 3
