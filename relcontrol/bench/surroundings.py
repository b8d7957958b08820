"""A database and keys of a bench's own, made next to the ones in use and removed after it; those are never touched."""

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from celery import current_app
from django.core.management import call_command
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.test import override_settings
from psycopg import sql

from relcontrol.runtime.connections import use_role
from relcontrol.runtime.database import APP_ROLE, database_address, database_url
from relcontrol.runtime.database_url import DatabaseAddress
from relcontrol.runtime.folders import data_folder
from relcontrol.runtime.postgres_cluster import SUPERUSER, cluster_files, read_credentials
from relcontrol.runtime.postgres_roles import connect, ensure_membership

PLAIN_STATIC_FILES = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
NO_LIMIT = 1_000_000_000
TEMPLATE = "template1"  # what CREATE DATABASE copies where nothing else is named
KEY_VARIABLES = (
    "RELCONTROL_KEY_RECEIPTS",
    "RELCONTROL_KEY_EXPORT",
    "RELCONTROL_KEY_LOG",
    "RELCONTROL_KEY_ROUTING",
    "RELCONTROL_KEY_SUBJECTS",
)


@contextmanager
def throwaway() -> Iterator[str]:
    """A migrated database, used as rc_app, and a folder for keys; yields the database's name."""
    name = f"relcontrol_bench_{secrets.token_hex(4)}"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="relcontrol-bench-")))
        stack.enter_context(_settings(folder))
        stack.enter_context(_database(name))
        yield name


@contextmanager
def as_owner() -> Iterator[CursorWrapper]:
    """A cursor of the database's owner, for what rc_app may not do."""
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE NONE")
        try:
            yield cursor
        finally:
            cursor.execute(f"SET ROLE {APP_ROLE}")


def settle() -> None:
    """What autovacuum would have done by the next minute: statistics and visibility."""
    with as_owner() as cursor:
        cursor.execute("VACUUM (ANALYZE)")


@contextmanager
def _database(name: str) -> Iterator[None]:
    before = dict(connection.settings_dict)
    owner = database_address("owner")
    with connect(_administrator(owner)) as session:
        names = map(sql.Identifier, (name, _name_of(owner), TEMPLATE))
        session.execute(sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(*names))
    try:
        _migrate(name, owner)
        yield
    finally:
        connection.close()
        connection.settings_dict.update(before)
        with connect(_administrator(owner)) as session:
            session.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _migrate(name: str, owner: DatabaseAddress) -> None:
    """Migrate as the owner, then be rc_app, as in life."""
    connection.settings_dict["NAME"] = name
    use_role("owner")
    with connect(replace(owner, name=name)) as session:
        ensure_membership(session)
    call_command("migrate", verbosity=0, interactive=False)
    use_role("owner")  # with the credentials of the owner, so that no password of rc_app is needed
    options = dict(connection.settings_dict["OPTIONS"])
    connection.settings_dict["OPTIONS"] = {**options, "options": f"-c role={APP_ROLE}"}


def _administrator(owner: DatabaseAddress) -> DatabaseAddress:
    """Who may create databases: the given owner, or the superuser of the embedded server."""
    if database_url():
        return owner
    passwords, _ = read_credentials(cluster_files(data_folder()))
    return replace(owner, name="postgres", user=SUPERUSER, password=passwords[SUPERUSER])


def _name_of(owner: DatabaseAddress) -> str:
    with connect(owner) as session:
        row = session.execute("SELECT current_user").fetchone()
    return str(row[0]) if row else owner.user


@contextmanager
def _settings(folder: Path) -> Iterator[None]:
    """Keys of its own, no messages to the worker in use, no limit of requests, static files as they stand."""
    changed = override_settings(
        KEY_DIR=folder,
        RATE_LIMIT_PER_MINUTE=NO_LIMIT,
        SECURE_SSL_REDIRECT=False,
        ALLOWED_HOSTS=["testserver", "localhost"],
        STORAGES={"default": {"BACKEND": "django.core.files.storage.FileSystemStorage"}, **PLAIN_STATIC_FILES},
    )
    keys = {name: os.environ.pop(name) for name in KEY_VARIABLES if name in os.environ}
    broker = current_app.conf.broker_url
    current_app.conf.update(broker_url="memory://localhost")
    try:
        with changed:
            yield
    finally:
        current_app.conf.update(broker_url=broker)
        os.environ.update(keys)
