"""The origin case, second part: the first signs, what is known, and who is shut out."""

import hashlib
import json
import re
import time
from typing import TYPE_CHECKING, Final

import psycopg

from noren import clock, people
from noren.drill.breach import lying
from noren.drill.browser import Browser
from noren.drill.case import Origin
from noren.drill.play import exposed, surely, verified, vkey
from noren.drill.report import persons
from noren.drill.stage import PASSWORD, until
from noren.errors import ResetRequired
from noren.incidents import book, bundle
from noren.incidents.scope import Question, ask
from noren.people import doors, forced, incidents, security

if TYPE_CHECKING:
    from uuid import UUID

_RESEARCHER: Final = "researcher@example.org"
_SEEN: Final = "売りに出ている一覧に、そちらの店の担当者の名前とパスワードがあります。画面の写しを付けます。"
_HOUR: Final = 3_600


def notice_sign(origin: Origin) -> str:
    """The member finds a sign-in on her account's page that is not hers."""
    there = security.account(origin.victim.grant).sessions
    strange = [one for one in there if not one.this and one.credential.startswith("pw-")]
    origin.report.say("first sign", "sign-ins that are not the member's own", len(strange), 1)
    origin.credential = strange[0].credential if strange else ""
    return f"credential {origin.credential}"


def hear(origin: Origin) -> str:
    """Somebody outside has found it offered for sale, and reports it by the form, with a file."""
    begun, browser = time.monotonic(), Browser(origin.stage.system.port, language="en")
    file = hashlib.sha256(str(origin.stage.seed).encode()).digest() * 1_000
    browser.get("/security/report")
    form = {"key": browser.hidden("key"), "text": _SEEN, "mail": _RESEARCHER}
    browser.post("/security/report", form, files=[("files", "listing.png", file)])
    found = re.search(r"<strong>([0-9a-f]{16})</strong>", browser.page)
    origin.sign = found[1] if found else ""
    number = origin.stage.in_mail(_RESEARCHER, rf"({origin.sign or 'no number'})")
    origin.report.say("first sign", "number in the receipt's mail", number, origin.sign)
    late = time.monotonic() - begun > _HOUR
    origin.report.say("first sign", "the receipt came within the hour", not late, True)
    place = f"/operations/signs/{origin.sign}"
    rung = origin.stage.in_mail(origin.house.second.member.mail, f"({place})")
    origin.report.say("first sign", "it rings for the operators, by mail", rung, place)
    page = origin.house.second.open(place)
    origin.report.say("first sign", "the report's words as they were sent", _SEEN in page, True)
    kept = re.search(rf'"({place}/files/[\w-]+)"', page)
    origin.house.second.open(kept[1] if kept else place)
    same = origin.house.second.browser.content == file
    origin.report.say("first sign", "its file as it was sent", same, True)
    return f"report {origin.sign}, acknowledged in {time.monotonic() - begun:.1f} s"


def open_incident(origin: Origin) -> str:
    """An operator makes an incident of the report by one press; the second reads it, too."""
    place, house = f"/operations/signs/{origin.sign}", origin.house
    house.opens(house.first.press(f"{place}/deed", of=place, deed="open"))
    house.write("fact", text=f"店の担当者が身に覚えのないサインインを見つけた: {origin.credential}")
    house.write("severity", level="critical")
    return f"incident {house.incident}"


def find_door(origin: Origin) -> str:
    """The watcher of the databases has seen a session that no process of Noren opened."""

    def seen() -> str:
        found = doors.doors(since=origin.begun, until=clock.now())
        return next((one.session for one in found if one.cluster == "app"), "")

    origin.door = until(seen, "the sign of a foreign session")
    truth = f"pg-app-{origin.seen.session if origin.seen else ''}"
    origin.report.say("doors", "the foreign session at the app's database", origin.door, truth)
    found = ask(Question(origin.begun, clock.now(), {"door": (origin.door,)}))
    origin.report.say("doors", "persons readable through that door", len(found.persons), 0)
    origin.house.write("fact", text=f"アプリ側データベースへの外部からの接続: {origin.door}")
    return origin.door


def ask_whose(origin: Origin) -> str:
    """Whose data, which fields: asked by the credential, proved by a bundle."""
    question = Question(origin.begun, clock.now(), {"credential": (origin.credential,)})
    found = ask(question)
    origin.named = frozenset(exposed(found))
    origin.report.compare("scope", "exposed, by the credential", origin.named, origin.held)
    origin.report.say("scope", "all of it surely exposed, none only possibly", surely(found), True)
    path = origin.stage.own / "answer.zip"
    bundle.write(path, question, found, complete=True)
    code, words = verified("bundle", path, "--vkey", vkey(origin.stage))
    origin.report.say("scope", "noren-verify on the bundle ends with", code, 0)
    if code:
        return words
    return f"{origin.whose} persons, {len(origin.named)} values, entries up to {found.head_size}"


def ask_each(origin: Origin) -> str:
    """The other way about: of each person of the platform it is asked who saw her by that credential."""
    every = [(shop.number, person) for shop in origin.stage.shops for person in shop.customers]
    named: set[tuple[int, UUID]] = set()
    for start in range(0, len(every), 50):
        some = tuple(str(person) for _, person in every[start : start + 50])
        question = Question(origin.begun, clock.now(), {"credential": (origin.credential,)}, persons=some)
        named |= persons(exposed(ask(question)))
    origin.report.say("scope", "exposed, asked person by person", len(named), len(persons(origin.held)))
    return f"{len(every)} persons asked for"


def ask_in_book(origin: Origin) -> str:
    """The question goes into the book, under a power that the second operator lends."""
    house = origin.house
    house.lend("read_ledger_entries")
    place = house.ask(origin.begun, clock.now(), way="credential", named=origin.credential)
    page = house.first.took(place, deed="persons").decode()
    every = [person for shop in origin.stage.shops for person in shop.customers]
    shown = sum(str(person) in page for person in every)
    origin.report.say("scope", "persons on the incident's page", shown, len(persons(origin.held)))
    same = '<p class="notice fine' in page
    origin.report.say("scope", "the page says it is the answer of the book's hash", same, True)
    path = origin.stage.own / "proof.zip"
    path.write_bytes(house.first.took(place, deed="proof"))
    code, _ = verified("bundle", path, "--vkey", vkey(origin.stage))
    origin.report.say("scope", "noren-verify on the page's proof ends with", code, 0)
    return f"record {place.rpartition('/')[2]} of the book"


# -- shut out


def shut_out(origin: Origin) -> str:
    """The credential's grants end, the shop's passwords are to be set anew; the thief is refused."""
    # What the house tells of is what was until here: of an attempt afterwards the password's owner is told.
    house = origin.house
    house.lend("end_grants")
    begun, origin.contained = time.perf_counter(), clock.now()
    named = {"whose": "credential", "name": origin.credential, "because": "漏れた認証情報"}
    house.first.press(f"{house.place}/contain", of=house.place, deed="end_grants", **named)
    deeds = book.workspace(incidents.read(None, house.incident).records).deeds
    ended = [one.since[-1].said.get("touched") for one in deeds if one.since]
    origin.report.say("contained", "grants ended of the credential, by the book", ended, [1])
    before = len(origin.thief.loot.pieces)
    goes_on = origin.thief.read("/console/") or bool(origin.thief.search("佐藤"))
    took = time.perf_counter() - begun
    begun_reset = forced.begin("shop", origin.shop.number)
    origin.report.say("contained", "passwords that are over", begun_reset.passwords, 1)
    again = origin.thief.sign_in(origin.shop.slug, origin.victim.mail, PASSWORD)
    origin.report.say("contained", "the thief comes in afterwards", goes_on or again, False)
    more = len(origin.thief.loot.pieces) - before
    origin.report.say("contained", "pages the thief got afterwards", more, 0)
    origin.house.write("state", state="contained")
    return f"refused {took * 1000:.0f} ms after the word was given"


def mail_resets(origin: Origin) -> str:
    """Whose password is over is told by mail; a right password leads on, and does not sign in."""

    def told() -> str:
        state = forced.standing()[0]
        return str(state.told) if not state.waiting else ""

    count = until(told, "the mails of the forced reset")
    victim = origin.victim.mail
    mailed = sum("/password/reset" in text for text in origin.stage.texts(victim))
    origin.report.say("contained", "told by mail that a password is over", count, 1)
    origin.report.say("contained", "such mails in the member's mailbox", mailed > 0, True)
    try:
        people.password_check(origin.shop.number, victim, PASSWORD, session="drill")
    except ResetRequired:
        return f"{count} mail"
    raise RuntimeError("the leaked password signs in")


def renew_login(origin: Origin) -> str:
    """The database's login that leaked is made anew, as settings.md says: stop, take it out, start."""
    login = lying(origin)["database"]
    before, system = _opens(login), origin.stage.system
    begun = time.perf_counter()
    system.stop()
    secrets = json.loads(system.paths.app_secrets.read_text(encoding="utf-8"))
    del secrets["app_password"]
    system.paths.app_secrets.write_text(json.dumps(secrets), encoding="utf-8")
    system.start()
    took = time.perf_counter() - begun
    opens = (before, _opens(login))
    origin.report.say("login", "the leaked login opens the database, before and after", opens, (True, False))
    browser = Browser(system.port)
    status = browser.get(f"/{origin.shop.slug}/")
    origin.report.say("login", "the shop's page answers", status, 200)
    return f"away for {took:.1f} s"


def _opens(login: dict[str, str]) -> bool:
    try:
        with psycopg.connect(**login):  # type: ignore[arg-type]
            return True
    except psycopg.OperationalError:
        return False
