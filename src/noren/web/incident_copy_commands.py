"""`noren incident export`, `take`, `bring-back`: a copy leaves, is opened elsewhere, what was done comes in.

`take` asks no database, no vault and no setting: what was broken may be all of these. Exit codes: 0 done,
1 not possible (with words why), 2 asked wrongly, 3 opened, but not whole.
"""

import argparse
import fcntl
import getpass
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from noren import clock
from noren.errors import NorenError
from noren.incidents import book, copies, outside
from noren.incidents.book import Kind
from noren.incidents.copies import CopyRefused
from noren.incidents.outside import OutsideRefused
from noren.people import incidents
from noren.web import incident_copy, incident_copy_pages

DONE, NOT_NOW, ASKED_WRONGLY, NOT_WHOLE = 0, 1, 2, 3
_SHORTEST: Final = 12
_VERIFY_SECONDS: Final = 3600


def export(words: Sequence[str]) -> int:
    """Write all of an incident into one encrypted file; first its hash goes into the book, on the ledger."""
    parser = argparse.ArgumentParser(prog="noren incident export", description=export.__doc__)
    parser.add_argument("incident", metavar="INCIDENT", help="the incident, as its page's address names it")
    parser.add_argument("--to", metavar="FILE", type=Path, required=True, help="a new file")
    under = parser.add_mutually_exclusive_group()
    under.add_argument("--recipient", metavar="AGE1...", default="", help="encrypt it to this age recipient")
    under.add_argument("--passphrase-file", metavar="FILE", type=Path, help="instead of asking for one")
    parser.add_argument(
        "--complete", action="store_true", help="prove each answer by every entry of its time: none can lack"
    )
    asked = parser.parse_args(words)

    def exported() -> int:
        if asked.to.exists():
            raise CopyRefused(f"{asked.to} is there already.")
        passphrase = ""
        if asked.recipient:
            copies.recipient_of(asked.recipient)
        else:
            passphrase = _new_passphrase(asked.passphrase_file)
        packed, records = incident_copy.pack(asked.incident, clock.now(), complete=asked.complete)
        sealed = copies.seal(packed, passphrase=passphrase, recipient=asked.recipient)
        sha256 = hashlib.sha256(sealed).hexdigest()
        under = asked.recipient.strip() or "passphrase"
        said = book.say(Kind.COPIED, sha256=sha256, records=records, under=under)
        incidents.add(None, asked.incident, Kind.COPIED, said)
        _write_new(asked.to, sealed)
        return _say(f"{asked.to}  {records} records  sha256:{sha256}")

    return _tell(exported)


def take(words: Sequence[str]) -> int:
    """Open an incident's copy on any machine: check it, and write a folder to read and to go on with."""
    parser = argparse.ArgumentParser(prog="noren incident take", description=take.__doc__)
    parser.add_argument("file", metavar="FILE", type=Path, help="what `noren incident export` wrote")
    parser.add_argument("--to", metavar="FOLDER", type=Path, required=True, help="a new or empty folder")
    parser.add_argument("--identity", metavar="FILE", type=Path, help="the age key that opens it")
    parser.add_argument("--passphrase-file", metavar="FILE", type=Path, help="instead of asking for one")
    parser.add_argument(
        "--vkey", metavar="KEY", default="", help="the ledger's public key as you kept it, or its file"
    )
    asked = parser.parse_args(words)

    def taken() -> int:
        folder: Path = asked.to
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise CopyRefused(f"{folder} is not empty.")
        copy = copies.read(_unsealed(asked))
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        incident_copy_pages.unpack(folder, copy)
        checks = _verified(folder, asked.vkey or str(copy.about["vkey"]))
        incident_copy_pages.write(folder, copy, checks, own_key=bool(asked.vkey), now=clock.now())
        _say("\n".join(checks))
        if not asked.vkey:
            _say("This is by the key that came with the copy: hold it against the one you kept (--vkey).")
        _say(f"Open {folder / 'index.html'}; write on in {folder / 'drafts'} and {folder / outside.FILE}.")
        return NOT_WHOLE if any(_failed(line) for line in checks) else DONE

    return _tell(taken)


def bring_back(words: Sequence[str]) -> int:
    """Bring what was found out and decided outside into an incident's book: each record once."""
    parser = argparse.ArgumentParser(prog="noren incident bring-back", description=bring_back.__doc__)
    parser.add_argument("place", metavar="FOLDER", type=Path, help=f"the folder, or its {outside.FILE}")
    parser.add_argument("incident", metavar="INCIDENT", help="the incident, as its page's address names it")
    asked = parser.parse_args(words)
    path: Path = asked.place / outside.FILE if asked.place.is_dir() else asked.place

    def brought() -> int:
        with path.open(encoding="utf-8") as file:
            # Two at once would each find the other's records missing.
            fcntl.flock(file, fcntl.LOCK_EX)
            records = outside.read(file.read(), asked.incident)
            added, there = outside.bring(None, asked.incident, records)
        return _say(f"{added} records added, {there} were there already.")

    try:
        return _tell(brought)
    except (OutsideRefused, UnicodeDecodeError) as refusal:
        return _refuse(f"{path}: {refusal}", ASKED_WRONGLY)


def _unsealed(asked: argparse.Namespace) -> bytes:
    sealed = asked.file.read_bytes()
    if copies.wants_passphrase(sealed):
        return copies.unseal(sealed, passphrase=_passphrase(asked.passphrase_file))
    if asked.identity is None:
        raise CopyRefused("It is encrypted to an age key: name its file by --identity.")
    return copies.unseal(sealed, identity=asked.identity.read_text(encoding="utf-8"))


def _verified(folder: Path, vkey: str) -> list[str]:
    """What the verifier says, which shares no code with this and is another process."""
    if not vkey:
        return ["NOT WHOLE: no key of the ledger came with the copy; give it by --vkey"]
    data = (folder / incident_copy_pages.DATA).absolute()
    given = str(Path(vkey).absolute()) if Path(vkey).is_file() else vkey
    command = [sys.executable, "-m", "noren_verify", "incident", str(data), "--vkey", given]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=_VERIFY_SECONDS, check=False, cwd="/"
    )
    if done.returncode not in (0, 1) or not done.stdout:
        return [f"NOT WHOLE: the verifier did not answer: {done.stderr.strip()}"]
    return done.stdout.splitlines()


def _failed(line: str) -> bool:
    return line.upper().startswith("NOT WHOLE")


def _passphrase(path: Path | None) -> str:
    given = getpass.getpass("Passphrase: ") if path is None else path.read_text(encoding="utf-8")
    if not given.strip():
        raise CopyRefused("There is no passphrase.")
    return given.strip("\r\n")


def _new_passphrase(path: Path | None) -> str:
    given = _passphrase(path)
    if len(given) < _SHORTEST:
        raise CopyRefused(f"A passphrase has at least {_SHORTEST} letters: the file may be tried for years.")
    if path is None and getpass.getpass("Once more: ") != given:
        raise CopyRefused("The two are not the same.")
    return given


def _write_new(path: Path, data: bytes) -> None:
    """Durable, whole or not at all, and never over another."""
    half = path.with_name(f"{path.name}.new")
    try:
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        half.rename(path)
    finally:
        half.unlink(missing_ok=True)


def _tell(deed: Callable[[], int]) -> int:
    try:
        return deed()
    except CopyRefused as refusal:
        return _refuse(str(refusal), NOT_NOW)
    except NorenError as error:
        return _refuse(error.words(), NOT_NOW)
    except OSError as fault:
        return _refuse(f"{fault.filename or ''}: {fault.strerror}", NOT_NOW)


def _say(text: str) -> int:
    sys.stdout.write(text + "\n")
    return DONE


def _refuse(text: str, code: int) -> int:
    sys.stderr.write(f"noren: {text}\n")
    return code
