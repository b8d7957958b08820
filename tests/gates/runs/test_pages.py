"""The page of a gate run and the list of them: what they say, to whom, and how far a run is."""

import html
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from gates.run_models import GateRun, Override
from relcontrol.clock import now
from tests.factories import organization, person
from tests.gates.runs.documents import COLLAPSE, FELL, document, passing, slice_part, unjudged
from tests.gates.runs.factory import gate_run, legal, with_answers

pytestmark = pytest.mark.django_db


@pytest.fixture
def northgate() -> Any:
    owner = organization("northgate")
    legal(owner)
    return owner


@pytest.fixture
def manager(northgate: Any) -> Client:
    return browser(northgate, "release-manager")


def browser(owner: Any, *roles: str) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(person(owner, *roles))
    return client


def address(run: GateRun, query: str = "") -> str:
    return f"/o/northgate/gate/{run.pk}/{query}"


def text_of(answer: Any) -> str:
    assert answer.status_code == 200, answer.content[:2000]
    return html.unescape(answer.content.decode())


def test_a_collapse_is_said_in_words(northgate: Any, manager: Client) -> None:
    page = text_of(manager.get(address(gate_run(northgate))))
    assert "IP licensing fell from 0.68 to 0.41." in page
    assert "This release may not ship." in page
    assert "The other five slices pass. No deploy path accepts r128" in page


def test_why_names_each_question_that_stopped_it_and_what_changed(northgate: Any, manager: Client) -> None:
    page = manager.get(address(gate_run(northgate)))
    assert [(finding.kind, finding.finding) for finding in page.context["findings"]] == [
        ("fail", FELL[0]),
        ("hold", "Agreement fell by 0.27 on the same 84 cases, from 0.68 to 0.41: not chance (p = 0.003)."),
        ("", "Jurisdictional analysis passes by a threshold of its own."),
        ("", "One thing changed:"),
    ]
    assert "the prompt template, from templates/legal-qa@v14 to templates/legal-qa@v15" in text_of(page)


def test_it_says_what_it_would_take(northgate: Any, manager: Client) -> None:
    page = manager.get(address(gate_run(northgate)))
    assert [remedy.title for remedy in page.context["remedies"]][:3] == [
        "Go back to prompt template v14",
        "Raise agreement on IP licensing by 0.24",
        "More cases will not help",
    ]
    assert "To pass 94 times in 100, its true agreement has to be about 0.75." in text_of(page)


def test_the_mean_is_shown_and_said_never_to_be_used(northgate: Any, manager: Client) -> None:
    page = text_of(manager.get(address(gate_run(northgate))))
    assert "Shown, never used" in page
    assert ">0.64<" in page.replace(" ", "")


def test_the_answers_stand_side_by_side_with_reason_and_grades(northgate: Any, manager: Client) -> None:
    page = manager.get(address(with_answers(gate_run(northgate))))
    shown = text_of(page)
    assert "<del>Not under this agreement as written</del>" in shown
    assert "states the opposite of the rule" in shown
    assert "r1 1, r2 1, r3 2" in shown
    assert [row.lost for row in page.context["drop_rows"]] == ["−53", "−41"]


def test_an_answer_without_text_is_said_to_have_none(northgate: Any, manager: Client) -> None:
    page = text_of(manager.get(address(with_answers(gate_run(northgate), texts=False))))
    assert page.count("The text of this answer was not sent") == 2


@pytest.mark.parametrize(
    ("query", "lost"),
    [
        ("?state=all", ["−53", "−41", "−1"]),
        ("?state=regressed", ["−53"]),
        ("?state=within_limit", ["−1"]),
        ("?state=nonsense", ["−53", "−41"]),
        ("?slice=ip-licensing", ["−53", "−41"]),
        ("?slice=contract-drafting", []),
        ("?slice=%00", []),
        ("?cases=99", ["−53", "−41"]),
    ],
)
def test_answers_are_narrowed_by_slice_and_state(northgate: Any, manager: Client, query: str, lost: list[str]) -> None:
    page = manager.get(address(with_answers(gate_run(northgate)), query))
    assert [row.lost for row in page.context["drop_rows"]] == lost


def test_a_case_can_be_linked_to(northgate: Any, manager: Client) -> None:
    page = manager.get(address(with_answers(gate_run(northgate)), "?case=ip-0233"))
    assert page.context["comparison"].row.drop.case.case_id == "ip-0233"


def test_a_held_run_says_what_is_missing_and_what_fills_it(northgate: Any, manager: Client) -> None:
    found = document([unjudged("case-summarization"), slice_part("contract-drafting", COLLAPSE["contract-drafting"])])
    page = manager.get(address(gate_run(northgate, found)))
    assert page.context["told"].finding == "Case summarization cannot be judged yet."
    assert page.context["told"].consequence == "This release has to wait."
    assert page.context["remedies"][0].title == "Grade eight more answers of Case summarization"


def test_a_pass_has_no_remedies(northgate: Any, manager: Client) -> None:
    page = manager.get(address(gate_run(northgate, passing())))
    assert page.context["told"].finding == "Five slices pass."
    assert page.context["remedies"] == []


def test_a_slice_without_results_is_in_the_table_and_not_in_the_chart(northgate: Any, manager: Client) -> None:
    missing = slice_part("contract-drafting", COLLAPSE["contract-drafting"]) | {
        "verdict": "insufficient",
        "agreement": None,
        "quality": None,
        "change": None,
        "reasons": ["The run has no results for this slice."],
    }
    page = manager.get(address(gate_run(northgate, document([missing]))))
    assert page.context["told"].finding == "Contract drafting has no results."
    assert page.context["chart"] is None
    assert "The run has no results for this slice." in text_of(page)


def test_a_dry_run_is_said_to_be_without_effect(northgate: Any, manager: Client) -> None:
    page = manager.get(address(gate_run(northgate, dry_run=True)))
    assert "Dry run: without effect." in text_of(page)
    assert page.context["override_url"] == ""


def test_an_older_run_points_to_the_one_that_decides(northgate: Any, manager: Client) -> None:
    old, new = gate_run(northgate), gate_run(northgate, passing())
    page = text_of(manager.get(address(old)))
    assert f"/o/northgate/gate/{new.pk}/" in page
    assert "A newer run of this release decides now" in page


def test_a_carried_run_says_from_where(northgate: Any, manager: Client) -> None:
    first = gate_run(northgate, passing(), manifest_sha256="2" * 64)
    assert f"gate run {first.number}" in text_of(manager.get(address(gate_run(northgate, carried_from=first))))


def test_a_running_run_says_how_far_it_is_and_can_be_cancelled(northgate: Any, manager: Client) -> None:
    run = gate_run(northgate, state="running", progress_done=1_204, progress_of=100_000, fence=1)
    page = text_of(manager.get(address(run)))
    assert "Running: 1,204 of 100,000 results" in page
    assert "Cancel this run" in page
    assert manager.post(address(run) + "cancel").status_code == 302
    run.refresh_from_db()
    assert run.state == "cancelled"


def test_nothing_newer_is_said_in_no_words(northgate: Any, manager: Client) -> None:
    run = gate_run(northgate, state="running", progress_done=4, progress_of=9, fence=1)
    seq = manager.get(address(run)).context["seq"]
    headers = {"HX-Request": "true"}
    assert manager.get(address(run, f"?seq={seq}"), headers=headers).status_code == 204
    assert manager.get(address(run, f"?seq={seq - 1}"), headers=headers).status_code == 200


def test_a_run_that_ends_becomes_its_verdict_by_itself(northgate: Any, manager: Client) -> None:
    answer = manager.get(address(gate_run(northgate), "?seq=0"), headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Refresh"]) == (200, "true")


def test_a_viewer_may_look_and_not_cancel(northgate: Any) -> None:
    run, viewer = gate_run(northgate, state="queued"), browser(northgate, "viewer")
    page = text_of(viewer.get(address(run)))
    assert "Cancel this run" not in page
    assert "domain owner or release manager" in page
    assert viewer.post(address(run) + "cancel").status_code == 403
    run.refresh_from_db()
    assert run.state == "queued"


def test_a_refused_run_shows_every_row_that_is_wrong(northgate: Any, manager: Client) -> None:
    problem = {"detail": "2 rows are wrong.", "errors": [{"field": "row 17", "message": "There is no case <x>."}]}
    page = manager.get(address(gate_run(northgate, state="error", problem=problem)))
    assert "There is no case &lt;x&gt;." in page.content.decode()
    assert page.context["errors"] == [("17", "There is no case <x>.")]


def test_a_run_is_found_by_its_digest(northgate: Any, manager: Client) -> None:
    run = gate_run(northgate)
    assert manager.get(f"/o/northgate/gate/{run.gate_run_sha256}/").context["run"] == run


@pytest.mark.parametrize("name", ["grn_nothing", "0" * 64, "a%00b", "<b>"])
def test_what_is_no_run_is_not_found(northgate: Any, manager: Client, name: str) -> None:
    assert manager.get(f"/o/northgate/gate/{name}/").status_code == 404


@pytest.mark.parametrize("path", ["", "scorecard.md", "cancel"])
def test_a_run_of_another_organization_is_not_there(northgate: Any, path: str) -> None:
    run, eastgate = gate_run(northgate, state="queued"), organization("eastgate")
    stranger = browser(eastgate, "release-manager", "admin")
    send = stranger.post if path == "cancel" else stranger.get
    assert send(address(run, path)).status_code == 404
    assert send(f"/o/eastgate/gate/{run.pk}/{path}").status_code == 404


def test_pages_take_no_other_method(northgate: Any, manager: Client) -> None:
    run = gate_run(northgate)
    for path in ("/o/northgate/gate/", address(run), address(run, "scorecard.md")):
        assert manager.post(path).status_code == 405
    assert manager.get(address(run, "cancel")).status_code == 405


def test_a_thousand_slices_make_a_page_of_bounded_length(northgate: Any, manager: Client) -> None:
    parts = [slice_part(f"s{number}", COLLAPSE["contract-drafting"]) for number in range(1000)]
    page = manager.get(address(gate_run(northgate, document(parts)), "?slices=2"))
    assert len(page.context["slice_rows"]) == 50
    assert "51 to 100 of 1,000 slices" in text_of(page)
    assert len(page.content) < 400_000


def test_the_list_shows_runs_with_their_first_reason(northgate: Any, manager: Client) -> None:
    gate_run(northgate)
    gate_run(northgate, state="running", progress_done=5, progress_of=9)
    page = text_of(manager.get("/o/northgate/gate/"))
    assert "IP licensing: Agreement of judge and experts is 0.41" in page
    assert "5 of 9 results" in page


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", [3, 2, 1]),
        ("?verdict=gate_fail", [1]),
        ("?verdict=open", [3]),
        ("?verdict=refused", []),
        ("?release=r128", [3, 2, 1]),
        ("?release=R128", [3, 2, 1]),
        ("?release=aaaaaaaaaaaa", [3, 2, 1]),
        ("?release=r9", []),
        ("?application=legal-assistant", [3, 2, 1]),
        ("?application=other", []),
        ("?verdict=nonsense", []),
        ("?release=%00", []),
    ],
)
def test_the_lists_filters_stand_in_the_address(
    northgate: Any, manager: Client, query: str, numbers: list[int]
) -> None:
    gate_run(northgate)
    gate_run(northgate, passing())
    gate_run(northgate, state="running")
    page = manager.get(f"/o/northgate/gate/{query}")
    assert [row.run.number for row in page.context["rows"]] == numbers


def test_the_first_use_shows_the_call_to_make(northgate: Any, manager: Client) -> None:
    page = manager.get("/o/northgate/gate/")
    assert 'data-empty="first-use"' in text_of(page)
    assert "/gate-runs" in page.context["first_command"]


def queries_of(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as counted:
        assert client.get(path).status_code == 200
    return len(counted)


def test_the_list_takes_the_same_queries_for_twenty_runs_as_for_two(northgate: Any, manager: Client) -> None:
    for _ in range(2):
        gate_run(northgate)
    queries_of(manager, "/o/northgate/gate/")
    few = queries_of(manager, "/o/northgate/gate/")
    for _ in range(18):
        gate_run(northgate)
    assert queries_of(manager, "/o/northgate/gate/") == few <= 8


def test_a_run_takes_a_bounded_number_of_queries(northgate: Any, manager: Client) -> None:
    run = with_answers(gate_run(northgate))
    queries_of(manager, address(run))
    assert queries_of(manager, address(run)) <= 24
    many = gate_run(northgate, document([slice_part(f"s{n}", COLLAPSE["contract-drafting"]) for n in range(200)]))
    assert queries_of(manager, address(many)) <= 24


def test_an_override_that_was_asked_for_is_linked_to(northgate: Any, manager: Client) -> None:
    run = gate_run(northgate)
    asked = Override.objects.create(
        organization=northgate,
        run=run,
        manifest_sha256=run.manifest_sha256,
        gate_override_sha256="7" * 64,
        slices=["ip-licensing"],
        accepted_levels={"ip-licensing": None},
        reason="A client deadline that cannot move, with two lawyers reading along.",
        requested_by="per_x",
        requested_by_label="manager@northgate.example",
        requested_at=now(),
        expires_at=now() + timedelta(hours=24),
    )
    page = manager.get(address(run))
    assert f"/o/northgate/overrides/{asked.pk}/" in text_of(page)
    assert page.context["override_url"] == ""
    Override.objects.filter(pk=asked.pk).update(state="active")
    page = manager.get(address(run))
    assert page.context["told"].consequence == "An override lets this release ship."
    assert page.context["roll_url"]
