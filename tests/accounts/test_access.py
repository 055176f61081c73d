"""Who gets past the guards, and what ends a session. The vault's part is in test_signin.py."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from noren import clock, people
from noren.accounts import access, session
from noren.accounts.access import OperatorRequest, StaffRequest, operator_required, staff_required
from noren.accounts.models import Account, end_sessions
from noren.errors import GrantExpired
from tests.servers import AppDatabase

ACTOR = UUID("0197d2a4-7a3e-7c1e-9c1e-1f2a3b4c5d6e")
NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
GRANT = "1.grant-one.secret"

pytestmark = pytest.mark.usefixtures("app_db")


def who(role: str = "staff", shop_id: int | None = 1, hours: int = 12) -> people.Who:
    return people.Who(
        actor=people.Actor(id=ACTOR, handle="aoi.salon"),
        shop_id=shop_id,
        role=role,
        staff="aoi" if shop_id else None,
        expires=NOON + timedelta(hours=hours),
        memberships=(),
    )


def request_of(store: SessionStore, grant: str | None = GRANT, path: str = "/console/today") -> HttpRequest:
    request = RequestFactory().get(path)
    request.session = store
    if grant:
        request.COOKIES[session.cookie_name()] = grant
    return request


def entered(given: people.Who | None = None) -> SessionStore:
    store = SessionStore()
    session.open_session(store, given or who(), GRANT, name="ledger-name", now=NOON)
    store.save()
    return store


@pytest.fixture
def at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOON)


def test_it_knows_who_signed_in() -> None:
    known = session.read_session(request_of(entered()), now=NOON)
    assert known is not None
    assert (known.actor, known.handle, known.shop_id, known.role) == (ACTOR, "aoi.salon", 1, "staff")
    assert (known.staff_id, known.session, known.grant) == ("aoi", "ledger-name", GRANT)


def test_it_keeps_no_secret_in_the_session_row(app_db: AppDatabase) -> None:
    store = entered()
    assert "secret" not in repr(dict(store.items()))
    with app_db.connect("owner") as conn:
        rows = conn.execute("SELECT session_data FROM django_session").fetchall()
    decoded = [SessionStore().decode(data) for (data,) in rows]
    assert decoded
    assert "secret" not in repr(decoded)


def test_it_does_not_show_the_grant_in_a_trace() -> None:
    known = session.read_session(request_of(entered()), now=NOON)
    assert "secret" not in repr(known)


def test_it_opens_the_session_under_a_new_key() -> None:
    store = SessionStore()
    store["before"] = "sign-in"
    store.save()
    old = store.session_key
    session.open_session(store, who(), GRANT, name="n", now=NOON)
    store.save()
    assert store.session_key != old
    assert "before" not in store
    assert not SessionStore().exists(old or "")


def test_it_makes_the_account_once() -> None:
    entered()
    entered()
    assert [account.id for account in Account.objects.all()] == [ACTOR]


@pytest.mark.parametrize("grant", [None, "", "1.grant-two.secret", "2.grant-one.secret"])
def test_it_refuses_a_session_without_its_own_grant(grant: str | None) -> None:
    assert session.read_session(request_of(entered(), grant), now=NOON) is None


def test_it_ends_staff_after_an_idle_hour() -> None:
    store = entered()
    assert session.read_session(request_of(store), now=NOON + timedelta(minutes=59)) is not None
    assert session.read_session(request_of(store), now=NOON + timedelta(minutes=59 + 60)) is None


@pytest.mark.parametrize("role", ["operator", "auditor"])
def test_it_ends_who_belongs_to_the_platform_after_fifteen_idle_minutes(role: str) -> None:
    store = entered(who(role, None))
    assert session.read_session(request_of(store), now=NOON + timedelta(minutes=14)) is not None
    assert session.read_session(request_of(store), now=NOON + timedelta(minutes=14 + 15)) is None


def test_it_ends_with_the_grant_however_busy() -> None:
    store = entered(who(hours=2))
    for minutes in range(0, 120, 30):
        assert session.read_session(request_of(store), now=NOON + timedelta(minutes=minutes)) is not None
    assert session.read_session(request_of(store), now=NOON + timedelta(hours=2)) is None


def test_it_ends_after_twelve_hours_whatever_the_grant_says() -> None:
    store = entered(who(hours=48))
    for minutes in range(0, 12 * 60, 30):
        assert session.read_session(request_of(store), now=NOON + timedelta(minutes=minutes)) is not None
    assert session.read_session(request_of(store), now=NOON + timedelta(hours=12)) is None


def test_it_ends_every_session_of_an_account_at_once() -> None:
    one, other = entered(), entered()
    end_sessions(ACTOR)
    assert session.read_session(request_of(one), now=NOON) is None
    assert session.read_session(request_of(other), now=NOON) is None


def test_it_leaves_the_sessions_of_others() -> None:
    store = entered()
    end_sessions(uuid4())
    assert session.read_session(request_of(store), now=NOON) is not None


@pytest.mark.usefixtures("at_noon")
def test_it_lets_staff_in() -> None:
    @staff_required
    def page(request: StaffRequest) -> HttpResponse:
        return HttpResponse(f"{request.signed_in.handle} {request.shop_id}")

    response = page(request_of(entered()))
    assert isinstance(response, HttpResponse)
    assert response.content == b"aoi.salon 1"
    assert "no-store" in response["Cache-Control"]


@pytest.mark.usefixtures("at_noon")
def test_it_leads_others_to_sign_in_and_back_without_the_query() -> None:
    @staff_required
    def page(_request: StaffRequest) -> HttpResponse:
        raise AssertionError("not for you")

    request = request_of(SessionStore(), None, "/console/customers/?q=secret")
    response = page(request)
    assert response.status_code == 302
    assert response["Location"] == "/console/sign-in?next=%2Fconsole%2Fcustomers%2F"


@pytest.mark.usefixtures("at_noon")
def test_it_leads_a_whole_page_when_a_piece_was_asked_for() -> None:
    @staff_required
    def page(_request: StaffRequest) -> HttpResponse:
        raise AssertionError("not for you")

    request = RequestFactory().get("/console/today", headers={"HX-Request": "true"})
    request.session = SessionStore()
    response = page(request)
    assert (response.status_code, response["HX-Redirect"]) == (401, "/console/sign-in")


@pytest.mark.usefixtures("at_noon")
def test_it_keeps_staff_out_of_operations_and_operators_out_of_the_console() -> None:
    @operator_required
    def operations(request: OperatorRequest) -> HttpResponse:
        return HttpResponse(request.signed_in.role)

    @staff_required
    def console(request: StaffRequest) -> HttpResponse:
        return HttpResponse(request.signed_in.role)

    staff, operator = entered(), entered(who("operator", None))
    assert operations(request_of(staff)).status_code == 302
    assert console(request_of(operator)).status_code == 302
    assert operations(request_of(operator)).status_code == 200


@pytest.mark.usefixtures("at_noon")
def test_it_leads_to_sign_in_when_the_grant_ends_underway() -> None:
    @staff_required
    def page(_request: StaffRequest) -> HttpResponse:
        raise GrantExpired

    store = entered()
    response = page(request_of(store))
    assert response["Location"] == "/console/sign-in?next=%2Fconsole%2Ftoday"
    assert response.cookies[session.cookie_name()].value == ""
    assert session.read_session(request_of(store), now=NOON) is None


@pytest.mark.parametrize(
    ("wanted", "allowed"),
    [
        ("/console/day/2026-11-25", True),
        ("https://elsewhere.example/", False),
        ("//elsewhere.example/", False),
        ("/\\elsewhere.example", False),
        ("console", False),
        ("javascript:alert(1)", False),
    ],
)
def test_it_goes_on_only_to_pages_of_ours(wanted: str, allowed: bool) -> None:
    request = RequestFactory().get("/console/sign-in", {"next": wanted})
    assert access.safe_next(request, "/console/") == (wanted if allowed else "/console/")


def test_it_hands_out_the_grant_in_a_cookie_that_no_script_and_no_other_site_uses() -> None:
    response = HttpResponse()
    session.set_grant(response, GRANT, NOON + timedelta(hours=1))
    cookie = response.cookies["noren_grant"]
    assert cookie["httponly"] is True
    assert (cookie["samesite"], cookie["path"], cookie["domain"]) == ("Strict", "/", "")


def test_it_binds_the_cookie_to_the_host_on_https(settings_secure: None) -> None:
    response = HttpResponse()
    session.set_grant(response, GRANT, NOON + timedelta(hours=1))
    assert response.cookies["__Host-noren_grant"]["secure"] is True


@pytest.fixture
def settings_secure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.conf.settings.SESSION_COOKIE_SECURE", True)
