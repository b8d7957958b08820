"""The edge: the ASGI process for what is frequent and small. It answers for its health; traffic comes with Roll."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "relcontrol.settings")

import django

django.setup()

from asgiref.sync import sync_to_async  # noqa: E402
from django.db import DatabaseError, close_old_connections, connection  # noqa: E402
from starlette.applications import Starlette  # noqa: E402
from starlette.requests import Request  # noqa: E402
from starlette.responses import JSONResponse  # noqa: E402
from starlette.routing import Route  # noqa: E402


async def healthz(request: Request) -> JSONResponse:
    """This process answers."""
    return JSONResponse({"status": "ok"})


async def readyz(request: Request) -> JSONResponse:
    """The database answers this process."""
    reason = await sync_to_async(_database_problem)()
    return JSONResponse(
        {"status": "not ready", "reasons": [reason]} if reason else {"status": "ready"}, 503 if reason else 200
    )


def _database_problem() -> str | None:
    close_old_connections()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        return f"The database does not answer: {error}"
    return None


app = Starlette(routes=[Route("/healthz", healthz), Route("/readyz", readyz)])
