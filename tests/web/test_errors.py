"""Whatever goes wrong becomes a page that says what happened and what to do."""

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory

from noren import errors as vocabulary
from noren.web import errors
from noren.web.middleware import ErrorPages


def _failing(error: Exception, path: str = "/salon/", **headers: str) -> HttpResponse | None:
    request = RequestFactory(headers=headers).get(path)
    return ErrorPages(lambda _request: HttpResponse()).process_exception(request, error)


@pytest.mark.parametrize(
    "kind",
    [vocabulary.VaultUnavailable, vocabulary.LinkRevoked, vocabulary.ShopUnknown, vocabulary.GrantRefused],
)
def test_it_turns_an_error_of_the_vocabulary_into_its_page(kind: type[vocabulary.NorenError]) -> None:
    answer = _failing(kind())
    assert answer is not None
    assert answer.status_code == kind.status
    assert str(kind().words()) in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]


def test_it_leaves_the_apis_errors_to_the_api_and_faults_to_the_log() -> None:
    assert _failing(vocabulary.ShopUnknown(), "/api/v1/shops/x/services") is None
    assert _failing(RuntimeError("our own fault")) is None


def test_it_gives_a_piece_of_a_page_a_place_to_stand() -> None:
    answer = _failing(vocabulary.VaultUnavailable(), **{"HX-Request": "true"})
    assert answer is not None
    assert answer.headers["HX-Retarget"] == "#main"


def test_it_answers_a_script_with_code_and_words() -> None:
    answer = _failing(vocabulary.PasskeyRefused(), Accept="application/json")
    assert answer is not None
    assert b'"passkey_refused"' in answer.content


def test_it_offers_to_try_again_only_where_that_can_help() -> None:
    away = _failing(vocabulary.VaultUnavailable(), **{"Accept-Language": "en"})
    gone = _failing(vocabulary.LinkRevoked())
    assert away is not None
    assert gone is not None
    assert 'href="/salon/"' in away.content.decode()
    assert 'href="/salon/"' not in gone.content.decode()


def test_it_says_that_a_fault_is_ours() -> None:
    answer = errors.broken(RequestFactory().get("/"))
    assert answer.status_code == 500
    assert "<h1" in answer.content.decode()


@pytest.mark.parametrize("path", ["/b/", "/console/nothing", "/%E3%81%82/"])
def test_it_has_a_page_for_an_address_that_is_none(path: str) -> None:
    assert Client().get(path).status_code == 404


def test_it_refuses_a_way_of_asking_that_a_page_does_not_know() -> None:
    assert Client().delete("/").status_code == 405
