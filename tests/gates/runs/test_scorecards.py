"""Scorecards: Markdown that no name can break, XML that every parser reads, and both over the API."""

from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gates.scorecards.card import Card
from gates.scorecards.headline import headline
from gates.scorecards.junit import junit
from gates.scorecards.markdown import markdown, plain
from gates.scorecards.remedies import remedies
from gates.scorecards.words import beside, limit_beside, points
from tests.factories import Api, api, organization, service_token
from tests.gates.runs.documents import (
    COLLAPSE,
    agreement,
    candidate,
    change,
    document,
    limit,
    passing,
    quality,
    slice_part,
    unjudged,
)
from tests.gates.runs.factory import gate_run, legal

STEP_SUMMARY = 1024 * 1024
LINK = "https://relcontrol.example/o/northgate/gate/grn_1/"


def card(found: dict[str, Any] | None = None, **changes: Any) -> Card:
    names = {
        "document": document() if found is None else found,
        "application": "legal-assistant",
        "release": "r128",
        "previous": "r127",
        "number": 2041,
        "suite": "scored-qa-legal-v31",
        "dry_run": False,
        "manifest_sha256": "a" * 64,
        "gate_run_sha256": "b" * 64,
        "receipt_hash": "c" * 64,
        "link": LINK,
    }
    return Card(**{**names, **changes})


def cases_of(found: dict[str, Any]) -> list[ET.Element]:
    return list(ET.fromstring(junit(card(found))).iter("testcase"))  # noqa: S314 - our own bytes


def test_markdown_begins_with_the_verdict_and_ends_with_the_digests() -> None:
    text = markdown(card())
    assert text.startswith("## ❌ Gate failed: legal\\-assistant r128\n\n**IP licensing fell from 0.68 to 0.41. ")
    assert "| IP licensing | ❌ Fail, proven | ❌ 0.41 of 0.65 (0.24 to 0.56) | ✅ 0.71 of 0.63" in text
    assert "| ip\\-0417 | ip\\-licensing | 91 | 38 | −53 |" in text
    assert f"[Gate run 2041]({LINK})" in text
    assert text.endswith(f"Receipt `{'c' * 64}`\n")


@pytest.mark.parametrize("mark", ["|", "`", "<", "*", "[", "]", "~", "#"])
def test_a_name_cannot_become_markup(mark: str) -> None:
    part = slice_part("x", ("a" + mark * 3 + "b", *COLLAPSE["contract-drafting"][1:]))
    row = next(line for line in markdown(card(document([part]))).splitlines() if line.startswith("| a"))
    assert row.replace("\\" + mark, "").count("|") == 7
    assert mark == "|" or mark not in row.replace("\\" + mark, "")


@pytest.mark.parametrize("text", ["a\nb", "a\r\nb", "a\u2028b", "a\x00b", "a\x1bb"])
def test_a_text_stays_on_its_line(text: str) -> None:
    assert plain(text) == "a b"


def test_a_text_mentions_nobody_and_links_nowhere() -> None:
    assert plain("@octocat see https://evil.example www.evil.example") == (
        "&#64;octocat see https&#58;//evil.example www&#46;evil.example"
    )


def test_a_run_of_a_thousand_slices_fits_into_a_step_summary() -> None:
    name = ("N|" * 300, *COLLAPSE["ip-licensing"][1:])
    found = document([slice_part(f"s{number}", name) for number in range(1_000)])
    found["reasons"] = ["|" * 5_000] * 3_000
    text = markdown(card(found))
    assert len(text.encode()) < STEP_SUMMARY
    assert "800 more slices follow in the gate run" in text


def test_junit_has_a_case_for_every_slice_and_question_floor_and_limit() -> None:
    cases = cases_of(document())
    assert len(cases) == 6 * 3 + 1 + 3
    assert (cases[0].get("classname"), cases[0].get("name")) == ("IP licensing", "Agreement")


def test_junit_fails_where_the_gate_fails_and_errs_where_it_holds() -> None:
    suite = ET.fromstring(junit(card()))  # noqa: S314 - our own bytes
    assert [suite.get(name) for name in ("failures", "errors", "skipped")] == ["1", "1", "1"]
    assert [case.find("error") is not None for case in cases_of(document([unjudged("case-summarization")]))][:3] == [
        True,
        False,
        False,
    ]


def test_a_run_without_slices_is_red_in_junit() -> None:
    found = document([]) | {"verdict": "gate_hold", "reasons": ["No slice has a threshold."]}
    assert cases_of(found)[-1].find("error") is not None


@given(st.text(max_size=30))
def test_any_text_makes_a_document_that_can_be_read(text: str) -> None:
    part = slice_part("x", (text, *COLLAPSE["ip-licensing"][1:]))
    part["agreement"]["reasons"] = [text]
    found = document([part])
    assert cases_of(found)
    assert markdown(card(found)).startswith("## ")


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (passing(), "Five slices pass."),
        (passing("contract-drafting"), "One slice passes."),
        (document([unjudged("case-summarization")]), "Case summarization cannot be judged yet."),
        (document([]) | {"verdict": "gate_hold"}, "No slice has a threshold, so nothing was judged."),
        (
            passing("contract-drafting")
            | {"verdict": "gate_hold", "limits": [limit("parity", "insufficient", reasons=["Nobody says."])]},
            "Nobody says.",
        ),
        (
            document([slice_part(slug, COLLAPSE["ip-licensing"]) for slug in "abc"]),
            "IP licensing fell from 0.68 to 0.41, and two more slices fail.",
        ),
    ],
)
def test_a_run_is_told_in_one_sentence(found: dict[str, Any], said: str) -> None:
    assert headline(found, release="r128").finding == said


def failing(question: str, answer: dict[str, Any]) -> dict[str, Any]:
    """A run whose one slice fails by one question."""
    part = slice_part("contract-drafting", COLLAPSE["contract-drafting"])
    part["verdict"] = answer["verdict"]
    part[question] = answer
    return document([part])


def test_a_quality_failure_says_how_far_below_its_floor_it_is() -> None:
    found = failing("quality", quality(84, 0.58, verdict="fail"))
    assert headline(found, release="r1").finding == "Quality on Contract drafting is 0.58, below its floor of 0.63."
    assert remedies(found, candidate(), limit_points=3)[0].title == "Raise quality on Contract drafting by 0.05"


def test_a_number_just_below_its_limit_is_not_rounded_onto_it() -> None:
    found = failing("agreement", agreement(0.6499, 84, 0.65, None, None))
    assert "0.6499" in headline(found, release="r1").finding


def test_a_drop_in_quality_is_told_with_its_size() -> None:
    found = failing("change", change(84, -0.06, verdict="fail", movement="dropped"))
    assert headline(found, release="r1").finding == "Quality on Contract drafting fell by 0.06."
    assert remedies(found, candidate(), limit_points=3)[0].title == "Bring Contract drafting back to the level of r127"


@pytest.mark.parametrize(
    ("question", "reason", "title"),
    [
        ("quality", "no_floor", "Set a quality floor for Contract drafting"),
        ("change", "cold_start", "Ask for an override"),
        ("change", "previous_not_scored", "Send the results of r127 on this suite"),
        ("agreement", "range_too_narrow", "Grade answers of Contract drafting of more varied quality"),
        ("agreement", "panel_too_noisy", "Have more experts grade Contract drafting"),
        ("agreement", "judge_constant", "Bring more varied answers of Contract drafting"),
        ("agreement", "something_new", "Bring evidence for Contract drafting"),
    ],
)
def test_every_gap_has_what_fills_it(question: str, reason: str, title: str) -> None:
    part = slice_part("contract-drafting", COLLAPSE["contract-drafting"])
    gap = {"verdict": "insufficient", "reason": reason, "reasons": ["So."]}
    found = failing(question, part[question] | gap)
    assert remedies(found, candidate(), limit_points=3)[0].title == title


def test_calibration_asks_for_another_judge_and_not_for_another_release() -> None:
    found = failing("agreement", agreement(0.4, 84, 0.65, None, None) | {"source": "calibration"})
    assert remedies(found, candidate(), limit_points=3)[0].title.startswith("Bring a judge that agrees 0.25 better")


def test_more_remedies_than_one_reads_are_counted() -> None:
    found = document([slice_part(slug, ("S" + slug, *COLLAPSE["ip-licensing"][1:])) for slug in "abcdefgh"])
    told = remedies(found, candidate(), limit_points=3)
    assert len(told) == 6
    assert told[-1].title.startswith("And ")


@pytest.mark.parametrize(
    ("value", "limit_points", "shown"),
    [(53.0, 3.0, "53"), (3.0, 3.0, "3"), (3.004, 3.0, "3.004"), (2.96, 3.0, "3"), (12.34, None, "12.3")],
)
def test_points_stay_on_their_side_of_the_limit(value: float, limit_points: float | None, shown: str) -> None:
    assert points(value, limit_points) == shown


@pytest.mark.parametrize(
    ("limit_of", "value", "shown"),
    [(0.836538, 0.70, "0.84"), (0.836538, 0.836, "0.84"), (0.836538, 0.8366, "0.84"), (0.65, 0.6499, "0.65")],
)
def test_a_computed_limit_is_written_short_and_on_its_side(limit_of: float, value: float, shown: str) -> None:
    assert limit_beside(limit_of, value) == shown
    assert (float(beside(value, limit_of)) >= float(shown)) == (value >= limit_of)


@pytest.fixture
def ci(db: None) -> Api:
    owner = organization("northgate")
    legal(owner)
    return api(service_token(owner, "gates:write"))


def run_of(client: str = "northgate", **changes: Any) -> Any:
    from relcontrol.accounts.models import Organization  # noqa: PLC0415 - the pure tests above need no database

    return gate_run(Organization.objects.get(slug=client), **changes)


@pytest.mark.parametrize(("ending", "kind"), [("md", "text/markdown; charset=utf-8"), ("xml", "application/xml")])
def test_the_api_gives_a_finished_run_as_a_file(ci: Api, ending: str, kind: str) -> None:
    run = run_of()
    by_id, by_digest = (ci.get(f"gate-runs/{name}.{ending}") for name in (run.pk, run.gate_run_sha256))
    assert (by_id.status_code, by_id["Content-Type"]) == (200, kind)
    assert f"/o/northgate/gate/{run.pk}/" in by_id.content.decode()
    assert by_digest.content == by_id.content


@pytest.mark.parametrize("ending", ["md", "xml"])
def test_the_api_gives_no_scorecard_of_a_run_without_a_verdict(ci: Api, ending: str) -> None:
    answer = ci.get(f"gate-runs/{run_of(state='running').pk}.{ending}")
    assert (answer.status_code, answer.json()["code"]) == (409, "gate_run_not_done")


@pytest.mark.parametrize("ending", ["md", "xml"])
def test_a_scorecard_of_another_organization_is_not_there(ci: Api, ending: str) -> None:
    run = run_of()
    stranger = api(service_token(organization("eastgate"), "gates:write"))
    assert stranger.get(f"gate-runs/{run.pk}.{ending}").status_code == 404
    assert ci.get(f"gate-runs/grn_nothing.{ending}").status_code == 404
    assert ci.post(f"gate-runs/{run.pk}.{ending}").status_code == 405
    assert api("").get(f"gate-runs/{run.pk}.{ending}").status_code == 401
