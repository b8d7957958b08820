"""A worker killed while it answers, scores or scores again: each case once, few calls twice, and the same verdict."""

from collections.abc import Callable
from typing import Any

import pytest

from gates.run_models import CaseResult, EvaluatedCase, GateRun
from relcontrol.ticks import work
from tests.chaos.evidence import events, lease_lapsed
from tests.chaos.processes import job_process, kill
from tests.gates.runs.stage import cases_of
from tests.releases.evaluating.servers import Body, ModelServer, model_server
from tests.releases.evaluating.stage import SLUG, Evaluated, by_rule, evaluated
from tests.waiting import until

CASES, AT_ONCE, BEFORE = 14, 3, 5
DROPPED = 6  # so many cases of version 2 are worse, and are scored again
FIRST_SEED = 100
JUDGE = {"parameters": {"temperature": "0.7", "structured": "json_object", "seed": FIRST_SEED}}


def quality(number: int, slug: str, version: int) -> float:
    return number / 20 - (0.04 if version == 2 and number >= CASES - DROPPED else 0)


# What is held back in each phase: the calls of version 2 that belong to it. (Version 1 was evaluated before.)
PHASES: dict[str, Callable[[Body], bool]] = {
    "answering": lambda body: body["model"] == "answerer",
    "scoring": lambda body: body["model"] == "grader" and body["seed"] == FIRST_SEED,
    "rescoring": lambda body: body["model"] == "grader" and body["seed"] > FIRST_SEED,
}
UNDISTURBED: dict[str, Any] = {}


@pytest.mark.parametrize("phase", PHASES)
def test_a_killed_evaluation_repeats_only_what_was_in_flight(
    transactional_db: None, process_environment: dict[str, str], phase: str
) -> None:
    with model_server(by_rule(quality)) as server:
        here, run = second_of_two(server, "northgate")
        server.asked.clear()
        taken: list[Body] = []

        def too_many(body: Body) -> bool:
            if PHASES[phase](body):
                taken.append(body)
            return PHASES[phase](body) and len(taken) > BEFORE

        with server.holding(too_many), job_process(process_environment, "gate-run", run.pk) as process:
            until(lambda: written(run, phase) == BEFORE and server.flying == AT_ONCE, 60, f"it is {phase}")
            kill(process)
        lease_lapsed(run)
        work("gate-run", run.pk)
        repeated = {body: times for body, times in server.times().items() if times > 1}
        assert (set(repeated.values()), len(repeated)) == ({2}, AT_ONCE)
        calls = CASES + CASES + DROPPED * 2 * 3 + AT_ONCE
        assert len(server.asked) == calls
        complete_and_once(here, run)
        assert found(run) == undisturbed(server)


def second_of_two(server: ModelServer, slug: str) -> tuple[Evaluated, GateRun]:
    """A run that waits for a worker; the release before it has been evaluated."""
    here = evaluated(server, cases_of(SLUG, CASES), judge=JUDGE, slug=slug)
    here.evaluated(here.register())
    return here, here.asked(here.register(), concurrency=AT_ONCE)


def undisturbed(server: ModelServer) -> dict[str, Any]:
    """The same where nobody was killed; looked at once for all phases."""
    if not UNDISTURBED:
        _, run = second_of_two(server, "eastgate")
        work("gate-run", run.pk)
        UNDISTURBED.update(found(run))
    return UNDISTURBED


def written(run: GateRun, phase: str) -> int:
    """How many results of a phase are in the database."""
    rows = EvaluatedCase.objects.filter(run=run)
    if phase == "rescoring":
        both = rows.values_list("rescores", "previous_rescores")
        return sum(len(known or {}) for sides in both for known in sides)
    return rows.filter(state={"answering": "answered", "scoring": "scored"}[phase]).count()


def complete_and_once(here: Evaluated, run: GateRun) -> None:
    """What must hold in the end."""
    run.refresh_from_db()
    assert run.state == GateRun.State.DONE, run.problem
    assert EvaluatedCase.objects.filter(run=run, state="scored").count() == CASES
    results = CaseResult.objects.filter(run=run, score__isnull=False)
    assert results.values("case").distinct().count() == results.count() == CASES
    assert CaseResult.objects.filter(run=run, rescores__isnull=False).count() == DROPPED
    decided = [events(here.stage.organization, event) for event in ("gate.held", "gate.failed", "gate.passed")]
    assert sum(decided) == 2
    told = here.shown(run)["evaluation"]["spent"]
    assert told["answers"]["calls"] == CASES
    assert told["judge"]["calls"] + told["judge"]["cached"] == CASES + DROPPED * 2 * 3


def found(run: GateRun) -> dict[str, Any]:
    """What a run came to, without what clocks say."""
    run.refresh_from_db()
    document = run.document or {}
    rows = CaseResult.objects.filter(run=run).order_by("case__case_id")
    columns = ("case__case_id", "answer_id", "score", "rescores", "previous_rescores", "reason", "error")
    kept = ("verdict", "slices", "cases", "aggregate")
    return {name: document[name] for name in kept} | {"results": list(rows.values_list(*columns))}
