"""Starting a rollout: what it needs, what it writes, and that nothing of it stays where it is refused."""

from datetime import timedelta
from typing import Any

import pytest

from audit.models import Receipt
from relcontrol.accounts.models import Endpoint
from relcontrol.clock import now
from relcontrol.errors import Conflict
from releases.models import Release
from releases.replica_models import Replica, Warmth
from releases.rolling.order import RollOrder
from releases.rolling.starting import dry_start
from releases.rollout_models import Rollout, RolloutStep
from tests.releases.canary import PLAN, Canary, passed, replica, warm


def test_a_start_takes_the_first_checkpoint_and_tells_the_gateways(here: Canary) -> None:
    before = here.generation() if hasattr(here.organization, "routing_state") else 0
    row = here.start()
    assert (row.state, row.checkpoint, row.version) == ("checkpoint", 1, 1)
    assert here.fresh(here.candidate).delivery == Release.Delivery.ROLLING
    assert here.generation() > before
    assert row.entered_generation == here.generation()
    step = RolloutStep.objects.get(rollout=row)
    assert (step.act, step.percent) == ("started", 5)


def test_the_receipt_of_a_start_names_release_route_settings_and_reason(here: Canary) -> None:
    row = here.start()
    said = here.last_statement()
    assert said["event"] == "rollout.started"
    assert said["release"] == {
        "manifest_sha256": here.candidate.manifest_sha256,
        "id": here.candidate.pk,
        "route": here.route.pk,
    }
    assert said["delivery"] == {"from": "registered", "to": "rolling"}
    assert said["decision"]["policy"]["id"] == "rollout-settings"
    assert RolloutStep.objects.get(rollout=row).receipt_hash == Receipt.objects.latest("seq").receipt_hash


def refused(here: Canary, **order: Any) -> Conflict:
    written = here.events()
    with pytest.raises(Conflict) as refusal:
        here.start(**order)
    assert here.events() == written
    assert not Rollout.objects.exists()
    return refusal.value


def test_a_release_without_a_gate_pass_does_not_start(here: Canary) -> None:
    here.candidate = Release.objects.get(
        pk=here.scene.registered(model_ref="Divinci-AI/gemma-4-e4b@b81d02", previous_release=here.stable.pk)[
            "release_id"
        ]
    )
    assert refused(here).code == "not_deployable"


def test_a_release_whose_previous_one_is_not_what_serves_is_sent_to_rebase(here: Canary) -> None:
    Release.objects.filter(pk=here.stable.pk).update(delivery=Release.Delivery.SUPERSEDED)
    assert refused(here).code == "rebase"


def test_without_a_gateway_nothing_could_be_routed(here: Canary) -> None:
    Replica.objects.all().delete()
    conflict = refused(here)
    assert conflict.code == "rollout_not_ready"
    assert "No gateway has reported" in conflict.detail


def test_a_gateway_that_was_last_seen_sixteen_seconds_ago_is_none(here: Canary) -> None:
    Replica.objects.update(seen_at=now() - timedelta(seconds=16))
    assert "No gateway has reported" in refused(here).detail


def test_a_gateway_that_does_not_have_the_bundle_is_named(here: Canary) -> None:
    replica(here.organization, "gw-late", fingerprints=[here.stable.bundle_sha256])
    assert "gw-late" in refused(here).detail


def test_a_cold_rollback_target_stops_a_start(here: Canary) -> None:
    warm(here.stable, answers=False)
    assert "its model server answers 503" in refused(here).detail


def test_a_probe_that_is_three_minutes_old_is_not_warm(here: Canary) -> None:
    warm(here.stable, probed_at=now() - timedelta(minutes=3))
    assert "was last probed" in refused(here).detail


def test_a_target_that_nobody_probed_is_not_warm(here: Canary) -> None:
    Warmth.objects.all().delete()
    assert "not been probed" in refused(here).detail


def test_a_model_that_no_endpoint_serves_stops_a_start(here: Canary) -> None:
    Endpoint.objects.all().delete()
    assert refused(here).code == "rollout_not_ready"


def test_a_second_rollout_on_the_route_is_refused_and_the_first_one_named(here: Canary) -> None:
    row = here.start()
    with pytest.raises(Conflict) as refusal:
        here.start()
    assert refusal.value.code == "not_deployable"
    assert Rollout.objects.get().pk == row.pk


def test_every_reason_is_said_at_once(here: Canary) -> None:
    Replica.objects.all().delete()
    warm(here.stable, answers=False)
    said = refused(here).detail
    assert "No gateway" in said
    assert "503" in said


def test_a_dry_start_says_the_same_and_changes_nothing(here: Canary) -> None:
    written = here.events()
    order = RollOrder(plan=PLAN)
    assert dry_start(actor=here.manager, release=here.fresh(here.candidate), order=order).why_not == ()
    Replica.objects.all().delete()
    assert "No gateway" in dry_start(actor=here.manager, release=here.fresh(here.candidate), order=order).why_not[0]
    assert here.events() == written
    assert not Rollout.objects.exists()


def test_a_shadow_answers_unseen_before_the_first_checkpoint(here: Canary) -> None:
    row = here.start(strategy="shadow")
    assert (row.state, row.checkpoint, row.shadow) == (
        "shadowing",
        0,
        {"percent": 0, "dwell_seconds": 60, "requests": 100},
    )


def test_a_halted_release_rolls_again_only_with_a_newer_pass_a_person_and_a_reason(here: Canary) -> None:
    first = here.start()
    Rollout.objects.filter(pk=first.pk).update(state="halted", ended_at=now())
    Release.objects.filter(pk=here.candidate.pk).update(delivery=Release.Delivery.HALTED)
    with pytest.raises(Conflict) as refusal:
        here.start()
    assert refusal.value.code == "not_deployable"
    Rollout.objects.filter(pk=first.pk).update(ended_at=now() - timedelta(hours=1))
    passed(here.candidate)
    with pytest.raises(Conflict, match="give a `reason`"):
        here.start(reason="")
    assert here.start().state == "checkpoint"


def test_the_api_answers_with_rollout_and_next_checkpoint(here: Canary) -> None:
    client = here.client("release-manager")
    answer = client.post(f"releases/{here.candidate.pk}/roll", {"strategy": "canary", "dwell_5pct_seconds": 60})
    assert answer.status_code == 202, answer.content
    assert answer.json()["rollout_id"] == Rollout.objects.get().pk
    assert set(answer.json()) == {"rollout_id", "state", "next_checkpoint_at"}


def test_the_api_stages_a_release_for_the_gateways_before_it_starts(here: Canary) -> None:
    Replica.objects.all().delete()
    answer = here.client("release-manager").post(f"releases/{here.candidate.pk}/roll", {"strategy": "canary"})
    assert answer.status_code == 409
    assert here.fresh(here.candidate).staged_at is not None


def test_a_dry_run_over_the_api_answers_200(here: Canary) -> None:
    client = here.client("release-manager")
    answer = client.post(f"releases/{here.candidate.pk}/roll", {"strategy": "canary", "dry_run": True})
    assert (answer.status_code, answer.json()["would_start"]) == (200, True)
    assert not Rollout.objects.exists()


def test_the_same_idempotency_key_starts_one_rollout(here: Canary) -> None:
    client = here.client("release-manager")
    path, body = f"releases/{here.candidate.pk}/roll", {"strategy": "canary"}
    answers = [client.post(path, body, Idempotency_Key="roll-1") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()


def test_a_service_token_does_not_roll_what_was_halted(here: Canary) -> None:
    Release.objects.filter(pk=here.candidate.pk).update(delivery=Release.Delivery.HALTED)
    answer = here.service("rollouts:write").post(
        f"releases/{here.candidate.pk}/roll", {"strategy": "canary", "reason": "again, please"}
    )
    assert answer.status_code == 409
    assert "a person's decision" in answer.json()["detail"]
