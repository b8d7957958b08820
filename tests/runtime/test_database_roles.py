"""The owner and rc_app: where each one's address and password come from."""

from pathlib import Path

import pytest

from relcontrol.environment import MisconfiguredError
from relcontrol.runtime.database import (
    app_password_file,
    credentials_file,
    django_database,
    ensure_app_password,
)
from relcontrol.runtime.private_files import write_private


@pytest.fixture(autouse=True)
def own_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RELCONTROL_DATA", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("DATABASE_APP_URL", raising=False)
    return tmp_path


def test_database_url_is_the_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://boss:pw@db:6432/rel?sslmode=require")
    entry = django_database("owner")
    assert (entry["USER"], entry["PASSWORD"], entry["HOST"], entry["PORT"]) == ("boss", "pw", "db", "6432")
    assert (entry["NAME"], entry["OPTIONS"]) == ("rel", {"sslmode": "require"})


def test_the_application_uses_rc_app_on_the_same_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://boss:pw@db/rel?sslmode=require")
    password = ensure_app_password()
    entry = django_database("app")
    assert (entry["USER"], entry["PASSWORD"], entry["HOST"]) == ("rc_app", password, "db")
    assert entry["OPTIONS"] == {"sslmode": "require"}


def test_database_app_url_comes_before_the_generated_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://boss:pw@db/rel")
    monkeypatch.setenv("DATABASE_APP_URL", "postgresql://rc_app:other@pooler/rel")
    ensure_app_password()
    entry = django_database("app")
    assert (entry["USER"], entry["PASSWORD"], entry["HOST"]) == ("rc_app", "other", "pooler")


def test_a_malformed_application_url_is_refused_by_its_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://boss:pw@db/rel")
    monkeypatch.setenv("DATABASE_APP_URL", "rc_app@db")
    with pytest.raises(MisconfiguredError, match="DATABASE_APP_URL"):
        django_database("app")


def test_the_generated_password_is_made_once_and_private() -> None:
    assert ensure_app_password() == ensure_app_password()
    assert app_password_file().stat().st_mode & 0o777 == 0o600


def test_before_the_first_start_the_embedded_address_has_no_password() -> None:
    entry = django_database("app")
    assert (entry["USER"], entry["PASSWORD"], entry["NAME"]) == ("rc_app", "", "relcontrol")


def test_damaged_credentials_are_refused_with_their_file() -> None:
    credentials_file().parent.mkdir()
    write_private(credentials_file(), '{"passwords": {}}')
    with pytest.raises(MisconfiguredError, match=r"credentials\.json"):
        django_database("app")


def test_a_private_file_is_replaced_whole_and_stays_private(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("a long old text")
    file.chmod(0o644)
    write_private(file, "new")
    assert file.read_text() == "new"
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]
