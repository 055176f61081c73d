"""`noren doctor`: what booking examines, and whether the public's notices are as they were published."""

import sys

from noren.booking import doctor
from noren.booking.doctor import Finding
from noren.errors import NorenError
from noren.incidents import notice_checks
from noren.people import signs


def main(argv: list[str]) -> int:
    """Examine all of it; 1 where something is not as it must be."""
    return doctor.main(argv, more=notice_checks.examine, ring=ring)


def ring(findings: list[Finding]) -> None:
    """Make each finding a sign; one that is found night after night is one sign, counted."""
    for finding in findings:
        what = "notice" if finding.what.startswith("notice_") else "doctor"
        text = f"{finding.what}: {finding.where}"
        try:
            signs.found(what, text[:500], text)
        except NorenError as refusal:
            sys.stdout.write(f"not rung: {finding.what}: {refusal.words()}\n")
