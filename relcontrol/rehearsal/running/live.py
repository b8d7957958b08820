"""The driver for a running system: HTTP to its web and to a gateway, users who ask, real time."""

import json
import threading
import time
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from relcontrol.clock import now
from relcontrol.rehearsal.running.calling import Browser, api_call
from relcontrol.rehearsal.running.crowds import Asking
from relcontrol.rehearsal.running.house import ENDPOINT, WINDOW_S, House, Room
from relcontrol.rehearsal.running.models import TURN
from relcontrol.rehearsal.world import Crowd, NotStoppedError, Reply

LOOK_S: Final = 0.5
# A running system has other work too, and looks every two seconds: what moved time allows may take longer here.
PATIENCE: Final = timedelta(seconds=60)


@dataclass
class Live:
    """One application of the throw-away organization, on the system at `web`; for one thread."""

    web: str
    models_url: str
    house: House
    room: Room
    asks: Asking
    window: timedelta = timedelta(seconds=WINDOW_S)
    endpoint: str = ENDPOINT
    browsers: dict[str, Browser] = field(default_factory=dict)

    @property
    def organization(self) -> str:
        return self.house.organization.slug

    @property
    def application(self) -> str:
        return self.room.application

    @property
    def route(self) -> str:
        return self.room.route

    @property
    def suite(self) -> str:
        return f"{self.application}-cases-v1"

    @property
    def prompt(self) -> str:
        return f"templates/{self.application}"

    def now(self) -> datetime:
        return now()

    def get(self, who: str, path: str, **query: str) -> Reply:
        asked = f"?{urllib.parse.urlencode(query)}" if query else ""
        return api_call(f"{self.web}/v1/{path}{asked}", self.room.tokens[who])

    def post(self, who: str, path: str, body: Any = None) -> Reply:
        content = json.dumps({} if body is None else body).encode()
        return api_call(f"{self.web}/v1/{path}", self.room.tokens[who], content)

    def upload(self, who: str, path: str, lines: str) -> Reply:
        return api_call(f"{self.web}/v1/{path}", self.room.tokens[who], lines.encode(), "application/x-ndjson")

    def submit(self, who: str, page: str, form: Mapping[str, str]) -> Reply:
        if who not in self.browsers:
            self.browsers[who] = Browser(self.web, self.house.email(who), self.house.password)
        return self.browsers[who].submit(f"/o/{self.organization}/{page}", form)

    def turn(self, model: str, behaviour: str) -> None:
        said = json.dumps({"model": model, "behaviour": behaviour}).encode()
        api_call(f"{self.models_url}{TURN}", "none", said)

    def asking(self, crowd: Crowd) -> None:
        self.asks.crowd = crowd

    def until(self, what: str, condition: Callable[[], Any], within: timedelta) -> Any:
        deadline = time.monotonic() + (within + PATIENCE).total_seconds()
        pause = threading.Event()
        while not (found := condition()):
            if time.monotonic() > deadline:
                raise NotStoppedError(f"not within {within + PATIENCE}: {what}")
            self.house.hasten()
            pause.wait(LOOK_S)
        return found
