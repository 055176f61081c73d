"""A day sheet as a PDF: made of plain values in the answer, with its font in it, and kept nowhere."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from fpdf.enums import MethodReturnValue

from noren.web.paper import FACE, LINE, MARGIN, SMALL, TEXT, WIDTH, Paper, one_at_a_time

_FOOT: Final = 22.0
_BOX: Final = 3.2


@dataclass(frozen=True, slots=True)
class Line:
    """One booking, in words."""

    time: str
    name: str = field(repr=False)
    kana: str = field(repr=False)
    phone: str = field(repr=False)
    service: str
    party: str
    state: str

    @property
    def cells(self) -> tuple[str, ...]:
        """What stands in the columns."""
        called = " ".join(filter(None, (self.name, self.kana and f"({self.kana})", self.party)))
        return self.time, called, self.service, self.phone, self.state


@dataclass(frozen=True, slots=True)
class Group:
    """Whom one of the shop's people serves, in the order of time."""

    name: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """All that stands on it. `heads` and `says` stand on each page; `page` has places for two numbers."""

    title: str
    says: tuple[str, ...]
    columns: tuple[str, ...]
    groups: tuple[Group, ...]
    phones: bool
    empty: str
    ends: str
    """What is to become of it."""
    page: str
    goes_on: str
    lacking: str
    made: datetime
    language: str

    @property
    def widths(self) -> tuple[float, ...]:
        """The columns' in millimetres, the box to tick first; without phones theirs goes to the others."""
        if self.phones:
            return 6.0, 27.0, 61.0, 44.0, 29.0, 19.0
        return 6.0, 27.0, 72.0, 58.0, 0.0, 23.0


class _Sheet(Paper):
    """Pages that say on each of them what they are a part of."""

    def __init__(self, sheet: Sheet) -> None:
        super().__init__(sheet.language, sheet.made)
        self.sheet = sheet
        self.set_title(self.spelled(sheet.title))

    def header(self) -> None:
        """The number and the day large, then who made it, when, and until when it holds."""
        self.set_font(FACE, size=15)
        self.cell(WIDTH, 8, self.spelled(self.sheet.title), new_x="LMARGIN", new_y="NEXT")
        self.set_font(FACE, size=SMALL + 1)
        for words in self.sheet.says:
            self.multi_cell(WIDTH, LINE, self.spelled(words), new_x="LMARGIN", new_y="NEXT", align="L")
        self.ln(1.5)

    def footer(self) -> None:
        """What is to become of it, and which page it is."""
        self.set_y(-_FOOT + 5)
        self.set_font(FACE, size=SMALL)
        page = self.sheet.page % (self.page_no(), "{nb}")
        self.cell(WIDTH - 40, LINE, self.spelled(self.sheet.ends))
        self.cell(40, LINE, self.spelled(page), align="R")

    def group(self, one: Group) -> None:
        """A heading, and a line for each booking; on a new page the heading stands again."""
        self._heading(one.name, len(one.lines) and self._height(one.lines[0].cells))
        for line in one.lines:
            high = self._height(line.cells)
            if self.get_y() + high > self.h - _FOOT:
                self.add_page()
                self._heading(self.sheet.goes_on % one.name, high)
            self._row(line.cells, high)
        self.ln(2.5)

    def _heading(self, words: str, after: float) -> None:
        if self.get_y() + 14 + after > self.h - _FOOT:
            self.add_page()
        self.set_font(FACE, size=TEXT + 2)
        self.cell(WIDTH, 7, self.spelled(words), new_x="LMARGIN", new_y="NEXT")
        self.set_font(FACE, size=SMALL)
        self._cells(("", *self.sheet.columns), 0.0)
        self.ln(LINE)
        self._rule(0.4)

    def _row(self, cells: Sequence[str], high: float) -> None:
        top = self.get_y()
        self.rect(MARGIN + 0.6, top + 1.5, _BOX, _BOX)
        self.set_font(FACE, size=TEXT)
        self._cells(("", *cells), 1.0)
        self.set_xy(MARGIN, top + high)
        self._rule(0.1)

    def _cells(self, cells: Sequence[str], down: float) -> None:
        left, top = MARGIN, self.get_y()
        for width, words in zip(self.sheet.widths, cells, strict=True):
            if width and words:
                self.set_xy(left, top + down)
                self.multi_cell(width, LINE, self.spelled(words), align="L", padding=(0, 1, 0, 0))
            left += width
        self.set_xy(MARGIN, top)

    def _height(self, cells: Sequence[str]) -> float:
        self.set_font(FACE, size=TEXT)
        lines = [
            self._lines(width, words)
            for width, words in zip(self.sheet.widths[1:], cells, strict=True)
            if width and words
        ]
        return max(lines, default=1) * LINE + 2.0

    def _lines(self, width: float, words: str) -> int:
        """Count the lines without setting them."""
        found = self.multi_cell(
            width,
            LINE,
            self.spelled(words),
            align="L",
            padding=(0, 1, 0, 0),
            dry_run=True,
            output=MethodReturnValue.LINES,
        )
        return len(found) if isinstance(found, list) else 1

    def _rule(self, thick: float) -> None:
        self.set_line_width(thick)
        self.line(MARGIN, self.get_y(), MARGIN + WIDTH, self.get_y())
        self.set_line_width(0.2)


def pdf(sheet: Sheet) -> bytes:
    """Give the file."""
    with one_at_a_time:
        paper = _Sheet(sheet)
        paper.add_page()
        paper.set_font(FACE, size=TEXT)
        for each in sheet.groups:
            paper.group(each)
        if not sheet.groups:
            paper.multi_cell(WIDTH, 8, paper.spelled(sheet.empty))
        if paper.lacks:
            paper.set_font(FACE, size=SMALL)
            paper.multi_cell(WIDTH, LINE, paper.spelled(sheet.lacking))
        return bytes(paper.output())
