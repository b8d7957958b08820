"""Panels over the API: the same rules as in the services, each with its status and its problem."""

from dataclasses import dataclass
from typing import Any

import pytest

from gates.panel_models import Panel, PanelItem, PanelTask
from tests.factories import Api, api, person_token
from tests.gates.panels.scene import RUBRIC, Campaign, all_graded, campaign, graded_by, own
from tests.gates.scene import Scene, lines

ROW = {"case_id": "c1", "answer_id": "r127-1", "rater": "Dee", "grade": 4}


@dataclass(frozen=True)
class Callers:
    """A campaign with clients: a pipeline's service token, and the token of one expert."""

    here: Campaign
    ci: Api
    ada: Api

    def body(self, **changes: Any) -> dict[str, Any]:
        """A panel of the suite for two experts."""
        return {
            "name": "Legal answers",
            "rubric": RUBRIC,
            "source": "suite",
            "suite": self.here.suite.name,
            "raters": self.here.emails[:2],
            "raters_per_answer": 2,
            "scale": [1, 5],
            "seed": 7,
            **changes,
        }

    def panel(self) -> Panel:
        """A panel that the service token has made."""
        answer = self.ci.post("panels", self.body())
        assert answer.status_code == 201, answer.content
        return Panel.objects.get(pk=answer.json()["panel_id"])

    def complete(self) -> Panel:
        """The same, all graded 5 and 2."""
        panel = self.panel()
        for each, grade in zip(self.here.experts[:2], (5, 2), strict=True):
            graded_by(panel, each, grade)
        return panel


@pytest.fixture
def callers(northgate: Scene) -> Callers:
    """The campaign over the API."""
    here = campaign(northgate)
    person = here.experts[0].person
    assert person
    return Callers(here, northgate.ci, api(person_token(here.organization, person)))


def problem(answer: Any, status: int) -> dict[str, Any]:
    """The problem of a refusal with this status."""
    assert answer.status_code == status, answer.content
    found: dict[str, Any] = answer.json()
    return found


def test_a_service_token_makes_a_panel_and_sees_how_far_it_is(callers: Callers) -> None:
    panel = callers.panel()
    told = callers.ci.get(f"panels/{panel.pk}").json()
    assert (told["state"], told["answers"], told["of"], told["waiting"]) == ("open", 6, 12, 12)
    assert [each["name"] for each in told["raters"]] == ["ada", "bea"]
    assert told["suite"] == callers.here.suite.name
    assert callers.ci.get("panels").json()["results"][0]["panel_id"] == panel.pk


def test_the_same_order_again_with_its_key_makes_no_second_panel(callers: Callers) -> None:
    first, again = (callers.ci.post("panels", callers.body(), Idempotency_Key="one") for _ in range(2))
    assert first.json() == again.json()
    assert Panel.objects.count() == 1


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no such suite": ({"suite": "nothing"}, "suite"),
    "no such run": ({"source": "run", "run": "grn_0"}, "run"),
    "a stranger": ({"raters": ["nobody@elsewhere.example"]}, "raters"),
    "a scale that is none": ({"scale": [5, 1]}, "scale"),
    "a scale of words": ({"scale": ["1", "5"]}, "scale[0]"),
    "true as a number": ({"count": True}, "count"),
    "an unknown field": ({"judge": "external:x@1"}, "judge"),
    "no rubric": ({"rubric": ""}, "rubric"),
    "another source": ({"source": "dreams"}, "source"),
}


@pytest.mark.parametrize(("changes", "field"), WRONG.values(), ids=WRONG)
def test_a_wrong_order_names_the_field_and_makes_nothing(callers: Callers, changes: dict[str, Any], field: str) -> None:
    found = problem(callers.ci.post("panels", callers.body(**changes)), 422)
    assert field in [error["field"] for error in found["errors"]]
    assert Panel.objects.count() == 0


def test_an_expert_grades_skips_and_takes_back(callers: Callers) -> None:
    panel = callers.panel()
    first, second = callers.ada.get(f"panels/{panel.pk}/tasks", limit="2").json()["results"]
    assert set(first) == {
        "task_id", "place", "state", "grade", "reason", "input", "output", "reference", "gone"
    }  # fmt: skip
    rated = callers.ada.post(f"panels/{panel.pk}/tasks/{first['task_id']}/rate", {"grade": 4}).json()
    assert (rated["task"]["grade"], rated["yours"]) == (4, {"rated": 1, "skipped": 0, "waiting": 5, "of": 6})
    path = f"panels/{panel.pk}/tasks/{second['task_id']}/skip"
    assert callers.ada.post(path, {"reason": "Not my field."}).json()["task"]["state"] == "skipped"
    back = callers.ada.post(f"panels/{panel.pk}/undo").json()
    assert (back["task"]["task_id"], back["yours"]["waiting"]) == (second["task_id"], 5)


def test_a_decision_that_is_not_the_newest_any_more_is_not_taken_back(callers: Callers) -> None:
    panel = callers.panel()
    first, second = own(panel, callers.here.experts[0])[:2]
    for task in (first, second):
        callers.ada.post(f"panels/{panel.pk}/tasks/{task.pk}/rate", {"grade": 4})
    path = f"panels/{panel.pk}/undo"
    assert problem(callers.ada.post(path, {"task_id": first.pk}), 409)["state"]["newest"] == second.pk
    assert callers.ada.post(path, {"task_id": second.pk}).json()["task"]["task_id"] == second.pk


def test_ones_own_answers_come_page_by_page_in_ones_own_order(callers: Callers) -> None:
    panel, places, cursor = callers.panel(), [], ""
    while True:
        page = callers.ada.get(f"panels/{panel.pk}/tasks", limit="4", **({"cursor": cursor} if cursor else {})).json()
        places += [task["place"] for task in page["results"]]
        if not (cursor := page["next"]):
            break
    assert places == [1, 2, 3, 4, 5, 6]
    assert callers.ada.get(f"panels/{panel.pk}/tasks", state="rated").json()["results"] == []
    problem(callers.ada.get(f"panels/{panel.pk}/tasks", state="bad"), 400)
    problem(callers.ada.get(f"panels/{panel.pk}/tasks", cursor="x" * 40), 400)


@pytest.mark.parametrize("body", [{}, {"grade": 6}, {"grade": "4"}, {"grade": True}, {"grade": 2.5}, {"grade": None}])
def test_a_wrong_grade_changes_nothing(callers: Callers, body: dict[str, Any]) -> None:
    panel = callers.panel()
    task = own(panel, callers.here.experts[0])[0]
    problem(callers.ada.post(f"panels/{panel.pk}/tasks/{task.pk}/rate", body), 422)
    task.refresh_from_db()
    assert task.state == "waiting"


def test_a_service_token_never_grades(callers: Callers) -> None:
    panel = callers.panel()
    task = own(panel, callers.here.experts[0])[0]
    for path, body in (
        (f"tasks/{task.pk}/rate", {"grade": 3}),
        (f"tasks/{task.pk}/skip", {"reason": "Because."}),
        ("undo", {}),
    ):
        found = problem(callers.ci.post(f"panels/{panel.pk}/{path}", body), 403)
        assert "takes a person" in found["detail"]
    problem(callers.ci.get(f"panels/{panel.pk}/tasks"), 403)
    assert not PanelTask.objects.exclude(state="waiting").exists()


def test_an_answer_of_somebody_else_is_not_graded(callers: Callers) -> None:
    panel = callers.panel()
    task = own(panel, callers.here.experts[1])[0]
    problem(callers.ada.post(f"panels/{panel.pk}/tasks/{task.pk}/rate", {"grade": 3}), 403)
    problem(callers.ada.post(f"panels/{panel.pk}/tasks/{2**70}/rate", {"grade": 3}), 404)


def test_a_file_of_grades_is_taken_once(callers: Callers) -> None:
    panel = callers.panel()
    for status, added in ((201, 1), (200, 0)):
        answer = callers.ci.post(f"panels/{panel.pk}/import", lines([ROW]))
        assert (answer.status_code, answer.json()["added"]) == (status, added)
    csv = "case_id,answer_id,rater,grade\nc2,r127-2,Dee,9\n"
    found = problem(callers.ci.post(f"panels/{panel.pk}/import?format=csv", csv), 422)
    assert found["errors"] == [{"field": "row 2", "message": "grade: 9 is outside the grade scale 1 to 5."}]


def test_disagreements_are_decided_and_the_panel_is_closed(callers: Callers) -> None:
    panel = callers.complete()
    shown = callers.ci.get(f"panels/{panel.pk}/disagreements").json()
    assert (shown["of"], len(shown["results"]), shown["results"][0]["spread"]) == (6, 6, 3)
    assert callers.here.experts[0].id not in str(shown)
    assert callers.here.emails[0] not in str(shown)
    order = {"decision": "set_aside", "rater": "A", "reason": "A slip."}
    path = f"panels/{panel.pk}/answers/{shown['results'][0]['answer']}/adjudicate"
    assert callers.ci.post(path, order).json()["finding"] == "set_aside"
    closed = callers.ci.post(f"panels/{panel.pk}/close").json()
    assert (closed["state"], bool(closed["receipt"])) == ("closed", True)
    found = callers.ci.get(f"panels/{panel.pk}/reliability").json()
    assert (found["n"], found["raters"], sorted(each["n"] for each in found["each"])) == (6, 2, [5, 6])
    assert callers.here.ratings().count() == 11


def test_closing_with_grades_missing_takes_anyway(callers: Callers) -> None:
    panel = callers.panel()
    graded_by(panel, callers.here.experts[0], 4)
    path = f"panels/{panel.pk}/close"
    assert problem(callers.ci.post(path, {}), 409)["state"]["missing"] == 6
    problem(callers.ci.post(path, {"anyway": "yes"}), 422)
    assert callers.ci.post(path, {"anyway": True}).status_code == 200


def test_what_is_too_early_or_too_late_is_a_conflict(callers: Callers) -> None:
    panel = callers.panel()
    for path in ("disagreements", "reliability"):
        problem(callers.ci.get(f"panels/{panel.pk}/{path}"), 409)
    problem(callers.ada.post(f"panels/{panel.pk}/undo"), 409)
    assert callers.ci.post(f"panels/{panel.pk}/cancel").json()["state"] == "cancelled"
    problem(callers.ci.post(f"panels/{panel.pk}/cancel"), 409)
    problem(callers.ci.post(f"panels/{panel.pk}/import", lines([ROW])), 409)


def test_who_may_only_look_manages_nothing(callers: Callers) -> None:
    panel = callers.complete()
    item = PanelItem.objects.filter(panel=panel)[0]
    problem(callers.ada.post("panels", callers.body(name="Hers")), 403)
    for path in ("progress", "disagreements", "reliability"):
        problem(callers.ada.get(f"panels/{panel.pk}/{path}"), 403)
    deciding, order = f"answers/{item.pk}/adjudicate", {"decision": "keep", "reason": "So."}
    for path, body in (("close", {}), ("cancel", {}), (deciding, order), ("import", lines([ROW]))):
        problem(callers.ada.post(f"panels/{panel.pk}/{path}", body), 403)
    panel.refresh_from_db()
    assert panel.state == Panel.State.OPEN


def test_a_panel_of_another_organization_is_not_there(callers: Callers, eastgate: Scene) -> None:
    panel = callers.complete()
    task = own(panel, callers.here.experts[0])[0]
    for path in ("", "/progress", "/disagreements", "/reliability"):
        problem(eastgate.ci.get(f"panels/{panel.pk}{path}"), 404)
    for path in ("close", "cancel", "import", f"answers/{panel.items.all()[0].pk}/adjudicate"):
        problem(eastgate.ci.post(f"panels/{panel.pk}/{path}", {}), 404)
    theirs = eastgate.person("viewer")
    problem(theirs.get(f"panels/{panel.pk}/tasks"), 404)
    for path in (f"tasks/{task.pk}/rate", f"tasks/{task.pk}/skip", "undo"):
        problem(theirs.post(f"panels/{panel.pk}/{path}", {"grade": 1}), 404)
    assert eastgate.ci.get("panels").json()["results"] == []


def test_other_methods_are_refused(callers: Callers) -> None:
    panel = callers.panel()
    for path in ("tasks", "progress", "disagreements", "reliability", ""):
        problem(callers.ci.post(f"panels/{panel.pk}/{path}".rstrip("/"), {}), 405)
    for path in ("close", "cancel", "undo", "import", "answers/1/adjudicate", "tasks/1/rate", "tasks/1/skip"):
        problem(callers.ci.get(f"panels/{panel.pk}/{path}"), 405)


def test_the_length_of_a_panel_costs_no_more_queries(callers: Callers, django_assert_max_num_queries: Any) -> None:
    panel = callers.here.panel()
    all_graded(callers.here, panel, 5, 4, 3)
    for path, most in ((f"panels/{panel.pk}/tasks", 10), ("panels", 10)):
        with django_assert_max_num_queries(most):
            assert callers.ada.get(path).status_code == 200
    for path, most in ((f"panels/{panel.pk}", 14), (f"panels/{panel.pk}/disagreements", 14)):
        with django_assert_max_num_queries(most):
            assert callers.ci.get(path).status_code == 200
