"""What the demo shows: the story of ten-failures.md #4, made once for all tests of this file and then rolled back."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from audit.chain_checks import check_all_chains
from audit.models import ChainCheck, Receipt
from gates.evaluating.order import EvaluationOrder
from gates.models import Rating, Slice, Suite
from gates.panel_models import Panel
from gates.panels.rating import next_task
from gates.run_models import GateRun, Override
from relcontrol.accounts.models import Endpoint, Membership, Person
from relcontrol.clock import now
from relcontrol.demo import making as demo
from relcontrol.demo.connecting import ENVIRONMENT
from relcontrol.demo.decisions import acting
from relcontrol.demo.graded import RATERS
from relcontrol.demo.registering import APPLICATION, READY, SUITE
from relcontrol.demo.topics import TOPICS
from relcontrol.demo_models.behaviours import BEHAVIOURS
from releases.evaluating.requesting import request_evaluation
from releases.models import Release
from releases.routing.serving import Served, endpoint_of
from releases.selectors import state_of

pytestmark = pytest.mark.django_db
ORDER = EvaluationOrder()


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """As `up` gives them to its processes."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module", autouse=True)
def made(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The demo, as long as this file is tested."""
    from django.test import override_settings  # noqa: PLC0415 - Django is set up after this file is read

    folder = tmp_path_factory.mktemp("demo")
    with django_db_blocker.unblock(), override_settings(DATA_DIR=folder), transaction.atomic():
        demo.ensure("http://127.0.0.1:8003/v1")
        yield
        transaction.set_rollback(True)


def test_each_release_after_the_first_changes_one_thing() -> None:
    rows = Release.objects.filter(application__slug=APPLICATION).order_by("number")
    changed = [[change["component"] for change in row.changes] for row in rows]
    story = [[], ["prompt_template"], ["prompt_template"]]
    assert changed == [*story, ["prompt_template"], *(4 * [["model"]])]


def test_every_slice_has_the_cases_of_the_story_an_owner_and_a_threshold() -> None:
    owner = Membership.objects.get(person__email="owner@demo").person
    counts = Suite.objects.get(name=SUITE).slice_counts
    rows = Slice.objects.filter(application__slug=APPLICATION)
    assert {row.slug: counts[row.slug] for row in rows} == {topic.slug: topic.count for topic in TOPICS}
    assert {row.owner for row in Slice.objects.all()} == {owner}
    assert not Slice.objects.filter(threshold=None).exists()


def test_one_release_passed_and_one_failed_on_ip_licensing_as_the_story_says() -> None:
    first, passed, failed = GateRun.objects.order_by("number")[:3]
    assert [run.verdict for run in (first, passed, failed)] == ["gate_hold", "gate_pass", "gate_fail"]
    found = {row.slice.slug: row for row in failed.slice_results.select_related("slice")}
    assert {slug: round(row.rho or 0, 2) for slug, row in found.items()} == {
        "contract-drafting": 0.71,
        "statutory-interpretation": 0.74,
        "case-summarization": 0.69,
        "regulatory-compliance": 0.66,
        "jurisdictional-analysis": 0.62,
        "ip-licensing": 0.41,
    }
    assert [slug for slug, row in found.items() if row.verdict != "pass"] == ["ip-licensing"]
    assert round((failed.document or {})["aggregate"]["mean_of_slices"], 2) == 0.64
    assert (failed.document or {})["cases"]["flagged_count"] == 19
    assert any("0.68 before: −0.27" in reason for reason in (failed.document or {})["reasons"])


def test_five_releases_are_ready_to_follow_the_one_that_passed() -> None:
    passed, ready = Release.objects.get(number=2), Release.objects.filter(number__gt=3).order_by("number")
    assert [row.model_ref.rpartition("/")[2] for row in ready] == [model for _, model in READY]
    assert {row.previous_release_id for row in ready} == {passed.pk}
    assert [state_of(row).deployable for row in ready] == [True] * 5


def test_every_release_is_answered_by_a_demo_model() -> None:
    endpoints = list(Endpoint.objects.all())
    served = [endpoint_of(endpoints, row.model_ref) for row in Release.objects.all()]
    assert all(isinstance(each, Served) and each.model in BEHAVIOURS for each in served)


def test_one_override_waits_for_approval_and_the_cold_start_is_overridden() -> None:
    states = {row.run.release_name: row.state for row in Override.objects.select_related("run")}
    assert states == {"r1": "active", "r3": "pending_approval"}


def test_two_people_have_answers_of_the_failed_release_to_grade() -> None:
    panel = Panel.objects.get(state="open")
    assert panel.run is not None
    assert panel.run.manifest_sha256 == Release.objects.get(number=3).manifest_sha256
    assert {item.slice.slug for item in panel.items.select_related("slice") if item.slice} == {"ip-licensing"}
    left = {email: next_task(panel, Person.objects.get(email=email)) for email in ("owner@demo", "approver@demo")}
    assert all(left.values())
    decided = panel.tasks.filter(state="rated").values_list("person__email", flat=True)
    assert list(decided) == ["approver@demo"] * 6


def test_the_experts_grades_came_by_a_suite_and_by_a_panel_that_is_closed() -> None:
    assert Panel.objects.get(state="closed").tasks.count() == 320
    ratings = Rating.objects.filter(answer__case__suite__name="graded-answers-v1")
    assert {rater: ratings.filter(rater=rater).count() for rater in RATERS} == dict.fromkeys(RATERS, 160)


def test_the_contract_desk_waits_to_be_evaluated_by_relcontrol() -> None:
    release = Release.objects.get(application__slug="contract-desk")
    assert not GateRun.objects.filter(application__slug="contract-desk").exists()
    run = request_evaluation(actor=acting(release.organization, "manager@demo"), release=release, order=ORDER)
    assert (run.progress_of, list(run.judges)) == (48, ["clause-review"])


def test_the_chain_of_the_demo_verifies() -> None:
    check_all_chains(now())
    check = ChainCheck.objects.get()
    assert check.problem == ""
    assert check.seq == Receipt.objects.count()
