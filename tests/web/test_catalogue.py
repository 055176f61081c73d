"""Every word of the pages is there in Japanese, and the compiled catalogue is that of its text."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.utils import translation

from noren import errors
from noren.errors import NorenError

TOP = Path(__file__).resolve().parents[2]


def test_it_has_japanese_for_every_text_and_is_compiled() -> None:
    checked = subprocess.run(
        [sys.executable, str(TOP / "bin" / "words"), "--check"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


def _every(kind: type[NorenError]) -> list[type[NorenError]]:
    return [kind, *(found for below in kind.__subclasses__() for found in _every(below))]


@pytest.mark.parametrize("kind", _every(errors.NorenError), ids=lambda kind: kind.__name__)
def test_it_says_every_error_in_both_languages(kind: type[NorenError]) -> None:
    with translation.override("ja"):
        japanese = str(kind.message)
    with translation.override("en"):
        english = str(kind.message)
    assert english.isascii()
    assert not japanese.isascii()
