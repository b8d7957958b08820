"""Readings as JSON and as inputs of a receipt."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import verify
from gates.statistics.policies import Evidence
from releases.measuring.as_json import decimal_of, inputs_of, readings_as_json
from releases.monitors.verdict import MonitorVerdict, Reading
from releases.rollouts.evidence import Action, Monitor, MonitorVerdicts, PolicyVerdict
from tests.releases.measuring.rows import ENTERED

VERDICT = MonitorVerdict(
    "errors", Reading.OK, Evidence.UNPROVEN, 1_200, 1.25, 1.5, 3.2, 8.1, 480.0, ("3 of 1,200 failed.", "Evidence 3.2.")
)
READ = MonitorVerdicts(
    since=ENTERED,
    requests=1_200,
    requests_per_second=2.5,
    errors=Monitor((VERDICT,)),
    latency=Monitor((replace(VERDICT, monitor="latency_ttft"), replace(VERDICT, monitor="latency_total")), dry=True),
    quality=Monitor((replace(VERDICT, monitor="quality/ip-licensing", estimate=-0.02, limit=-0.05),)),
)


def test_the_json_has_every_number_and_every_sentence() -> None:
    found = readings_as_json(replace(READ, errors=replace(READ.errors, eta=ENTERED + timedelta(seconds=5))))
    errors = found["monitors"]["errors"]
    assert (found["since"], found["requests"], errors["eta"]) == ("2026-11-21T12:00:00Z", 1200, "2026-11-21T12:00:05Z")
    assert errors["verdicts"][0]["reasons"] == list(VERDICT.reasons)
    assert (
        found["monitors"]["quality"]["verdicts"][0] | {"metric": "quality", "slice": "ip-licensing", "op": ">="}
        == (found["monitors"]["quality"]["verdicts"][0])
    )


@pytest.mark.parametrize("number", [float("inf"), float("nan"), None])
def test_what_is_no_finite_number_is_null(number: float | None) -> None:
    found = readings_as_json(replace(READ, errors=Monitor((replace(VERDICT, estimate=number),))))
    assert found["monitors"]["errors"]["verdicts"][0]["estimate"] is None
    json.dumps(found, allow_nan=False)


def test_the_inputs_name_metric_slice_limit_and_direction() -> None:
    found = [(one.metric, one.slice, one.value, one.op, one.threshold, one.n) for one in inputs_of(READ)]
    assert found == [
        ("errors", None, "1.25", "<=", "1.5", 1200),
        ("latency_ttft", None, "1.25", "<=", "1.5", 1200),
        ("latency_total", None, "1.25", "<=", "1.5", 1200),
        ("quality", "ip-licensing", "-0.02", ">=", "-0.05", 1200),
    ]


def test_the_evidence_of_an_input_has_the_numbers_and_the_sentences() -> None:
    assert inputs_of(READ)[0].evidence == (
        "unproven; e_above=3.2; alarm=480; e_below=8.1; 3 of 1,200 failed. Evidence 3.2."
    )


def test_a_dry_monitor_says_that_it_had_no_part() -> None:
    assert [one.verdict for one in inputs_of(READ)] == ["ok", "dry:ok", "dry:ok", "ok"]


def test_the_sample_ratio_and_policies_are_inputs_too() -> None:
    policy = PolicyVerdict("Toxicity", Action.PAUSE_FOR_REVIEW, violated=True, reasons=("Too toxic.",))
    found = inputs_of(replace(READ, sample_ratio="The split is broken.", policies=(policy,)))[4:]
    assert [(one.metric, one.verdict, one.evidence) for one in found] == [
        ("sample_ratio", "failed", "The split is broken."),
        ("policy/Toxicity", "violated", "Too toxic."),
    ]


@given(st.floats())
def test_every_number_is_a_decimal_that_receipts_take(value: float) -> None:
    written = decimal_of(value)
    assert written is None or verify._DECIMAL(written, "value") is None
