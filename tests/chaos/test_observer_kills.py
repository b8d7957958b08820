"""A worker killed while it scores, a ticker while it closes and rolls back: each answer, window, rollback once."""

import os
import random
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta

from gates.judge_making import create_judge
from gates.models import Slice
from relcontrol.runtime.folders import CHECKOUT
from relcontrol.ticks import work
from releases.observer_models import ObservedAnswer, ObserverJob, WorstAnswers
from releases.observing.answers.material import IN_FLIGHT
from releases.observing.sampling import sample
from releases.observing.starting import ensure_observers
from releases.observing.ticking import have_a_job
from releases.rollout_models import Serving
from tests.chaos.evidence import events, lease_lapsed
from tests.chaos.processes import job_process, kill
from tests.releases.evaluating.servers import Body, model_server
from tests.releases.evaluating.stage import judge_fields, verdict
from tests.releases.observing.stage import MINUTE, SLICE, Stage, scored, stage
from tests.waiting import until

JUDGE, WRITTEN, ANSWERS = "llm:grader@1", 4, 20
SEEDS, KILLS, LONGEST_S = range(3), 6, 0.3
# One that ticks each time it is told a moment, in a child of its own: it is quick to have another one to kill.
TICKER = """
import os, sys, datetime, django
django.setup()
from releases.observing.ticking import tick_observers
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        tick_observers(datetime.datetime.fromisoformat(line.strip()))
        os._exit(0)
    print(child, flush=True)
    os.waitpid(child, 0)
    print("over", flush=True)
"""


def test_a_killed_worker_repeats_only_the_calls_in_flight(
    transactional_db: None, process_environment: dict[str, str]
) -> None:
    with model_server(verdict) as server:
        here = stage(begin=False, base_url=server.url)
        fields = judge_fields(endpoint="main-llm")
        create_judge(actor=here.scene.actor, name=JUDGE, fields=fields)
        Slice.objects.filter(slug=SLICE).update(judge=JUDGE)
        ensure_observers(here.at)
        here.slice().observer.slices.update(n_min=ANSWERS)
        here.traffic(ANSWERS, here.at, "quality=0.5")
        sample(here.observer, here.at + MINUTE)
        have_a_job(here.observer, here.at)
        job = ObserverJob.objects.get()
        taken: list[Body] = []

        def too_many(body: Body) -> bool:
            taken.append(body)
            return len(taken) > WRITTEN

        with server.holding(too_many), job_process(process_environment, "observe", job.pk) as process:
            until(lambda: done(here) == WRITTEN and server.flying == IN_FLIGHT, 60, "it scores")
            kill(process)
        lease_lapsed(job)
        work("observe", job.pk)
        repeated = {body: times for body, times in server.times().items() if times > 1}
        assert (set(repeated.values()), len(repeated)) == ({2}, IN_FLIGHT)
    assert [(row.state, row.score) for row in here.answers()] == [("scored", 0.5)] * ANSWERS
    job.refresh_from_db()
    assert (job.state, job.progress_done, job.spent["calls"]) == ("done", ANSWERS, ANSWERS)


def test_a_ticker_killed_at_any_moment_rolls_back_once(
    transactional_db: None, process_environment: dict[str, str]
) -> None:
    killed = 0
    with ticker(process_environment) as process:
        for seed in SEEDS:
            here = stage(f"northgate-{seed}")
            at = breached(here)
            chance = random.Random(seed)  # noqa: S311 - no secret
            for _ in range(KILLS):
                killed += not tick(process, at, chance.uniform(0, LONGEST_S))
            assert tick(process, at, None)
            holds(here)
    assert killed > 0


def holds(here: Stage) -> None:
    """What must be so after any number of kills."""
    (row,) = here.rolled_back()
    assert (row.left, row.target, row.trigger) == (here.release, here.before, "windows")
    assert events(here.scene.organization, "rollback.auto") == 1
    assert events(here.scene.organization, "observer.armed") == 1
    assert [(window.verdict, window.n) for window in here.windows()] == [("below", 12)] * 3
    assert [serving.release for serving in Serving.objects.filter(route=here.release.route, until=None)] == [
        here.before
    ]
    assert WorstAnswers.objects.filter(rollback=row).count() == 1
    assert here.alarms() == []


def breached(here: Stage) -> datetime:
    """Three minutes far below the floor are scored, and nobody has looked at them; when they can be closed."""
    observed = here.slice()
    start = observed.next_from
    for number in range(3):
        scored(observed, [0.0] * 12, start + MINUTE * number)
    return start + MINUTE * 3 + timedelta(seconds=31)


def done(here: Stage) -> int:
    """How many answers have their score."""
    return ObservedAnswer.objects.filter(observed__observer__release=here.release, state="scored").count()


@contextmanager
def ticker(environment: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """The process that ticks when it is told to."""
    with subprocess.Popen(
        [sys.executable, "-c", TICKER],
        cwd=CHECKOUT,
        env=dict(environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        bufsize=1,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def tick(process: subprocess.Popen[str], at: datetime, seconds: float | None) -> bool:
    """One tick, which is killed after so many seconds; whether it came to its end before."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{at.isoformat()}\n")
    child = int(process.stdout.readline())
    ready, _, _ = select.select([process.stdout], [], [], seconds)
    if not ready:
        os.kill(child, signal.SIGKILL)
    assert process.stdout.readline() == "over\n"
    return bool(ready)
