"""Tickers, people, starts and rollbacks at the same time: one outcome, the others are told, nothing waits for ever."""

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction

from relcontrol.accounts.models import Route
from relcontrol.clock import now
from relcontrol.errors import Conflict
from releases.models import Release
from releases.rolling import looking, preparing, ticking
from releases.rolling.commands import command
from releases.rolling.locking import lock_route
from releases.rolling.order import RollOrder
from releases.rolling.rolling_back import roll_back
from releases.rolling.selectors import open_rollout
from releases.rolling.starting import start_rollout
from releases.rollout_models import Rollout, RolloutStep, Serving
from releases.rollouts import states
from releases.rollouts.evidence import MonitorVerdicts
from tests.chaos.evidence import receipts_verified
from tests.factories import route
from tests.releases.canary import PLAN, Canary, canary, passed, replica, serving, warm
from tests.releases.rolling.ledger import routed, rows_hold
from tests.releases.rolling.readings import Readings
from tests.releases.scene import OTHER_PROMPT, stable

WHY = "I read fifty answers of it."
SECONDS = 90.0
ROUNDS, WORKERS = 60, 4


@pytest.fixture
def here(transactional_db: None) -> Canary:
    """A stable release and one that may roll, which other connections see."""
    return canary()


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """What each call came to, on a connection of its own: its answer, or the conflict that it was told."""

    def closing(call: Callable[[], Any]) -> Any:
        try:
            return call()
        except Conflict as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [each.result(SECONDS) for each in [pool.submit(closing, call) for call in calls]]


def looking_together(readings: Readings, monkeypatch: pytest.MonkeyPatch, parties: int) -> None:
    """Nobody moves before all of them have looked."""
    barrier = threading.Barrier(parties, timeout=SECONDS)

    def measured(row: Rollout, value: states.Rollout, at: datetime) -> MonitorVerdicts:
        barrier.wait()
        return readings.measured(row, value, at)

    monkeypatch.setattr(looking, "measured", measured)


def ticking_once(row: Rollout, after_s: int = 61) -> Callable[[], Any]:
    """A ticker that has just read this rollout."""
    mine = open_rollout(row.route)
    assert mine is not None
    return lambda: ticking.tick(mine, mine.entered_at + timedelta(seconds=after_s))


def ordering(here: Canary, row: Rollout, name: str) -> Callable[[], Any]:
    """A person who has seen the rollout as it is."""
    version = Rollout.objects.get(pk=row.pk).version
    told: dict[str, Any] = {"name": name, "reason": WHY, "expected_version": version}
    return lambda: command(actor=here.manager, rollout_id=row.pk, **told)


def test_two_tickers_and_a_persons_promotion_make_one_promotion(
    here: Canary, readings: Readings, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = here.start()
    looking_together(readings, monkeypatch, 3)
    for checkpoint in (2, 3):
        *_, person = at_once(ticking_once(row), ticking_once(row), ordering(here, row, "promote"))
        steps = RolloutStep.objects.filter(rollout=row, act="promoted")
        assert (steps.count(), steps.latest("version").checkpoint) == (checkpoint - 1, checkpoint)
        by_person = steps.latest("version").actor == here.manager.id
        assert by_person != (isinstance(person, Conflict) and person.code == "stale_version")
    assert here.events().count("checkpoint.promoted") == 2
    rows_hold(here.organization)
    receipts_verified(here.organization)


def test_a_halt_and_a_promotion_end_in_one_of_them_and_one_conflict(
    here: Canary, readings: Readings, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = here.start()
    looking_together(readings, monkeypatch, 2)
    found = at_once(ordering(here, row, "halt"), ordering(here, row, "promote"))
    assert [each.code for each in found if isinstance(each, Conflict)] in (["stale_version"], ["rollout_over"])
    assert Rollout.objects.get(pk=row.pk).version == 2
    rows_hold(here.organization)


def test_the_same_release_started_twice_at_once_starts_once(here: Canary) -> None:
    started = at_once(*[here.start] * 4)
    assert sorted(isinstance(each, Rollout) for each in started) == [False, False, False, True]
    assert {each.code for each in started if isinstance(each, Conflict)} == {"not_deployable"}
    assert here.events().count("rollout.started") == 1
    rows_hold(here.organization)


def test_of_two_releases_started_at_once_on_a_route_one_starts(here: Canary) -> None:
    made = here.scene.registered(generation={"seed": 7}, previous_release=here.stable.pk)
    other = Release.objects.get(pk=made["release_id"])
    passed(other)
    bundles = [each.bundle_sha256 for each in (here.stable, here.candidate, other)]
    replica(here.organization, fingerprints=bundles)
    begin = partial(start_rollout, actor=here.manager, order=RollOrder(plan=PLAN, reason=WHY))
    calls = [partial(begin, release=here.fresh(each)) for each in (here.candidate, other)]
    started = at_once(*calls)
    assert [each.code for each in started if isinstance(each, Conflict)] == ["rollout_not_ready"]
    assert Rollout.objects.count() == 1
    rows_hold(here.organization)


def test_a_rollback_wins_over_a_tick_whoever_comes_first(here: Canary, readings: Readings) -> None:
    row = here.start()
    back = partial(roll_back, actor=here.manager, route=here.route, reason=WHY)
    at_once(ticking_once(row), back, ticking_once(row))
    assert Rollout.objects.get(pk=row.pk).state == "aborted"
    assert here.fresh(here.stable).delivery == "rolled_back"
    assert here.events()[-1] == "rollback.manual"
    assert not Serving.objects.filter(until=None).exists()
    rows_hold(here.organization)
    receipts_verified(here.organization)


def beside(here: Canary) -> Canary:
    """A second route of the same organization with a stable release and a candidate of its own."""
    made: Route = route(here.scene.application, domain="medical")
    first = here.scene.registered(routing=made.routing)
    serving(stable(first["release_id"]))
    second = here.scene.registered(
        routing=made.routing, prompt_template_ref=OTHER_PROMPT, previous_release=first["release_id"]
    )
    mine = Release.objects.select_related("organization", "route")
    rows = [mine.get(pk=each["release_id"]) for each in (first, second)]
    passed(rows[1])
    bundles = [each.bundle_sha256 for each in (*rows, here.stable, here.candidate)]
    replica(here.organization, fingerprints=bundles)
    return Canary(here.scene, rows[0], rows[1], here.manager)


def started_again(of: Canary) -> Rollout:
    """A new rollout of the same candidate, where none runs: both releases are put back to where they began."""
    bundles = [row.bundle_sha256 for row in Release.objects.filter(organization=of.organization)]
    replica(of.organization, fingerprints=bundles)
    warm(of.stable)
    with transaction.atomic():
        lock_route(of.route.pk)
        if open_rollout(of.route) is None:
            Release.objects.filter(pk=of.candidate.pk).update(delivery="registered")
            Release.objects.filter(pk=of.stable.pk).update(delivery="stable")
            serving(of.stable)
    return of.start()


def tick_if_open(of: Canary) -> Any:
    """A look at whatever runs on the route."""
    row = open_rollout(of.route)
    return row and ticking.tick(row, row.entered_at + timedelta(seconds=61))


def command_if_open(of: Canary, name: str) -> Any:
    """A command to whatever runs on the route."""
    row = open_rollout(of.route)
    return row and command(actor=of.manager, rollout_id=row.pk, name=name, reason=WHY)


def staged(of: Canary) -> None:
    """Gateways are told of the candidate."""
    Release.objects.filter(pk=of.candidate.pk).update(staged_at=None)
    preparing._stage(of.candidate, now())


def some_call(routes: list[Canary], dice: random.Random) -> Callable[[], Any]:
    """One of everything that locks a route, a release, a rollout, the routing or the chain."""
    of = dice.choice(routes)
    calls: list[Callable[[], Any]] = [
        *[partial(command_if_open, of, name) for name in ("pause", "resume", "promote", "halt")],
        *[partial(started_again, of)] * 3,
        *[partial(tick_if_open, of)] * 3,
        partial(roll_back, actor=of.manager, route=of.route, reason=WHY),
        partial(staged, of),
        partial(
            of.scene.registered,
            routing=of.route.routing,
            previous_release=of.stable.pk,
            acknowledged_changes=["generation"],
            generation={"seed": dice.randrange(10**9)},
        ),
    ]
    return dice.choice(calls)


def test_whatever_is_asked_at_once_on_two_routes_nothing_locks_in_a_circle(here: Canary, readings: Readings) -> None:
    """A deadlock would be raised out of one of the calls; a refusal is an answer like any other."""
    routes = [here, beside(here)]

    def worker(seed: int) -> list[str]:
        dice, found = random.Random(seed), []  # noqa: S311 - no secret
        for _ in range(ROUNDS // WORKERS):
            try:
                some_call(routes, dice)()
                found.append("done")
            except Conflict as error:
                found.append(error.code)
        return found

    answers = [each for found in at_once(*[partial(worker, seed) for seed in range(WORKERS)]) for each in found]
    assert answers.count("done") > ROUNDS // 4
    rows_hold(here.organization)
    routed(here.organization)
    receipts_verified(here.organization)
