"""The tests' own servers keep what they promise."""

import pytest
from django.db import ProgrammingError, connection

from noren.runtime import databases
from tests.servers import AppDatabase


def _who() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        row = cursor.fetchone()
    return str(row[0])


def test_it_points_django_at_the_clone_as_the_web_role(app_db: AppDatabase) -> None:
    assert _who() == "noren_app"
    assert connection.settings_dict["NAME"] == app_db.name


def test_it_switches_the_role(app_db: AppDatabase) -> None:
    with app_db.role("worker"):
        assert _who() == "noren_worker"
    with app_db.role("owner"):
        assert _who() == databases.APP_OWNER
    assert _who() == "noren_app"


def test_it_lets_the_web_role_make_no_table(app_db: AppDatabase) -> None:
    with connection.cursor() as cursor, pytest.raises(ProgrammingError):
        cursor.execute("CREATE TABLE mine (a int)")


def test_it_gives_nobody_bypassrls(app_db: AppDatabase) -> None:
    with app_db.connect() as conn:
        named = "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'noren%' AND (rolbypassrls OR rolsuper)"
        rows = conn.execute(named + " AND rolname <> 'noren_cluster'").fetchall()
    assert rows == [(0,)]


def test_it_marks_what_speaks_to_a_server(app_db: AppDatabase, request: pytest.FixtureRequest) -> None:
    assert request.node.get_closest_marker("database")


def test_it_marks_nothing_else(request: pytest.FixtureRequest) -> None:
    assert not request.node.get_closest_marker("database")
