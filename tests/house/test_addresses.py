"""Every address of the site says whom it serves."""

import pytest

from noren.accounts.rules import Kind, Permission, Rule, RuleDeclaredTwice, declare, public
from noren_vault.permissions import OF_ROLE
from noren_vault.permissions import Permission as Vaults
from tests.matrix.addresses import SHAPES, Address, every

HOW = (
    "{route}: {view} says not whom it serves. Put one rule on it: @permission_required(Permission.…), "
    "@staff_required, @operator_required (noren.accounts.access), or @public, @own_link, @customer "
    "(noren.accounts.rules). tests/matrix then tries it as everybody."
)


@pytest.mark.parametrize("address", every(), ids=lambda one: one.route)
def test_it_says_whom_it_serves(address: Address) -> None:
    lacking = {name for name in address.parameters if name not in SHAPES}
    assert not lacking, f"{address.route}: {lacking} needs a value in SHAPES and in tests/matrix/world.py"
    for method, rule in address.rules.items():
        assert rule is not None, HOW.format(route=f"{method} {address.route}", view=address.view)


def test_it_finds_them_all() -> None:
    """Nested tables, the API and plain expressions are walked."""
    routes = {one.template for one in every()}
    assert {"console/sign-in", "api/v1/bookings/%(token)s", "%(slug)s/my-data", "healthz"} <= routes
    assert len(routes) > 70


def test_it_takes_one_rule_of_a_view() -> None:
    def view() -> None:
        """Serve nobody."""

    public(view)
    with pytest.raises(RuleDeclaredTwice):
        declare(view, Rule(Kind.OPERATOR))


def test_it_has_the_vaults_names() -> None:
    """Both sides have the same permissions; an accountant has none that shows or moves persons."""
    assert [str(one) for one in Permission] == [str(one) for one in Vaults]
    personal = {one for one in Vaults if one.startswith(("customers.", "lists."))}
    assert not OF_ROLE[next(role for role in OF_ROLE if role == "accountant")] & personal
