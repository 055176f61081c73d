"""Who works where: founding, inviting, enrolling, signing in and out."""

import secrets

import pytest

from noren import errors, people
from noren.people import Member
from noren_vault.errors import InviteRefused
from noren_vault.invites import LIFE_MS, OWNER_LIFE_MS
from noren_vault.record import session_name
from noren_vault.vault import Vault
from tests.servers import Sink, VaultProcess
from tests.vault.authenticator import Json, Passkey, to_text
from tests.vault.cast import SALON, YOGA, Cast, in_parallel, invitation_of, join, member, sql, token_in
from tests.vault.conftest import Bench, ask

AOI = {"handle": "aoi", "role": "owner", "staff": "aoi", "name": "青井", "mail": "aoi@staff.example.jp"}
REN = AOI | {"handle": "ren", "role": "staff", "mail": "ren@staff.example.jp"}


def test_it_invites_members_by_mail(vault: VaultProcess, mail: Sink) -> None:
    """Each member gets a mail with a link whose token is in the fragment, and joins by it."""
    invited = people.found_shop(SALON, "salon", [member("aoi", "owner"), member("ren", "staff")])
    assert [(one.handle, one.mail) for one in invited] == [("aoi.salon", "sent"), ("ren.salon", "sent")]
    assert "http://localhost:8000/console/join#" in str(mail.messages[0].get_content())
    player = join(invitation_of(mail, "ren@staff.example.jp"))
    who = people.whoami(player.grant)
    assert (who.actor.handle, who.shop_id, who.role, who.staff) == ("ren.salon", SALON, "staff", "ren")
    assert who.memberships == (people.Membership(SALON, "salon", "staff", "ren"),)


def test_it_founds_a_shop_once(vault: VaultProcess, mail: Sink) -> None:
    """The same list again changes nothing and mails nobody; another list is the owner's to make."""
    members = [member("aoi", "owner")]
    people.found_shop(SALON, "salon", members)
    assert [one.mail for one in people.found_shop(SALON, "salon", members)] == ["already"]
    join(invitation_of(mail, "aoi@staff.example.jp"))
    assert [one.mail for one in people.found_shop(SALON, "salon", members)] == ["joined"]
    assert len(mail.messages) == 1
    for changed in ([*members, member("eve", "owner")], [member("aoi", "manager")]):
        with pytest.raises(errors.ShopFounded):
            people.found_shop(SALON, "salon", changed)
    with pytest.raises(errors.GrantRefused):
        people.found_shop(YOGA, "salon", members)


def test_it_mends_an_invitation_that_was_not_sent(vault: VaultProcess, mail: Sink) -> None:
    """With the mail server away the founding says so, and founding again sends the mail."""
    mail.refuse = "451 later"
    assert [one.mail for one in people.found_shop(SALON, "salon", [member("aoi", "owner")])] == ["deferred"]
    mail.refuse = None
    assert [one.mail for one in people.found_shop(SALON, "salon", [member("aoi", "owner")])] == ["sent"]
    join(invitation_of(mail, "aoi@staff.example.jp"))


@pytest.mark.parametrize(
    "bad",
    [
        {"handle": "aoi.yoga"},
        {"handle": "Aoi"},
        {"handle": ""},
        {"role": "operator"},
        {"role": "admin"},
        {"staff": 5},
    ],
)
def test_it_refuses_a_member_that_cannot_be(module_vault: VaultProcess, bad: dict[str, object]) -> None:
    """A handle of another shop, a role that no shop has: refused, and the shop is not founded."""
    with pytest.raises(RuntimeError, match=r"handle|role"):
        people.found_shop(77, "salon", [Member(**(AOI | bad))])  # type: ignore[arg-type]
    assert not sql(module_vault, "SELECT 1 FROM vault.shop WHERE shop_id = 77")


def test_it_refuses_a_member_without_a_mail(module_vault: VaultProcess) -> None:
    """A member whom no invitation can reach is refused with the reason."""
    with pytest.raises(errors.BadField):
        people.found_shop(78, "cafe", [Member(**(AOI | {"mail": "nowhere"}))])
    assert not sql(module_vault, "SELECT 1 FROM vault.shop WHERE shop_id = 78")


def test_it_takes_an_invitation_once(vault: VaultProcess, mail: Sink) -> None:
    """Looking at an invitation does not use it; enrolling does; a second passkey is refused."""
    people.found_shop(SALON, "salon", [member("aoi", "owner")])
    token = invitation_of(mail, "aoi@staff.example.jp")
    first, second = people.register_begin(token), people.register_begin(token)
    people.register_finish(token, Passkey().create(first))
    with pytest.raises(errors.InviteRefused):
        people.register_finish(token, Passkey().create(second))
    with pytest.raises(errors.InviteRefused):
        people.register_begin(token)


def test_it_takes_an_invitation_once_when_two_are_at_it(vault: VaultProcess, mail: Sink) -> None:
    """Two browsers that finish at the same moment with one invitation: one passkey, five times."""
    for number in range(5):
        name = f"m{number}"
        people.found_shop(number + 1, f"shop{number}", [member(name, "owner")])
        token = invitation_of(mail, f"{name}@staff.example.jp")
        answers = [Passkey().create(people.register_begin(token)) for _ in range(4)]

        def finish(which: int, token: str = token, answers: list[Json] = answers) -> bool:
            try:
                people.register_finish(token, answers[which])
            except errors.InviteRefused:
                return False
            return True

        assert in_parallel(4, finish).count(True) == 1
    assert sql(vault, "SELECT count(*) FROM vault.passkey") == [(5,)]


_UNKNOWN = pytest.param(secrets.token_urlsafe(32), id="unknown")


@pytest.mark.parametrize("token", ["", "x", "あ", "x" * 500, _UNKNOWN])
def test_it_knows_no_such_invitation(module_vault: VaultProcess, token: str) -> None:
    """Whatever is no invitation is refused alike."""
    with pytest.raises(errors.InviteRefused):
        people.register_begin(token)


def test_it_binds_the_enrolling_to_its_invitation(vault: VaultProcess, mail: Sink) -> None:
    """An answer to one invitation's options does not use another up."""
    people.found_shop(SALON, "salon", [member("aoi", "owner"), member("ren", "staff")])
    aoi, ren = (invitation_of(mail, f"{name}@staff.example.jp") for name in ("aoi", "ren"))
    with pytest.raises(errors.PasskeyRefused):
        people.register_finish(aoi, Passkey().create(people.register_begin(ren)))
    join(aoi)


@pytest.mark.parametrize(("given", "life"), [(AOI, OWNER_LIFE_MS), (REN, LIFE_MS)], ids=["owner", "staff"])
def test_it_ends_an_invitation(bench: Bench, mail: Sink, given: dict[str, str], life: int) -> None:
    """An owner's invitation holds seven days, a staff member's one."""

    async def act(vault: Vault) -> None:
        await ask(vault, "found_shop", shop=1, slug="salon", members=[given])
        token = token_in(mail.messages[-1])
        bench.clock += life - 1
        await ask(vault, "register_begin", invite=token)
        bench.clock += 1
        with pytest.raises(InviteRefused):
            await ask(vault, "register_begin", invite=token)

    bench.run(act)


def test_it_adds_a_member_under_an_owners_grant(fresh_cast: Cast) -> None:
    """The owner adds a colleague; manager, staff and the other shop's owner do not."""
    for player in (fresh_cast.manager, fresh_cast.staff):
        with pytest.raises(errors.GrantRefused):
            people.add_member(player.grant, member("new", "staff"))
    with pytest.raises(RuntimeError, match="handle"):
        people.add_member(fresh_cast.outsider.grant, Member("new.salon", "owner", None, "x", "x@example.jp"))
    assert people.add_member(fresh_cast.owner.grant, member("new", "staff")).mail == "sent"
    player = join(invitation_of(fresh_cast.mail, "new@staff.example.jp"))
    assert people.reveal(player.grant, "today", fresh_cast.customers[:1], ["name"]).persons


def test_it_invites_the_first_operator_only(vault: VaultProcess, mail: Sink) -> None:
    """The shell invites until one operator has enrolled; an earlier link ends with a new one."""
    first = people.invite_operator()
    second = people.invite_operator(name="kai", mail="kai@example.jp")
    third = people.invite_operator(name="kai")
    for earlier in (first, second):
        with pytest.raises(errors.InviteRefused):
            people.register_begin(earlier)
    assert "/operations/join#" in str(mail.messages[-1].get_content())
    operator = join(third)
    who = people.whoami(operator.grant)
    assert (who.actor.handle, who.shop_id, who.role, who.memberships) == (
        "kai.operator",
        None,
        "operator",
        (),
    )
    for name in ("kai", "second"):
        with pytest.raises(errors.InviteRefused):
            people.invite_operator(name=name)


def test_it_lets_an_operator_into_no_shop(fresh_cast: Cast) -> None:
    """An operator's grant reveals, searches and changes nothing."""
    operator = join(people.invite_operator())
    person = fresh_cast.customers[0]
    for act in (
        lambda: people.reveal(operator.grant, "customer", [person], ["name"]),
        lambda: people.search(operator.grant, "山田花子0"),
        lambda: people.update(operator.grant, person, {"name": "x"}),
        lambda: people.add_member(operator.grant, member("x", "owner")),
    ):
        with pytest.raises(errors.GrantRefused):
            act()


# -- signing in and out


def test_it_signs_in_by_passkey_alone(cast: Cast) -> None:
    """No name is typed: the passkey says who it is, and a new grant comes of it."""
    signed = cast.staff.sign_in()
    assert signed.who.actor.handle == "ren.salon"
    assert signed.grant != cast.staff.grant
    assert people.whoami(signed.grant).actor == signed.who.actor


def test_it_signs_in_to_no_shop_one_does_not_work_for(cast: Cast) -> None:
    """Asking for another shop's grant is refused."""
    options = people.signin_begin()
    with pytest.raises(errors.GrantRefused):
        people.signin_finish(options["challenge"], cast.staff.passkey.get(options), shop_id=YOGA)


def test_it_refuses_an_unknown_passkey(cast: Cast) -> None:
    """A passkey that never enrolled is nobody's."""
    options = people.signin_begin()
    with pytest.raises(errors.PasskeyRefused):
        people.signin_finish(options["challenge"], Passkey().get(options))


def test_it_refuses_and_records_a_wrong_signature(cast: Cast, module_vault: VaultProcess) -> None:
    """A known credential with another key's signature is refused, and the refusal is on record."""
    forged = Passkey(credential_id=cast.staff.passkey.credential_id, user=cast.staff.passkey.user)
    options = people.signin_begin()
    with pytest.raises(errors.PasskeyRefused):
        people.signin_finish(options["challenge"], forged.get(options))
    people.doctor()
    rows = sql(
        module_vault,
        "SELECT note FROM vault.ledger_entry WHERE kind = 'refused' AND actor = 'ren.salon' "
        "ORDER BY entry DESC LIMIT 1",
    )
    assert rows == [("passkey",)]


def test_it_refuses_somebody_elses_user_handle(cast: Cast) -> None:
    """A credential is bound to the one user that enrolled it."""
    options = people.signin_begin()
    answer = cast.staff.passkey.get(options)
    answer["response"]["userHandle"] = to_text(bytes(16))
    with pytest.raises(errors.PasskeyRefused):
        people.signin_finish(options["challenge"], answer)


def test_it_flags_a_copied_passkey(vault: VaultProcess, mail: Sink) -> None:
    """A counter that fell is signed in, flagged, and on record."""
    people.found_shop(SALON, "salon", [member("aoi", "owner")])
    player = join(invitation_of(mail, "aoi@staff.example.jp"))
    for count, flagged in ((5, 0), (3, 1)):
        player.passkey.count = count
        player.sign_in()
        rows = sql(vault, "SELECT count(*) FROM vault.passkey WHERE flagged_at IS NOT NULL")
        assert rows == [(flagged,)]
    people.doctor()
    assert sql(vault, "SELECT 1 FROM vault.ledger_entry WHERE note = 'counter_regression'") == [(1,)]


def test_it_signs_out(cast: Cast) -> None:
    """After signing out the grant is over; signing out again is no error."""
    signed = cast.manager.sign_in()
    people.signout(signed.grant)
    people.signout(signed.grant)
    people.signout("1.x.y")
    with pytest.raises(errors.GrantExpired):
        people.whoami(signed.grant)


def test_it_keeps_addresses_sealed_and_sessions_hashed(cast: Cast, module_vault: VaultProcess) -> None:
    """Session and address of a sign-in are nowhere in clear: not in tables, not in the ledger."""
    session = secrets.token_hex(16)
    cast.manager.sign_in(session)
    rows = sql(module_vault, "SELECT session, sealed FROM vault.session")
    assert session_name(session) in {row[0] for row in rows}
    segments = b"".join(path.read_bytes() for path in module_vault.ledger.glob("segments/*"))
    everything = segments + str(rows).encode()
    for secret in (session, "192.0.2.7"):
        assert secret.encode() not in everything
    assert session_name(session).encode() in segments


def test_it_gives_the_session_its_name_once() -> None:
    """A session's name is stable, is not the session, and is its own name."""
    name = session_name("abc")
    assert name == session_name("abc") == session_name(name)
    assert "abc" not in name
    assert session_name("") == ""
