"""Slices beside real gate runs: what a run found stands in the tree, in the history and beside the form."""

import html

import pytest
from django.test import Client

from relcontrol.accounts.models import Person
from tests.factories import person
from tests.gates.runs.stage import Stage, cases_of, ramp, results_of, stage

CASES = cases_of("ip-licensing", 40)
SLICES = "/o/northgate/slices/"


@pytest.fixture
def judged(db: None) -> Stage:
    """Two releases, the second with a judge that ranks in reverse."""
    here = stage({"ip-licensing": {"threshold": "0.65"}}, CASES)
    grades = ramp(40, 1.0, 5.0)
    for system, scores in (("a", ramp(40)), ("b", ramp(40)[::-1])):
        here.judged(here.register(), results_of(CASES, scores, grades, system=system))
    return here


@pytest.fixture
def owner(judged: Stage) -> Client:
    member: Person = person(judged.organization, "domain-owner")
    client = Client()
    client.force_login(member)
    return client


def text_of(client: Client, path: str) -> str:
    return " ".join(html.unescape(client.get(path).content.decode()).split())


def test_the_tree_shows_the_newest_run(judged: Stage, owner: Client) -> None:
    (row,) = owner.get(SLICES).context["tree"]
    assert row.point.release == "r2"
    assert row.verdict == ("fail", "Failed")
    assert row.point.agreement.value == pytest.approx(-1)


def test_the_history_has_both_releases_and_leads_to_their_runs(judged: Stage, owner: Client) -> None:
    answer = owner.get(f"{SLICES}ip-licensing/")
    agreement, quality = answer.context["charts"]
    assert [(row[1], row[3]) for row in agreement.rows] == [("−1.00", "40"), ("1.00", "40")]
    assert len(quality.rows) == 2
    run = answer.context["point"].run
    assert owner.get(f"/o/northgate/gate/{run}/").status_code == 200
    assert f'href="/o/northgate/gate/{run}/"' in answer.content.decode()


def test_the_form_counts_graded_answers_and_tries_the_draft_on_both(judged: Stage, owner: Client) -> None:
    page = text_of(owner, f"{SLICES}ip-licensing/edit/")
    assert "Are 40 cases enough?" in page
    assert "graded answers in the gate run of r2" in page
    assert "this rule would have stopped 1 of the last 2 releases: r2 (−1.00)." in page
