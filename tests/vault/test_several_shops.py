"""One person for several shops, and named permissions: the vault's own answers, on record."""

import pytest

from noren import errors, people
from noren.people import Purpose
from tests.servers import VaultProcess
from tests.vault.authenticator import Passkey
from tests.vault.cast import SALON, YOGA, Cast, Player, invitation_of, join, member, sql


def _invited(cast: Cast, name: str = "aoi", role: str = "manager") -> str:
    """Invite somebody to the studio; gives the link's token."""
    people.add_member(cast.outsider.grant, member(name, role))
    return invitation_of(cast.mail, f"{name}@staff.example.jp")


def _takes(player: Player, token: str) -> people.SignedIn:
    options = people.join_begin(token)
    return people.join_finish(token, player.passkey.get(options), session="taking")


def test_it_gives_the_membership_to_the_passkeys_owner(fresh_cast: Cast, vault: VaultProcess) -> None:
    """Aoi of the salon takes the studio's invitation: one actor, two shops, the studio's record of her."""
    taken = _takes(fresh_cast.owner, _invited(fresh_cast))
    assert (taken.who.actor.handle, taken.who.shop_id, taken.who.role) == ("aoi.salon", YOGA, "manager")
    assert [(one.shop_id, one.role) for one in taken.who.memberships] == [(SALON, "owner"), (YOGA, "manager")]
    found = {one.handle: one for one in people.members(fresh_cast.outsider.grant)}
    assert set(found) == {"aoi.salon", "sora.yoga"}
    assert (found["aoi.salon"].joined, found["aoi.salon"].seen is not None) == (True, True)
    person = found["aoi.salon"].person
    assert person is not None
    told = people.reveal(fresh_cast.outsider.grant, Purpose.MEMBERS, [person], ["name", "mail"])
    assert told.persons[person] == {"name": "aoiさん", "mail": "aoi@staff.example.jp"}
    # Her grant for the salon goes on, and the invitation is used up.
    assert people.whoami(fresh_cast.owner.grant).shop_id == SALON
    people.doctor()
    rows = sql(vault, "SELECT actor, shop_id, ref, note FROM vault.ledger_entry WHERE note = 'joined'")
    assert rows == [("aoi.salon", YOGA, "aoi.yoga", "joined")]


def test_it_takes_an_invitation_once(fresh_cast: Cast) -> None:
    """Whoever took it, nobody takes it again, with whichever passkey."""
    token = _invited(fresh_cast)
    _takes(fresh_cast.owner, token)
    with pytest.raises(errors.InviteRefused):
        people.join_begin(token)
    with pytest.raises(errors.InviteRefused):
        join(token)


def test_it_binds_the_passkeys_answer_to_the_invitation(fresh_cast: Cast) -> None:
    """An answer for signing in, or for another invitation, joins nobody; nor does an unknown passkey."""
    token, other = _invited(fresh_cast), _invited(fresh_cast, "mei")
    for options in (people.signin_begin(), people.join_begin(other)):
        with pytest.raises(errors.PasskeyRefused):
            people.join_finish(token, fresh_cast.owner.passkey.get(options))
    stranger = Passkey()
    stranger.create(people.register_begin(token))
    with pytest.raises(errors.PasskeyRefused):
        people.join_finish(token, stranger.get(people.join_begin(token)))
    assert _takes(fresh_cast.owner, token).who.shop_id == YOGA


def test_it_joins_nobody_twice(fresh_cast: Cast) -> None:
    """Who works there already is told so, and nothing changes."""
    _takes(fresh_cast.owner, _invited(fresh_cast))
    again = _invited(fresh_cast, "ao")
    with pytest.raises(errors.AlreadyJoined):
        _takes(fresh_cast.owner, again)
    assert {one.handle for one in people.members(fresh_cast.outsider.grant)} == {
        "ao.yoga",
        "aoi.salon",
        "sora.yoga",
    }


def test_it_gives_no_shop_to_an_operators_passkey(fresh_cast: Cast) -> None:
    """Operations and shops have passkeys of their own."""
    token = people.invite_operator()
    with pytest.raises(errors.InviteRefused):
        people.join_begin(token)
    operator = join(token)
    with pytest.raises(errors.GrantRefused):
        _takes(operator, _invited(fresh_cast))


def test_it_goes_from_shop_to_shop_and_ends_the_grant_before(fresh_cast: Cast, vault: VaultProcess) -> None:
    """A grant for the chosen shop that lasts no longer than the one before, which is over."""
    taken = _takes(fresh_cast.owner, _invited(fresh_cast))
    until = people.whoami(taken.grant).expires
    there = people.enter_shop(taken.grant, SALON, session="going over")
    assert (there.who.shop_id, there.who.role, there.who.expires) == (SALON, "owner", until)
    with pytest.raises(errors.GrantExpired):
        people.whoami(taken.grant)
    person = fresh_cast.customers[0]
    assert people.reveal(there.grant, Purpose.CUSTOMER, [person], ["name"]).persons
    back = people.enter_shop(there.grant, YOGA)
    with pytest.raises(errors.NoSuchPerson):
        people.reveal(back.grant, Purpose.CUSTOMER, [person], ["name"])
    people.doctor()
    rows = sql(vault, "SELECT shop_id FROM vault.ledger_entry WHERE note = 'switched' ORDER BY entry")
    assert rows == [(SALON,), (YOGA,)]


def test_it_goes_only_where_one_works_and_only_by_passkey(fresh_cast: Cast) -> None:
    """Another shop is refused, and so is a sign-in by password, which is one shop's."""
    with pytest.raises(errors.GrantRefused):
        people.enter_shop(fresh_cast.staff.grant, YOGA)
    assert people.whoami(fresh_cast.staff.grant).shop_id == SALON
    _takes(fresh_cast.owner, _invited(fresh_cast))
    mail = "aoi@staff.example.jp"
    people.password_set(fresh_cast.owner.sign_in().grant, "correct horse battery staple 9")
    by_password = people.password_check(SALON, mail, "correct horse battery staple 9")
    assert isinstance(by_password, people.SignedIn)
    with pytest.raises(errors.GrantRefused):
        people.enter_shop(by_password.grant, YOGA)


def test_it_ends_one_shop_and_leaves_the_other(fresh_cast: Cast) -> None:
    """The studio's owner ends Aoi there; the salon is hers as before, and the studio may take her again."""
    taken = _takes(fresh_cast.owner, _invited(fresh_cast))
    people.end_member(fresh_cast.outsider.grant, "aoi.salon")
    with pytest.raises(errors.GrantExpired):
        people.whoami(taken.grant)
    assert people.whoami(fresh_cast.owner.grant).role == "owner"
    gone = people.members(fresh_cast.outsider.grant, ended=True)
    assert {one.handle for one in gone} == {"aoi.salon", "aoi.yoga"}
    again = _takes(fresh_cast.owner, _invited(fresh_cast, role="staff"))
    assert (again.who.actor.handle, again.who.role) == ("aoi.salon", "staff")


def test_it_counts_an_owner_of_two_shops_in_both(fresh_cast: Cast) -> None:
    """She is written to as an owner of the studio, under the studio's own record of her."""
    before = people.owners(YOGA)
    _takes(fresh_cast.owner, _invited(fresh_cast, role="owner"))
    after = people.owners(YOGA)
    assert len(before) == 1
    assert len(after) == 2
    assert not set(after) & set(people.owners(SALON))


def test_it_sends_an_invitation_again_and_ends_the_earlier_link(fresh_cast: Cast) -> None:
    """A new link serves, the old one no more; who has joined, and another shop's, get none."""
    first = _invited(fresh_cast)
    assert people.resend_invite(fresh_cast.outsider.grant, "aoi.yoga").mail == "sent"
    second = invitation_of(fresh_cast.mail, "aoi@staff.example.jp")
    with pytest.raises(errors.InviteRefused):
        people.join_begin(first)
    assert join(second).handle == "aoi.yoga"
    with pytest.raises(errors.AlreadyJoined):
        people.resend_invite(fresh_cast.outsider.grant, "aoi.yoga")
    with pytest.raises(errors.NoSuchMember):
        people.resend_invite(fresh_cast.outsider.grant, "ren.salon")


def test_it_shows_members_to_owners_only(cast: Cast) -> None:
    """A manager knows who works there, and is told nobody's mail; a member is no customer of any purpose."""
    found = {one.handle: one.person for one in people.members(cast.manager.grant)}
    person = found["ren.salon"]
    assert person is not None
    for grant in (cast.manager.grant, cast.staff.grant):
        with pytest.raises(errors.PurposeRefused):
            people.reveal(grant, Purpose.MEMBERS, [person], ["name"])
    for grant, purpose, who in (
        (cast.owner.grant, Purpose.CUSTOMER, person),
        (cast.owner.grant, Purpose.MEMBERS, cast.customers[0]),
        (cast.outsider.grant, Purpose.MEMBERS, person),
    ):
        with pytest.raises(errors.NoSuchPerson):
            people.reveal(grant, purpose, [who], ["name"])


def test_it_takes_a_permission_from_a_role_at_once(fresh_cast: Cast, vault: VaultProcess) -> None:
    """Taken: no field for the purposes that need it, no write, no list. Given back: as before. On record."""
    owner, staff, who = fresh_cast.owner.grant, fresh_cast.staff.grant, fresh_cast.customers[:1]
    people.permit(owner, "staff", "customers.see", given=False)
    people.permit(owner, "staff", "customers.change", given=False)
    assert people.whoami(staff).permissions == {"day.see", "bookings.see", "bookings.change"}
    for purpose in (Purpose.CUSTOMER, Purpose.SEARCH):
        with pytest.raises(errors.PurposeRefused):
            people.reveal(staff, purpose, who, ["name"])
    with pytest.raises(errors.GrantRefused):
        people.update(staff, who[0], {"note": "別の人"})
    assert people.reveal(staff, Purpose.TODAY, who, ["name"]).persons
    people.permit(owner, "manager", "lists.export", given=False)
    with pytest.raises(errors.GrantRefused):
        people.ask_export(fresh_cast.manager.grant, reason="moving", words="移る", fields=["name"])
    people.permit(owner, "staff", "customers.see", given=True)
    assert people.reveal(staff, Purpose.CUSTOMER, who, ["name"]).persons
    people.doctor()
    rows = sql(vault, "SELECT ref, note, outcome FROM vault.ledger_entry WHERE kind = 'right' ORDER BY entry")
    assert rows == [
        ("staff/customers.see", "taken", "done"),
        ("staff/customers.change", "taken", "done"),
        ("manager/lists.export", "taken", "done"),
        ("staff/customers.see", "given", "done"),
    ]


def test_it_takes_nothing_from_owners_and_gives_nothing_beyond_the_list(fresh_cast: Cast) -> None:
    """Owners keep all, no role gains what it had not, and managers decide nothing of it."""
    owner = fresh_cast.owner.grant
    for role, permission in (
        ("owner", "members.change"),
        ("accountant", "customers.see"),
        ("staff", "hours.change"),
        ("operator", "day.see"),
        ("staff", "everything"),
    ):
        with pytest.raises(RuntimeError):
            people.permit(owner, role, permission, given=True)
    for grant in (fresh_cast.manager.grant, fresh_cast.staff.grant):
        with pytest.raises(errors.GrantRefused):
            people.permit(grant, "staff", "day.see", given=False)
        with pytest.raises(errors.GrantRefused):
            people.permissions(grant)
    people.permit(owner, "staff", "day.see", given=False)
    assert "day.see" in people.whoami(fresh_cast.owner.grant).permissions


def test_it_says_the_permissions_at_every_way_in(cast: Cast) -> None:
    """Signing in, and asking who it is, say the same."""
    signed = cast.manager.sign_in()
    assert signed.who.permissions == people.whoami(signed.grant).permissions
    assert "members.change" not in signed.who.permissions
    assert "lists.export" in signed.who.permissions
