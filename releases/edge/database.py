"""The database as the edge uses it: no statement takes long, and a connection that does not come up is given up soon.

These settings hold for the threads of this process from `bounded` on; the listening connection has the same address.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

STATEMENT_TIMEOUT: Final = "10s"
CONNECT_SECONDS: Final = 5
OF_DJANGO: Final = ("cursor_factory", "context", "prepare_threshold")
NOTICE_A_DEAD_PEER: Final = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}


@contextmanager
def bounded() -> Iterator[None]:
    """Every connection that is made meanwhile has a statement timeout."""
    connection_created.connect(_bound, dispatch_uid="edge")
    connections.settings["default"]["OPTIONS"].setdefault("connect_timeout", CONNECT_SECONDS)
    try:
        yield
    finally:
        connection_created.disconnect(dispatch_uid="edge")


def listening_address() -> dict[str, Any]:
    """What psycopg connects by, as the application's role."""
    parameters = connections["default"].get_connection_params()
    return {name: value for name, value in parameters.items() if name not in OF_DJANGO} | NOTICE_A_DEAD_PEER


def ask() -> None:
    """Return if the database answers; raises what it raises. Run in one of the edge's threads."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT 1")


def _bound(*, connection: BaseDatabaseWrapper, **_: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET statement_timeout = '{STATEMENT_TIMEOUT}'")
