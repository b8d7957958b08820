"""`manage.py bench observe`: how long it takes to find out, among many traces, what made an answer and what served.

Each look-up goes through every middleware, each time for another request, user or moment; the limit is 100 ms of server
time. Then what the observer costs: statements and their time for 1,000 traces that it looks through.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import median
from typing import Any, Final

from django.db import connection
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.utils.http import urlencode

from relcontrol.bench import figures
from relcontrol.bench.observe_stage import DAYS, REAL, SLICES, Ground, fresh, set_ground, user
from relcontrol.bench.options import Options
from relcontrol.bench.population import onlooker
from relcontrol.bench.surroundings import settle
from relcontrol.bench.tables import Table
from relcontrol.bench.visits import LIMIT_S, Visit, ask
from relcontrol.clock import now
from relcontrol.jobs.running import run
from releases.observer_models import ObservedAnswer, Observer, ObserverJob
from releases.observing.scoring import score_answers
from releases.observing.ticking import tick

OK: Final = 200
WARM_UP: Final = 3
OF_EACH_RUN: Final = 20
COLUMNS: Final = ("look-up", "visits", "median ms", "p95 ms", "worst ms", "processor", "queries", "limit", "met")
TRACES, WATCHED_S, TICK_S = 1_000, 240, 10
Path = Callable[[Ground], str]


@dataclass(slots=True)
class Series:
    """Visits of one kind."""

    name: str
    visits: list[Visit] = field(default_factory=list)

    @property
    def seconds(self) -> list[float]:
        """Of all visits, the quickest first."""
        return sorted(visit.seconds for visit in self.visits)

    @property
    def refused(self) -> list[int]:
        """What else than 200 came back."""
        return sorted({visit.status for visit in self.visits} - {OK})


@dataclass(slots=True)
class Cost:
    """What one step of observing took, over all looks."""

    name: str
    looks: int = 0
    processor: float = 0.0
    statements: list[float] = field(default_factory=list)

    def took(self, work: Callable[[], object]) -> None:
        """Do it once more, counted."""

        def watch(execute: Any, statement: str, parameters: Any, many: Any, context: Any) -> Any:
            began = time.perf_counter()
            try:
                return execute(statement, parameters, many, context)
            finally:
                self.statements.append(time.perf_counter() - began)

        with connection.execute_wrapper(watch):
            busy = time.process_time()
            work()
            self.processor += time.process_time() - busy
        self.looks += 1


def observe(options: Options) -> Iterator[Table]:
    """`options.size` traces; twenty visits of each kind for each run."""
    began = time.perf_counter()
    ground = set_ground(options.size)
    seeded = time.perf_counter() - began
    settle()
    viewer = onlooker(ground.organization)
    browser, caller = Client(raise_request_exception=False), Client(headers={"Authorization": f"Bearer {viewer.token}"})
    browser.force_login(viewer.person)
    series = [
        _measured(name, browser if is_page else caller, path, ground, options.runs * OF_EACH_RUN)
        for name, path, is_page in _look_ups(ground)
    ]
    yield Table(
        f"Look-ups among {figures.count(options.size)} traces of {DAYS} days",
        COLUMNS,
        [_row(one) for one in series],
        [
            "Server time through every middleware, each visit for another answer, user or moment. Processor: median of",
            "this process and its database session, whatever else the machine does.",
            f"{figures.count(REAL)} traces have bodies that open. {len(ground.decided)} releases have served, each",
            f"with its receipts. One route has a quality window a minute on {SLICES} slices.",
            f"Seeded in {figures.seconds(seeded)}.",
        ],
        [f"{one.name} answered {one.refused}" for one in series if one.refused],
    )
    yield _costs(ground)


def _measured(name: str, client: Client, path: Path, ground: Ground, visits: int) -> Series:
    for _ in range(WARM_UP):
        ask(client, path(ground))
    return Series(name, [ask(client, path(ground)) for _ in range(visits)])


def _costs(ground: Ground) -> Table:
    """A tick every ten seconds until the answers of a minute are scored and their windows closed, as in life."""
    fresh(ground, TRACES)
    observers = Observer.objects.select_related("organization", "application", "route", "release", "serving")
    ticking, scoring, begun = Cost("ticks: choose, close, arm, act"), Cost("scores by rules"), now()
    for after in range(0, WATCHED_S, TICK_S):
        at = begun + timedelta(seconds=after)
        ticking.took(lambda at=at: tick(observers.get(route=ground.routes[0]), at))  # type: ignore[misc]
        scoring.took(lambda: run(ObserverJob.objects.filter(observer__route=ground.routes[0]), score_answers))
    answers = ObservedAnswer.objects.filter(observed__observer__route=ground.routes[0])
    states = Counter(answers.values_list("state", flat=True))
    spent = ObserverJob.objects.filter(observer__route=ground.routes[0]).values_list("spent", flat=True)
    calls = sum((one or {}).get("calls", 0) for one in spent)
    return Table(
        f"What observing costs for {figures.count(TRACES)} traces of a minute on {SLICES} slices",
        ("step", "looks", "statements", "SQL ms", "processor ms"),
        [_cost_row(ticking), _cost_row(scoring)],
        [
            f"Chosen: {answers.count()}; scored {states['scored']}, missing {states['missing']}; model calls {calls}.",
            "Processor: of Python. Where nothing is chosen, a long transaction elsewhere on the server holds it back.",
        ],
    )


def _cost_row(one: Cost) -> tuple[str, ...]:
    taken = figures.milliseconds(sum(one.statements))
    return one.name, str(one.looks), str(len(one.statements)), taken, figures.milliseconds(one.processor)


def _look_ups(ground: Ground) -> Sequence[tuple[str, Path, bool]]:
    """What is asked for, how its path is made, and whether it is a page."""
    found: list[tuple[str, Path, bool]] = [
        ("API lineage by request", _by_request, False),
        ("API lineage by trace", lambda of: _listed(trace_id=_any(of)["trace_id"]), False),
        ("API lineage by conversation", lambda of: _listed(conversation=_any(of)["subject"]), False),
        ("API lineage by conversation, user of the bulk", lambda _: _listed(conversation=_user()), False),
        ("API lineage by route and time", lambda of: _listed(route=_route(of), at=now().isoformat()), False),
        ("API serving at a time", _serving, False),
        ("page: what made an answer", _page_of_request, True),
        ("page: the request", lambda of: _page(of, "trace", request_id=_any(of)["request_id"]), True),
        ("page: look-up of a conversation", lambda of: f"{_page(of, 'lineage')}?{urlencode({'q': _user()})}", True),
        ("page: what served at a time", _page_of_time, True),
        ("page: the route", lambda of: _page(of, "route", route=_route(of)), True),
    ]
    slug, route = ground.organization.slug, ground.routes[0]
    for name, url, given, is_page in (
        ("page: observed route", "observe-route", {"organization": slug, "route": route.pk}, True),
        ("API quality of a route", "api-route-quality", {"route": route.pk}, False),
    ):
        try:
            address = reverse(url, kwargs=given)
        except NoReverseMatch:
            continue
        found.append((name, lambda _, address=address: address, is_page))  # type: ignore[misc]
    return found


def _any(ground: Ground) -> dict[str, Any]:
    return random.choice(ground.requests)  # noqa: S311 - no secret


def _user() -> str:
    return user(random.randrange(REAL, 10 * REAL))  # noqa: S311 - the same


def _route(ground: Ground) -> str:
    return random.choice(ground.routes).pk  # noqa: S311 - the same


def _by_request(ground: Ground) -> str:
    return reverse("api-lineage", kwargs={"request_id": _any(ground)["request_id"]})


def _listed(**query: str) -> str:
    return f"{reverse('api-lineages')}?{urlencode(query)}"


def _page(ground: Ground, name: str, /, **parts: str) -> str:
    return reverse(name, kwargs={"organization": ground.organization.slug, **parts})


def _page_of_request(ground: Ground) -> str:
    return _page(ground, "lineage-request", request_id=_any(ground)["request_id"])


def _serving(ground: Ground) -> str:
    route, at = random.choice(ground.decided)  # noqa: S311 - no secret
    return f"{reverse('api-route-serving', kwargs={'route': route.pk})}?{urlencode({'at': at.isoformat()})}"


def _page_of_time(ground: Ground) -> str:
    route, at = random.choice(ground.decided)  # noqa: S311 - no secret
    return f"{_page(ground, 'lineage')}?{urlencode({'route': route.pk, 'at': f'{at:%Y-%m-%dT%H:%M:%S}'})}"


def _row(one: Series) -> tuple[str, ...]:
    seconds = one.seconds
    p95 = seconds[max(0, round(0.95 * len(seconds)) - 1)]
    return (
        one.name,
        figures.count(len(seconds)),
        *(figures.milliseconds(value) for value in (median(seconds), p95, seconds[-1])),
        figures.milliseconds(median(visit.processor for visit in one.visits)),
        str(max(len(visit.statements) for visit in one.visits)),
        f"≤ {LIMIT_S * 1000:.0f}",
        "met" if median(seconds) <= LIMIT_S else "missed",
    )
