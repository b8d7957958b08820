"""What holds for any material: order and scale of what was sent change nothing, equality passes, junk never does."""

import random
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gates.run_models import CaseResult, GateRun
from gates.runs.digests import results_digest, without_floats
from gates.runs.document import flagged_cases, slice_document
from gates.runs.judging import CaseRule, SliceJudgment, SliceRule, judge_slices
from gates.runs.material import Answer, Calibration, Case, SliceMaterial
from gates.runs.reading import Expected, read_results
from gates.runs.results import FIELDS
from gates.statistics.agreement import Source
from gates.statistics.policies import Outcome
from gates.verdicts import agreement_verdict, change_verdict, quality_verdict, slice_verdict
from relcontrol.errors import Invalid
from tests.factories import person
from tests.gates.pure.samples import unhurried
from tests.gates.runs.comparing import SCORES, Pair, admin_sets, limit, new_stage, only, rows, unscored

SCALE = (-5.0, 5.0)
RULE = SliceRule("ip", "IP licensing", 0.65, "point", 20, 0.3, "external:j@1", SCALE)
SCORE = st.integers(-40, 40).map(lambda eighths: eighths / 8)
GRADE = st.integers(1, 5).map(float)
RATERS = ("anna", "bruno", "unnamed-1", "unnamed-2")
few = settings(unhurried, max_examples=20)  # each is forty cases, judged twice or more


@st.composite
def materials(draw: st.DrawFn) -> SliceMaterial:
    """Up to forty cases with zero to two answers, graded by some, compared or not, some in clusters."""
    count = draw(st.sampled_from([0, 1, 2, 19, 20, 30, 40]))
    clusters = draw(st.sampled_from([None, 3, 10]))
    cases = [Case(f"c{place:02}", "ip", f"d{place % clusters}" if clusters else None) for place in range(count)]
    return SliceMaterial(
        cases=cases,
        answers=[answer for case in cases for answer in draw(_answers(case))],
        previous=draw(st.none() | st.just([])) if draw(st.booleans()) else _scored_alike(cases, draw(SCORE)),
        foreign_grades=draw(st.booleans()),
    )


@st.composite
def _answers(draw: st.DrawFn, case: Case) -> list[Answer]:
    return [
        Answer(
            case_id=case.case_id,
            answer_id=f"a{number}",
            score=draw(st.none() | SCORE),
            grades=draw(st.dictionaries(st.sampled_from(RATERS), GRADE, max_size=4)),
            rescores=(1.0,) * number,
            previous_rescores=(2.0,) * number,
        )
        for number in range(draw(st.integers(0, 2)))
    ]


def _scored_alike(cases: Sequence[Case], score: float) -> list[Answer]:
    return [Answer(case.case_id, "old", score, {"anna": 3.0 + place % 2}) for place, case in enumerate(cases)]


def judged(material: SliceMaterial, rule: SliceRule = RULE, limit: float = 3.0) -> SliceJudgment:
    """One slice, graded from 1 to 5."""
    cases = CaseRule(limit)
    (judgment,) = judge_slices([(rule, material)], cold_start=False, cases=cases, grade_scale=(1.0, 5.0))
    return judgment


def document_of(judgment: SliceJudgment) -> Any:
    """What the run would say of it, without floats."""
    verdict = slice_verdict(
        judgment.rule.name,
        agreement=agreement_verdict(judgment.agreement),
        quality=quality_verdict(judgment.quality),
        change=change_verdict(judgment.change),
    )
    said = slice_document(verdict, judgment.rule, judgment, None)
    return without_floats({"slice": said, "flagged": flagged_cases([judgment])})


@given(materials(), st.randoms(use_true_random=False))
@few
def test_the_order_of_cases_answers_and_raters_changes_no_word(material: SliceMaterial, drawn: random.Random) -> None:
    def shuffled(rows: Sequence[Any]) -> list[Any]:
        return drawn.sample(list(rows), len(rows))

    mixed = replace(
        material,
        cases=shuffled(material.cases),
        answers=[
            replace(each, grades=dict(shuffled(list(each.grades.items())))) for each in shuffled(material.answers)
        ],
        previous=None if material.previous is None else shuffled(material.previous),
    )
    assert document_of(judged(mixed)) == document_of(judged(material))


@given(materials())
@few
def test_a_monotone_transform_of_scores_changes_no_agreement(material: SliceMaterial) -> None:
    answers = [
        replace(each, score=None if each.score is None else (each.score + 5) ** 3 / 125) for each in material.answers
    ]
    bent = judged(replace(material, answers=answers, previous=None), replace(RULE, scale=(0.0, 8.0)))
    assert bent.agreement == judged(replace(material, previous=None)).agreement


@given(materials())
@few
def test_what_is_too_little_or_does_not_vary_is_never_a_pass(material: SliceMaterial) -> None:
    judgment = judged(material)
    both = [each for each in material.answers if each.grades and each.score is not None]
    if len(both) < RULE.n_min or len({each.score for each in both}) < 2:
        assert judgment.agreement.outcome is Outcome.INSUFFICIENT
        assert document_of(judgment)["slice"]["verdict"] in {"fail", "insufficient"}
    if not material.previous:
        assert judgment.change.outcome is Outcome.INSUFFICIENT


@given(materials())
@few
def test_a_limit_that_is_equalled_is_met(material: SliceMaterial) -> None:
    found = judged(material)
    rho, mean = found.agreement.rho, found.quality.mean
    if found.agreement.reason is None and rho is not None and 0 < rho <= 0.95:
        assert judged(material, replace(RULE, threshold=rho)).agreement.outcome is Outcome.PASS
    if found.quality.reason is None and mean is not None:
        assert judged(material, replace(RULE, quality_floor=mean)).quality.outcome is Outcome.PASS
    drops = [case.first_drop for case in found.regressions if case.first_drop and case.first_drop > 0]
    if drops:
        assert flagged_cases([judged(material, limit=max(drops))]) == []


NAMES = st.sampled_from(FIELDS)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["c1", "ip-licensing-0000", "sha256:x", 0.5])
)
JUNK = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=5), inner, max_size=6),
    max_leaves=12,
)
ORDERED = ("parity", "scale", "grade_scale", "dry_run", "suite", "commit")
ROW = st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, JUNK))
BODY = JUNK | st.fixed_dictionaries(
    {"results": st.lists(ROW | JUNK, max_size=3), "judge": JUNK | st.just("external:j@1")},
    optional=dict.fromkeys(ORDERED, JUNK),
)
EXPECTED = Expected({"c1": (0.0, 1.0)}, {("c1", "a1"): "sha256:0"}, {("c1", "a1", "anna"): 3.0}, (1.0, 5.0))


@given(st.lists(ROW | JUNK, min_size=1, max_size=4))
@unhurried
def test_any_junk_in_a_row_is_refused_with_its_place(junk: list[Any]) -> None:
    refused: list[Invalid] = []
    try:
        assert len(read_results(junk, EXPECTED)) == len(junk)
    except Invalid as error:
        refused.append(error)
    assert all(item.field.startswith("results[") and item.message for error in refused for item in error.errors)
    assert all(error.errors for error in refused)


@given(st.lists(st.tuples(st.integers(0, 9), st.none() | st.floats(0, 1), GRADE), min_size=1), st.randoms())
@unhurried
def test_the_order_of_an_upload_changes_neither_results_nor_digest(
    drawn: list[tuple[int, float | None, float]], order: random.Random
) -> None:
    scales = {f"c{number}": (0.0, 1.0) for number in range(10)}
    expected = Expected(scales, {}, {}, (1.0, 5.0))
    sent = [
        {"case_id": f"c{case}", "answer_id": f"a{place}", "score": score, "human_scores": [grade], "raters": ["anna"]}
        for place, (case, score, grade) in enumerate(drawn)
    ]
    read = read_results(sent, expected)
    mixed = read_results(order.sample(sent, len(sent)), expected)
    assert mixed == read
    assert results_digest(order.sample(mixed, len(mixed))) == results_digest(read)


@pytest.mark.django_db
def test_uploads_in_another_order_have_the_same_digest_and_document() -> None:
    here = new_stage()
    release, drawn = here.register(), random.Random(3)  # noqa: S311 - no secret
    sent = rows()
    for row in sent:
        row["human_scores"] = [*row["human_scores"], 0.5]
    for row in sent[:30]:
        row["raters"] = ["anna", "bruno"]
    found = []
    for _ in range(3):
        drawn.shuffle(sent)
        for row in sent:
            row["human_scores"].reverse()
            row.get("raters", []).reverse()
        found.append(here.judged(release, sent, dry_run=True))
    assert len({document["gate_run_id"] for document in found}) == 3
    assert len({document["gate_run_sha256"] for document in found}) == 1
    volatile = ("gate_run_id", "number", "created_at", "finished_at")
    assert all({**document, **dict.fromkeys(volatile)} == {**found[0], **dict.fromkeys(volatile)} for document in found)


def on_every_limit() -> tuple[Pair, dict[str, Any]]:
    """A release that equals each limit: agreement, quality, one case, a named floor, tokens and both latencies."""
    pair = unscored(threshold="0.8", quality_floor="0.4995")
    cost: dict[str, Any] = {"latency_ms": 1_000, "input_tokens": 600, "output_tokens": 400}
    pair.stage.judged(pair.first, rows("a", **cost))
    admin_sets(pair.stage, floors={"ragas": 0.78}, latency_p95_ms=1_200)
    dearer: dict[str, Any] = {"latency_ms": 1_200, "input_tokens": 660, "output_tokens": 440}
    lowest = SCORES.index(min(SCORES))  # three points less change no rank
    scores = [score - (0.03 if place == lowest else 0) for place, score in enumerate(SCORES)]
    return pair, pair.judged([row | {"scores": {"ragas": 0.78}} for row in rows("b", scores=scores, **dearer)])


@pytest.mark.django_db
def test_a_release_on_every_limit_passes_in_document_receipt_scorecards_and_page() -> None:
    pair, document = on_every_limit()
    found = only(document)
    assert found["agreement"]["rho"] == pytest.approx(0.8, abs=1e-12)
    assert found["quality"]["mean"] == pytest.approx(0.4995, abs=1e-12)
    assert limit(document, "tokens")["value"] == limit(document, "tokens")["limit"]
    assert (document["verdict"], document["cases"]["flagged"]) == ("gate_pass", [])
    inputs = pair.stage.last_statement()["decision"]["inputs"]
    assert {entry["verdict"] for entry in inputs} == {"pass"}
    assert {entry["metric"] for entry in inputs} > {"agreement", "ragas", "tokens", "latency_p95", "latency_p95_ratio"}
    for entry in inputs:
        if entry["op"] == ">=":
            assert Decimal(entry["value"]) >= Decimal(entry["threshold"])
        if entry["op"] == "<=":
            assert Decimal(entry["value"]) <= Decimal(entry["threshold"])
    printed = pair.stage.ci.client.get(f"/v1/gate-runs/{document['gate_run_id']}.md").content.decode()
    assert "fail" not in printed.casefold()
    junit = pair.stage.ci.client.get(f"/v1/gate-runs/{document['gate_run_id']}.xml").content.decode()
    assert 'failures="0"' in junit
    browser = Client()
    browser.force_login(person(pair.stage.organization, "viewer"))
    page = browser.get(f"/o/northgate/gate/{document['gate_run_id']}/").content.decode()
    assert "One slice passes." in page


@pytest.mark.django_db
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=BODY)
def test_no_body_of_a_gate_run_is_ever_a_server_error(junk_stage: Pair, body: Any) -> None:
    path = f"releases/{junk_stage.second.pk}/gate-runs?wait=5"
    answer = junk_stage.stage.ci.post(path, body)
    assert answer.status_code in {400, 409, 422}, (body, answer.content)
    assert answer.json()["code"]
    assert (CaseResult.objects.count(), GateRun.objects.filter(state="done").count()) == (0, 0)


@pytest.fixture
def junk_stage() -> Pair:
    return unscored()


@pytest.mark.parametrize(("earlier", "source", "needed"), [(1, Source.OWN, 20), (2, Source.CALIBRATION, 30)])
def test_so_few_own_grades_that_there_are_as_few_earlier_ones_ask_for_more_own_ones(
    earlier: int, source: Source, needed: int
) -> None:
    answers = [Answer(f"c{place}", "a1", 0.5, {"ada": 4.0}) for place in range(earlier)]
    material = SliceMaterial([Case("c0", "ip", None)], answers[:1], None, Calibration(answers, age_days=0))
    [found] = judge_slices([(RULE, material)], cold_start=True, cases=CaseRule(3.0), grade_scale=(1.0, 5.0))
    assert (found.agreement.source, found.agreement.cases_needed) == (source, needed)
