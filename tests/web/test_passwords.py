"""Signing in by mail and password, joining by one, resetting it: pages without scripts, at a real vault."""

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from noren import errors, people
from noren.people import resets
from noren_vault import levels
from noren_vault.puzzles import solve
from tests.api.salon import NOON, Salon
from tests.servers import Sink, VaultProcess, wait_for
from tests.vault.cast import sql
from tests.web.flow import Visitor

MAIL, PASSWORD, NEW = "aoi@salon.example", "ひみつ caf\u00e9 umbrella 42", "another long sentence, 77"
SIGN_IN, JOIN = "/console/sign-in", "/console/join"


@dataclass
class Scene:
    """The salon, its owner's invitation, and the mails that came."""

    salon: Salon
    vault: VaultProcess
    mail: Sink
    invite: str

    def link(self, shape: str, number: int = 1) -> str:
        """Wait for the nth link of this shape, and give its token."""
        wait_for(lambda: len(self._links(shape)) >= number)
        return self._links(shape)[number - 1]

    def wait_for_code(self) -> str:
        """Wait for a mailed code."""
        wait_for(lambda: bool(self._found(r"Your code to sign in is (\d{6})")))
        return self._found(r"Your code to sign in is (\d{6})")[-1]

    def _links(self, shape: str) -> list[str]:
        return self._found(rf"http://localhost:8000{shape}#(\S+)")

    def _found(self, pattern: str) -> list[str]:
        found = []
        for message in self.mail.messages:
            body = message.get_body(("plain",))
            assert body is not None
            found += re.findall(pattern, body.get_content())
        return found


@pytest.fixture
def scene(made: Salon, vault: VaultProcess, mail: Sink, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """The vault's clock is the machine's: its sign-ins last from the salon's noon here."""

    def here(entered: people.SignedIn) -> people.SignedIn:
        return replace(entered, who=replace(entered.who, expires=NOON + timedelta(hours=12)))

    def lasting(name: str) -> None:
        given = getattr(people, name)

        def act(*args: Any, **named: Any) -> Any:
            answer = given(*args, **named)
            if isinstance(answer, tuple):
                return here(answer[0]), answer[1]
            return here(answer) if isinstance(answer, people.SignedIn) else answer

        monkeypatch.setattr(people, name, act)

    for name in ("password_check", "password_join", "totp_check", "recovery_use", "mailed_check"):
        lasting(name)
    aoi = people.Member(handle="aoi", role="owner", staff="aoi", name="青木 葵", mail=MAIL)
    people.found_shop(made.id, made.slug, [aoi])
    found = re.search(r"/join#(\S+)", mail.wait()[-1].get_content())
    assert found is not None
    return Scene(made, vault, mail, found[1])


def joined(scene: Scene) -> Client:
    client = Client(headers={"Accept-Language": "ja"})
    answer = client.post(f"{JOIN}/password", {"invite": scene.invite, "password": PASSWORD})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/console/")
    assert client.get("/console/").status_code == 200
    return client


def enter(
    mail: str = MAIL, password: str = PASSWORD, shop: str = "salon", client: Client | None = None
) -> HttpResponse:
    given = {"shop": shop, "mail": mail, "password": password}
    found = client or Client(headers={"Accept-Language": "ja"})
    answer = found.post(f"{SIGN_IN}/password", given)
    assert isinstance(answer, HttpResponse)
    return answer


def grant_of(client: Client) -> str:
    return str(client.cookies["noren_grant"].value)


def with_codes(client: Client) -> tuple[pyotp.TOTP, tuple[str, ...]]:
    grant = grant_of(client)
    totp = pyotp.TOTP(people.totp_begin(grant).secret)
    people.totp_finish(grant, totp.now())
    return totp, people.recovery_make(grant)


def ticket_of(page: Any) -> str:
    found = re.search(r'name="ticket" value="([^"]+)"', page.content.decode())
    assert found is not None
    return found[1]


def solved(page: Any) -> str:
    """The answer to the puzzle that a page asks for."""
    assert page.status_code == 429
    found = re.search(r'data-challenge="([\w-]+)" data-bits="(\d+)"', page.content.decode())
    assert found is not None
    return solve(found[1], int(found[2]))


def typed_in(number: int, mail: str = MAIL, password: str = PASSWORD, proof: str = "") -> HttpResponse:
    """Somebody, each from another address and in a browser that nobody knows."""
    client = Client(headers={"Accept-Language": "en"}, REMOTE_ADDR=f"2001:db8:{number:x}::1")
    given = {"shop": "salon", "mail": mail, "password": password, "proof": proof}
    answer = client.post(f"{SIGN_IN}/password", given)
    assert isinstance(answer, HttpResponse)
    return answer


# -- while many try to


def test_it_asks_a_stranger_for_a_puzzle_in_the_form(scene: Scene) -> None:
    """After some wrong ones; mail and shop are kept, no secret; her own browser is asked for nothing."""
    own = joined(scene)
    for number in range(levels.ACCOUNT.short):
        assert typed_in(number, password=f"{number} wrong words").status_code == 403
    asked = typed_in(100)
    page = asked.content.decode()
    assert "One moment, please" in page
    assert f'value="{MAIL}"' in page
    assert PASSWORD not in page
    assert enter(client=own).status_code == 302
    assert typed_in(101).status_code == 429
    assert typed_in(102, proof=solved(asked)).headers["Location"] == "/console/"


def test_it_takes_a_code_that_was_mailed(scene: Scene) -> None:
    """Her password is tried all over: a right one from a stranger takes a puzzle, and a code by mail."""
    joined(scene)
    client = Client(headers={"Accept-Language": "en"})
    for number in range(levels.SPRAYED_CODE):
        answer = typed_in(number, f"{number}@example.jp")
        if answer.status_code != 403:
            assert typed_in(number, f"{number}@example.jp", proof=solved(answer)).status_code == 403
    proof = solved(enter(client=client))
    given = {"shop": "salon", "mail": MAIL, "password": PASSWORD, "proof": proof}
    asked = client.post(f"{SIGN_IN}/password?next=/console/day", given)
    assert "Your code from the mail" in asked.content.decode()
    assert f'action="{SIGN_IN}/mailed?next=/console/day"' in asked.content.decode()
    code = scene.wait_for_code()
    typed = {"ticket": ticket_of(asked), "shop": "salon"}
    bad = client.post(f"{SIGN_IN}/mailed", {**typed, "code": f"{(int(code) + 1) % 10**6:06d}"})
    assert (bad.status_code, ticket_of(bad)) == (403, typed["ticket"])
    elsewhere = Client().post(f"{SIGN_IN}/mailed", {**typed, "code": code})
    assert elsewhere.status_code == 403
    entered = client.post(f"{SIGN_IN}/mailed?next=/console/day", {**typed, "code": code})
    assert (entered.status_code, entered.headers["Location"]) == (302, "/console/day")
    assert client.get("/console/").status_code == 200
    assert enter(client=client).status_code == 302


def test_it_counts_who_forgot(scene: Scene) -> None:
    """Links asked for from one address: from a bound on a puzzle, whoever is asked about."""
    joined(scene)
    client = Client(headers={"Accept-Language": "en"})
    for number in range(levels.ADDRESS.short):
        given = {"shop": "salon", "mail": f"nobody{number}@example.jp"}
        assert client.post("/password/forgot", given).status_code == 200
    nobody = client.post("/password/forgot", {"shop": "salon", "mail": "nobody@example.jp"})
    asked = client.post("/password/forgot", {"shop": "salon", "mail": MAIL})
    assert (nobody.status_code, asked.status_code) == (429, 429)
    assert f'value="{MAIL}"' in asked.content.decode()
    given = {"shop": "salon", "mail": MAIL, "proof": solved(asked)}
    assert client.post("/password/forgot", given).status_code == 200
    assert scene.link("/password/reset")


# -- signing in


def test_it_signs_in_without_a_script(scene: Scene) -> None:
    """The form as it stands there, with the shop given by the address; next time the browser knows it."""
    joined(scene)
    visitor = Visitor()
    visitor.open(f"{SIGN_IN}?shop=salon&next=/console/day")
    form = next(one for one in visitor.forms() if "password" in one.values)
    assert form.values["shop"] == "salon"
    answer = visitor.client.post(form.action, {**form.values, "mail": MAIL, "password": PASSWORD})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/console/day")
    assert visitor.client.get("/console/day").status_code == 200
    visitor.client.post("/console/sign-out")
    assert visitor.client.get("/console/").status_code == 302
    assert 'name="shop" value="salon"' in visitor.client.get(SIGN_IN).content.decode()


def test_it_has_what_password_managers_look_for(scene: Scene) -> None:
    page = Client().get(SIGN_IN).content.decode()
    assert 'autocomplete="username"' in page
    assert 'autocomplete="current-password"' in page
    for address in (JOIN, "/password/reset"):
        assert 'autocomplete="new-password"' in Client().get(address).content.decode()
    assert "maxlength" not in "".join(re.findall(r'<input[^>]+type="password"[^>]*>', page))


def test_it_answers_the_same_whoever_asks(scene: Scene) -> None:
    """Wrong password, unknown mail, nonsense, no text: one status, one set of headers, one page."""
    joined(scene)
    seen = set()
    for mail, password in (
        (MAIL, NEW),
        ("nobody@example.jp", PASSWORD),
        ("no-address", "x"),
        (MAIL, "x" * 1999),
    ):
        answer = enter(mail, password)
        seen.add(_told(answer, mail))
        assert "メールアドレスとパスワードが一致しません" in answer.content.decode()
    assert len(seen) == 1
    assert next(iter(seen))[0] == 403


def _told(answer: Any, typed: str) -> tuple[object, ...]:
    """All that goes to the browser but what was typed and what is of chance."""
    text = re.sub(r'csrfmiddlewaretoken" value="\w+"', "", answer.content.decode()).replace(typed, "")
    # The length is the page's, with what was typed in it.
    chance = ("Expires", "Content-Length")
    headers = sorted((name, value) for name, value in answer.headers.items() if name not in chance)
    return answer.status_code, text, tuple(headers), tuple(sorted(answer.cookies))


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"shop": "", "mail": MAIL, "password": PASSWORD}, 422),
        ({"shop": "nobody", "mail": MAIL, "password": PASSWORD}, 422),
        ({"shop": "salon", "mail": "\x00", "password": PASSWORD}, 422),
        ({"shop": "salon", "mail": MAIL, "password": "a\x00b"}, 422),
        ({"shop": "salon", "mail": MAIL, "password": "x" * 20_000}, 422),
        ({"shop": "salon", "mail": "x" * 20_000, "password": "x"}, 422),
    ],
    ids=["no shop", "unknown shop", "no text", "no password", "endless password", "endless mail"],
)
def test_it_says_what_is_missing(scene: Scene, given: dict[str, str], status: int) -> None:
    answer = Client().post(f"{SIGN_IN}/password", given)
    assert answer.status_code == status
    assert 'role="alert"' in answer.content.decode()
    assert PASSWORD not in answer.content.decode()


def test_it_takes_the_shops_page_for_its_name(scene: Scene) -> None:
    joined(scene)
    assert enter(shop="http://localhost:8000/Salon/").status_code == 302


def test_it_asks_for_the_code_and_keeps_no_ticket_on_this_side(scene: Scene) -> None:
    """The ticket is in the page only; with another browser's session, or without one, it opens nothing."""
    totp, _ = with_codes(joined(scene))
    client = Client(headers={"Accept-Language": "ja"})
    page = enter(client=client)
    ticket = ticket_of(page)
    assert page.status_code == 200
    assert ticket not in str(dict(client.session))
    assert "noren_grant" not in client.cookies
    right = {"ticket": ticket, "shop": "salon", "code": totp.at(_now(scene) + 30)}
    other = Client()
    enter(client=other)
    for thief in (Client(), other):
        assert thief.post(f"{SIGN_IN}/code", right).status_code == 403
    wrong = client.post(f"{SIGN_IN}/code", {**right, "code": "000000"})
    assert (wrong.status_code, ticket_of(wrong)) == (403, ticket)
    answer = client.post(f"{SIGN_IN}/code?next=//elsewhere.example", right)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/console/")
    assert client.get("/console/").status_code == 200


def _now(scene: Scene) -> int:
    import time  # noqa: PLC0415 - the vault's clock is the machine's

    assert scene
    return int(time.time())


def test_it_takes_a_recovery_code_and_says_how_many_are_left(scene: Scene) -> None:
    _, codes = with_codes(joined(scene))
    client = Client(headers={"Accept-Language": "ja"})
    ticket = ticket_of(enter(client=client))
    wrong = client.post(f"{SIGN_IN}/recovery", {"ticket": ticket, "shop": "salon", "code": "x"})
    assert wrong.status_code == 403
    assert '<details class="stack" open>' in wrong.content.decode()
    page = client.post(f"{SIGN_IN}/recovery", {"ticket": ticket, "shop": "salon", "code": codes[0]})
    assert "残り9個" in page.content.decode()
    assert client.get("/console/").status_code == 200


@pytest.mark.parametrize(
    "ticket", ["", "x", "\x00", "x" * 20_000], ids=["empty", "short", "no text", "endless"]
)
@pytest.mark.parametrize("way", ["code", "recovery"])
def test_it_refuses_a_ticket_that_is_none(scene: Scene, ticket: str, way: str) -> None:
    with_codes(joined(scene))
    client = Client()
    enter(client=client)
    given = {"ticket": ticket, "shop": "salon", "code": "123456"}
    assert client.post(f"{SIGN_IN}/{way}", given).status_code == 403


def test_it_offers_operators_no_password(scene: Scene) -> None:
    """Their doors show none, and no address takes one."""
    assert scene
    for door in ("sign-in", "join"):
        page = Client().get(f"/operations/{door}").content.decode()
        assert 'type="password"' not in page
        assert Client().post(f"/operations/{door}/password", {"password": PASSWORD}).status_code == 404
    token = people.invite_operator()
    answer = Client().post(f"{JOIN}/password", {"invite": token, "password": PASSWORD})
    assert answer.status_code == 403


@pytest.mark.parametrize("language", ["ja", "en"])
def test_it_keeps_the_form_when_the_vault_is_away(scene: Scene, language: str) -> None:
    scene.vault.stop()
    client = Client(headers={"Accept-Language": language})
    for address, given in (
        (f"{SIGN_IN}/password", {"shop": "salon", "mail": MAIL, "password": PASSWORD}),
        (f"{JOIN}/password", {"invite": scene.invite, "password": PASSWORD}),
        ("/password/forgot", {"shop": "salon", "mail": MAIL}),
        ("/password/reset", {"token": "x", "password": PASSWORD}),
    ):
        answer = client.post(address, given)
        assert answer.status_code == 503
        assert "<form" in answer.content.decode()


# -- joining


def test_it_joins_by_the_pasted_link(scene: Scene) -> None:
    """Without a script the whole link is put into the form; a refused password keeps it there, unseen."""
    client = Client(headers={"Accept-Language": "ja"})
    link = f"http://localhost:8000{JOIN}#{scene.invite}"
    page = client.post(f"{JOIN}/password", {"invite": link, "password": "salon-salon-salon"})
    text = page.content.decode()
    assert page.status_code == 422
    assert "お店、このサービスの名前でできています" in text
    assert f'type="hidden" name="invite" value="{scene.invite}"' in text
    assert "salon-salon-salon" not in text
    assert client.post(f"{JOIN}/password", {"invite": link, "password": PASSWORD}).status_code == 302
    again = client.post(f"{JOIN}/password", {"invite": link, "password": NEW})
    assert again.status_code == 410


@pytest.mark.parametrize("language", ["ja", "en"])
def test_it_says_why_a_password_may_not_be(scene: Scene, language: str) -> None:
    """Each reason of the vault's has words of its own, in both languages."""
    said = set()
    client = Client(headers={"Accept-Language": language})
    for password in (
        "short",
        "x" * 300,
        "passwordpassword",
        "abcdefghijklmnopqrst",
        "aoi-aoi-salon-noren",
        "long enough\x00 though",
    ):
        answer = client.post(f"{JOIN}/password", {"invite": scene.invite, "password": password})
        assert answer.status_code == 422
        found = re.search(r'id="password-error" role="alert">([^<]+)<', answer.content.decode())
        assert found is not None
        said.add(found[1])
    assert len(said) == 6
    assert all(line.isascii() is (language == "en") for line in said)


# -- another password


def test_it_resets_by_the_mailed_link(scene: Scene) -> None:
    """From the form to the new password; whoever was signed in is out, at once and on every page."""
    stolen = joined(scene)
    visitor = Visitor()
    visitor.open("/password/forgot?shop=salon")
    visitor.press("", mail=MAIL)
    assert "メールをご確認ください" in visitor.text
    token = scene.link("/password/reset")
    client = Client(headers={"Accept-Language": "ja"})
    shown = client.get("/password/reset")
    assert shown.headers["Referrer-Policy"] == "same-origin"
    assert "no-store" in shown.headers["Cache-Control"]
    assert stolen.get("/console/").status_code == 200
    bad = client.post("/password/reset", {"token": token, "password": "short"})
    assert bad.status_code == 422
    assert "15文字以上" in bad.content.decode()
    done = client.post("/password/reset", {"token": token, "password": NEW})
    assert done.status_code == 200
    assert 'href="/console/sign-in?shop=salon"' in done.content.decode()
    assert "noren_grant" not in client.cookies
    assert stolen.get("/console/").status_code == 302
    with pytest.raises(errors.GrantExpired):
        people.whoami(grant_of(stolen))
    assert enter().status_code == 403
    assert enter(password=NEW).status_code == 302
    wait_for(lambda: any("変更されました" in str(message["Subject"]) for message in scene.mail.messages))
    assert client.post("/password/reset", {"token": token, "password": PASSWORD}).status_code == 410


def test_it_answers_the_same_whoever_forgot(scene: Scene) -> None:
    """Known, unknown, asked for again at once, no address at all: one status, one page, the same headers."""
    joined(scene)
    seen = set()
    for typed in (MAIL, MAIL, "nobody@example.jp", "no address"):
        client = Client(headers={"Accept-Language": "ja"})
        seen.add(_told(client.post("/password/forgot", {"shop": "salon", "mail": typed}), typed))
    assert len(seen) == 1
    assert next(iter(seen))[0] == 200
    refused = set()
    scene.link("/password/reset")
    for token in ("x" * 43, "", "\x00", "x" * 9_000):
        answer = Client().post("/password/reset", {"token": token, "password": NEW})
        refused.add(answer.status_code)
    assert refused == {410, 422}


def test_it_never_takes_the_host_of_a_request(scene: Scene) -> None:
    """The link is of the address that is set, whatever a request calls this host."""
    joined(scene)
    client = Client(headers={"Host": "127.0.0.1"})
    assert client.post("/password/forgot", {"shop": "salon", "mail": MAIL}).status_code == 200
    assert scene.link("/password/reset")


def test_it_leads_a_password_that_is_over_to_the_mail(scene: Scene) -> None:
    """The same page, no grant, and a link in the mail; after it the new one signs in."""
    joined(scene)
    sql(
        scene.vault,
        "INSERT INTO vault.account_state (actor, must_reset_since) SELECT actor, 1 FROM vault.password",
    )
    client = Client(headers={"Accept-Language": "ja"})
    answer = enter(client=client)
    assert answer.status_code == 403
    assert "メールでリンクをお送りしました" in answer.content.decode()
    assert "noren_grant" not in client.cookies
    token = scene.link("/password/reset")
    assert client.post("/password/reset", {"token": token, "password": NEW}).status_code == 200
    assert enter(password=NEW).status_code == 302


# -- passkeys only


def test_it_lets_an_owner_ask_for_passkeys(scene: Scene) -> None:
    """Her word is kept and shown; then a password leads to the mail, whose link is for a passkey alone."""
    owner = joined(scene)
    page = owner.get("/console/security").content.decode()
    assert "パスキー、またはメールアドレスとパスワード" in page
    kept = owner.post("/console/security", {"roles": ["owner", "manager", "nobody"]})
    assert kept.status_code == 302
    page = owner.get(kept.headers["Location"]).content.decode()
    assert "現在、パスキーのみ： オーナー、マネージャー" in page
    assert page.count("checked") == 2
    client = Client(headers={"Accept-Language": "ja"})
    answer = enter(client=client)
    assert answer.status_code == 403
    assert "この端末で開いてパスキーを作ると" in answer.content.decode()
    assert "noren_grant" not in client.cookies
    token = scene.link(JOIN, 2)
    refused = client.post(f"{JOIN}/password", {"invite": token, "password": NEW})
    assert refused.status_code == 403
    assert people.register_begin(token)


def test_it_asks_an_owner_to_have_just_signed_in(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stale session changes nothing, and is shown the way; what was ticked stays."""
    owner = joined(scene)

    def stale(*_: object) -> None:
        raise errors.FreshSignInNeeded

    monkeypatch.setattr(resets, "require_passkeys", stale)
    answer = owner.post("/console/security", {"roles": ["staff"]})
    text = answer.content.decode()
    assert answer.status_code == 403
    assert reverse("console_sign_out") in text
    assert 'value="staff" checked' in text
