"""On an own server (DATABASE_URL) `migrate` makes rc_app where it may, and says plainly what is needed where not."""

from collections.abc import Iterator
from typing import LiteralString

import pytest
from psycopg import sql

from relcontrol.environment import MisconfiguredError
from relcontrol.runtime.database import app_password, database_address
from relcontrol.runtime.database_url import DatabaseAddress, database_url_of
from relcontrol.runtime.embedded_postgres import running
from relcontrol.runtime.postgres_cluster import ClusterFiles
from relcontrol.runtime.postgres_roles import answers, connect, ensure_app_role


@pytest.fixture
def owner(files: ClusterFiles, monkeypatch: pytest.MonkeyPatch) -> Iterator[DatabaseAddress]:
    """A server that plays the part of an administrator's: its rc_app has a password that is not told."""
    monkeypatch.delenv("DATABASE_APP_URL", raising=False)
    with running():
        address = database_address("owner")
        monkeypatch.setenv("DATABASE_URL", database_url_of(address))
        yield address
        monkeypatch.delenv("DATABASE_URL")


def run(owner: DatabaseAddress, statement: LiteralString) -> None:
    with connect(owner) as connection:
        connection.execute(sql.SQL(statement))


def test_a_role_without_a_login_gets_one_with_a_password_of_ours(owner: DatabaseAddress) -> None:
    run(owner, "ALTER ROLE rc_app NOLOGIN")
    ensure_app_role()
    assert app_password()
    assert answers(database_address("app"))


def test_a_second_migrate_changes_nothing(owner: DatabaseAddress) -> None:
    run(owner, "ALTER ROLE rc_app NOLOGIN")
    ensure_app_role()
    password = app_password()
    ensure_app_role()
    assert app_password() == password


def test_the_login_of_somebody_else_is_left_alone_and_database_app_url_is_asked_for(owner: DatabaseAddress) -> None:
    with pytest.raises(MisconfiguredError, match=r"another password.*DATABASE_APP_URL"):
        ensure_app_role()


def test_an_owner_who_may_not_make_roles_is_told_what_to_ask_for(
    owner: DatabaseAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(owner, "ALTER ROLE rc_app NOLOGIN")
    run(owner, "CREATE ROLE plain LOGIN PASSWORD 'plain'")
    plain = DatabaseAddress(owner.name, user="plain", password="plain", host=owner.host, port=owner.port)
    monkeypatch.setenv("DATABASE_URL", database_url_of(plain))
    with pytest.raises(MisconfiguredError, match=r"plain may not create roles.*DATABASE_APP_URL"):
        ensure_app_role()


def test_an_application_url_that_cannot_connect_is_named(
    owner: DatabaseAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = DatabaseAddress(owner.name, user="rc_app", password="wrong", host=owner.host, port=owner.port)
    monkeypatch.setenv("DATABASE_APP_URL", database_url_of(wrong))
    with pytest.raises(MisconfiguredError, match="DATABASE_APP_URL"):
        ensure_app_role()
