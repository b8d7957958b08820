"""Asking for one address several times, in this process, through every middleware."""

import time
from collections import defaultdict
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from django.db import connection
from django.test import Client

from relcontrol.bench.addresses import Address
from relcontrol.bench.machine import PROC
from relcontrol.bench.population import Onlooker

LIMIT_S = 0.1
NANOSECONDS = 1e9
GROWN = 2  # so many queries more than in a small organization are an N+1


@dataclass(slots=True)
class Visit:
    """One answer: its status, seconds, seconds of a processor, and its statements, each with its seconds."""

    status: int = 0
    seconds: float = 0.0
    processor: float = 0.0
    statements: list[tuple[str, float]] = field(default_factory=list)

    def watch(self, execute: Any, statement: str, parameters: Any, many: Any, context: Any) -> Any:
        """Django's execute wrapper."""
        began = time.perf_counter()
        try:
            return execute(statement, parameters, many, context)
        finally:
            self.statements.append((statement, time.perf_counter() - began))


@dataclass(frozen=True, slots=True)
class Measured:
    """Visits of one address, in the large organization and in the small one."""

    address: Address
    large: list[Visit]
    small: list[Visit]

    @property
    def status(self) -> int:
        """What the large organization answered."""
        return self.large[-1].status

    @property
    def seconds(self) -> float:
        """The median of the large organization."""
        return median(visit.seconds for visit in self.large)

    @property
    def small_seconds(self) -> float:
        """The median of the small organization."""
        return median(visit.seconds for visit in self.small)

    @property
    def processor(self) -> float:
        """The median seconds of a processor in the large organization: what other programs do does not change it."""
        return median(visit.processor for visit in self.large)

    @property
    def queries(self) -> tuple[int, int]:
        """How many statements the large and the small one took."""
        return len(self.large[-1].statements), len(self.small[-1].statements)

    @property
    def is_slow(self) -> bool:
        """Over the limit."""
        return self.seconds > LIMIT_S

    @property
    def grows(self) -> bool:
        """More queries for more rows."""
        large, small = self.queries
        return large - small > GROWN

    def slowest(self) -> tuple[str, float, int]:
        """The statement that took most in all its repetitions: its text, seconds, and how often it ran."""
        statements = self.large[-1].statements
        totals: dict[str, float] = defaultdict(float)
        for statement, seconds in statements:
            totals[statement] += seconds
        text = max(totals, key=lambda one: totals[one], default="")
        return text, totals[text], [statement for statement, _ in statements].count(text)


def measure(viewer: Onlooker, at_large: Address, at_small: Address, runs: int) -> Measured:
    """Once to warm up and `runs` times, in both."""
    return Measured(at_large, _visits(viewer, at_large, runs), _visits(viewer, at_small, runs))


def _visits(viewer: Onlooker, address: Address, runs: int) -> list[Visit]:
    client = _client(viewer, address)
    ask(client, address.path)
    return [ask(client, address.path) for _ in range(runs)]


def _client(viewer: Onlooker, address: Address) -> Client:
    if address.is_api:
        return Client(headers={"Authorization": f"Bearer {viewer.token}"}, raise_request_exception=False)
    client = Client(raise_request_exception=False)
    client.force_login(viewer.person)
    return client


def ask(client: Client, path: str) -> Visit:
    """One answer, timed."""
    visit = Visit()
    connection.ensure_connection()
    with connection.execute_wrapper(visit.watch):
        began, processor = time.perf_counter(), _processor()
        response = client.get(path)
        _ = response.getvalue()
        visit.seconds, visit.processor = time.perf_counter() - began, _processor() - processor
    visit.status = response.status_code
    return visit


def _processor() -> float:
    """Seconds that this process and its database session have run; the session only where it is on this machine."""
    schedule = PROC / str(connection.connection.info.backend_pid) / "schedstat"
    try:
        session = int(schedule.read_text().split()[0]) / NANOSECONDS
    except OSError:
        session = 0.0
    return time.process_time() + session
