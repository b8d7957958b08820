"""Failures #1 and #3 to #7 of ten-failures.md, from the registration to the receipt, by the API.

Each scenario is acted out once for the whole file; what a test does to it is undone after the test.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from audit.models import Receipt
from gates.overrides.using import use_override
from gates.run_models import GateRun, Override
from relcontrol.accounts.actors import command_actor
from relcontrol.errors import Conflict
from relcontrol.rehearsal import at_gate, at_register
from relcontrol.rehearsal.at_gate import ARCHIVED, ROLLS, WRONG_OVERRIDES, Failure, failure_of
from relcontrol.rehearsal.at_register import Skew, preprocessing_skew
from relcontrol.rehearsal.samples import graded
from relcontrol.rehearsal.setting_up import COMMENT, REASON, ask_for_override, judged, results_of, send
from relcontrol.rehearsal.stopping import Stopped
from relcontrol.rehearsal.stories import COLLAPSE, belgian_french, ip_licensing_collapse, pediatric_oncology
from relcontrol.rehearsal.world import DANIEL, MARA
from releases.models import Release
from tests.acceptance.moved import Moved, world_of
from tests.factories import person
from tests.gates.runs.stage import Stage
from tests.releases.scene import stable


@pytest.fixture(scope="module")
def _scenarios(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """One transaction that is undone after the file's last test."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def skew(_scenarios: None) -> Skew:
    return preprocessing_skew(world_of("chambers"))


@pytest.fixture(scope="module")
def collapse(_scenarios: None) -> Failure:
    return failure_of(world_of("northgate"), ip_licensing_collapse())


@pytest.fixture(scope="module")
def oncology(_scenarios: None) -> Failure:
    return failure_of(world_of("hospital"), pediatric_oncology())


@pytest.fixture(scope="module")
def french(_scenarios: None) -> Failure:
    return failure_of(world_of("brussels"), belgian_french())


@pytest.fixture(autouse=True)
def db(_scenarios: None) -> Iterator[None]:
    """In this file a savepoint in the file's transaction, in place of a transaction for each test."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def stage_of(told: Failure | Skew) -> Stage:
    """The organization that it happened in."""
    assert isinstance(told.world, Moved)
    return told.world.stage


def rounded(document: dict[str, Any], member: str) -> dict[str, float]:
    """A number of every slice's agreement as people read it."""
    return {each["slice"]: round(each["agreement"][member], 2) for each in document["slices"]}


def verdicts(document: dict[str, Any]) -> dict[str, str]:
    """The verdict of each slice."""
    return {each["slice"]: each["verdict"] for each in document["slices"]}


def test_3_what_was_evaluated_otherwise_than_it_is_served_is_refused_with_both_fingerprints(skew: Skew) -> None:
    receipts = Receipt.objects.count()
    answer = send(skew.world, skew.release, skew.results, parity=skew.evaluated)
    assert (answer.status, answer.code) == (422, "parity_mismatch")
    assert skew.serves in answer.detail
    assert skew.evaluated in answer.detail
    runs = GateRun.objects.filter(organization=stage_of(skew).organization).count()
    assert (runs, Receipt.objects.count()) == (0, receipts)


def test_3_no_override_covers_a_mismatch(skew: Skew) -> None:
    send(skew.world, skew.release, skew.results, parity=skew.evaluated)
    body = {"forceGateOverride": True, "overrideReason": REASON}
    answer = ask_for_override(skew.world, MARA, skew.release, body)
    assert (answer.status, answer.code) == (409, "nothing_to_override")


def test_3_the_same_answers_pass_the_check_where_what_serves_has_made_them(skew: Skew) -> None:
    assert judged(skew.world, skew.release, skew.results, parity=skew.serves)["parity"] == "match"


def test_4_ip_licensing_collapses_and_the_mean_does_not_hide_it(collapse: Failure) -> None:
    document, fallen = collapse.document, collapse.slice("ip-licensing")
    assert rounded(document, "rho") == {slug: now for slug, (_, now, _, _, _) in COLLAPSE.items()}
    assert rounded(document, "previous_rho") == {slug: before for slug, (_, _, before, _, _) in COLLAPSE.items()}
    assert {each["slice"]: each["cases"] for each in document["slices"]} == {
        slug: count for slug, (_, _, _, count, _) in COLLAPSE.items()
    }
    assert round(document["aggregate"]["mean_of_slices"], 2) == 0.64
    assert document["verdict"] == "gate_fail"
    assert (document["slices"][0]["slice"], round(fallen["agreement"]["change"], 2)) == ("ip-licensing", -0.27)
    assert verdicts(document) == dict.fromkeys(COLLAPSE, "pass") | {"ip-licensing": "fail"}


def test_4_the_reasons_name_the_slice_that_fell_and_nothing_else(collapse: Failure) -> None:
    assert all(reason.startswith("IP licensing: ") for reason in collapse.document["reasons"])
    assert "0.41, 0.24 below the threshold of 0.65 (84 graded answers" in collapse.document["reasons"][0]
    assert any("fell by 0.27" in reason for reason in collapse.slice("ip-licensing")["reasons"])


def test_4_a_slice_that_passes_by_its_own_lower_threshold_says_that_it_would_fail(collapse: Failure) -> None:
    own = collapse.slice("jurisdictional-analysis")
    assert (own["verdict"], own["agreement"]["threshold"]) == ("pass", 0.6)
    assert "Its own threshold is 0.60; at the usual 0.65 it would fail." in own["agreement"]["reasons"]


def test_4_the_receipt_says_all_of_it_in_decimals(collapse: Failure) -> None:
    said = stage_of(collapse).last_statement()
    worst = said["decision"]["inputs"][0]
    assert (said["event"], said["decision"]["outcome"]) == ("gate.failed", "fail")
    assert (worst["metric"], worst["slice"], worst["verdict"]) == ("agreement", "ip-licensing", "fail")
    assert (float(worst["value"]) < float(worst["threshold"]), worst["n"]) == (True, 84)


def test_4_no_way_of_rolling_takes_the_release_and_each_says_why(collapse: Failure) -> None:
    state = collapse.state()
    assert (state["standing"], state["delivery"], state["deployable"]) == ("fail", "archived", False)
    for body in ROLLS:
        answer = collapse.roll(**body)
        if body.get("dry_run"):
            assert answer.body["would_start"] is False
            assert ARCHIVED in answer.body["why_not"][0]
            continue
        assert (answer.status, answer.code) == (409, "not_deployable"), body
        assert ARCHIVED in answer.detail
    assert collapse.state() == state


def test_4_other_answers_with_better_grades_do_not_take_the_failure_back(collapse: Failure) -> None:
    luckier = {slug: graded(count, 0.8, seed=9) for slug, (_, _, _, count, _) in COLLAPSE.items()}
    answer = send(collapse.world, collapse.release, results_of(luckier, "another try"))
    assert (answer.status, answer.code) == (409, "already_judged")
    assert answer.body["state"]["gate_run_id"] == collapse.document["gate_run_id"]
    assert collapse.state()["standing"] == "fail"


@pytest.mark.parametrize(
    "extra", [{"force": True}, {"standing": "pass"}, {"forceGateOverride": True}, {"skip_gate": True}]
)
def test_4_a_roll_takes_no_field_that_would_go_round_the_gate(collapse: Failure, extra: dict[str, Any]) -> None:
    answer = collapse.roll(**extra)
    assert answer.status == 422
    assert [error["field"] for error in answer.body["errors"]] == list(extra)


def test_4_a_post_made_by_hand_is_read_as_json_and_refused_for_the_same_reason(collapse: Failure) -> None:
    answer = stage_of(collapse).ci.client.post(
        f"/v1/releases/{collapse.release['manifest_sha256']}/roll",
        b'{"strategy": "canary", "dwell_5pct_seconds": 240}',
        content_type="application/x-www-form-urlencoded",
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "not_deployable")


def test_4_the_form_refuses_for_the_same_reason(collapse: Failure) -> None:
    browser = Client()
    browser.force_login(person(stage_of(collapse).organization, "release-manager"))
    answer = browser.post(f"/o/northgate/releases/{collapse.release['release_id']}/roll/")
    assert answer.status_code == 409
    assert ARCHIVED in answer.content.decode()
    assert collapse.state()["delivery"] == "archived"


def test_5_four_points_more_accuracy_do_not_ship_a_judge_that_is_lost_on_children(oncology: Failure) -> None:
    whole, children = oncology.slice("oncology"), oncology.slice("pediatric-oncology")
    assert whole["change"]["mean_difference"] == pytest.approx(0.04)
    assert whole["change"]["movement"] == "improved"
    agreement = children["agreement"]
    assert (round(agreement["previous_rho"], 2), round(agreement["rho"], 2)) == (0.72, 0.61)
    assert (agreement["threshold"], agreement["verdict"], agreement["source"]) == (0.68, "fail", "own")
    assert (whole["agreement"]["verdict"], oncology.slice("adult-oncology")["verdict"]) == ("pass", "pass")
    assert oncology.document["verdict"] == "gate_fail"
    assert oncology.document["reasons"][0].startswith("Pediatric oncology: Agreement: ")
    assert oncology.roll().code == "not_deployable"


def test_6_french_is_better_and_belgian_french_stops_the_release(french: Failure) -> None:
    whole, belgian = french.slice("french"), french.slice("belgian-french")
    assert whole["change"]["mean_difference"] == pytest.approx(0.03)
    assert (whole["quality"]["verdict"], whole["change"]["movement"]) == ("pass", "improved")
    assert belgian["change"]["mean_difference"] == pytest.approx(-0.06)
    assert (belgian["quality"]["verdict"], belgian["change"]["verdict"]) == ("fail", "fail")
    assert (belgian["change"]["movement"], belgian["change"]["evidence"]) == ("dropped", "proven")
    assert french.document["verdict"] == "gate_fail"
    assert [each["slice"] for each in french.document["slices"] if each["verdict"] == "fail"] == ["belgian-french"]


def test_6_a_quality_equal_to_the_floor_passes_and_change_decides(french: Failure) -> None:
    swiss = french.slice("swiss-french")
    assert swiss["change"]["mean_difference"] == pytest.approx(-0.05)
    assert swiss["quality"]["mean"] == pytest.approx(swiss["quality"]["floor"])
    assert (swiss["quality"]["floor_source"], swiss["quality"]["verdict"]) == ("previous", "pass")
    assert swiss["change"]["movement"] == "no_proven_change"
    assert swiss["verdict"] == swiss["change"]["verdict"] == "review"


def test_6_agreement_is_what_it_was(french: Failure) -> None:
    found = {slug: french.slice(slug)["agreement"] for slug in ("belgian-french", "swiss-french")}
    assert {slug: round(each["rho"], 2) for slug, each in found.items()} == {
        "belgian-french": 0.74,
        "swiss-french": 0.71,
    }
    assert {round(each["change"], 2) + 0.0 for each in found.values()} == {0.0}


def test_6_an_override_with_a_written_reason_lands_in_the_receipt(french: Failure) -> None:
    asked = french.override(MARA, {"forceGateOverride": True, "overrideReason": REASON})
    assert asked.status == 201, asked.body
    said = stage_of(french).last_statement()
    assert said["event"] == "override.requested"
    assert said["decision"]["override"]["reason"] == REASON
    assert "belgian-french" in said["decision"]["override"]["slices"]


def test_7_every_wrong_form_of_the_two_fields_is_refused_and_records_nothing(collapse: Failure) -> None:
    receipts = Receipt.objects.count()
    for body in WRONG_OVERRIDES:
        answer = collapse.override(MARA, body)
        assert answer.status == 422, (body, answer.body)
        named = {error["field"].partition(".")[0] for error in answer.body["errors"]}
        assert named & {"forceGateOverride", "overrideReason", "force", "force_gate_override"}, body
    assert (Override.objects.count(), Receipt.objects.count()) == (0, receipts)
    assert (collapse.state()["standing"], collapse.state()["delivery"]) == ("fail", "archived")


@pytest.fixture
def overridden(collapse: Failure) -> Failure:
    """The collapse, overridden by two people."""
    asked = collapse.override(MARA, {"forceGateOverride": True, "overrideReason": REASON})
    assert (asked.status, asked.body["state"]) == (201, "pending_approval")
    assert collapse.state()["delivery"] == "archived"
    own = collapse.world.post(MARA, f"overrides/{asked.body['override_id']}/approve", {"comment": COMMENT})
    assert (own.status, collapse.state()["standing"]) == (403, "fail")
    approved = collapse.world.post(DANIEL, f"overrides/{asked.body['override_id']}/approve", {"comment": COMMENT})
    assert (approved.status, approved.body["state"]) == (200, "active"), approved.body
    before = Release.objects.get(manifest_sha256=collapse.state()["previous_release"])
    stable(before.pk)
    return collapse


def test_7_both_fields_and_a_second_person_make_it_deployable_with_a_digest(overridden: Failure) -> None:
    state, row = overridden.state(), Override.objects.get()
    assert (state["standing"], state["delivery"], state["deployable"]) == ("overridden", "registered", True)
    said = stage_of(overridden).last_statement()
    assert said["event"] == "gate.overridden"
    assert said["decision"]["override"]["gate_override_sha256"] == row.gate_override_sha256
    assert said["decision"]["override"]["reason"] == REASON
    assert row.slices == ["ip-licensing"]
    assert overridden.roll().code == "rollout_not_ready"


def test_7_an_override_lets_one_rollout_start(overridden: Failure) -> None:
    actor, manifest = command_actor(stage_of(overridden).organization), overridden.release["manifest_sha256"]
    use_override(actor=actor, manifest_sha256=manifest)
    assert (overridden.state()["standing"], overridden.state()["deployable"]) == ("overridden", False)
    assert "it covers one rollout" in overridden.roll().detail
    with pytest.raises(Conflict) as second:
        use_override(actor=actor, manifest_sha256=manifest)
    assert second.value.code == "no_active_override"


@pytest.mark.parametrize(
    ("told", "stopped"),
    [
        ("skew", at_register.skew_is_refused),
        ("collapse", at_gate.collapse_is_stopped),
        ("oncology", at_gate.oncology_is_stopped),
        ("french", at_gate.french_is_stopped),
        ("collapse", at_gate.reason_is_needed),
    ],
    ids=["3", "4", "5", "6", "7"],
)
def test_what_the_rehearsal_looks_for_is_there_and_proved_by_a_receipt(
    request: pytest.FixtureRequest, told: str, stopped: Callable[[Any], Stopped]
) -> None:
    found = stopped(request.getfixturevalue(told))
    assert found.stage == "Gate"
    assert Receipt.objects.get(receipt_hash=found.receipt).event == found.event


def test_1_three_changes_together_are_refused_and_one_is_due_after_them() -> None:
    found = at_register.three_changes(world_of("westgate"))
    assert (found.stage, found.event) == ("Register", "release.registered")
    assert "model, prompt template and routing" in found.by
