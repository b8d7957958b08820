"""The database of a test run: an embedded server of its own, without fsync, that vanishes with the run.

RELCONTROL_TEST_DATABASE_URL names another server instead. Tests connect as the owner and act as rc_app.
"""

import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack, redirect_stderr
from dataclasses import replace
from io import StringIO
from pathlib import Path

from relcontrol.environment import MisconfiguredError
from relcontrol.runtime.database import APP_ROLE, database_address
from relcontrol.runtime.database_url import database_url_of
from relcontrol.runtime.embedded_postgres import running, temporary_data_folder
from relcontrol.runtime.postgres_roles import connect, ensure_membership

# Set for the processes of one test run, so that its workers use what the first process started.
MARK_OF_RUN = "RELCONTROL_TEST_RUN"


def start_test_database() -> Callable[[], None]:
    """Prepare the environment of the settings; returns what ends it. Does nothing in a worker of a run."""
    if MARK_OF_RUN in os.environ:
        return lambda: None
    # resolve(): the folder's name is what the server's place is made of, on systems where /tmp is a link too.
    folder = Path(tempfile.mkdtemp(prefix="relcontrol-test-")).resolve()
    os.environ.update({MARK_OF_RUN: str(folder), "RELCONTROL_DATA": str(folder), "RELCONTROL_DATABASE_ROLE": "owner"})
    for name in ("DATABASE_URL", "DATABASE_APP_URL"):
        os.environ.pop(name, None)
    stack = ExitStack()
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    if url := os.environ.get("RELCONTROL_TEST_DATABASE_URL", "").strip():
        os.environ["DATABASE_URL"] = url
    else:
        temporary_data_folder(folder)
    with redirect_stderr(StringIO()):  # pytest would hold its lines back and print them after its summary
        stack.enter_context(running())
    _require_membership()
    return stack.close


def environment_for(database: str) -> dict[str, str]:
    """The environment of a process that uses the test database of this name as rc_app, and migrates it as the owner."""
    owner = replace(database_address("owner"), name=database)
    application = replace(owner, options={**owner.options, "options": f"-c role={APP_ROLE}"})
    inherited = {key: value for key, value in os.environ.items() if key != "RELCONTROL_DATABASE_ROLE"}
    return {
        **inherited,
        "DATABASE_URL": database_url_of(owner),
        "DATABASE_APP_URL": database_url_of(application),
        "RELCONTROL_NO_BOOTSTRAP": "1",
    }


def _require_membership() -> None:
    """The owner must be able to act as rc_app; done once here, because workers doing it at once would collide."""
    owner = database_address("owner")
    with connect(owner) as connection:
        ensure_membership(connection)
        query = "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
        may_create = connection.execute(query).fetchone()
    if not may_create or not may_create[0]:
        raise MisconfiguredError("RELCONTROL_TEST_DATABASE_URL must name a role that may create databases.")
