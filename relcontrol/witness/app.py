"""A witness over HTTP (C2SP tlog-witness): it cosigns the checkpoints of logs that it knows, if they merely grew.

It runs elsewhere than the logs, on somebody else's machine, with no database: what it has seen is in its folder.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from audit.keys.signing import SigningKey
from audit.log.notes import COSIGNATURE, DASH, cosign, vkey
from relcontrol.witness.judging import Logs, RefusedError, Seen, require_grown, require_signed
from relcontrol.witness.ledger import Ledger
from relcontrol.witness.requests import AddCheckpoint, MalformedError, parse

LARGEST_BODY: Final = 300 * 1024
SIZE_TYPE: Final = "text/x.tlog.size"
HEX: Final = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class Witness:
    """The endpoints of one witness. `clock` gives seconds since 1970."""

    name: str
    key: SigningKey
    logs: Logs
    ledger: Ledger
    clock: Callable[[], float] = time.time

    @property
    def vkey(self) -> str:
        """What logs and auditors must know of it."""
        return vkey(self.name, self.key.public, COSIGNATURE)

    async def add_checkpoint(self, request: Request) -> Response:
        """POST /add-checkpoint."""
        body = bytearray()
        async for piece in request.stream():
            body += piece
            if len(body) > LARGEST_BODY:
                return _refused(HTTPStatus.BAD_REQUEST, "the request is too large")
        try:
            return PlainTextResponse(await run_in_threadpool(self.cosigned, parse(bytes(body))))
        except MalformedError as error:
            return _refused(HTTPStatus.BAD_REQUEST, str(error))
        except RefusedError as error:
            if error.size is not None:
                return Response(f"{error.size}\n", error.status, media_type=SIZE_TYPE)
            return _refused(error.status, str(error))

    async def latest(self, request: Request) -> Response:
        """GET /<SHA-256 of an origin>/checkpoint: the latest one that was cosigned."""
        wanted = request.path_params["origin_sha256"]
        note = await run_in_threadpool(self.ledger.note_of, wanted) if HEX.issuperset(wanted) else None
        return PlainTextResponse(note) if note else _refused(HTTPStatus.NOT_FOUND, "no checkpoint of this log")

    async def about(self, request: Request) -> Response:
        """GET /: its verifier key."""
        return PlainTextResponse(f"{self.vkey}\n")

    def cosigned(self, request: AddCheckpoint) -> str:
        """The line of the cosignature, once what was seen is on the disk. Raises `RefusedError`."""
        require_signed(request, self.logs)
        checkpoint = request.checkpoint
        with self.ledger.held():
            require_grown(request, self.ledger.seen(checkpoint.origin))
            line = cosign(request.note.text, self.name, self.key, int(self.clock()))
            self.ledger.keep(checkpoint.origin, Seen(checkpoint.size, checkpoint.root), _with_lines(request, line))
        return line

    def app(self) -> Starlette:
        """The ASGI application."""
        routes = [
            Route("/", self.about),
            Route("/add-checkpoint", self.add_checkpoint, methods=["POST"]),
            Route("/{origin_sha256}/checkpoint", self.latest),
        ]
        return Starlette(routes=routes)


def _with_lines(request: AddCheckpoint, line: str) -> str:
    """The checkpoint with the log's lines and our own, and no others that came with it."""
    wanted = f"{DASH}{request.checkpoint.origin} "
    lines = request.written.removeprefix(f"{request.note.text}\n").splitlines(keepends=True)
    return f"{request.note.text}\n{''.join(one for one in lines if one.startswith(wanted))}{line}"


def _refused(status: HTTPStatus, why: str) -> Response:
    return PlainTextResponse(f"{why}\n", status)
