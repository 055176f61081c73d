"""What an incident is called and what its records say, in words."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from noren.incidents import asked
from noren.incidents.book import Line
from noren.web import containment, scope_words

SEVERITY: Final[Mapping[str, str | Promise]] = {
    "minor": pgettext_lazy("incident", "minor"),
    "major": pgettext_lazy("incident", "major"),
    "critical": pgettext_lazy("incident", "critical"),
}
STATE: Final[Mapping[str, str | Promise]] = {
    "investigating": pgettext_lazy("incident", "investigating"),
    "identified": pgettext_lazy("incident", "identified"),
    "contained": pgettext_lazy("incident", "contained"),
    "resolved": pgettext_lazy("incident", "resolved"),
    "closed": pgettext_lazy("incident", "closed"),
}
WEIGHT: Final[Mapping[str, str | Promise]] = {
    "open": pgettext_lazy("hypothesis", "open"),
    "supported": pgettext_lazy("hypothesis", "supported"),
    "refuted": pgettext_lazy("hypothesis", "refuted"),
}
STANDING: Final[Mapping[str, str | Promise]] = {
    "in": pgettext_lazy("incident", "reads and writes"),
    "out": pgettext_lazy("incident", "let out"),
    "barred": pgettext_lazy("incident", "barred: it may be about them"),
}
KIND: Final[Mapping[str, str | Promise]] = {
    "opened": gettext_lazy("Opened"),
    "member": gettext_lazy("Who reads it"),
    "fact": gettext_lazy("Fact"),
    "note": gettext_lazy("Note"),
    "severity": gettext_lazy("Severity"),
    "state": gettext_lazy("State"),
    "commander": gettext_lazy("Commander"),
    "known": gettext_lazy("Known since"),
    "hypothesis": gettext_lazy("Hypothesis"),
    "weighed": gettext_lazy("Hypothesis weighed"),
    "task": gettext_lazy("Task"),
    "done": gettext_lazy("Task done"),
    "decision": gettext_lazy("Decision"),
    "evidence": gettext_lazy("Evidence"),
    "scope": gettext_lazy("Whose data"),
    "told": gettext_lazy("Shop told"),
    "handed": gettext_lazy("Pack handed over"),
    "read": gettext_lazy("Pack read by the shop"),
    "item": gettext_lazy("Item of a report"),
    "filed": gettext_lazy("Report filed"),
    "correction": gettext_lazy("Correction"),
    "suspect": gettext_lazy("Looked into"),
    "contain": gettext_lazy("Before containing"),
    "contained": gettext_lazy("After containing"),
    "telling": gettext_lazy("People told"),
    "copied": gettext_lazy("Copy taken out"),
}


def said(line: Line) -> str:
    """What a record says."""
    if not line.record.words:
        return _("This record does not open: it is not as it was written. The others are not touched by it.")
    return line.text or short(line)


def short(line: Line) -> str:
    """What a record that is no prose says."""
    said = line.said
    words: Mapping[str, Callable[[], str]] = {
        "severity": lambda: str(SEVERITY.get(str(said.get("level")), "")),
        "state": lambda: str(STATE.get(str(said.get("state")), "")),
        "commander": lambda: str(said.get("handle", "")),
        "member": lambda: f"{said.get('handle', '')}: {STANDING.get(str(said.get('standing')), '')}",
        "weighed": lambda: str(WEIGHT.get(str(said.get("weight")), "")),
        "evidence": lambda: f"{said.get('name', '')} · SHA-256 {said.get('sha256', '')}",
        "known": lambda: str(said.get("at", "")),
        "scope": lambda: _scope(said),
        "told": lambda: f"{said.get('how', '')} · {said.get('at', '')} · {said.get('receipt', '')}".rstrip(
            " ·"
        ),
        "handed": lambda: f"{_('Shop')} {said.get('shop', '')} · {said.get('how', '')}",
        "read": lambda: f"{_('Shop')} {said.get('shop', '')}",
        "filed": lambda: f"{said.get('form')} / {said.get('step')} · {said.get('receipt', '')}".rstrip(" ·"),
        "suspect": lambda: f"{containment.PATH.get(str(said.get('path')), '')}: {said.get('name', '')}",
        "contain": lambda: f"{containment.DEED.get(str(said.get('deed')), '')}: {containment.on(said)}",
        "contained": lambda: str(containment.OUTCOME.get(str(said.get("outcome")), "")),
        "telling": lambda: _told(said),
        "copied": lambda: f"SHA-256 {said.get('sha256', '')} · {said.get('under', '')}",
    }
    return words[line.kind]() if line.kind in words else ""


def _scope(said: Mapping[str, Any]) -> str:
    read = asked.read(said)
    if read is None:
        return ""
    count = ngettext("%(n)d person", "%(n)d people", read.persons) % {"n": read.persons}
    return f"{scope_words.asked_by(read.question)} · {count} · " + _("as of %(n)d entries") % {"n": read.size}


def _told(said: Mapping[str, Any]) -> str:
    words = _(
        "%(persons)s records in the scope, by the notice %(notice)s; telling %(telling)s, sha256:%(hash)s"
    )
    told = {name: str(said.get(name, "")) for name in ("persons", "notice", "telling")}
    return words % {**told, "hash": str(said.get("sha256", ""))}
