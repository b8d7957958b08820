"""Rolling a route back: to what was stable on it, in one transaction, over everything else that runs there."""

from datetime import timedelta
from typing import Any

import pytest

from relcontrol.clock import now
from relcontrol.errors import Conflict, Forbidden, Invalid
from releases.models import Release
from releases.rolling import locking, rolling_back
from releases.rolling.following import follow_rollbacks
from releases.rolling.rolling_back import roll_back, rollback_targets
from releases.rollout_models import Rollback, Rollout, Serving
from tests.factories import person_actor
from tests.releases.canary import Canary, canary, replica, warm
from tests.releases.rolling.readings import Readings, ticked, walked

WHY = "Answers on IP licensing are wrong."


@pytest.fixture
def moved(here: Canary, readings: Readings) -> Canary:
    """The candidate has become what the route serves."""
    walked(here.start(), 3)
    return here


def back(here: Canary, **values: Any) -> Rollback:
    order: dict[str, Any] = {"actor": here.manager, "route": here.route, "reason": WHY}
    return roll_back(**(order | values))


def test_a_rollback_re_points_the_route_to_the_previous_release(moved: Canary) -> None:
    generation = moved.generation()
    row = back(moved)
    assert (row.left_id, row.target_id) == (moved.candidate.pk, moved.stable.pk)
    assert moved.fresh(moved.stable).delivery == Release.Delivery.STABLE
    assert moved.fresh(moved.candidate).delivery == Release.Delivery.ROLLED_BACK
    assert row.generation == moved.generation() == generation + 1
    assert Serving.objects.get(route=moved.route, until=None).release_id == moved.stable.pk


def test_its_receipt_names_who_why_and_where_to(moved: Canary) -> None:
    row = back(moved)
    said = moved.last_statement()
    assert (said["event"], said["delivery"]) == ("rollback.manual", {"from": "stable", "to": "rolled_back"})
    assert said["release"]["manifest_sha256"] == moved.candidate.manifest_sha256
    assert Serving.objects.get(route=moved.route, until=None).receipt_hash == row.receipt_hash


def test_what_was_rolled_back_is_no_target_and_does_not_roll_again_by_itself(moved: Canary) -> None:
    back(moved)
    assert moved.candidate.pk not in {row.pk for row in rollback_targets(moved.route)}
    with pytest.raises(Conflict) as refusal:
        moved.start()
    assert refusal.value.code == "not_deployable"


def test_a_release_that_never_was_stable_is_no_target(moved: Canary) -> None:
    other = Release.objects.get(
        pk=moved.scene.registered(
            model_ref="Divinci-AI/gemma-4-e4b@b81d02",
            previous_release=moved.candidate.pk,
            prompt_template_ref="templates/legal-qa@v15",
        )["release_id"]
    )
    with pytest.raises(Conflict) as refusal:
        back(moved, to=other)
    assert refusal.value.code == "no_rollback_target"
    assert refusal.value.state["targets"] == [moved.stable.manifest_sha256]
    assert moved.fresh(moved.candidate).delivery == Release.Delivery.STABLE


def test_a_running_rollout_is_aborted_by_it(here: Canary, readings: Readings) -> None:
    row = here.start()
    Release.objects.filter(pk=here.stable.pk).update(previous_release=None)
    back(here)
    assert Rollout.objects.get(pk=row.pk).state == "aborted"
    assert here.fresh(here.candidate).delivery == Release.Delivery.REGISTERED
    assert here.events()[-2:] == ["rollout.aborted", "rollback.manual"]


def test_with_nothing_to_go_back_to_the_route_stops_serving(here: Canary) -> None:
    row = back(here)
    assert row.target is None
    assert not Serving.objects.filter(route=here.route, until=None).exists()
    assert not Release.objects.filter(route=here.route, delivery="stable").exists()
    with pytest.raises(Conflict) as refusal:
        back(here)
    assert refusal.value.code == "nothing_served"


def test_a_rollback_that_fails_half_way_changes_nothing(moved: Canary, monkeypatch: pytest.MonkeyPatch) -> None:
    written, generation = moved.events(), moved.generation()

    def broken(**_: object) -> None:
        raise RuntimeError("the power fails")

    monkeypatch.setattr(rolling_back, "serve", broken)
    with pytest.raises(RuntimeError):
        back(moved)
    assert moved.events() == written
    assert moved.generation() == generation
    assert moved.fresh(moved.candidate).delivery == Release.Delivery.STABLE


def test_a_rehearsal_finds_what_is_in_the_way_and_changes_nothing_but_the_chain(moved: Canary) -> None:
    generation = moved.generation()
    warm(moved.stable, probed_at=now() - timedelta(minutes=5))
    row = back(moved, rehearse=True)
    assert row.rehearsed
    assert moved.events()[-1] == "rollback.rehearsed"
    assert moved.generation() == generation
    assert moved.fresh(moved.candidate).delivery == Release.Delivery.STABLE
    found = " ".join(rolling_back.findings_of(row, now()))
    assert "does not answer" in found  # the model server of this test is an address where nobody listens
    assert "not on generation" in found


def test_a_rehearsal_with_everything_ready_finds_nothing(moved: Canary, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rolling_back, "ensure_warm", lambda *_: None)
    warm(moved.stable)
    replica(moved.organization, generation=moved.generation(), epoch=1)
    assert rolling_back.findings_of(back(moved, rehearse=True), now()) == []


def test_a_route_that_was_rolled_back_cools_down_for_services_and_not_for_people(moved: Canary) -> None:
    row = back(moved)
    assert row.cool_down_until == row.decided_at + timedelta(minutes=30)


def test_a_viewer_rolls_nothing_back(moved: Canary) -> None:
    with pytest.raises(Forbidden):
        back(moved, actor=person_actor(moved.organization, "viewer"))


def test_without_a_reason_nothing_is_rolled_back(moved: Canary) -> None:
    with pytest.raises(Invalid):
        back(moved, reason=" ")
    assert moved.fresh(moved.candidate).delivery == Release.Delivery.STABLE


def test_the_route_shows_what_serves_and_what_gateways_know(moved: Canary) -> None:
    client = moved.client("release-manager")
    replica(moved.organization, generation=1, epoch=1, in_flight={moved.candidate.manifest_sha256: 3})
    answer = client.post(f"routes/{moved.route.pk}/rollback", {"reason": WHY})
    assert answer.status_code == 202, answer.content
    shown = client.get(f"routes/{moved.route.pk}").json()
    assert shown["serving"]["release_id"] == moved.stable.pk
    assert shown["last_rollback"]["acknowledged"] == {"replicas": 0, "of": 1}
    assert shown["last_rollback"]["draining"] == 3


def test_the_route_shows_how_far_its_rollback_has_come(moved: Canary) -> None:
    client = moved.client("release-manager")
    replica(moved.organization, generation=1, epoch=1)
    made = client.post(f"routes/{moved.route.pk}/rollback", {"reason": WHY}).json()
    words = ["triggered", "decided", "committed", "acknowledged", "drained"]
    assert [each["word"] for each in made["timeline"]] == words
    assert [each["at"] is None for each in made["timeline"]] == [False] * 3 + [True] * 2
    later = now() + timedelta(seconds=2)
    told = {"generation": made["generation"], "acknowledged_at": now(), "first_seen_at": now() - timedelta(days=1)}
    replica(moved.organization, seen_at=later, epoch=1, **told)
    follow_rollbacks(later)
    shown = client.get(f"routes/{moved.route.pk}").json()["last_rollback"]
    assert [each["at"] is None for each in shown["timeline"]] == [False] * 5
    assert [(each["name"], each["in_flight"], each["lost"]) for each in shown["gateways"]] == [("gw-1", 0, False)]
    assert shown["reconciled_receipt"]
    assert shown["trigger"] == "person"


def test_what_served_at_a_time_has_one_answer(moved: Canary) -> None:
    client = moved.client("viewer")
    path = f"routes/{moved.route.pk}/serving"
    later = (now() + timedelta(hours=3)).isoformat()  # the tests' ticks run ahead of the clock
    assert client.get(path, at=later).json()["serving"]["release_id"] == moved.candidate.pk
    early = (now() - timedelta(hours=3)).isoformat()
    assert client.get(path, at=early).json()["serving"] is None  # no receipt tells of what the scene began with
    assert client.get(path, at="yesterday").status_code == 400


def test_another_organization_finds_no_route(moved: Canary) -> None:
    other = canary("eastgate").client("release-manager")
    assert other.get(f"routes/{moved.route.pk}").status_code == 404
    assert other.post(f"routes/{moved.route.pk}/rollback", {"reason": WHY}).status_code == 404


def test_a_rollout_that_completes_while_a_rollback_waits_does_not_leave_the_route_without_a_release(
    here: Canary, readings: Readings, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = walked(here.start(), 2)
    lock_route = locking.lock_route

    def locked_late(key: str) -> object:
        monkeypatch.setattr(rolling_back, "lock_route", lock_route)
        ticked(row, 61)
        return lock_route(key)

    monkeypatch.setattr(rolling_back, "lock_route", locked_late)
    back(here)
    assert here.fresh(here.candidate).delivery == Release.Delivery.ROLLED_BACK
    assert Serving.objects.get(route=here.route, until=None).release_id == here.stable.pk
