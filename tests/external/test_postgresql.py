"""The marked part of the suite on the PostgreSQL that listens on 5432, instead of the embedded one."""

import os
import subprocess
import sys
from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from relcontrol.runtime.folders import CHECKOUT
from relcontrol.runtime.test_cluster import MARK_OF_RUN

ELSEWHERE = "postgresql://{user}@127.0.0.1:5432/{name}"
# Without these the other run sets itself up anew; with the settings' name it would read them before its address.
OF_THIS_RUN = {MARK_OF_RUN, "RELCONTROL_DATA", "DATABASE_URL", "DATABASE_APP_URL", "DJANGO_SETTINGS_MODULE"}
MARKED = ["tests/audit/test_receipts.py", "tests/releases/test_together.py"]


@pytest.fixture
def database() -> Iterator[str]:
    """A database of this test alone, whose owner may create others; removed with its test database after it."""
    user = os.environ.get("PGUSER", "root")
    server = ELSEWHERE.format(user=user, name="postgres")
    try:
        connection = psycopg.connect(server, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError as error:
        pytest.skip(f"the PostgreSQL on 5432 does not let {user} in: {str(error).splitlines()[0]}")
    name = f"relcontrol_{uuid4().hex[:12]}"
    with connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield ELSEWHERE.format(user=user, name=name)
        for left in (name, f"test_{name}"):
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(left)))


@pytest.mark.external("postgresql")
def test_receipts_and_registration_hold_on_another_postgresql(database: str) -> None:
    inherited = {name: value for name, value in os.environ.items() if name not in OF_THIS_RUN}
    environment = {**inherited, "RELCONTROL_TEST_DATABASE_URL": database}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *MARKED]
    done = subprocess.run(
        command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout
