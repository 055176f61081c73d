"""The rules of the look that a machine can keep."""

import base64
import hashlib
import re
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
WEB = TOP / "src" / "noren" / "web"
CSS = sorted((WEB / "static" / "noren" / "css").glob("*.css"))
TEMPLATES = sorted((WEB / "templates").rglob("*.html"))
VENDORED = [WEB / "static" / "noren" / "vendor", TOP / "tests" / "vendor"]
COLOUR = re.compile(r"#[0-9a-fA-F]{3,8}\b|\b(?:oklch|oklab|rgba?|hsla?|lab|lch|hwb)\(")


@pytest.mark.parametrize("sheet", CSS, ids=lambda path: path.name)
def test_it_names_colours_in_one_file_only(sheet: Path) -> None:
    found = COLOUR.findall(sheet.read_text(encoding="utf-8"))
    assert bool(found) == (sheet.name == "tokens.css")


@pytest.mark.parametrize("sheet", CSS, ids=lambda path: path.name)
def test_it_uses_only_tokens_that_exist(sheet: Path) -> None:
    given = set(re.findall(r"(--[a-z0-9-]+)\s*:", "".join(path.read_text() for path in CSS)))
    used = set(re.findall(r"var\((--[a-z0-9-]+)", sheet.read_text(encoding="utf-8")))
    assert used <= given


@pytest.mark.parametrize("sheet", CSS, ids=lambda path: path.name)
def test_it_keeps_every_rule_in_a_layer(sheet: Path) -> None:
    text = re.sub(r"/\*.*?\*/", "", sheet.read_text(encoding="utf-8"), flags=re.DOTALL)
    depth, outside = 0, ""
    for letter in text:
        depth += (letter == "{") - (letter == "}")
        outside += letter if depth == 0 and letter != "}" else ""
    assert re.fullmatch(r"(@layer [a-z, ]+;?\s*)+", outside.strip())


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_it_has_no_style_or_script_inside_a_page(template: Path) -> None:
    text = template.read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|hx-on|hx-vals=.js", text)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text))


@pytest.mark.parametrize("folder", VENDORED, ids=["web", "tests"])
def test_it_keeps_the_files_of_others_as_they_came(folder: Path) -> None:
    recorded = dict(re.findall(r"^(\S+)  sha384-(\S+)", (folder / "README.txt").read_text(), re.MULTILINE))
    found = {
        path.name: base64.b64encode(hashlib.sha384(path.read_bytes()).digest()).decode()
        for path in folder.glob("*.js")
    }
    assert found == recorded
