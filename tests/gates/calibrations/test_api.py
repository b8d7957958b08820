"""Calibrations over REST: asked for, followed, listed, cancelled; nothing for outsiders."""

from typing import Any

import pytest

from gates.judge_models import CalibrationRun
from relcontrol.rehearsal.samples import graded
from tests.factories import Api, api, organization, service_token
from tests.gates.calibrations.bench import COUNT, JUDGE, SLICE, Bench, bench
from tests.gates.runs.stage import SUITE, Row

pytestmark = pytest.mark.django_db

PATH = f"judges/{JUDGE}/calibrations"


@pytest.fixture
def here() -> Bench:
    made = bench({SLICE: graded(COUNT, 0.85)})
    made.judge()
    return made


def sent(here: Bench, client: Api | None = None, path: str = PATH, **body: Any) -> Any:
    """POST …/calibrations with the scores of every graded answer."""
    return (client or here.stage.ci).post(path, {"suite": SUITE, "scores": here.scores()} | body)


def made(here: Bench) -> Row:
    """A calibration."""
    answer = sent(here)
    assert answer.status_code == 201, answer.content
    found: Row = answer.json()
    return found


def test_sent_scores_are_answered_with_every_number(here: Bench) -> None:
    found = made(here)
    assert (found["judge"], found["suite"], found["state"]) == (JUDGE, SUITE, "done")
    assert found["calibration_id"].startswith("cal_")
    assert found["receipt"]
    (part,) = found["slices"]
    assert (part["slice"], part["outcome"], part["holds"], part["n"], part["coverage"]) == (
        *(SLICE, "pass", True, COUNT, 1.0),
    )
    assert {"rho", "ci90", "alpha", "icc", "ceiling", "share_of_ceiling", "leave_one_out", "baseline", "map"} <= set(
        part
    )
    assert [each["rater"] for each in part["leave_one_out"]] == [1, 2, 3]


def test_no_rater_is_named(here: Bench) -> None:
    assert "anna" not in str(made(here))


def test_one_is_read_and_all_of_a_judge_are_listed_newest_first(here: Bench) -> None:
    first, second = made(here), made(here)
    assert here.stage.ci.get(f"calibrations/{second['calibration_id']}").json() == second
    listed = here.stage.ci.get(PATH).json()["results"]
    assert [each["calibration_id"] for each in listed] == [second["calibration_id"], first["calibration_id"]]
    assert listed[1]["slices"][0]["ended_because"].startswith("The judge was measured again")


def test_a_judge_is_named_by_its_id_too(here: Bench) -> None:
    assert sent(here, path=f"judges/{here.judge().pk}/calibrations").status_code == 201


def test_what_a_worker_has_to_do_is_accepted_and_can_be_cancelled(here: Bench) -> None:
    answer = here.stage.ci.post("judges/rules:default@1/calibrations", {"suite": SUITE})
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    path = f"calibrations/{answer.json()['calibration_id']}/cancel"
    assert here.stage.ci.post(path).json()["state"] == "cancelled"
    assert (here.stage.ci.post(path).status_code, here.stage.ci.post(path).json()["code"]) == (409, "already_over")


def test_a_repeated_command_with_its_key_is_done_once(here: Bench) -> None:
    body = {"suite": SUITE, "scores": here.scores()}
    answers = [here.stage.ci.post(PATH, body, idempotency_key="k1").json()["calibration_id"] for _ in range(2)]
    assert answers[0] == answers[1]
    assert CalibrationRun.objects.count() == 1


def test_another_method_is_refused(here: Bench) -> None:
    assert here.stage.ci.patch(PATH, {}).status_code == 405
    assert here.stage.ci.post("calibrations/cal_x", {}).status_code == 405
    assert here.stage.ci.get("calibrations/cal_x/cancel").status_code == 405


def test_another_organizations_calibrations_and_judges_are_not_there(here: Bench) -> None:
    key = made(here)["calibration_id"]
    other = api(service_token(organization("eastgate"), "gates:write"))
    assert other.get(f"calibrations/{key}").status_code == 404
    assert other.post(f"calibrations/{key}/cancel").status_code == 404
    assert other.get(PATH).status_code == 404
    assert sent(here, other).status_code == 404


def test_without_the_scope_or_the_role_nothing_is_measured(here: Bench) -> None:
    reader = api(service_token(here.stage.organization, "audit:read"))
    assert sent(here, reader).status_code == 403
    assert sent(here, here.stage.person("viewer")).status_code == 403
    assert not CalibrationRun.objects.exists()
    assert reader.get(PATH).status_code == 200


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"suite": "nowhere"}, "suite"),
        ({"slices": ["nowhere"]}, "slices"),
        ({"slices": []}, "slices"),
        ({"scores": None}, "scores"),
        ({"scores": []}, "scores"),
        ({"scores": [7]}, "scores[0]"),
        ({"budget": {"tokens": 0}}, "budget.tokens"),
        ({"budget": {"cost": "-1"}}, "budget.cost"),
        ({"rescores": "yes"}, "rescores"),
        ({"raters": 3}, "raters"),
    ],
)
def test_what_is_wrong_is_refused_by_its_name_and_changes_nothing(
    here: Bench, change: dict[str, Any], field: str
) -> None:
    before = len(here.stage.events())
    answer = sent(here, **change)
    assert answer.status_code == 422, answer.content
    assert field in {error["field"] for error in answer.json()["errors"]}
    assert (CalibrationRun.objects.count(), len(here.stage.events())) == (0, before)


def test_a_judge_that_nobody_made_is_not_there(here: Bench) -> None:
    assert sent(here, path="judges/external:nobody@1/calibrations").status_code == 404


def test_the_list_takes_as_many_queries_for_many_as_for_few(here: Bench, django_assert_max_num_queries: Any) -> None:
    for _ in range(3):
        made(here)
    with django_assert_max_num_queries(12):
        here.stage.ci.get(PATH)
