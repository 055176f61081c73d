"""Where a shop's page is shown and printed: for those who may change the shop."""

import re

import pytest
from django.test import Client

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
