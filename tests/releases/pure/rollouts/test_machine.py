"""Whatever ticks, readings, commands and clocks come in whatever order, these things hold of a rollout."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from releases.rollouts.commands import abort, halt, pause, promote, resume
from releases.rollouts.deciding import decide
from releases.rollouts.decisions import Act, Decision, Refusal
from releases.rollouts.evidence import Facts, MonitorVerdicts
from releases.rollouts.states import HARD_CLOCK, MAX_EXTENSIONS, Rollout, State
from releases.rollouts.waiting import waiting_for
from tests.releases.pure.rollouts.scene import (
    BREACH,
    COSTLY,
    HOLD,
    OK,
    ORDER,
    OTHER,
    STABLE,
    T0,
    TOXIC,
    after,
    begun,
    seen,
)

MONITOR = st.sampled_from([OK, OK, OK, HOLD, BREACH, replace(BREACH, dry=True)])
CALM = st.sampled_from([OK, OK, HOLD])
SECONDS = st.sampled_from([0, 1, 60, 240, 900, 3_600, 40_000, 86_400, -30, -7_200])
MEASURED = st.fixed_dictionaries(
    {
        "errors": MONITOR,
        "latency": CALM,
        "quality": CALM,
        "requests": st.sampled_from([0, 999, 1_000, 20_000]),
        "sample_ratio": st.sampled_from([None, None, None, "The subjects are not split as assigned."]),
        "policies": st.sampled_from([(), (), (), (TOXIC,), (COSTLY,)]),
    }
)
FACTS = st.sampled_from([{}] * 8 + [{"foreign": (OTHER,)}, {"integrity": ("The chain is broken.",)}])
COMMANDS = st.sampled_from([pause, resume, promote])
ENDED = {State.HALTED: 0, State.ABORTED: 0, State.COMPLETED: 10_000}


class Rollouts(RuleBasedStateMachine):
    """One rollout, ticked and commanded; `moved` checks every decision as it is made."""

    def __init__(self) -> None:
        super().__init__()
        self.now = T0
        self.rollout: Rollout = begun()
        self.previous: str | None = STABLE

    @initialize(previous=st.sampled_from([STABLE, STABLE, None]), shadow=st.booleans())
    def begin(self, previous: str | None, shadow: bool) -> None:
        step = replace(self.rollout.plan[0], percent=0) if shadow else None
        self.rollout, self.previous = begun(previous, shadow=step), previous

    @rule(seconds=SECONDS)
    def time_goes_on_or_jumps_back(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(values=MEASURED, facts=FACTS)
    def tick(self, values: dict[str, Any], facts: dict[str, Any]) -> None:
        measured, known = seen(self.rollout, **values), Facts(self.previous, **facts)
        decision = decide(self.rollout, self.now, measured, known)
        if decision.act in {Act.PROMOTED, Act.COMPLETED}:
            self._earned(measured)
            assert not known.foreign
        assert decision.refusal is None
        self._moved(decision)

    @rule(values=MEASURED, facts=FACTS, command=COMMANDS, version=st.sampled_from([None, 0, -1]))
    def a_person_commands(self, values: dict[str, Any], facts: dict[str, Any], command: Any, version: Any) -> None:
        measured, known = seen(self.rollout, **values), Facts(self.previous, **facts)
        expected = None if version is None else self.rollout.version + version
        decision = command(self.rollout, self.now, replace(ORDER, expected_version=expected), measured, known)
        if version == -1 and not self.rollout.over:
            assert decision.refusal is Refusal.STALE
        if decision.act is Act.PROMOTED:
            assert not list(measured.breaches())
        self._moved(decision)

    @rule(command=st.sampled_from([halt, abort]), dice=st.integers(0, 9))
    def a_person_ends_it(self, command: Any, dice: int) -> None:
        if dice == 0:
            facts = (Facts(self.previous),) if command is halt else ()
            self._moved(command(self.rollout, self.now, ORDER, *facts))

    @rule(dice=st.integers(0, 19))
    def the_route_is_rolled_back(self, dice: int) -> None:
        if dice == 0:
            decision = decide(self.rollout, self.now, seen(self.rollout, errors=BREACH), Facts(OTHER))
            assert self.rollout.over or decision.act is Act.ABORTED
            self._moved(decision)

    def _earned(self, measured: MonitorVerdicts) -> None:
        assert measured.all_ok
        assert not list(measured.breaches())
        assert measured.sample_ratio is None
        assert measured.requests >= self.rollout.step.requests
        assert self.rollout.dwelt(self.now) >= self.rollout.dwell

    def _moved(self, decision: Decision) -> None:
        before, later = self.rollout, after(decision)
        assert later.version == before.version + decision.changes
        assert decision.changes == (decision.event is not None)
        assert decision.changes or later == before
        assert not (before.over and decision.changes)
        assert later.checkpoint - before.checkpoint == (decision.act is Act.PROMOTED)
        if decision.act in {Act.HALTED, Act.ABORTED}:
            assert later.basis_points == 0
        else:
            assert later.basis_points >= before.basis_points
        self.rollout = later

    @invariant()
    def extensions_are_counted(self) -> None:
        assert 0 <= self.rollout.extensions <= MAX_EXTENSIONS

    @invariant()
    def the_share_is_that_of_the_checkpoint_or_of_the_end(self) -> None:
        expected = ENDED.get(self.rollout.state, self.rollout.step.percent * 100)
        assert self.rollout.basis_points == expected

    @invariant()
    def a_hold_has_a_clock_and_what_moves_has_none_that_stands(self) -> None:
        assert not self.rollout.held or (self.rollout.halts_at is not None and self.rollout.stopped_at is not None)
        assert self.rollout.held or self.rollout.over or self.rollout.stopped_at is None

    @invariant()
    def what_waits_says_why(self) -> None:
        waiting = waiting_for(self.rollout, self.now, seen(self.rollout), Facts(self.previous))
        assert self.rollout.held <= bool(waiting.unmet)
        assert all(condition.sentence.endswith(".") for condition in waiting.conditions)

    def teardown(self) -> None:
        """Left alone without evidence, it ends: after its extensions, a review and 24 hours. A shadow goes on."""
        if self.rollout.state is State.SHADOWING:
            return
        start = max([self.now, self.rollout.entered_at, *filter(None, [self.rollout.stopped_at])])
        facts, step = Facts(self.previous), timedelta(seconds=self.rollout.step.dwell_seconds)
        for turn in range(1, MAX_EXTENSIONS + 3):
            self._moved(decide(self.rollout, start + turn * step, seen(self.rollout, quality=HOLD), facts))
        ends = start + (MAX_EXTENSIONS + 3) * step + 2 * HARD_CLOCK
        self._moved(decide(self.rollout, ends, seen(self.rollout, quality=HOLD), facts))
        assert self.rollout.over


TestRollouts = Rollouts.TestCase
TestRollouts.settings = settings(deadline=None, max_examples=60, stateful_step_count=40)
