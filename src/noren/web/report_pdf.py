"""A report as a PDF: each item under its label, made in the answer and kept nowhere."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from noren.web import wording
from noren.web.paper import FACE, LINE, MARGIN, SMALL, TEXT, WIDTH, Paper, one_at_a_time

_FOOT = 18.0


class _Report(Paper):
    """Pages that say on each of them what they are a part of."""

    def __init__(self, told: Mapping[str, Any], made: datetime) -> None:
        super().__init__(told["language"], made)
        self.told, self.made = told, made
        self.set_title(self.spelled(told["name"]))
        self.set_auto_page_break(True, margin=_FOOT)

    def footer(self) -> None:
        """Which report, when it was made, and which page."""
        self.set_y(-_FOOT + 5)
        self.set_font(FACE, size=SMALL)
        words = f"{self.told['name']} · {self.made.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        self.cell(WIDTH - 30, LINE, self.spelled(words))
        self.cell(30, LINE, f"{self.page_no()} / {{nb}}", align="R")

    def words(self, text: str, size: float = TEXT, after: float = 1.0) -> None:
        """Lines of text as they are."""
        self.set_font(FACE, size=size)
        for line in text.splitlines() or [""]:
            self.multi_cell(
                WIDTH, LINE * size / SMALL, self.spelled(line), new_x="LMARGIN", new_y="NEXT", align="L"
            )
        self.ln(after)

    def rule(self) -> None:
        """A thin line."""
        self.line(MARGIN, self.get_y(), MARGIN + WIDTH, self.get_y())
        self.ln(2)


def pdf(told: Mapping[str, Any], made: datetime) -> bytes:
    """Give the file of a report in its plain form, in the active language."""
    with one_at_a_time:
        paper = _Report(told, made)
        paper.add_page()
        paper.words(told["name"], size=15, after=1)
        principal = told["principal"]["shop"] or _("The platform")
        paper.words(
            "\n".join(
                [
                    _("To: %(authority)s") % {"authority": told["authority"]},
                    _("Answerable for the data: %(who)s") % {"who": principal},
                    *_steps(told),
                ]
            ),
            after=2,
        )
        for number, one in enumerate(told["items"], start=1):
            paper.rule()
            paper.words(f"{number}. {one['label']}", size=TEXT + 1, after=0.5)
            paper.words(one["text"] or pgettext("report", "Not known yet."), after=2)
        if told["facts"].get("keyside"):
            paper.rule()
            paper.words(told["facts"]["keyside"], size=SMALL)
        return bytes(paper.output())


def _steps(told: Mapping[str, Any]) -> list[str]:
    lines = []
    for step in told["steps"]:
        lines += [f"{step['says']}: {step['by'][:16]}"] if step["by"] else []
        for one in step["filed"]:
            at = wording.utc_of(one["at"])
            filed = {"what": step["says"], "at": at, "by": one["by"], "receipt": one["receipt"] or "-"}
            lines.append(_("%(what)s: filed %(at)s by %(by)s, receipt %(receipt)s") % filed)
    return lines
