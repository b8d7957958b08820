"""A worker killed while a judge is measured: each answer is recorded once, only calls in flight are repeated."""

import threading
from collections import Counter

from gates.calibrations.requesting import request_calibration
from gates.judge_models import CalibrationRun, CalibrationScore
from relcontrol.rehearsal.samples import graded
from relcontrol.ticks import work
from tests.chaos.evidence import events, lease_lapsed
from tests.chaos.processes import job_process, kill
from tests.gates.calibrations.bench import SLICE, bench, of_slice
from tests.gates.calibrations.judge_server import by_parts, judge_server, llm_judge
from tests.waiting import until

COUNT, BEFORE, AT_ONCE, INJECTED = 32, 10, 8, 8


def test_a_killed_calibration_repeats_only_what_was_in_flight(
    transactional_db: None, process_environment: dict[str, str]
) -> None:
    here = bench({SLICE: graded(COUNT, 0.9)})
    go_on = threading.Event()

    def held_back(count: int) -> None:
        if count > BEFORE:
            go_on.wait(30)

    with judge_server(by_parts(here)) as server:
        server.before = held_back
        judge = llm_judge(here, server)
        run = request_calibration(actor=here.stage.actor, judge=judge, suite=here.suite, rescores=False)
        scores = CalibrationScore.objects.filter(run=run)
        with job_process(process_environment, "calibration", run.pk) as process:
            until(
                lambda: scores.count() == BEFORE and len(server.asked) == BEFORE + AT_ONCE,
                60,
                "ten answers are scored and eight are asked about",
            )
            kill(process)
        go_on.set()
        lease_lapsed(run)
        work("calibration", run.pk)
        times = Counter(asked.text for asked in server.asked)
    done = CalibrationRun.objects.get(pk=run.pk)
    assert (done.state, of_slice(done).n, of_slice(done).outcome) == ("done", COUNT, "pass")
    assert scores.count() == scores.values("answer").distinct().count() == COUNT
    assert (set(times.values()), sum(count == 2 for count in times.values())) == ({1, 2}, AT_ONCE)
    assert len(server.asked) == COUNT + INJECTED + AT_ONCE
    assert done.spent["calls"] == COUNT + INJECTED  # those of the killed worker's flight are nobody's
    assert events(here.stage.organization, "judge.calibrated") == 1
