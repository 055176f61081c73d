"""A shop's pack: what happened to its customers' data in words that it understands, drafts, and the proof.

Two languages, one folder each; the people by their numbers, whom the shop's console shows by name to whoever
may see them there.
"""

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from noren.incidents import bundle, duties, reports
from noren.incidents.book import Workspace
from noren.incidents.reports import Report
from noren.incidents.scope import Question
from noren.people import Exposure, Scope
from noren.web import lookups, report_words, wording
from noren.web.incidents import span_of
from noren.web.report_words import Known

LANGUAGES: Final = ("ja", "en")


@dataclass(frozen=True, slots=True)
class Term:
    """What a shop owes whom, and until when."""

    report: Report
    name: str
    says: str
    until: str
    filed: bool


@dataclass(frozen=True, slots=True)
class Draft:
    """A heading and what there is to say under it; empty: the shop has to say it."""

    heading: str
    text: str


def terms(work: Workspace, shop_id: int, now: datetime, zone: ZoneInfo | None = None) -> list[Term]:
    """What the laws make of it for the shop, as the one who is answerable for its customers' data.

    Moments are told in UTC where no zone is given.
    """
    found = []
    for key in duties.LAWS:
        report = reports.of(work, key, shop_id, now)
        for step in report.steps if report else ():
            if report is not None and step.due is not None:
                until = span_of(step.due, zone)
                name, says = wording.of(report.binding.name), wording.of(step.says)
                found.append(Term(report, name, says, until, filed=bool(step.filed)))
    return found


def notice(known: Known) -> list[Draft]:
    """The draft of what the shop publishes, in the active language."""
    told = known.section
    fill = report_words.fill
    return [
        Draft(_("What happened"), told("happened")),
        Draft(_("When"), told("when") or fill(known, "when")),
        Draft(_("Whose data, and which"), _whose(known)),
        Draft(_("What is not affected, and how we know"), told("unaffected") or _untouched(known)),
        Draft(_("Cause"), fill(known, "cause")),
        Draft(_("What was done"), told("done")),
        Draft(_("What you can do"), told("advice")),
        Draft(_("What we do not know yet, and when you hear from us next"), told("unknown")),
        Draft(_("Reports to authorities"), told("authorities")),
        Draft(_("Whom to ask"), ""),
    ]


def _whose(known: Known) -> str:
    """Of how many and which: a customer has no use for the ledger's root."""
    persons = reports.persons_of(known.work, known.shop_id)
    count = "" if not persons else ngettext("%(n)d person", "%(n)d people", persons) % {"n": persons}
    return "\n".join(filter(None, [count, report_words.fill(known, "fields")]))


def mail(known: Known) -> str:
    """The draft of a mail to those customers, in the active language."""
    lines = [
        _("We write because data that you gave to our shop may have been seen by others."),
        "",
        known.section("happened") or _("[what happened: not published yet]"),
        "",
        _("Of your data it is about:"),
        ", ".join(_words(known)) or _("[which data: not known yet]"),
        "",
        known.section("advice") or _("[what you can do]"),
        "",
        _("You can ask us: [the shop's contact]"),
    ]
    return "\n".join(lines)


def zipped(
    known: Mapping[str, Known], question: Question, found: Scope, *, grant: str, now: datetime
) -> bytes:
    """Return the pack as a zip. `known` by language. Raises what `bundle.pack` raises."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        for language in LANGUAGES:
            with translation.override(language):
                for name, text in _texts(known[language], language, now):
                    file.writestr(f"{language}/{name}", text)
        file.writestr("people.csv", people_csv(found.persons))
        proof = io.BytesIO()
        bundle.pack(proof, question, found, complete=True, grant=grant)
        file.writestr("bundle.zip", proof.getvalue())
    return made.getvalue()


def _texts(known: Known, language: str, now: datetime) -> Iterator[tuple[str, str]]:
    yield "readme.txt", _readme(known, now)
    yield "notice.txt", "\n\n".join(f"{one.heading}\n{one.text or unsaid()}" for one in notice(known)) + "\n"
    yield "mail.txt", mail(known) + "\n"
    for key in (*duties.LAWS, duties.TOLD):
        report = reports.of(known.work, key, known.shop_id, now)
        if report is not None:
            yield (
                f"{key}.json",
                json.dumps(in_json(report, known, language, now), indent=1, ensure_ascii=False),
            )


def in_json(report: Report, known: Known, language: str, now: datetime) -> dict[str, Any]:
    """Return a report for a program, filled from what is known."""
    filled = {one.item.key: report_words.fill(known, one.item.fill) for one in report.items}
    scope = known.scope
    told = {
        "keyside": report_words.keyside(scope),
        "size": scope and scope.size,
        "root": scope and scope.root,
        "answer": scope and scope.sha256,
    }
    slug = known.slugs.get(report.shop_id, "")
    return reports.as_json(report, filled, slug=slug, language=language, told=told, made=now)


def unsaid() -> str:
    """Under a heading that the shop has to fill."""
    return _("[to be said by the shop]")


def _readme(known: Known, now: datetime) -> str:
    there, scope = known.there, known.scope
    owed = [f"- {one.name}: {one.says} - {one.until}" for one in terms(known.work, known.shop_id, now)]
    lines = [
        _("To the shop %(shop)s") % {"shop": known.slugs.get(known.shop_id, known.shop_id)},
        "",
        known.section("happened") or _("What happened has not been published yet."),
        "",
        report_words.fill(known, "number")
        if there and there.persons
        else _("None of your customers is in it."),
        report_words.fill(known, "fields"),
        _untouched(known),
        "",
        _("What the law asks of you, counted from the day on which you were told:"),
        *(owed or [_("By what is known nothing has a term for you.")]),
        _("Whether a law binds you is yours to decide; ask somebody who knows it."),
        "",
        _("people.csv: your customers by number. In the console their page has the number in its address."),
        _("bundle.zip: the proof. noren-verify bundle bundle.zip --vkey KEY checks it without us."),
    ]
    if scope:
        lines.append(_("Ledger: %(n)d entries, root %(root)s") % {"n": scope.size, "root": scope.root})
    return "\n".join(line for line in lines if line is not None) + "\n"


def _untouched(known: Known) -> str:
    there, scope = known.there, known.scope
    if there is None or scope is None or not there.untouched:
        return ""
    return _(
        "By the record, complete up to entry %(entry)d, data of %(n)d more of the customers were not touched."
    ) % {"entry": scope.size - 1, "n": there.untouched}


def _words(known: Known) -> list[str]:
    words = lookups.field_words()
    return [words.get(name, name) for name in (known.there.fields if known.there else ())]


def people_csv(persons: Iterable[Exposure]) -> str:
    """Return customers by number: which fields, between when, how surely."""
    made = io.StringIO()
    rows = csv.writer(made)
    rows.writerow(["person", "fields", "first", "last", "state"])
    for one in persons:
        span = [one.first.astimezone(UTC).isoformat(), one.last.astimezone(UTC).isoformat()]
        rows.writerow([one.person, " ".join(one.fields), *span, one.state])
    return made.getvalue()
