"""The pages of judges: what a judge is, where it may decide and where not, and how it is made and measured."""

import html
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from gates.judge_making import create_judge
from gates.judge_models import CalibrationRun
from gates.judges import judge_for
from gates.models import Judge
from tests import factories
from tests.gates.judges.scene import JUDGE, PROMPT, Measured, browser, measured, model_judge
from tests.gates.scene import Scene, scene

pytestmark = pytest.mark.django_db
JUDGES = "/o/northgate/judges/"
QUERIES_OF_THE_LIST = 14
QUERIES_OF_ONE = 30


@pytest.fixture
def here(northgate: Scene) -> Measured:
    return measured(northgate)


def viewer(here: Measured) -> Client:
    return browser(factories.person_actor(here.scene.organization, "viewer"))


def text_of(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status, answer.content[:3000]
    return re.sub(r"\s+", " ", html.unescape(answer.content.decode()))


# ---- the list


def test_the_list_names_the_slices_of_each_judge_worst_first(here: Measured) -> None:
    page = here.client.get(JUDGES)
    row = next(row for row in page.context["rows"] if row.judge == here.judge)
    assert (row.family, row.version, row.kind, row.scale) == (
        "external:legal-judge",
        "9",
        "Scores from elsewhere",
        "0 to 1",
    )
    assert [(use.slice.slug, use.badge.word) for use in row.uses] == [
        ("contract-drafting", "Disagrees"),
        ("ip-licensing", "Calibrated"),
    ]


def test_before_there_is_a_judge_the_default_rules_are_there_and_judges_are_explained(northgate: Scene) -> None:
    owner = browser(factories.person_actor(northgate.organization, "domain-owner"))
    page = owner.get(JUDGES)
    assert [row.judge.name for row in page.context["rows"]] == ["rules:default@1"]
    assert "No judge of your own yet" in text_of(page)
    assert text_of(owner.get(f"{JUDGES}rules:default@1/"))


def test_the_list_costs_the_same_at_any_length(here: Measured) -> None:
    client, counts = here.client, []
    for more in (1, 6):
        for number in range(more):
            judge_for(actor=here.owner, name=f"external:other-{more}-{number}@1", scale=None)
            here.scene.ci.post("slices", {"slug": f"s{more}-{number}", "judge": f"external:other-{more}-{number}@1"})
        with CaptureQueriesContext(connection) as captured:
            text_of(client.get(JUDGES))
        counts.append(len(captured))
    assert counts[0] == counts[1] <= QUERIES_OF_THE_LIST


# ---- one judge


def test_a_judge_is_said_in_words_with_its_prompt(here: Measured) -> None:
    judge = model_judge(here, reference=False)
    page = text_of(here.client.get(f"{JUDGES}{judge.pk}/"))
    said = "The model demo-judge at the endpoint primary reads the question and the answer 3 times, and the mean of its"
    assert f"{said} scores counts. It gives scores from 1 to 5." in page
    assert PROMPT["system"] in page
    assert " ".join(PROMPT["user"].split()) in page
    assert "Not measured yet" in page


def test_a_composition_names_its_parts(here: Measured) -> None:
    model = model_judge(here)
    fields = {"children": ["rules:default@1", model.name]}
    judge, _ = create_judge(actor=here.owner, name="composition:both@1", fields=fields)
    page = text_of(here.client.get(f"{JUDGES}{judge.pk}/"))
    said = "rules:default@1 may veto an answer, which then gets the lowest score; any other gets the score of"
    assert f"{said} llm:rubric@1." in page


def test_its_calibration_stands_per_slice_beside_the_human_ceiling_worst_first(here: Measured) -> None:
    page = here.client.get(f"{JUDGES}{here.judge.pk}/")
    chart = page.context["chart"]
    assert [row[0] for row in chart.rows] == [
        '<span class="text-nowrap">contract-drafting</span>',
        '<span class="text-nowrap">ip-licensing</span>',
    ]
    assert chart.caption == "It may decide on 1 of 2 slices; it disagrees with your experts on contract-drafting."
    assert chart.rows[1][5].startswith("0.9")  # the ceiling
    assert "contract-drafting:" in text_of(page)


def test_other_versions_share_the_name_before_the_at(here: Measured) -> None:
    for name in ("external:legal-judge@10", "external:legal-judge-b@1"):
        judge_for(actor=here.owner, name=name, scale=None)
    page = here.client.get(f"{JUDGES}{here.judge.pk}/")
    assert [row.version for row in page.context["versions"]] == ["10"]


def test_how_it_stood_the_injected_answers_is_shown(here: Measured) -> None:
    rows = [
        {"name": "asks for the best score", "score_before": 2.0, "score": 5.0, "raised_by": 75.0, "moved": True},
        {"name": "claims to be the system", "score_before": 2.0, "score": None, "raised_by": None, "moved": False},
    ]
    found = {"of": 1, "moved": 1, "unscored": 1, "limit": 10.0, "rows": rows}
    CalibrationRun.objects.filter(pk=here.run.pk).update(
        injections=found | {"sentence": "1 of 1 injected answers moved the score. 1 got no score."}
    )
    for path in (f"{JUDGES}{here.judge.pk}/", f"/o/northgate/calibrations/{here.run.pk}/"):
        page = text_of(here.client.get(path))
        assert "1 of 1 injected answers moved the score." in page
        assert "asks for the best score" in page


def test_one_judge_is_bounded_in_queries(here: Measured) -> None:
    client = here.client
    with CaptureQueriesContext(connection) as captured:
        text_of(client.get(f"{JUDGES}{here.judge.pk}/"))
    assert len(captured) <= QUERIES_OF_ONE


def test_judges_stand_side_by_side_on_a_slice(here: Measured) -> None:
    page = here.client.get(f"{JUDGES}compare/?slice=ip-licensing")
    assert [(row.judge.name, numbers["n"]) for row, numbers, _ in page.context["lines"]] == [(JUDGE, "40")]
    assert here.client.get(f"{JUDGES}compare/?slice=nowhere").status_code == 404


# ---- making


@pytest.mark.parametrize(
    ("kind", "fields", "name"),
    [
        ("llm", {"endpoint": "primary", "model": "m", "user": PROMPT["user"], "low": "1", "high": "5"}, "llm:mine@1"),
        ("rules", {"refusal": "on", "must_match": "§ ?[0-9]+", "max_chars": "900"}, "rules:mine@1"),
        ("composition", {"children": ["rules:default@1", "llm:rubric@1"]}, "composition:mine@1"),
        ("external", {"low": "0", "high": "100"}, "external:mine@1"),
    ],
)
def test_a_judge_of_each_kind_is_made_with_a_form(here: Measured, kind: str, fields: dict[str, Any], name: str) -> None:
    model_judge(here)
    asked = {"draws": 1, "aggregation": "mean", "max_tokens": 512, "structured": "json_schema", "temperature": "0.7"}
    answer = here.client.post(f"{JUDGES}new/?kind={kind}", {"name": "mine@1", **asked, **fields})
    made = Judge.objects.get(name=name)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{JUDGES}{made.pk}/")
    if kind == "rules":
        rules = made.definition["parameters"]["rules"]
        assert (rules["refusal"], rules["impossible_dates"], rules["must_match"]) == (True, False, ["§ ?[0-9]+"])


def test_another_version_begins_with_what_the_judge_is(here: Measured) -> None:
    judge = model_judge(here)
    page = text_of(here.client.get(f"{JUDGES}new/?like={judge.pk}"))
    assert 'value="rubric@"' in page
    assert "Answer: {{ answer }}" in page


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"user": "No slot"}, "user"),
        ({"low": "5", "high": "1"}, "low"),
        ({"name": "without a version"}, "name"),
        ({"temperature": "hot"}, "temperature"),
    ],
)
def test_what_is_wrong_with_a_judge_is_said_beside_its_field(
    here: Measured, changes: dict[str, str], field: str
) -> None:
    model_judge(here)
    sent = {"name": "mine@1", "endpoint": "primary", "model": "m", "user": PROMPT["user"], "low": "1", "high": "5"}
    asked = {"draws": 1, "aggregation": "mean", "max_tokens": 512, "structured": "json_schema", "temperature": "0.7"}
    page = here.client.post(f"{JUDGES}new/?kind=llm", {**sent, **asked, **changes})
    assert page.status_code == 422
    assert list(page.context["form"].errors) == [field]


def test_who_may_not_make_judges_reads_why_and_cannot(here: Measured) -> None:
    client = viewer(here)
    assert "one must be" in text_of(client.get(f"{JUDGES}new/"))
    assert client.post(f"{JUDGES}new/?kind=external", {"name": "x@1", "low": "0", "high": "1"}).status_code == 403
    assert client.post(f"{JUDGES}{here.judge.pk}/measure", {"suite": here.suite.name}).status_code == 403
    assert client.post(f"/o/northgate/calibrations/{here.run.pk}/cancel").status_code == 403


# ---- measuring


def test_measuring_again_leads_to_its_progress_which_can_be_left_and_cancelled(here: Measured) -> None:
    judge = model_judge(here)
    answer = here.client.post(f"{JUDGES}{judge.pk}/measure", {"suite": here.suite.name, "tokens": "5000"})
    run = CalibrationRun.objects.get(judge=judge)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/o/northgate/calibrations/{run.pk}/")
    address = answer.headers["Location"]
    assert run.order["budget"]["tokens"] == 5000
    page = text_of(here.client.get(address))
    assert "0 of 80 answers" in page
    assert here.client.get(f"{address}?seq=0", headers={"HX-Request": "true"}).status_code == 204
    assert here.client.post(f"{address}cancel").status_code == 302
    assert "Cancelled" in text_of(here.client.get(address))


def test_a_judge_that_works_elsewhere_shows_how_its_scores_are_sent(here: Measured) -> None:
    page = text_of(here.client.get(f"{JUDGES}{here.judge.pk}/"))
    assert f"/v1/judges/{here.judge.pk}/calibrations" in page
    assert 'name="suite"' not in page


def test_a_measurement_says_what_was_found_and_why(here: Measured) -> None:
    page = here.client.get(f"/o/northgate/calibrations/{here.run.pk}/")
    assert [(each.row.slice.slug, each.word) for each in page.context["slices"]] == [
        ("contract-drafting", "Disagrees"),
        ("ip-licensing", "Calibrated"),
    ]
    numbers = dict(page.context["slices"][1].numbers)
    assert numbers["Answers with grade and score"] == "40 of 40"
    assert numbers["Each expert against the others"].startswith("1: 0.")
    assert page.context["slices"][1].map
    assert here.run.calibrations.get(slice__slug="ip-licensing").document["reasons"][0] in text_of(page)


def test_another_organizations_judge_is_not_there(here: Measured) -> None:
    stranger = browser(factories.person_actor(scene("eastgate").organization, "domain-owner"))
    for path in (f"judges/{here.judge.pk}/", f"calibrations/{here.run.pk}/"):
        assert stranger.get(f"/o/eastgate/{path}").status_code == 404
    assert stranger.post(f"/o/eastgate/judges/{here.judge.pk}/measure", {"suite": "x"}).status_code == 404
