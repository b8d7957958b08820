"""`/healthz` and `/readyz` of an edge process."""

from django.db import DatabaseError, InterfaceError
from starlette.requests import Request
from starlette.responses import JSONResponse

from relcontrol.errors import TooManyRequests
from releases.edge.database import ask
from releases.edge.edge import edge_of


async def healthz(_: Request) -> JSONResponse:
    """This process answers."""
    return JSONResponse({"status": "ok"})


async def readyz(request: Request) -> JSONResponse:
    """The database answers this process."""
    try:
        await edge_of(request).threads.run(ask)
    except (DatabaseError, InterfaceError, TooManyRequests) as error:
        reason = f"The database does not answer: {str(error).partition(chr(10))[0]}"
        return JSONResponse({"status": "not ready", "reasons": [reason]}, 503)
    return JSONResponse({"status": "ready", "reasons": []})
