"""What the nodes of the inventory of secrets are called, and how each secret is made anew."""

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from noren.incidents.inventory import Inventory, Row

Words = Mapping[str, str | Promise]

SECRET: Final[Words] = {
    "app-password": gettext_lazy("Password of the pages at the app's database"),
    "worker-password": gettext_lazy("Password of the worker at the app's database"),
    "app-migrator-password": gettext_lazy("Password of the app's database that may change everything in it"),
    "django-key": gettext_lazy("Key that signs values in pages and addresses"),
    "link-key": gettext_lazy("Key of the links in bookings' mails"),
    "idempotency-key": gettext_lazy("Key of the hashes of repeated requests"),
    "web-certificates": gettext_lazy("Certificates of the pages and the worker for the line to the vault"),
    "vault-password": gettext_lazy("Password of the vault at its database"),
    "vault-migrator-password": gettext_lazy(
        "Password of the vault's database that may change everything in it"
    ),
    "epoch-key": gettext_lazy("Epoch keys: they wrap each person's data key"),
    "data-keys": gettext_lazy("Data keys: one a person, wrapped"),
    "index-key": gettext_lazy("Index keys: by which people are found without being read"),
    "pepper": gettext_lazy("Peppers: over passwords and second factors"),
    "ledger-key": gettext_lazy("Key that signs the ledger"),
    "backup-key": gettext_lazy("Backup keys: one a day, over wrapped data keys in backups"),
    "smtp-password": gettext_lazy("Password at the mail server"),
    "alarm-secret": gettext_lazy("Secret that signs alarms to another system"),
    "kms-credentials": gettext_lazy("Credentials at the provider of the master key"),
    "vault-certificate": gettext_lazy("Certificate of the vault for the line to it"),
    "vault-memory": gettext_lazy("Keys in the vault's memory: of challenges, tickets and counts"),
    "sso-secrets": gettext_lazy("Secrets of sign-in by an organisation"),
    "inquiry-links": gettext_lazy("Key of the links to inquiries"),
    "door-keys": gettext_lazy("Keys by which our own sessions at the databases are told"),
    "backup-identities": gettext_lazy("Identities that open backups"),
    "ca-key": gettext_lazy("Key of the authority that makes our certificates"),
    "admin-certificate": gettext_lazy("Certificate of an administrator for the line to the vault"),
    "operator-passkeys": gettext_lazy("Operators' and auditors' passkeys"),
    "operator-grants": gettext_lazy("Operators' and auditors' sign-ins"),
    "passkeys": gettext_lazy("Passkeys of shops' people and of customers"),
    "grants": gettext_lazy("Sign-ins of shops' people and of customers"),
    "app-sessions": gettext_lazy("Sessions of the pages, without the right to see people's data"),
    "passwords": gettext_lazy("Passwords of shops' people and of customers, as hashes"),
    "second-factors": gettext_lazy("Seeds of one-time codes, and recovery codes"),
    "one-time-links": gettext_lazy("One-time links and codes in mails"),
    "booking-links": gettext_lazy("Links in bookings' mails"),
    "api-keys": gettext_lazy("API keys of shops' programs"),
    "device-marks": gettext_lazy("Marks of known browsers"),
    "witness-key": gettext_lazy("Keys of the ledger's witnesses"),
}
PLACE: Final[Words] = {
    "app-host": gettext_lazy("The app's host, as root or as who starts the system"),
    "app-side": gettext_lazy("The app's user: pages and worker"),
    "vault-host": gettext_lazy("The vault's host, as root or as who starts the system"),
    "vault-side": gettext_lazy("The vault's user"),
    "operator-laptop": gettext_lazy("An operator's computer"),
    "staff-device": gettext_lazy("A device of a shop or of a customer"),
    "shop-program": gettext_lazy("A shop's own program"),
    "backups": gettext_lazy("The folder of backups, or a copy of it"),
    "mailbox": gettext_lazy("A mailbox"),
    "proxy-log": gettext_lazy("A log of addresses, such as a proxy's"),
    "witness-host": gettext_lazy("A witness's host"),
    "outside": gettext_lazy("Another system"),
    "chat": gettext_lazy("A chat"),
    "wiki": gettext_lazy("A wiki"),
    "ticket": gettext_lazy("A ticket"),
    "repository": gettext_lazy("A repository of code"),
    "desk": gettext_lazy("What was sent to the inquiry desk"),
}
STORE: Final[Words] = {
    "people": gettext_lazy("Everybody's data in clear, past the ledger"),
    "people-of-shop": gettext_lazy("Data of one shop's people, within budgets, each look on record"),
    "app-database": gettext_lazy("The app's database: bookings by opaque ids"),
    "vault-tables": gettext_lazy("The vault's tables: ciphertext and hashes"),
    "wrapped-keys": gettext_lazy("The wrapped data keys"),
    "ledger": gettext_lazy("The ledger: who looked at whom, by ids"),
    "own-pages": gettext_lazy("The page of a single booking, where it can be moved or cancelled"),
    "operators-pages": gettext_lazy("Operators' pages, as long as no power is lent"),
    "administrator": gettext_lazy("What an administrator's process may ask of the vault"),
    "who-is-there": gettext_lazy("Whether somebody is there, by guessing names and addresses"),
    "sealed-words": gettext_lazy("Words that lie sealed: inquiries, books of incidents, network addresses"),
    "mail-as-us": gettext_lazy("Mail in our name"),
    "false-alarms": gettext_lazy("False alarms"),
    "unseen-doors": gettext_lazy("A session at a database that looks like ours"),
    "history": gettext_lazy("Another history of the ledger, which only a witness tells from ours"),
    "witnessed-history": gettext_lazy("Another history of the ledger that even its witnesses confirm"),
}
HOW: Final[Words] = {
    "command": gettext_lazy("By the command; it goes on while everything serves."),
    "file": gettext_lazy("Stop, take its line and the one with “.made” out of the file, start again."),
    "role": gettext_lazy(
        "Change it at the database first, then in the file or the setting, and start again."
    ),
    "links": gettext_lazy(
        "Stop, take it out of the file, start again. Every link that was mailed is invalid then."
    ),
    "certificate": gettext_lazy("Ask for a new certificate and let the old one in no more."),
    "authority": gettext_lazy("Take the authority's key away, make another one, and all certificates anew."),
    "never": gettext_lazy(
        "Never: another key is another ledger. Compare what witnesses and owners have kept."
    ),
    "daily": gettext_lazy("By itself: a new one each day, the old ones destroyed on their day."),
    "next-backup": gettext_lazy(
        "Take the files away: the next backup makes new ones. Keep the old ones elsewhere for older backups."
    ),
    "setting": gettext_lazy("Make a new one where it comes from, put it into the setting, start again."),
    "restart": gettext_lazy("By a start of the system."),
    "sso": gettext_lazy("Make a new one at the provider and put it into the settings of sign-in."),
    "one-by-one": gettext_lazy("One by one, where each is shown: the old link opens nothing any more."),
    "enrol": gettext_lazy(
        "Whoever it belongs to takes it away in their security settings and makes another."
    ),
    "end": gettext_lazy("End those that live; signing in makes another."),
    "reset": gettext_lazy("By a forced reset: each is asked by mail to choose another."),
    "itself": gettext_lazy("They end by themselves."),
    "keys-of-shop": gettext_lazy("The shop ends it and makes another; an operator ends it under a power."),
    "witness": gettext_lazy("Whoever keeps the witness makes it anew, and the file of witnesses is changed."),
    "own": gettext_lazy("As it is written here."),
    "pasted": gettext_lazy("Whoever sent it makes another, and the desk says so."),
}
PASTED: Final[Words] = {
    "password": gettext_lazy("a password"),
    "key": gettext_lazy("a key or token"),
    "private-key": gettext_lazy("a private key"),
    "database-address": gettext_lazy("an address with a password in it"),
}
STATE: Final[Words] = {
    "no": pgettext_lazy("secret", "not made anew"),
    "unknown": pgettext_lazy("secret", "not known"),
    "yes": pgettext_lazy("secret", "made anew"),
    "none": pgettext_lazy("secret", "there is none"),
}


def title(row: Row) -> str:
    """What a secret is called."""
    if row.pasted is not None:
        return _("Pasted at the inquiry desk: %(kind)s") % {"kind": PASTED[row.pasted.kind]}
    if row.row is not None:
        return row.row.words.get("title", row.name)
    return str(SECRET[row.name])


def node(name: str, held: Inventory) -> str:
    """What a node of the inventory is called."""
    for words in (PLACE, STORE, SECRET):
        if name in words:
            return str(words[name])
    row = held.row(name)
    return name if row is None else title(row)
