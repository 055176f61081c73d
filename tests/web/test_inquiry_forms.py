"""The inquiry desk's form as it comes back, and in each language: nothing is kept of what is refused."""

from collections.abc import Iterator

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, override_settings

from tests.servers import AppDatabase, VaultProcess
from tests.vault.cast import sql
from tests.web.desk_house import FORM, WORDS, proof_of, send

MAIL = "aoi.asks@example.jp"


@pytest.fixture(scope="module")
def vault(module_app_db: AppDatabase, module_vault: VaultProcess) -> Iterator[VaultProcess]:
    """One of each for all of these: none keeps anything."""
    assert module_app_db
    with override_settings(SECRET_KEY="s" * 50):
        yield module_vault


def _english() -> Client:
    return Client(headers={"Accept-Language": "en"})


@pytest.mark.parametrize(
    ("given", "status", "words"),
    [
        ({"words": ""}, 422, "Please write what you would like to ask."),
        ({"about": "nothing"}, 422, "Please choose what it is about."),
        ({"website": "https://spam.example"}, 422, "nobody sees"),
        ({"mail": "no address"}, 422, "Please look for a slip"),
        ({"words": "あ" * 8_001}, 422, "too long"),
        ({"proof": "made up:1"}, 429, "puzzle"),
    ],
)
def test_a_form_comes_back_with_what_was_typed(
    vault: VaultProcess, given: dict[str, str], status: int, words: str
) -> None:
    answer = send(_english(), **{"mail": MAIL, **given})
    page = answer.content.decode()
    assert answer.status_code == status, page
    assert words in page
    if "words" not in given:
        assert WORDS in page
    assert sql(vault, "SELECT count(*) FROM vault.inquiry") == [(0,)]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("card.png", b"\x89PNG\r\n\x1a\n\x00\x00", "Only text files"),
        ("card.pdf", b"%PDF-1.7\n1 0 obj", "Only text files"),
        ("list.xlsx", b"PK\x03\x04abc", "Only text files"),
        ("utf16", "4111".encode("utf-16-le"), "Only text files"),
        ("long.txt", b"x" * 60_000, "too long"),
    ],
)
def test_what_cannot_be_looked_through_is_not_taken(
    vault: VaultProcess, name: str, content: bytes, words: str
) -> None:
    answer = send(_english(), files=SimpleUploadedFile(name, content))
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert WORDS in answer.content.decode()
    assert sql(vault, "SELECT count(*) FROM vault.inquiry") == [(0,)]


def test_the_form_is_there_in_three_languages(vault: VaultProcess) -> None:
    assert vault
    for language, words in (("ja", "お問い合わせ"), ("en", "Ask us"), ("ja-easy", "質問（しつもん）")):
        page = Client().get(f"{FORM}?lang={language}").content.decode()
        assert words in page
        assert proof_of(page)
