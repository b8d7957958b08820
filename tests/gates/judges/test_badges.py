"""Where a judge's number is shown, what is known of the judge there stands beside it: slices, tree, gate runs."""

from datetime import timedelta
from typing import Any

import pytest

from gates.judge_models import Calibration
from gates.pages.slices.badges import drafted_badge, slice_badges
from gates.slices.history import newest_points
from gates.slices.services import slice_named
from relcontrol.clock import now
from tests.factories import application
from tests.gates.judges.scene import JUDGE, Measured, measured
from tests.gates.runs.documents import COLLAPSE, document, slice_part
from tests.gates.runs.factory import gate_run, legal
from tests.gates.scene import Scene
from tests.gates.slices.judged import judged, suite

pytestmark = pytest.mark.django_db
SLICES = "/o/northgate/slices/"


@pytest.fixture
def here(northgate: Scene) -> Measured:
    return measured(northgate)


def words(page: Any) -> dict[str, str]:
    """The badge of each slice in the tree."""
    return {row.slice.slug: row.badge.word for row in page.context["tree"]}


def test_the_tree_shows_each_judges_measurement_and_links_to_it(here: Measured) -> None:
    page = here.client.get(SLICES)
    assert words(page) == {"contract-drafting": "Disagrees", "ip-licensing": "Calibrated"}
    assert f"/o/northgate/calibrations/{here.run.pk}/" in page.content.decode()


def test_a_slice_shows_how_far_its_judge_can_be_believed(here: Measured) -> None:
    page = here.client.get(f"{SLICES}ip-licensing/")
    badge = page.context["badge"]
    assert (badge.word, badge.n, badge.url_key) == ("Calibrated", 40, here.run.pk)
    assert "of what people reach" in page.content.decode()


def test_the_form_shows_the_badge_of_the_judge_that_is_typed(here: Measured) -> None:
    fields = {"name": "IP licensing", "threshold": "0.65", "policy": "point", "n_min": "20"}
    for judge, word in ((JUDGE, "Calibrated"), ("rules:default@1", "Not yet"), ("nobody:knows\0it", "Not yet")):
        page = here.client.post(f"{SLICES}preview/?slice=ip-licensing", {**fields, "judge": judge})
        assert page.context["badge"].word == word


def test_a_slice_whose_judge_was_never_measured_is_told_by_its_gate_runs(northgate: Scene) -> None:
    northgate.ci.patch("slices/ip-licensing", {"threshold": 0.65, "judge": JUDGE})
    target = slice_named(northgate.organization, "ip-licensing")
    judged(target, suite(northgate, {"ip-licensing": 84}), application(northgate.organization), 128, 0.83)
    points = newest_points([target])
    told = slice_badges(northgate.organization, [(target, points[target.pk])], now())
    assert (told[target.pk].word, told[target.pk].url_key) == ("Calibrated", "")


def test_a_measurement_that_holds_goes_before_a_gate_run_and_one_that_ended_after_a_later_one(here: Measured) -> None:
    organization = here.scene.organization
    target = slice_named(organization, "ip-licensing")
    judged(target, suite(here.scene, {"ip-licensing": 84}, "v4"), application(organization), 127, 0.50)  # a day ago
    point = newest_points([target])[target.pk]
    assert drafted_badge(target, JUDGE, point, now()).word == "Calibrated"
    Calibration.objects.filter(slice=target).update(ended_at=now(), ended_because="The model moved.")
    assert drafted_badge(target, JUDGE, point, now()).word == "Ended"  # the run was before the measurement
    Calibration.objects.filter(slice=target).update(measured_at=now() - timedelta(days=3))
    assert drafted_badge(target, JUDGE, point, now()).word == "Not calibrated"


def test_a_gate_run_links_agreement_from_a_measurement_to_it(here: Measured) -> None:
    organization = here.scene.organization
    legal(organization)
    part = slice_part("contract-drafting", COLLAPSE["contract-drafting"])
    part["agreement"] |= {"source": "calibration", "calibration": here.run.pk}
    run = gate_run(organization, document([part]))
    page = here.client.get(f"/o/northgate/gate/{run.pk}/")
    assert [row.calibration for row in page.context["slice_rows"]] == [here.run.pk]
    assert f"/o/northgate/calibrations/{here.run.pk}/" in page.content.decode()


def test_from_a_gate_run_and_a_suite_one_has_answers_graded(here: Measured) -> None:
    run = gate_run(here.scene.organization, document([slice_part("contract-drafting", COLLAPSE["contract-drafting"])]))
    for path, wanted in (
        (f"gate/{run.pk}/", f"panels/new/?run={run.pk}"),
        (f"suites/{here.suite.name}/", f"panels/new/?suite={here.suite.name}"),
    ):
        assert wanted in here.client.get(f"/o/northgate/{path}").content.decode()
        form = here.client.get(f"/o/northgate/{wanted}").context["form"]
        assert form.initial["source"] == wanted.partition("?")[2].partition("=")[0]
