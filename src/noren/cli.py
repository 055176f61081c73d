"""`noren`: one word a command. Each lives in its own room and is loaded only when it is called."""

import argparse
import importlib
import os
import sys
from dataclasses import dataclass

import django
import psycopg
from django.conf import settings
from django.db import OperationalError
from django.utils import translation

from noren.errors import NorenError
from noren.runtime.env import Role, StartRefused, read


@dataclass(frozen=True, slots=True)
class Command:
    """A command: its words, what carries it out, what it is for, and the database role it works as.

    `target` is `module:function`; the function takes the rest of the words and returns the exit code. Without
    a role the command sets up what it needs itself.
    """

    words: tuple[str, ...]
    target: str
    says: str
    role: Role | None = None


_INCIDENTS = "noren.incidents.commands"
_COPIES = "noren.web.incident_copy_commands"
_BACKUPS = "noren.runtime.backups.commands"
_CERTS = "noren.runtime.certs"
COMMANDS = (
    Command(("up",), "noren.runtime.supervisor:main", "start everything; Ctrl-C stops it"),
    Command(("migrate",), "noren.runtime.migrate:main", "make roles, databases and tables, or update them"),
    Command(("shop", "import"), "noren.booking.importing:main", "read shops from TOML files", "web"),
    Command(("shop", "new"), "noren.booking.founding:main", "found a shop, and invite its owner", "web"),
    Command(
        ("customers", "import"),
        "noren.shops.customers:main",
        "read a shop's customers from a CSV file",
        "web",
    ),
    Command(
        ("doctor",),
        "noren.incidents.doctor:main",
        "check that sheets equal claims, policies are on, the ledger is whole",
        "owner",
    ),
    Command(("backup", "verify"), f"{_BACKUPS}:verify", "restore a backup for a moment and look", "web"),
    Command(("backup", "list"), f"{_BACKUPS}:listed", "list the backups", "web"),
    Command(("backup",), f"{_BACKUPS}:backup", "make a backup: four archives under four keys", "web"),
    Command(("restore",), f"{_BACKUPS}:restored", "bring a backup up in a new data folder", "web"),
    Command(("scope",), f"{_INCIDENTS}:scope", "say whose data were seen, which fields, when", "web"),
    Command(
        ("news", "export"), "noren.web.news_export:main", "write all notices as files, for any host", "web"
    ),
    Command(("trace",), "noren.incidents.trace:main", "say from which export a list comes", "web"),
    Command(
        ("ledger", "rebuild-index"),
        f"{_INCIDENTS}:rebuild_index",
        "make the ledger's search index anew from its files",
        "web",
    ),
    Command(
        ("ledger", "checkpoint"),
        f"{_INCIDENTS}:checkpoint",
        "print the newest signed checkpoint, to be kept elsewhere",
        "web",
    ),
    Command(
        ("messages", "unknown"),
        "noren.messages.commands:unknown",
        "list the mails of which nobody knows whether they arrived",
        "web",
    ),
    Command(("messages", "resend"), "noren.messages.commands:resend", "send one of them again", "web"),
    Command(("messages", "leave"), "noren.messages.commands:leave", "leave one of them as it is", "web"),
    Command(
        ("ledger", "builds"),
        f"{_INCIDENTS}:builds",
        "say which builds of the vault wrote the ledger, and whether they are published ones",
        "web",
    ),
    Command(
        ("erase",),
        "noren.incidents.erasing:erase",
        "erase a customer for good, and print the certificate",
        "web",
    ),
    Command(("keys",), "noren.incidents.keys:keys", "list, rotate or retire the vault's keys", "web"),
    Command(
        ("secrets",),
        "noren.incidents.inventory_commands:secrets",
        "list the secrets, and what is to be made anew after a leak",
        "web",
    ),
    Command(
        ("doors", "explain"), "noren.doors.commands:explain", "say why a foreign session was all right", "web"
    ),
    Command(
        ("doors",),
        "noren.doors.commands:listed",
        "list sessions at the databases that are not Noren's own",
        "web",
    ),
    Command(
        ("investigation", "open"),
        "noren.incidents.investigations:open_one",
        "tell people of looks for an incident later, until it is closed",
        "web",
    ),
    Command(
        ("investigation", "close"),
        "noren.incidents.investigations:close_one",
        "close an investigation for good: what was withheld is shown",
        "web",
    ),
    Command(
        ("incident", "open"),
        "noren.incidents.contain_commands:open_book",
        "open an incident's book from the machine",
        "web",
    ),
    Command(
        ("incident", "contain"),
        "noren.incidents.contain_commands:contain",
        "contain a leak: end sign-ins, revoke, reset, block, freeze, hold, and lift them",
        "web",
    ),
    Command(
        ("incident", "evidence"),
        "noren.incidents.evidence_commands:take",
        "seal a file from elsewhere into an incident, its hash on record",
        "web",
    ),
    Command(
        ("incident", "export"),
        f"{_COPIES}:export",
        "write all of an incident into one encrypted file, its hash on record",
        "web",
    ),
    Command(
        ("incident", "take"),
        f"{_COPIES}:take",
        "open such a file on any machine, check it, and write a folder to read",
        "web",
    ),
    Command(
        ("incident", "bring-back"),
        f"{_COPIES}:bring_back",
        "bring what was decided outside into the incident's book, each record once",
        "web",
    ),
    Command(
        ("drill",), "noren.drill.commands:main", "play a leak on a copy, and hold each figure to the truth"
    ),
    Command(("duties",), "noren.incidents.owed:main", "say which reports a leak makes due"),
    Command(
        ("resets", "begin"),
        "noren.incidents.forced:begin",
        "after a leak: end passwords of many accounts, who are told to set others",
        "web",
    ),
    Command(("resets", "show"), "noren.incidents.forced:show", "how the forced resets stand", "web"),
    Command(("resets", "stop"), "noren.incidents.forced:stop", "hold a forced reset's mails back", "web"),
    Command(("resets", "resume"), "noren.incidents.forced:resume", "let them go on", "web"),
    Command(
        ("telling", "begin"),
        "noren.incidents.telling_commands:begin",
        "find who is to be told of a leak; nothing is sent by it",
        "web",
    ),
    Command(
        ("telling", "show"), "noren.incidents.telling_commands:show", "how a telling of people stands", "web"
    ),
    Command(("telling", "stop"), "noren.incidents.telling_commands:stop", "hold its mails back", "web"),
    Command(("telling", "resume"), "noren.incidents.telling_commands:resume", "let them go on", "web"),
    Command(
        ("grants", "end"), "noren.incidents.ending:end", "shut somebody out at once, a shop, or all", "web"
    ),
    Command(
        ("sso",),
        "noren.accounts.commands:sso",
        "let operators begin at an organisation's provider (their passkey stays)",
        "web",
    ),
    Command(
        ("operator", "invite"),
        f"{_INCIDENTS}:invite_operator",
        "invite the very first operator: a one-time link",
        "web",
    ),
    Command(
        ("certs", "init"),
        f"{_CERTS}:init",
        "on the vault's host: make the authority, and the vault's certificate anew",
    ),
    Command(
        ("certs", "request"),
        f"{_CERTS}:request",
        "on the app's host: make keys, and print requests for certificates",
    ),
    Command(
        ("certs", "sign"), f"{_CERTS}:sign", "on the vault's host: print the certificates that are asked for"
    ),
    Command(
        ("certs", "install"),
        f"{_CERTS}:install",
        "on the app's host: put signed certificates beside their keys",
    ),
    Command(("certs", "revoke"), f"{_CERTS}:revoke", "on the vault's host: let a certificate in no more"),
    Command(
        ("certs", "show"), f"{_CERTS}:show", "print the certificates here, and those that were signed here"
    ),
)


def usage() -> str:
    """Return the list of commands."""
    width = max(len(" ".join(command.words)) for command in COMMANDS)
    lines = [f"  {' '.join(command.words):{width}}  {command.says}" for command in COMMANDS]
    return "\n".join(["usage: noren COMMAND [--help] ...", "", *lines])


def find(argv: list[str]) -> Command | None:
    """Return the command that the arguments begin with."""
    return next((c for c in COMMANDS if tuple(argv[: len(c.words)]) == c.words), None)


def run(command: Command, argv: list[str]) -> int:
    """Set Django up where the command needs it, and carry it out."""
    read()
    if command.role is not None:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "noren.runtime.settings")
        os.environ["NOREN_ROLE"] = command.role
        django.setup()
        # Over the network the vault knows us by a certificate, if there is one; on this machine by our user.
        if (settings.VAULT_TLS / "admin.pem").exists():
            settings.VAULT_CALLER = "admin"
        # Words on a terminal are English, whatever the shops' language is.
        translation.activate("en")
    module, _, function = command.target.partition(":")
    code: int = getattr(importlib.import_module(module), function)(argv)
    return code


def main(argv: list[str] | None = None) -> int:
    """Return the exit code: 0, 1 with a line on the error stream, 2 for a command that is not known."""
    given = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(prog="noren", usage=usage(), add_help=False)
    parser.add_argument("-h", "--help", action="store_true")
    command = find(given)
    if command is None:
        asked = not given or parser.parse_known_args(given)[0].help
        print(usage(), file=sys.stdout if asked else sys.stderr)
        return 0 if asked else 2
    try:
        return run(command, given[len(command.words) :])
    except StartRefused as refusal:
        print(f"noren: {refusal}", file=sys.stderr)
    except NorenError as error:
        print(f"noren: {error.words()}", file=sys.stderr)
    except PermissionError as error:
        print(f"noren: {error}. Run this as the user who started the system.", file=sys.stderr)
    except (psycopg.OperationalError, OperationalError):
        print("noren: The database cannot be reached. Is the system running (noren up)?", file=sys.stderr)
    except KeyboardInterrupt:
        print("noren: stopped", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
