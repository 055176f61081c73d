"""Django's settings, in development and in production."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ASK = """
import json
from noren.runtime import settings as s
names = [n for n in dir(s) if n.isupper() and n not in ("ENV", "PATHS")]
print(json.dumps({n: getattr(s, n) for n in names}, default=str))
"""


def _settings(folder: Path, **more: str) -> dict[str, Any]:
    environ = {"PATH": os.environ["PATH"], "NOREN_VAR": str(folder)} | more
    done = subprocess.run(
        [sys.executable, "-c", ASK], env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.fixture(scope="module")
def development(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return _settings(tmp_path_factory.mktemp("var"))


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return _settings(tmp_path_factory.mktemp("var"), NOREN_ORIGIN="https://book.example.jp")


def test_it_can_be_read_before_anything_is_set_up(development: dict[str, Any]) -> None:
    assert development["SECRET_KEY"] == ""
    assert development["DATABASES"]["default"]["PASSWORD"] == ""


def test_it_is_never_in_debug(development: dict[str, Any], production: dict[str, Any]) -> None:
    assert development["DEBUG"] is production["DEBUG"] is False


def test_it_binds_cookies_to_the_host_in_production(production: dict[str, Any]) -> None:
    for name in ("SESSION", "CSRF", "LANGUAGE"):
        assert production[f"{name}_COOKIE_NAME"].startswith("__Host-")
        assert production[f"{name}_COOKIE_SECURE"] is True
        assert production[f"{name}_COOKIE_HTTPONLY"] is True
    assert production["SECURE_HSTS_SECONDS"] >= 31_536_000


def test_it_answers_to_its_own_name_only(production: dict[str, Any]) -> None:
    assert production["ALLOWED_HOSTS"] == ["book.example.jp"]
    assert production["CSRF_TRUSTED_ORIGINS"] == ["https://book.example.jp"]


def test_it_names_each_part_once(development: dict[str, Any]) -> None:
    for names in (development["MIDDLEWARE"], development["INSTALLED_APPS"]):
        assert len(names) == len(set(names))


def test_it_allows_no_script_in_the_page(development: dict[str, Any]) -> None:
    policy = development["CONTENT_SECURITY_POLICY"]["DIRECTIVES"]
    assert policy["default-src"] == ["'none'"]
    assert policy["script-src"] == policy["style-src"] == ["'self'"]
    assert not {word for words in policy.values() for word in words if "unsafe" in word}


def test_it_shows_a_mailbox_in_development_only(
    development: dict[str, Any], production: dict[str, Any]
) -> None:
    assert development["NOREN_MAILBOX"] == "http://localhost:8001/"
    assert production["NOREN_MAILBOX"] is None


def test_it_becomes_the_owner_for_a_migration(tmp_path: Path) -> None:
    options = _settings(tmp_path, NOREN_ROLE="migrate")["DATABASES"]["default"]["OPTIONS"]
    assert options["assume_role"] == "noren_owner"
    assert "pool" not in options
