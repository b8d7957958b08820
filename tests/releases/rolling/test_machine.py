"""Whatever ticks, readings, commands, rollbacks, clocks and restarts come in whatever order, these things hold.

The pure machine (tests/releases/pure/rollouts) draws the decisions; here the services carry them out on the database.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from django.db import transaction
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from audit.administration.routing import next_generation
from audit.models import ChainCheck
from relcontrol import clock
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Token
from relcontrol.errors import Conflict, Forbidden
from releases.models import Release
from releases.rolling import facts, rolling_back, ticking
from releases.rolling.applying import ENTERING, ROUTED
from releases.rolling.commands import attempt
from releases.rolling.looking import Look, look_at
from releases.rolling.order import RollOrder
from releases.rolling.rolling_back import roll_back, rollback_targets
from releases.rolling.selectors import open_rollout
from releases.rolling.starting import start_rollout
from releases.rollout_models import Rollout, RolloutStep
from tests.chaos.evidence import receipts_verified
from tests.factories import service_token
from tests.releases.canary import PLAN, Canary, passed, replica, serving, warm
from tests.releases.pure.rollouts.scene import BREACH, COSTLY, HOLD, OK, TOXIC
from tests.releases.rolling.evidence import Evidence, Known
from tests.releases.rolling.ledger import routed, rows_hold
from tests.releases.rolling.readings import Readings

WHY = "The numbers look right to me."
EXAMPLES, STEPS = 5, 40
ROUNDS, MOVES = 3, {"started", "promoted", "halted"}  # by chance one round in some hundreds has not all of them
HEALTHY: dict[str, Any] = dict.fromkeys(("errors", "latency", "quality"), OK)
HEALTHY |= {"requests": 200, "sample_ratio": None, "policies": ()}
ANYTHING = st.fixed_dictionaries(
    {
        "errors": st.sampled_from([OK] * 6 + [HOLD, BREACH, replace(BREACH, dry=True)]),
        "latency": st.sampled_from([OK] * 6 + [HOLD, replace(HOLD, dry=True)]),
        "quality": st.sampled_from([OK] * 6 + [HOLD, replace(HOLD, dry=True)]),
        "requests": st.sampled_from([200] * 6 + [0, 99, 100]),
        "sample_ratio": st.sampled_from([None] * 9 + ["The subjects are not split as assigned."]),
        "policies": st.sampled_from([()] * 9 + [(TOXIC,), (COSTLY,)]),
    }
)
READ = st.one_of(st.just(HEALTHY), ANYTHING)
TRUE = st.sampled_from([Known()] * 14 + [Known(broken=True), Known(foreign=("f" * 64,))])
SECONDS = st.sampled_from([0, 1, 30, 61, 61, 61, 61, 125, 3_600, 86_500, -45, -7_200])
COMMANDS = st.sampled_from(["pause", "pause", "resume", "resume", "promote", "halt"])
WHO = st.sampled_from(["person", "person", "service"])
RELEASES = st.integers(0, 3)
UNREADY = st.sampled_from(["", "", "", "", "silent", "lacking", "cold"])
REST = st.tuples(WHO, st.booleans(), UNREADY, SECONDS)


class Clock:
    """Stands where it is put; every service reads this one."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC)

    def now(self, zone: object = None) -> datetime:
        """The present of the machine."""
        return self.at


@dataclass
class Stage:
    """What all examples begin with; each one's changes are undone after it."""

    here: Canary
    readings: Readings
    releases: list[Release]
    actors: dict[str, Actor]
    known: list[Known] = field(default_factory=lambda: [Known()])
    clock: Clock = field(default_factory=Clock)
    acts: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Looked:
    """What a ticker saw before it was interrupted."""

    row: Rollout
    look: Look
    evidence: Evidence


class Rollouts(RuleBasedStateMachine):
    """One route, four releases that may roll on it, and everybody who decides about them."""

    stage: ClassVar[Stage]

    def __init__(self) -> None:
        super().__init__()
        self.example = transaction.atomic()
        self.example.__enter__()
        self.begun = self.stage.clock.at
        self.looked: Looked | None = None
        self.generation, self.receipts = self.stage.here.generation(), len(self.stage.here.events())
        self.ended: Mapping[str, tuple[object, ...]] = {}
        self.running, self.touched = False, True

    @initialize(shadow=st.booleans())
    def a_rollout_runs(self, shadow: bool) -> None:
        self._start(0, "person", shadow, "")
        assert self.running

    @precondition(lambda self: not self.running)
    @rule(who=WHO, shadow=st.booleans())
    def the_next_rollout_starts(self, who: str, shadow: bool) -> None:
        """Of a release on what serves, or of the cold start; judged again where it was stopped before."""
        stable = Release.objects.filter(route=self.stage.here.route, delivery="stable").values_list("pk", flat=True)
        ids = [release.pk for release in self.stage.releases]
        fitting = Release.objects.filter(pk__in=ids, delivery__in=["registered", "halted", "rolled_back"])
        row = fitting.filter(previous_release=stable.first()).order_by("pk").first()
        if row is not None:
            self.stage.clock.at += timedelta(minutes=2)
            passed(row)
            self._start(ids.index(row.pk), who, shadow, "")

    @precondition(lambda self: self.running)
    @rule()
    def the_ticker_finds_everything_in_order(self) -> None:
        self._tick(HEALTHY, Known(), 61)

    @precondition(lambda self: self.running)
    @rule(read=READ, known=TRUE, seconds=SECONDS)
    def the_ticker_finds_anything(self, read: dict[str, Any], known: Known, seconds: int) -> None:
        self._tick(read, known, seconds)

    def _tick(self, read: dict[str, Any], known: Known, seconds: int) -> None:
        self.stage.clock.at += timedelta(seconds=seconds)
        row = self._open(read, known)
        assert row is not None
        evidence = Evidence(row, self.stage.clock.at, read, known)
        ticking.tick(row, self.stage.clock.at)
        steps = self._steps()
        assert len(steps) <= 1
        evidence.allows(steps)

    @precondition(lambda self: self.running)
    @rule(read=READ, known=TRUE)
    def a_ticker_looks_and_is_interrupted(self, read: dict[str, Any], known: Known) -> None:
        row, at = self._open(read, known), self.stage.clock.at
        assert row is not None
        self.looked = Looked(row, look_at(row, at), Evidence(row, at, read, known))

    @precondition(lambda self: self.looked is not None)
    @rule(killed=st.booleans())
    def the_interrupted_ticker_goes_on_or_was_killed(self, killed: bool) -> None:
        looked, self.looked = self.looked, None
        if killed or looked is None:
            return
        before = Rollout.objects.get(pk=looked.row.pk)
        self._truth(looked.evidence.known)
        ticking._move(looked.row, looked.look, looked.evidence.at)
        steps = self._steps()
        assert len(steps) <= (before.version == looked.row.version)
        looked.evidence.allows(steps)

    @rule(read=READ, known=TRUE, name=COMMANDS, who=WHO, version=st.sampled_from([None, None, 0, -1]))
    def somebody_commands(self, read: dict[str, Any], known: Known, name: str, who: str, version: int | None) -> None:
        row = self._open(read, known) or Rollout.objects.latest("pk")
        told: dict[str, Any] = {"name": name, "expected_version": None if version is None else row.version + version}
        evidence = Evidence(row, self.stage.clock.at, read, known, order=name)
        try:
            _, conflict = attempt(actor=self.stage.actors[who], rollout_id=row.pk, reason=WHY, **told)
        except Forbidden:
            assert (who, name) in {("service", "promote"), ("service", "resume")}
            assert self._steps() == []
            return
        steps = self._steps()
        assert conflict is not None or [step.version for step in steps] == [row.version + 1]
        assert version != -1 or conflict is not None
        evidence.allows(steps)

    @rule(what=st.sampled_from(["rollback", "rehearsal", "start", "start", "underneath"]), which=RELEASES, rest=REST)
    def something_rare_happens(self, what: str, which: int, rest: tuple[str, bool, str, int]) -> None:
        who, shadow, unready, seconds = rest
        self.stage.clock.at += timedelta(seconds=seconds)
        if what == "start":
            self._start(which, who, shadow, unready)
        elif what == "underneath":
            self._change_underneath()
        else:
            self._roll_back(None if shadow else self.stage.releases[which], rehearse=what == "rehearsal")

    @invariant()
    def rows_receipts_and_what_gateways_are_told_agree(self) -> None:
        if self.touched:
            self._agree()
            self.touched = False

    def _agree(self) -> None:
        rows_hold(self.stage.here.organization)
        generation = routed(self.stage.here.organization)["generation"]
        assert generation >= self.generation
        self.generation = generation
        over = Rollout.objects.exclude(ended_at=None)
        found = {row.pk: (row.state, row.version, row.checkpoint, row.ended_at, row.reasons) for row in over}
        assert {key: found.get(key) for key in self.ended} == self.ended
        self.ended = found

    def teardown(self) -> None:
        """The auditor's verifier accepts the whole chain; then everything is as it was before the example."""
        try:
            self._agree()
            receipts_verified(self.stage.here.organization)
        finally:
            self.stage.clock.at = self.begun
            transaction.set_rollback(True)
            self.example.__exit__(None, None, None)

    def _roll_back(self, to: Release | None, *, rehearse: bool) -> None:
        service, route = self.stage.actors["service"], self.stage.here.route
        before, running = self.stage.here.generation(), open_rollout(route)
        try:
            roll_back(actor=service, route=route, reason=WHY, to=to, rehearse=rehearse)
        except Conflict:
            assert self._steps() == []
            return
        aborted = running is not None and not rehearse
        assert [step.act for step in self._steps()] == ["aborted"] * aborted
        assert self.generation == before + (not rehearse) + aborted

    def _change_underneath(self) -> None:
        """As a writer that knows nothing of rollouts would do it."""
        route = self.stage.here.route
        target = rollback_targets(route).first()
        Release.objects.filter(route=route, delivery="stable").update(delivery="superseded")
        route.servings.filter(until=None).update(until=self.stage.clock.at)
        if target is not None:
            Release.objects.filter(pk=target.pk).update(delivery="stable")
            serving(target)
        next_generation(self.stage.here.organization)
        self.touched = True

    def _start(self, which: int, who: str, shadow: bool, unready: str) -> None:
        release = self.stage.here.fresh(self.stage.releases[which])
        self._gateways_and_probes(release, unready)
        order = RollOrder(plan=PLAN, strategy="shadow" if shadow else "canary", reason=WHY)
        try:
            row = start_rollout(actor=self.stage.actors[who], release=release, order=order)
        except Conflict:
            assert self._steps() == []
            return
        assert unready in {"", "cold"}
        assert unready == "" or row.previous is None
        assert [step.act for step in self._steps()] == ["started"]

    def _steps(self) -> list[RolloutStep]:
        """The steps since the last time, which also entered at the generation that they made."""
        seen, self.receipts = self.receipts, len(self.stage.here.events())
        self.touched = self.touched or self.receipts > seen
        steps = list(RolloutStep.objects.filter(receipt_seq__gt=seen).order_by("receipt_seq"))
        generation, self.generation = self.generation, self.stage.here.generation()
        assert self.generation >= generation + sum(step.act in ROUTED for step in steps)
        for step in steps:
            if step.act in ENTERING:
                assert step.rollout.entered_generation == self.generation == generation + 1
                assert step.rollout.entered_at == step.at
        self.running = open_rollout(self.stage.here.route) is not None
        self.stage.acts += [step.act for step in steps]
        return steps

    def _open(self, read: dict[str, Any], known: Known) -> Rollout | None:
        """The open rollout, of which this is read and known from now on."""
        self.stage.readings.given = read
        self._truth(known)
        return open_rollout(self.stage.here.route)

    def _truth(self, known: Known) -> None:
        self.stage.known[:] = [known]
        problem = "#3 is not linked." if known.broken else ""
        ChainCheck.objects.update_or_create(organization=self.stage.here.organization, defaults={"problem": problem})

    def _gateways_and_probes(self, release: Release, unready: str) -> None:
        at = self.stage.clock.at
        bundles = [each.bundle_sha256 for each in self.stage.releases if unready != "lacking" or each.pk != release.pk]
        seen_at = at - timedelta(seconds=20) if unready == "silent" else at
        replica(self.stage.here.organization, seen_at=seen_at, fingerprints=bundles)
        if release.previous_release is not None:
            warm(release.previous_release, answers=unready != "cold", probed_at=at)


@pytest.fixture
def stage(here: Canary, readings: Readings, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Four releases that have passed: one on what serves, one on that one, another on what serves, a cold start."""
    registered = here.scene.registered
    second = registered(generation={"seed": 2}, previous_release=here.stable.pk)
    third = registered(generation={"seed": 3}, previous_release=here.stable.pk)
    cold = registered(generation={"seed": 4}, previous_release=here.stable.pk)
    Release.objects.filter(pk=second["release_id"]).update(previous_release=here.candidate)
    Release.objects.filter(pk=cold["release_id"]).update(previous_release=None)
    rows = [here.candidate, *(Release.objects.get(pk=made["release_id"]) for made in (second, third, cold))]
    for row in rows[1:]:
        passed(row)
    token = service_token(here.organization, "rollouts:write")
    of_pipeline = Token.objects.get(public=token.removeprefix("rc_").partition(".")[0])
    service = Actor(organization=here.organization, kind="service", auth="token", token=of_pipeline)
    next_generation(here.organization)
    made = Stage(here, readings, rows, {"person": here.manager, "service": service})
    monkeypatch.setattr(clock, "datetime", made.clock)
    monkeypatch.setattr(facts, "foreign_fingerprints", lambda *_: made.known[0].foreign)
    monkeypatch.setattr(rolling_back, "ensure_warm", lambda *_: None)
    return made


def test_whatever_happens_to_rollouts_their_rules_hold(stage: Stage) -> None:
    class OnThisStage(Rollouts):
        pass

    OnThisStage.stage = stage
    for _ in range(ROUNDS):
        run_state_machine_as_test(
            OnThisStage, settings=settings(deadline=None, max_examples=EXAMPLES, stateful_step_count=STEPS)
        )
        if set(stage.acts) >= MOVES:
            break
    assert set(stage.acts) >= MOVES, "the machine hardly moves: it proves nothing"
