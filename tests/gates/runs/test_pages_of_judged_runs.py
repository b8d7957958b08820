"""Pages and scorecards of runs that the gate itself has judged: documents as they are in life."""

import html
from typing import Any

import pytest
from django.test import Client

from releases.models import Release
from tests.factories import person
from tests.gates.runs.stage import Row, Stage, cases_of, ramp, results_of, stage

pytestmark = pytest.mark.django_db

CASES = cases_of("ip-licensing", 40) + cases_of("drafting", 40)
SLICES = {"ip-licensing": {"name": "IP licensing", "threshold": "0.65"}, "drafting": {"threshold": "0.65"}}
GOOD = ramp(40, 0.5, 0.9) * 2


@pytest.fixture
def here() -> Stage:
    return stage(SLICES, CASES)


@pytest.fixture
def manager(here: Stage) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(person(here.organization, "release-manager"))
    return client


def judged(here: Stage, release: Release, scores: list[float | None], system: str, **order: Any) -> Row:
    return here.judged(release, results_of(CASES, scores, GOOD, system), grade_scale=[0, 1], **order)


def page_of(client: Client, run: Row, query: str = "") -> Any:
    answer = client.get(f"/o/northgate/gate/{run['gate_run_id']}/{query}")
    assert answer.status_code == 200, answer.content[:3000]
    return answer


def worse(here: Stage) -> Row:
    """The verdict of a second release whose answers are all worse, by as much."""
    judged(here, here.register(), list(GOOD), "first")
    return judged(here, here.register(), [score - 0.3 for score in GOOD], "second")


def test_a_cold_start_says_what_would_let_it_ship(here: Stage, manager: Client) -> None:
    page = page_of(manager, judged(here, here.register(), list(GOOD), "first"))
    titles = [remedy.title for remedy in page.context["remedies"]]
    assert "Ask for an override" in titles
    assert page.context["told"].consequence == "This release has to wait."
    assert "it is the first release of its route." in html.unescape(page.content.decode())


def test_a_worse_release_shows_its_answers_beside_those_before(here: Stage, manager: Client) -> None:
    page = page_of(manager, worse(here))
    shown = html.unescape(page.content.decode())
    assert page.context["comparison"].row.lost.startswith("−30")
    assert "<del>first</del>" in shown
    assert "<ins>second</ins>" in shown
    assert page.context["receipt"] is not None
    assert page.context["override_url"]


def test_scorecards_tell_the_same_as_the_page(here: Stage, manager: Client) -> None:
    run = worse(here)
    text = here.ci.get(f"gate-runs/{run['gate_run_id']}.md").content.decode()
    page = page_of(manager, run)
    assert page.context["told"].consequence in text
    assert run["gate_run_sha256"] in text
    assert here.ci.get(f"gate-runs/{run['gate_run_id']}.xml").content.startswith(b"<?xml")
    download = manager.get(f"/o/northgate/gate/{run['gate_run_id']}/scorecard.md")
    assert download.content.decode() == text


def test_missing_scores_and_slices_are_shown_as_such(here: Stage, manager: Client) -> None:
    release = here.register()
    scores: list[float | None] = [None if place % 5 == 0 else score for place, score in enumerate(GOOD)]
    page = page_of(manager, judged(here, release, scores, "first", dry_run=True))
    assert [row.word for row in page.context["slice_rows"]] == ["Insufficient", "Insufficient"]
    assert "Dry run: without effect." in page.content.decode()
    alone = here.judged(release, results_of(CASES[:40], GOOD[:40], GOOD[:40]), grade_scale=[0, 1])
    assert page_of(manager, alone).context["told"].finding


def test_a_releases_page_tells_what_its_gate_found(here: Stage, manager: Client) -> None:
    run = worse(here)
    page = manager.get(f"/o/northgate/releases/{run['release_id']}?tab=gate")
    assert page.status_code == 200
    assert page.context["told"].finding in html.unescape(page.content.decode())
    assert f"/o/northgate/gate/{run['gate_run_id']}/" in page.content.decode()
