"""`noren sso`: the provider at which operators begin. A shop's own is set by its owner in the console."""

import argparse
import getpass
import sys
from collections.abc import Sequence
from pathlib import Path

from noren import people


def sso(words: Sequence[str]) -> int:
    """Show, set or end the provider of operators. Each change is recorded, and signs operators out.

    It is a first step: the passkey is asked for afterwards, always. With --required no passkey opens without
    it; `noren sso --end` is then the way back, from this machine.
    """
    parser = argparse.ArgumentParser(prog="noren sso", description=sso.__doc__)
    parser.add_argument("--issuer", metavar="URL", help="the provider's issuer, letter by letter")
    parser.add_argument("--client-id", metavar="ID")
    parser.add_argument(
        "--secret-file", metavar="FILE", type=Path, help="holds the client's secret (else it is asked for)"
    )
    parser.add_argument("--keep-secret", action="store_true", help="leave the secret that is there")
    parser.add_argument("--claim", metavar="NAME", default="groups", help="lists the groups (groups)")
    parser.add_argument("--group", metavar="NAME", action="append", default=[], help="whose members come in")
    parser.add_argument("--domain", metavar="DOMAIN", action="append", default=[], help="of mail addresses")
    parser.add_argument("--required", action="store_true", help="no passkey opens without it")
    parser.add_argument("--end", action="store_true", help="operators begin at no provider any more")
    given = parser.parse_args(words)
    if given.end:
        people.sso_platform(None)
    elif given.issuer:
        if not given.client_id or not given.group:
            parser.error("--client-id and --group belong to --issuer")
        people.sso_platform(
            people.SsoSettings(
                issuer=given.issuer,
                client_id=given.client_id,
                secret="" if given.keep_secret else _secret(given.secret_file),
                claim=given.claim,
                roles=dict.fromkeys(given.group, "operator"),
                domains=tuple(given.domain),
                required=given.required,
            )
        )
    at = people.sso_at(people.PLATFORM)
    if at is None:
        sys.stdout.write("Operators begin at no provider: they show their passkey.\n")
    else:
        must = "must" if at.required else "may"
        sys.stdout.write(f"Operators {must} begin at {at.host}, and show their passkey afterwards.\n")
    return 0


def _secret(file: Path | None) -> str:
    """Read it from where no list of processes shows it."""
    return getpass.getpass("Client secret: ") if file is None else file.read_text(encoding="utf-8").strip()
