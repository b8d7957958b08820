"""Roles and database of the embedded server, and the role rc_app on an own server (psycopg only, no Django).

The owner migrates; `rc_app` does everything else. Passwords travel as SCRAM verifiers, so that no server log shows one.
"""

import os
from contextlib import suppress
from typing import LiteralString

import psycopg
from psycopg import sql

from relcontrol.environment import MisconfiguredError
from relcontrol.runtime.database import (
    APP_ROLE,
    EMBEDDED_DATABASE,
    OWNER_ROLE,
    app_password_file,
    database_address,
    ensure_app_password,
)
from relcontrol.runtime.database_url import DatabaseAddress

CONNECT_TIMEOUT_S = 5

Connection = psycopg.Connection[tuple[object, ...]]

ROLE_NAMED = "SELECT rolname FROM pg_roles WHERE rolname = %s"

# Another process did the same at this moment: the role is there.
ALREADY_DONE = (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation)


def connect(address: DatabaseAddress) -> Connection:
    """A connection in autocommit mode."""
    options: dict[str, object] = {"connect_timeout": CONNECT_TIMEOUT_S, **address.options}
    return psycopg.connect(
        autocommit=True,
        dbname=address.name,
        user=address.user or None,
        password=address.password or None,
        host=address.host or None,
        port=address.port or None,
        **options,  # type: ignore[arg-type]  # any libpq option may stand in the URL
    )


def refusal(address: DatabaseAddress) -> str:
    """Why no session can be opened there now, in one line, or "" when one can."""
    try:
        connect(address).close()
    except psycopg.OperationalError as error:
        return " ".join(str(error).split()) or "no answer"
    return ""


def answers(address: DatabaseAddress) -> bool:
    """Whether a session can be opened there, now."""
    return not refusal(address)


def set_up_embedded(superuser: DatabaseAddress, passwords: dict[str, str], *, temporary: bool) -> None:
    """Roles first, the database last: where the database is, everything is. Can be repeated after an interruption."""
    with connect(superuser) as connection:
        if _rows(connection, "SELECT datname FROM pg_database WHERE datname = %s", EMBEDDED_DATABASE):
            return
        _set_login(connection, OWNER_ROLE, passwords[OWNER_ROLE], "CREATEROLE CREATEDB" if temporary else "CREATEROLE")
        _set_login(connection, APP_ROLE, passwords[APP_ROLE])
        connection.execute(_statement("GRANT {} TO {} WITH ADMIN OPTION", APP_ROLE, OWNER_ROLE))
        connection.execute(_statement("CREATE DATABASE {} OWNER {}", EMBEDDED_DATABASE, OWNER_ROLE))


def ensure_app_role() -> None:
    """See that the application role of an own server (DATABASE_URL) can log in; make it where it is missing."""
    app_url_given = bool(os.environ.get("DATABASE_APP_URL", "").strip())
    if not app_url_given:
        ensure_app_password()
    app, owner = database_address("app"), database_address("owner")
    if answers(app):
        return
    if app_url_given:
        raise MisconfiguredError("DATABASE_APP_URL cannot connect: check its user, password, host and database name.")
    _make_app_role(owner, app)
    if not answers(app):
        raise MisconfiguredError(_advice(owner, "it was made, but the server does not let it log in (pg_hba.conf?)"))


def ensure_membership(connection: Connection) -> None:
    """Let this session's role act as rc_app; the role is made, without a login, where it is missing."""
    if not _rows(connection, ROLE_NAMED, APP_ROLE):
        with suppress(*ALREADY_DONE):
            connection.execute(_statement("CREATE ROLE {} NOLOGIN", APP_ROLE))
    if not _rows(connection, "SELECT 1 WHERE pg_has_role(current_user, %s, 'MEMBER')", APP_ROLE):
        connection.execute(_statement("GRANT {} TO CURRENT_USER", APP_ROLE))


def _make_app_role(owner: DatabaseAddress, app: DatabaseAddress) -> None:
    try:
        with connect(owner) as connection:
            if _rows(connection, "SELECT rolname FROM pg_roles WHERE rolname = %s AND rolcanlogin", APP_ROLE):
                raise MisconfiguredError(_advice(owner, f"it exists with another password than {app_password_file()}"))
            _set_login(connection, APP_ROLE, app.password)
            connection.execute(_statement("GRANT {} TO CURRENT_USER", APP_ROLE))
    except psycopg.errors.InsufficientPrivilege:
        raise MisconfiguredError(_advice(owner, f"{owner.user or 'the owner'} may not create roles")) from None


def _advice(owner: DatabaseAddress, reason: str) -> str:
    return (
        f"The role {APP_ROLE}, which does everything but migrations, cannot be used on this server: {reason}. Ask its "
        f"administrator for: CREATE ROLE {APP_ROLE} LOGIN PASSWORD '...'; GRANT CONNECT ON DATABASE {owner.name} TO "
        f"{APP_ROLE}; and set DATABASE_APP_URL=postgresql://{APP_ROLE}:...@.../{owner.name}."
    )


def _set_login(connection: Connection, role: str, password: str, rights: LiteralString = "") -> None:
    """Create the role, or give the one that exists this password."""
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    settings = sql.SQL("LOGIN {} PASSWORD {}").format(sql.SQL(rights), sql.Literal(verifier))
    statement = sql.SQL("ALTER ROLE {} {}" if _rows(connection, ROLE_NAMED, role) else "CREATE ROLE {} {}")
    with suppress(*ALREADY_DONE):
        connection.execute(statement.format(sql.Identifier(role), settings))


def _rows(connection: Connection, query: LiteralString, name: str) -> list[tuple[object, ...]]:
    return connection.execute(query, [name]).fetchall()


def _statement(template: LiteralString, *names: str) -> sql.Composed:
    return sql.SQL(template).format(*map(sql.Identifier, names))
