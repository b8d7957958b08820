"""A real edge process on the test database, and a client that talks to it."""

import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from relcontrol.runtime.folders import CHECKOUT
from tests.chaos.processes import free_port
from tests.waiting import until

SECONDS_TO_START = 60
SERVER = """
import sys
from releases.edge.server import EdgeServer, configuration
EdgeServer(configuration("127.0.0.1", int(sys.argv[1]))).run()
"""


@dataclass(frozen=True)
class Answer:
    """One answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Stream:
    """An open event stream."""

    def __init__(self, connection: http.client.HTTPConnection, answer: http.client.HTTPResponse) -> None:
        self.connection = connection
        self.answer = answer

    def event(self) -> dict[str, str]:
        """The next event, by field; comments are left out."""
        fields: dict[str, str] = {}
        while line := self.answer.readline().decode().rstrip("\n"):
            name, _, value = line.partition(": ")
            fields[name] = value
        fields.pop("", None)
        return fields

    def ended(self) -> bool:
        """The server has ended the stream; waits for it, up to the connection's timeout."""
        return self.answer.readline() == b""


@dataclass(frozen=True)
class EdgeProcess:
    """A running edge."""

    process: "subprocess.Popen[bytes]"
    port: int

    def call(self, path: str, token: str = "", body: Any = None, *, method: str = "", **headers: str) -> Answer:
        """GET, or POST where there is a body: bytes as they are, anything else as JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        sent = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            named["Authorization"] = f"Bearer {token}"
        try:
            connection.request(method or ("GET" if body is None else "POST"), path, sent, named)
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    @contextmanager
    def watch(self, token: str) -> Iterator[Stream]:
        """An event stream."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request("GET", "/v1/routing/watch", headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        try:
            yield Stream(connection, answer)
        finally:
            connection.close()


@contextmanager
def edge_process(environment: Mapping[str, str], *, ready: bool = True, workers: int = 1) -> Iterator[EdgeProcess]:
    """`manage.py edge` until the end of the block; not `ready` is a server without the command's look at migrations."""
    port = free_port()
    options = ["--port", str(port), "--workers", str(workers)]
    started = [str(CHECKOUT / "manage.py"), "edge", *options] if ready else ["-c", SERVER, str(port)]
    command = [sys.executable, *started]
    process = subprocess.Popen(
        command, cwd=CHECKOUT, env=dict(environment), stdin=subprocess.DEVNULL, start_new_session=True
    )
    edge = EdgeProcess(process, port)
    try:
        until(lambda: process.poll() is not None or _answers(edge, ready), SECONDS_TO_START, "the edge is up")
        assert process.poll() is None, "the edge has ended"
        yield edge
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=20)


def _answers(edge: EdgeProcess, ready: bool) -> bool:
    try:
        return edge.call("/readyz").status == 200 or not ready
    except OSError:
        return False
