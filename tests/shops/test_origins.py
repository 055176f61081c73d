"""Which sites may show a shop's pages, as somebody writes them."""

import pytest

from noren.shops import described
from noren.shops.origins import origin
from tests.shops.test_importing import SALON, faults
from tests.shops.test_public_words import with_line


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("https://www.salon.example", "https://www.salon.example"),
        (" https://Salon.Example/ ", "https://salon.example"),
        ("https://salon.example:443", "https://salon.example"),
        ("https://salon.example:8443", "https://salon.example:8443"),
        ("https://美容室.example", "https://xn--wbttbx74p.example"),
        ("http://localhost:5000", "http://localhost:5000"),
        ("http://127.0.0.1", "http://127.0.0.1"),
    ],
)
def test_it_writes_a_site_as_browsers_do(written: str, meant: str) -> None:
    assert origin(written) == meant


@pytest.mark.parametrize(
    "written",
    [
        "salon.example",
        "http://salon.example",
        "https://salon.example/book",
        "https://*.example",
        "https://a.example; script-src *",
        "https://a.example https://b.example",
        "https://user@a.example",
        "https://a.example?x",
        "https://a.example:99999",
        "https://[::1]",
        "https://",
        "javascript:alert(1)",
        "*",
        "'self'",
        "https://" + "a" * 70 + ".example",
    ],
)
def test_it_takes_nothing_else(written: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        origin(written)


def test_a_file_names_sites() -> None:
    columns = described.read(with_line('embed = ["https://Salon.example/"]')).columns
    assert columns["embed_origins"] == ["https://salon.example"]


def test_a_file_that_names_no_sites_leaves_them() -> None:
    assert "embed_origins" not in described.read(SALON).columns


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('embed = ["salon.example"]', "embed: 'salon.example' is no site; write"),
        ('embed = "https://a.example"', "embed: is no list of sites"),
    ],
)
def test_it_tells_what_is_wrong_there(line: str, told: str) -> None:
    assert [fault for fault in faults(with_line(line)) if told in fault]
