"""One migrated database of a run; those of its workers, and of the benches that they test, are copies of it."""

import os
import subprocess
import sys
from pathlib import Path

from psycopg import sql

from relcontrol.runtime.database import database_address
from relcontrol.runtime.folders import CHECKOUT
from relcontrol.runtime.postgres_roles import connect
from relcontrol.runtime.test_cluster import MARK_OF_RUN, environment_for

ADVISORY = 0x7465_6D70  # "temp"


def template_name() -> str:
    """What it is called in this run, whether it is there or not."""
    return f"template_of_{Path(os.environ[MARK_OF_RUN]).name.replace('-', '_')}"


def template_database() -> str:
    """Its name; the first worker that asks makes it, others wait for that."""
    name, owner = template_name(), database_address("owner")
    with connect(owner) as session:
        session.execute("SELECT pg_advisory_lock(%s)", [ADVISORY])
        if session.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
            draft = f"{name}_draft"
            _drop(draft)
            session.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(draft)))
            command = [sys.executable, str(CHECKOUT / "manage.py"), "migrate", "--verbosity", "0"]
            subprocess.run(command, env={**environment_for(draft), "RELCONTROL_DATABASE_ROLE": "owner"}, check=True)
            names = map(sql.Identifier, (draft, name))
            session.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(*names))
    return name


def drop_template() -> None:
    """Remove it; its server may be used by others."""
    _drop(f"{template_name()}_draft")
    _drop(template_name())


def _drop(name: str) -> None:
    with connect(database_address("owner")) as session:
        session.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
