"""Django's connection as the owner or the application role, and whether migrations are pending."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from relcontrol.environment import MisconfiguredError
from relcontrol.runtime.console import say
from relcontrol.runtime.database import APP_ROLE, Role, django_database
from relcontrol.runtime.folders import CHECKOUT

MIGRATION_LOCK = 0x52454C43  # "RELC": the number of the advisory lock, the same everywhere


def use_role(role: Role) -> None:
    """Connect as this role from now on, with the credentials as they are now. The database's name stays."""
    entry = django_database(role)
    connection.close()
    for key in ("USER", "PASSWORD", "HOST", "PORT", "OPTIONS"):
        connection.settings_dict[key] = entry[key]


def has_pending_migrations() -> bool:
    """Whether the database is behind the code, or is not one that rc_app can use yet."""
    try:
        executor = MigrationExecutor(connection)
        return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    except DatabaseError:
        return True
    finally:
        connection.close()


def ensure_migrated() -> None:
    """Apply pending migrations in a process of their own, which connects as the owner."""
    if not has_pending_migrations():
        return
    say("applying migrations ...")
    command = [sys.executable, str(CHECKOUT / "manage.py"), "migrate", "--verbosity", "0", "--no-input"]
    environment = {**os.environ, "RELCONTROL_NO_BOOTSTRAP": "1"}
    finished = subprocess.run(command, stdout=sys.stderr.fileno(), env=environment, cwd=CHECKOUT, check=False)
    if finished.returncode != 0:
        raise MisconfiguredError("The migrations were not applied (see above), so the command was not started.")
    use_role("app")


@contextmanager
def migration_lock() -> Iterator[None]:
    """Two migrations of one database at once wait for each other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_LOCK])


def grant_migration_records() -> None:
    """Let rc_app see what is applied. Django makes this table before the migration that gives rc_app its rights."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolname FROM pg_roles WHERE rolname = %s", [APP_ROLE])
        if cursor.fetchone() and "django_migrations" in connection.introspection.table_names(cursor):
            cursor.execute(f"GRANT SELECT ON django_migrations TO {connection.ops.quote_name(APP_ROLE)}")
