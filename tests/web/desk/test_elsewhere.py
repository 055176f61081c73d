"""Where a shop's page is shown and printed: for those who may change the shop."""

import re

import pytest
import segno
from django.conf import settings
from django.test import Client

from noren.shops import rules
from noren.shops.models import Shop
from noren.shops.tenancy import shop
from tests.api.salon import Salon

HERE = "/console/embed"
EN = {"Accept-Language": "en"}


def sites(made: Salon) -> list[str]:
    with shop(made.id):
        return list(Shop.objects.values_list("embed_origins", flat=True).get())


def test_it_gives_the_tag_to_copy(staff: Client, made: Salon) -> None:
    staff.post(HERE, {"sites": ""})
    text = staff.get(HERE, headers=EN).content.decode()
    found = re.search(r"<code[^>]*>&lt;script src=&quot;(\S+)&quot; async&gt;&lt;/script&gt;</code>", text)
    assert found is not None
    assert found[1].endswith("/salon/embed.js")
    assert "until then a link" in text
    assert f'data-service="{made.cut}"' in text


def test_it_keeps_the_sites(staff: Client, made: Salon) -> None:
    given = " https://Aoba.example/\r\n\r\nhttps://www.aoba.example\nhttps://aoba.example"
    answer = staff.post(HERE, {"sites": given}, follow=True, headers=EN)
    assert "Kept." in answer.content.decode()
    assert sites(made) == ["https://aoba.example", "https://www.aoba.example"]
    assert "until then a link" not in answer.content.decode()
    staff.post(HERE, {"sites": ""})
    assert sites(made) == []


@pytest.mark.parametrize("line", ["aoba.example", "http://aoba.example", "*", "https://a.example/x'; script"])
def test_it_keeps_none_where_one_is_no_site(staff: Client, made: Salon, line: str) -> None:
    staff.post(HERE, {"sites": "https://aoba.example"})
    answer = staff.post(HERE, {"sites": f"https://other.example\n{line}"}, headers=EN)
    assert answer.status_code == 422
    text = answer.content.decode()
    assert "This is no site" in text
    assert "https://other.example" in text
    assert sites(made) == ["https://aoba.example"]


def test_it_takes_no_endless_list(staff: Client, made: Salon) -> None:
    staff.post(HERE, {"sites": ""})
    many = "\n".join(f"https://s{number}.example" for number in range(21))
    assert staff.post(HERE, {"sites": many}).status_code == 422
    assert sites(made) == []


def test_it_tells_what_the_law_asks_for_and_the_shop_has_not_said(staff: Client, made: Salon) -> None:
    """Of a salon with an address and a phone: the seller's and the responsible person's names."""
    assert "does not give: Seller, Responsible. Please" in staff.get(HERE, headers=EN).content.decode()
    with shop(made.id), rules.change():
        Shop.objects.update(legal={"seller": {"ja": "青葉"}, "person": {"ja": "青木"}})
    assert "does not give" not in staff.get(HERE, headers=EN).content.decode()
    with shop(made.id), rules.change():
        Shop.objects.update(
            legal={"on_request": ["address", "phone"]}, contact={}, texts={"name": {"ja": "青葉"}}
        )
    assert "does not give: Seller, Responsible. Please" in staff.get(HERE, headers=EN).content.decode()


# -- on paper


def test_it_leads_to_the_poster_and_the_code(staff: Client) -> None:
    text = staff.get("/console/poster", headers=EN).content.decode()
    for path in (
        "/console/poster/sheet",
        *(f"/console/poster/code.{kind}" for kind in ("svg", "pdf", "png")),
    ):
        assert f'href="{path}"' in text


def test_the_poster_says_whose_it_is_and_where(staff: Client) -> None:
    text = staff.get("/console/poster/sheet", headers={"Accept-Language": "ja"}).content.decode()
    assert all(word in text for word in ("青葉", "ご予約はこちら", f"{settings.NOREN_ORIGIN}/salon/"))


@pytest.mark.parametrize(
    ("kind", "mime", "starts"),
    [
        ("svg", "image/svg+xml", b"<?xml"),
        ("png", "image/png", b"\x89PNG"),
        ("pdf", "application/pdf", b"%PDF-"),
    ],
)
def test_it_gives_the_code(staff: Client, kind: str, mime: str, starts: bytes) -> None:
    answer = staff.get(f"/console/poster/code.{kind}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, mime)
    assert answer.content.startswith(starts)


def test_the_code_is_the_pages_address(staff: Client) -> None:
    """Its dots are those of the address, at a level that reads through a stain."""
    text = staff.get("/console/poster/code.svg").content.decode()
    [size, path] = re.findall(r'<svg[^>]*? width="(\d+)"', text) + re.findall(r' d="([^"]+)"', text)
    wanted = segno.make(f"{settings.NOREN_ORIGIN}/salon/", error="q", micro=False)
    assert int(size) == 10 * wanted.symbol_size(border=4)[0]
    assert path in wanted.svg_inline(scale=10, border=4)
    assert wanted.error in ("Q", "H")


def test_it_gives_no_other_form(staff: Client) -> None:
    assert staff.get("/console/poster/code.eps").status_code == 404
