"""Words that a shop's file gives to everybody: what the law on trade asks for, the use of data."""

import pytest

from noren.shops import described
from tests.shops.test_importing import SALON, faults


def with_line(line: str) -> str:
    head, tail = SALON.split("[policy]", maxsplit=1)
    return f"{head}{line}\n[contact]{tail.split('[contact]', maxsplit=1)[1]}"


def test_a_file_gives_words_of_the_law_and_the_use_of_data() -> None:
    more = 'legal = { seller = "あさぎ", on_request = ["phone"] }\nprivacy = "ご予約のため"'
    columns = described.read(with_line(more)).columns
    assert columns["legal"] == {"seller": {"ja": "あさぎ"}, "on_request": ["phone"]}
    assert columns["texts"]["privacy"] == {"ja": "ご予約のため"}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('legal = { sellar = "x" }', "legal.sellar: is not known here; did you mean 'seller'?"),
        ('legal = { on_request = ["mail"] }', "legal.on_request: there is no part"),
    ],
)
def test_it_tells_what_is_wrong_there(line: str, told: str) -> None:
    assert [fault for fault in faults(with_line(line)) if told in fault]
