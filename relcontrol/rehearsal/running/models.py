"""`python -m relcontrol.rehearsal.running.models PORT`: the demo models; each can be made to behave like another.

It keeps its name, as a vendor's model does that was changed without a word. For the time of a rehearsal, on loopback.
"""

import sys
from dataclasses import replace
from typing import Final

import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from relcontrol.demo_models.app import demo_models
from relcontrol.demo_models.behaviours import BEHAVIOURS
from relcontrol.runtime.ports import LOOPBACK

TURN: Final = "/turn"
LATENCY: Final = 0.5


async def turn(request: Request) -> Response:
    """POST /turn `{"model", "behaviour"}`: from now on the model behaves like the other."""
    said = await request.json()
    BEHAVIOURS[said["model"]] = replace(BEHAVIOURS[said["behaviour"]], name=said["model"])
    return JSONResponse({"status": "ok"})


def main(port: int) -> None:
    """Serve until SIGTERM."""
    app = demo_models(latency=LATENCY)
    app.router.routes.append(Route(TURN, turn, methods=["POST"]))
    uvicorn.run(app, host=LOOPBACK, port=port, loop="uvloop", http="httptools", ws="none", log_level="error")


if __name__ == "__main__":
    main(int(sys.argv[1]))
