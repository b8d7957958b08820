"""Answers that were not stored, asked for again of the release as gateways render it."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any, Final

from gates.scoring.bills import spent_on
from relcontrol.clock import now
from relcontrol.errors import DomainError
from relcontrol.model_servers.calls import Calls
from relcontrol.model_servers.client import Answer
from relcontrol.model_servers.credentials import MissingCredentialError
from releases.observer_models import ObservedAnswer
from releases.observing.answers.material import IN_FLIGHT, Case, Run
from releases.replays.rendering import NotReplayableError, client_body, upstream_body

CALL_SECONDS: Final = 60.0
LOOK_SECONDS: Final = 5.0
GONE_BY: Final = "It was not stored and cannot be asked for again."

Waiting = Sequence[tuple[Case, Mapping[str, Any]]]


def replayed(run: Run, waiting: Waiting) -> Iterator[Case]:
    """The same prompts answered again, some calls at a time, each with its opened trace; what fails is written."""
    rest = iter(waiting)
    flying: dict[Future[Answer], Case] = {}
    with Calls(time_limit=CALL_SECONDS) as calls:
        more = True
        while more or flying:
            while more and len(flying) < IN_FLIGHT:
                entry = next(rest, None)
                more = entry is not None
                if entry is not None and (future := _begun(run, calls, *entry)):
                    flying[future] = entry[0]
            done, _ = wait(flying, timeout=LOOK_SECONDS, return_when=FIRST_COMPLETED)
            run.lease.keep(now())
            for future in done:
                if _answered(run, case := flying.pop(future), future.result()):
                    yield case


def _begun(run: Run, calls: Calls, case: Case, traced: Mapping[str, Any]) -> "Future[Answer] | None":
    case.row.kind = ObservedAnswer.Kind.REPLAYED
    try:
        server = run.server
        body = upstream_body(server.release, server.application, client_body(traced))
    except (NotReplayableError, DomainError, MissingCredentialError) as error:
        run.write(case, problem=f"{GONE_BY} {error}")
        return None
    return calls.ask(server.release.endpoint.base_url, server.secret, body)


def _answered(run: Run, case: Case, got: Answer) -> bool:
    """Take what came; False where nothing did, which is written."""
    case.spent = spent_on(got, run.server.prices)
    if got.output is None:
        run.write(case, problem=f"It was not stored, and the release did not answer again: {got.error}.")
        return False
    case.output, case.kept = got.output, {"output": got.output}
    return True
