"""Paper for what is printed: A4 with its font in it, and letters that the font has."""

import logging
import unicodedata
from collections.abc import Container
from datetime import datetime
from threading import Lock
from typing import Final

from fpdf import FPDF
from noto_cjk_sans_jp_regular import FONT_PATH

# What printers set for a letter that they do not have.
LACKING: Final = "〓"
# Letters with a stroke are letters of their own, in no standard taken apart.
_STROKES: Final = str.maketrans("ŁłĐđĦħŦŧı", "LlDdHhTti")
MARGIN, WIDTH = 12.0, 186.0
TEXT, SMALL, LINE = 10.0, 8.0, 4.6
FACE: Final = "noto"
# They log which letters a file has: those of names.
for _talker in ("fontTools", "fpdf"):
    logging.getLogger(_talker).setLevel(logging.CRITICAL + 1)
# The font takes a hundred megabytes while it is read: one paper after the other.
one_at_a_time = Lock()


class Paper(FPDF):
    """Pages with one font; `lacks` says whether a letter was not in it."""

    letters: Container[int]

    def __init__(self, language: str, made: datetime) -> None:
        super().__init__(orientation="portrait", unit="mm", format="A4")
        self.add_font(FACE, "", str(FONT_PATH))
        self.letters = self.fonts[FACE].cmap  # type: ignore[union-attr]
        self.lacks = False
        self.set_margin(MARGIN)
        self.set_auto_page_break(False)
        self.set_lang(language)
        self.set_creation_date(made)
        self.alias_nb_pages("{nb}")
        self.set_draw_color(110)

    def spelled(self, text: str) -> str:
        """Give the text in letters that the font has: without an accent, or as a printer's mark."""
        found = []
        for letter in unicodedata.normalize("NFC", " ".join(text.split())):
            if ord(letter) in self.letters:
                found.append(letter)
                continue
            parts = unicodedata.normalize("NFKD", letter.translate(_STROKES))
            there = [each for each in parts if ord(each) in self.letters and not unicodedata.combining(each)]
            plain = "".join(there)
            self.lacks |= not plain
            found.append(plain or LACKING)
        return "".join(found)
