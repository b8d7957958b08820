"""What a failure is acted out in: people and pipelines who call, users who ask, models that change, time that passes.

Two drive it. `running.live` speaks HTTP with running processes in real time; the driver of the tests uses Django's test
client, and moves the clock.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

PIPELINE: Final = "pipeline"  # a service token with the scopes of CI
MARA: Final = "mara"  # two release managers
DANIEL: Final = "daniel"

Row = dict[str, Any]


class NotStoppedError(Exception):
    """A failure that went on where it should have been stopped; the sentence says what happened in its place."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: parsed JSON of the API, text of a page."""

    status: int
    body: Any

    @property
    def code(self) -> str:
        """The problem's word for machines, empty where it is none."""
        return str(self.body.get("code", "")) if isinstance(self.body, Mapping) else ""

    @property
    def detail(self) -> str:
        """The problem's sentence."""
        return str(self.body.get("detail", "")) if isinstance(self.body, Mapping) else ""


@dataclass(frozen=True, slots=True)
class Crowd:
    """How users ask: what their requests carry, how long an answer they want, and which share more than 2,400 tokens.

    Those of the lowest `percent` of a rollout ask so many `times` as often as others: it brings a checkpoint its
    requests within seconds, while its share of users stays what it is. So many users ask `at_once`.
    """

    metadata: Mapping[str, str]
    tokens: int = 40
    long: float = 0.0
    rollout: str = ""
    percent: int = 0
    times: int = 1
    at_once: int = 12


class World(Protocol):
    """One application of an organization, with the route `domain=legal` as its default and nothing in it yet.

    Nothing but the API and the pages is used to act.
    """

    @property
    def organization(self) -> str:
        """The slug of the organization."""

    @property
    def application(self) -> str:
        """The slug of the application."""

    @property
    def route(self) -> str:
        """The id of its default route."""

    @property
    def suite(self) -> str:
        """What its suite is to be called."""

    @property
    def prompt(self) -> str:
        """What its prompt is to be called, without a version."""

    @property
    def endpoint(self) -> str:
        """The model server that answers."""

    @property
    def window(self) -> timedelta:
        """The observer's shortest window."""

    def now(self) -> datetime:
        """The time in this world."""

    def get(self, who: str, path: str, **query: str) -> Reply:
        """GET /v1/… and its query."""

    def post(self, who: str, path: str, body: Any = None) -> Reply:
        """POST /v1/… with JSON."""

    def upload(self, who: str, path: str, lines: str) -> Reply:
        """POST /v1/… with lines of JSON."""

    def submit(self, who: str, page: str, form: Mapping[str, str]) -> Reply:
        """Open a page below the organization's address in a browser, fill its form in and send it."""

    def turn(self, model: str, behaviour: str) -> None:
        """From now on whoever runs the models lets this one behave like another, under its old name."""

    def asking(self, crowd: Crowd) -> None:
        """From now on users ask the application like this."""

    def until(self, what: str, condition: Callable[[], Any], within: timedelta) -> Any:
        """Let time pass until the condition gives something, and return that. `NotStoppedError` when it is late."""


def expect(reply: Reply, status: int, code: str = "") -> Reply:
    """The reply, which must be this one."""
    if reply.status != status or (code and reply.code != code):
        said = reply.detail or str(reply.body)[:300]
        raise NotStoppedError(f"{status} {code} was expected, and {reply.status} {reply.code} came: {said}")
    return reply


def must(holds: object, sentence: str) -> None:
    """What a story must show; the sentence says what did not hold."""
    if not holds:
        raise NotStoppedError(sentence)
