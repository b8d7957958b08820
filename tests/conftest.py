"""The tests' database: made and migrated as the owner, used as `rc_app`, as the product uses it.

Settings are read after this file has started the server, so `pytest` alone works as well as `manage.py test`.
"""

import gc
import os
import socket
import sys
from collections.abc import Iterator
from typing import Any

import django
import hypothesis
import pytest

from relcontrol.runtime.database import APP_ROLE
from relcontrol.runtime.test_cluster import start_test_database
from tests.template import drop_template, template_database
from tests.waiting import until

os.environ["DJANGO_SETTINGS_MODULE"] = "relcontrol.settings"
# A run starts hundreds of processes: each would compile every source again where the environment says to keep nothing.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
END_TEST_DATABASE = start_test_database()
django.setup()  # pytest-django does it only where it could read the settings before this file

# Time is not what the tests are about, and the machine is shared: no deadline, and slow is not unhealthy.
hypothesis.settings.register_profile(
    "relcontrol", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow], max_examples=25
)
hypothesis.settings.load_profile("relcontrol")

SECONDS_TO_END = 60
OBJECTS_UNTIL_COLLECTED = 50_000  # Python's 700 looks for cycles at every other query
AS_APPLICATION = f"-c role={APP_ROLE}"

# Marked tests need one of these where it usually listens.
EXTERNAL_PORTS = {"postgresql": 5432, "redis": 6379, "rabbitmq": 5672}


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server of this run."""
    if not hasattr(config, "workerinput"):  # what xdist gives to its workers
        drop_template()
    END_TEST_DATABASE()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Ten thousand collected tests stay until the end: the garbage collector need not walk through them again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_UNTIL_COLLECTED, *gc.get_threshold()[1:])


def pytest_runtest_setup(item: pytest.Item) -> None:
    """`@pytest.mark.external("redis")` skips, and says so, where nobody listens."""
    for mark in item.iter_markers("external"):
        for name in mark.args:
            port = EXTERNAL_PORTS[name]
            if not _somebody_listens(port):
                pytest.skip(f"no {name} on 127.0.0.1:{port}")


def _somebody_listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.fixture(scope="session")
def django_db_modify_db_settings(request: pytest.FixtureRequest, django_db_modify_db_settings: None) -> None:
    """The database of a worker of xdist is a copy of one that was migrated once."""
    from django.db import connection  # noqa: PLC0415 - Django is set up after this file is read

    if hasattr(request.config, "workerinput"):  # one of several: alone, there would be nothing to share
        connection.settings_dict["TEST"]["TEMPLATE"] = template_database()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """After the owner has made and migrated the database, every session acts as rc_app."""
    from django.core.management.commands import flush  # noqa: PLC0415 - Django is set up after this file is read
    from django.db import connection  # noqa: PLC0415 - the same

    from tests.flushing import flush_with_receipts  # noqa: PLC0415 - the same

    options = connection.settings_dict["OPTIONS"]
    with django_db_blocker.unblock():
        connection.close()
        options["options"] = AS_APPLICATION
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(connection.ops), "sql_flush", flush_with_receipts(type(connection.ops).sql_flush))
            patch.setattr(flush, "emit_post_migrate_signal", lambda *_: None)  # what it writes stays
            yield
        _wait_for_the_killed()
        connection.close()
        del options["options"]  # the owner removes the database


def _wait_for_the_killed() -> None:
    """A killed process leaves a session that ends once its statement does; before that the database cannot go."""
    from django.db import connection  # noqa: PLC0415 - Django is set up after this file is read

    others: list[Any] = []

    def nobody_else() -> bool:
        cursor.execute(
            "SELECT application_name, backend_start::text, state_change::text, state, query FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND usesysid IS NOT NULL"
        )
        others[:] = cursor.fetchall()
        return not others

    with connection.cursor() as cursor:
        cursor.execute("SET ROLE NONE")  # rc_app is not told what others do
        try:
            until(nobody_else, SECONDS_TO_END, "every other session of the tests' database ends")
        except AssertionError as error:
            raise AssertionError(f"{error}; open: {others}") from error


@pytest.fixture
def process_environment(django_db_setup: None) -> dict[str, str]:
    """The environment of a process (a server, a command) that works on this worker's test database as rc_app."""
    from django.db import connection  # noqa: PLC0415 - the same

    from relcontrol.runtime.test_cluster import environment_for  # noqa: PLC0415 - the same

    return environment_for(str(connection.settings_dict["NAME"]))


@pytest.fixture(scope="session", autouse=True)
def _quick_settings() -> Iterator[None]:
    """Pages take static files as they stand in `static/`, without collectstatic; passwords cost nothing to check."""
    from django.conf import settings  # noqa: PLC0415 - Django is set up after this file is read
    from django.test import override_settings  # noqa: PLC0415 - the same

    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    fast = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # passwords of tests guard nothing
    with override_settings(STORAGES={**settings.STORAGES, "staticfiles": plain}, PASSWORD_HASHERS=fast):
        yield
