"""`manage.py bench api`: requests that Schemathesis makes from the OpenAPI document, valid ones and broken ones.

They go to the application in this process. What an answer breaks is a finding: a 5xx, a status or a body that the
document does not know, a content type of another kind.
"""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import schemathesis
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from relcontrol.bench import figures
from relcontrol.bench.generator import Size, generate
from relcontrol.bench.options import Options
from relcontrol.bench.population import onlooker, populate
from relcontrol.bench.tables import Table
from relcontrol.clock import now
from relcontrol.wsgi import application

# Not among them is that every request which the document allows is taken: rules of the domain are in no schema.
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
SCHEMA_PATH = "/v1/openapi.json"
RELEASES_SHARE = 10
OF_EACH = 3
EXAMPLES = 20  # of one operation in one round; rounds go on until the time is over
SHOWN = 400
CURL_SHOWN = 600


@dataclass(slots=True)
class Log:
    """What was asked and what was found. A finding is kept once, with the request that showed it."""

    requests: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    findings: dict[tuple[str, str], str] = field(default_factory=dict)


def api(options: Options) -> Iterator[Table]:
    """Ask every operation in turn until the time is over."""
    organization = generate(slug="large", size=Size(max(1, options.size // RELEASES_SHARE), options.size), now=now())
    populate(organization, OF_EACH)
    headers = {"Authorization": f"Bearer {onlooker(organization).token}"}
    schema = schemathesis.openapi.from_wsgi(SCHEMA_PATH, application)
    operations = [_operation(result) for result in schema.get_all_operations()]
    log, began = Log(), time.monotonic()
    for number in count():
        operation = operations[number % len(operations)]
        if time.monotonic() - began >= options.seconds:
            break
        _ask(operation, headers, log, number)
    yield _table(log, time.monotonic() - began, rounds=number // len(operations))


def _operation(result: Any) -> Any:
    if isinstance(result, Ok):
        return result.ok()
    raise RuntimeError(f"the OpenAPI document holds an operation that cannot be read: {result.err()}")


def _ask(operation: Any, headers: Mapping[str, str], log: Log, number: int) -> None:
    """`EXAMPLES` requests to one operation, others in each round."""

    @seed(number)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        _answer(case, headers, log, operation.label)

    ask()


def _answer(case: Any, headers: Mapping[str, str], log: Log, label: str) -> None:
    close_old_connections()
    response = case.call(headers=dict(headers))
    log.requests[label] += 1
    log.statuses[response.status_code] += 1
    try:
        case.validate_response(response, headers=dict(headers), checks=CHECKS)
    except FailureGroup as group:
        for failure in group.exceptions:
            _note(log, label, failure, case)
    except Failure as failure:
        _note(log, label, failure, case)


def _note(log: Log, label: str, failure: Any, case: Any) -> None:
    title = str(getattr(failure, "title", type(failure).__name__))
    said = " ".join(str(failure).split())[:SHOWN]
    log.findings.setdefault((label, title), f"{label}: {title}: {said} | {case.as_curl_command()[:CURL_SHOWN]}")


def _table(log: Log, elapsed: float, *, rounds: int) -> Table:
    found = Counter(label for label, _ in log.findings)
    rows = [(label, figures.count(number), str(found[label])) for label, number in sorted(log.requests.items())]
    rows.append(("all", figures.count(log.requests.total()), str(len(log.findings))))
    statuses = ", ".join(f"{status}: {figures.count(number)}" for status, number in sorted(log.statuses.items()))
    speed = figures.rate(log.requests.total(), elapsed)
    return Table(
        f"Requests made from the schema for {elapsed:.0f} s",
        ("operation", "requests", "findings"),
        rows,
        [f"{rounds} whole rounds, {speed}. Statuses: {statuses}."],
        list(log.findings.values()),
    )
