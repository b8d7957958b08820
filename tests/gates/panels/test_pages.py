"""The pages of panels: what raters and managers see and do, and what nobody sees while a panel is open."""

import html
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from gates.panel_models import Panel, PanelTask
from gates.panels.closing import close_panel
from relcontrol.accounts.actors import Actor
from tests.gates.panels.scene import Campaign, all_graded, campaign, graded_by, own
from tests.gates.runs.factory import gate_run, with_answers
from tests.gates.scene import scene

pytestmark = pytest.mark.django_db
PANELS = "/o/northgate/panels/"
QUERIES_OF_THE_LIST = 14
QUERIES_OF_A_GRADE = 30


def browser(actor: Actor) -> Client:
    assert actor.person
    client = Client(raise_request_exception=False)
    client.force_login(actor.person)
    return client


def text_of(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status, answer.content[:3000]
    return re.sub(r"\s+", " ", html.unescape(answer.content.decode()))


def rate_address(panel: Panel) -> str:
    return f"{PANELS}{panel.pk}/rate/"


def grade(client: Client, panel: Panel, **fields: Any) -> Any:
    """Send a decision on the answer that is shown now."""
    shown = client.get(rate_address(panel)).context["task"]
    return client.post(rate_address(panel), {"act": "grade", "task": shown.pk, **fields})


# ---- the list


def test_the_first_use_explains_panels_and_offers_one(here: Campaign) -> None:
    page = text_of(browser(here.manager).get(PANELS))
    assert "No panel yet" in page
    assert f'href="{PANELS}new/"' in page
    assert f'href="{PANELS}new/"' not in text_of(browser(here.experts[0]).get(PANELS))


def test_panels_with_answers_for_me_come_first_with_how_far_i_am(here: Campaign) -> None:
    panel = here.panel()
    first = browser(here.experts[0])
    grade(first, panel, grade=4)
    page = first.get(PANELS)
    left = own(panel, here.experts[0]).count() - 1
    assert [row.panel for row in page.context["mine"]] == [panel]
    assert f"{left} answers left, about {left} minutes" in text_of(page)


def test_panels_are_listed_open_then_closed(here: Campaign) -> None:
    opened, closed = here.panel(), here.panel()
    all_graded(here, closed, 4, 3, 5)
    close_panel(actor=here.manager, panel=closed)
    page = browser(here.manager).get(PANELS)
    assert [row.panel for row in page.context["others"]] == [opened]
    assert [(row.panel, row.word) for row in page.context["ended"]] == [(closed, "Closed")]


def test_the_list_costs_the_same_at_any_length(here: Campaign) -> None:
    client = browser(here.experts[0])
    counts = []
    for more in (1, 4):
        for _ in range(more):
            here.panel()
        with CaptureQueriesContext(connection) as captured:
            text_of(client.get(PANELS))
        counts.append(len(captured))
    assert counts[0] == counts[1] <= QUERIES_OF_THE_LIST


# ---- grading


def test_a_rater_sees_question_answer_reference_and_rubric_and_nothing_else(here: Campaign) -> None:
    panel = here.panel()
    page = text_of(browser(here.experts[0]).get(rate_address(panel)))
    assert re.search(r"Question \d\?", page)
    assert re.search(r"Answer \d\.", page)
    assert re.search(r"Reference \d\.", page)
    assert panel.rubric in page
    assert "r127" not in page
    assert "earlier" not in page
    assert here.emails[1] not in page


def test_a_grade_leads_to_the_next_answer_without_scripts(here: Campaign) -> None:
    panel, client = here.panel(), browser(here.experts[0])
    before = client.get(rate_address(panel)).context["task"]
    answer = grade(client, panel, grade=4)
    assert (answer.status_code, answer.headers["Location"]) == (302, rate_address(panel))
    after = client.get(rate_address(panel)).context
    assert after["task"].pk != before.pk
    assert after["done"] == 1
    assert PanelTask.objects.get(pk=before.pk).grade == 4


def test_with_htmx_the_next_answer_comes_at_once_and_is_announced(here: Campaign) -> None:
    panel, client = here.panel(), browser(here.experts[0])
    task = client.get(rate_address(panel)).context["task"]
    sent = {"act": "grade", "task": task.pk, "grade": "4"}
    page = client.post(rate_address(panel), sent, headers={"HX-Request": "true"})
    left = own(panel, here.experts[0]).count() - 1
    assert f'data-announce="Graded 4. {left} left."' in text_of(page)
    assert "<html" not in page.content.decode()
    assert page.context["task"] != task


def test_an_answer_is_skipped_with_a_reason_and_not_without(here: Campaign) -> None:
    panel, client = here.panel(), browser(here.experts[0])
    assert "Say why you leave this answer out" in text_of(grade(client, panel, act="skip", reason=" "), 422)
    assert own(panel, here.experts[0]).filter(state="skipped").count() == 0
    assert grade(client, panel, act="skip", reason="I do not know this law.").status_code == 302
    assert own(panel, here.experts[0]).get(state="skipped").reason == "I do not know this law."


def test_the_last_decision_is_taken_back_and_shown_again(here: Campaign) -> None:
    panel, client = here.panel(), browser(here.experts[0])
    first = client.get(rate_address(panel)).context["task"]
    grade(client, panel, grade=2)
    assert client.post(rate_address(panel), {"act": "undo"}).status_code == 302
    assert client.get(rate_address(panel)).context["task"] == first


@pytest.mark.parametrize("wrong", ["", "6", "0", "3.5", "nan", "four", "\0"])
def test_a_grade_that_is_none_changes_nothing_and_is_said(here: Campaign, wrong: str) -> None:
    panel, client = here.panel(), browser(here.experts[0])
    assert "Give a whole number from 1 to 5." in text_of(grade(client, panel, grade=wrong), 422)
    assert not PanelTask.objects.filter(panel=panel, grade__isnull=False).exists()


def test_a_panel_of_0_to_100_has_a_field_in_place_of_buttons(here: Campaign) -> None:
    here.suite.grade_scale = [0, 100]
    here.suite.save(update_fields=["grade_scale"])
    panel, client = here.panel(scale=(0.0, 100.0)), browser(here.experts[0])
    page = text_of(client.get(rate_address(panel)))
    assert 'type="number"' in page
    assert 'data-key="1"' not in page
    assert grade(client, panel, grade="87").status_code == 302


def test_it_thanks_when_everything_is_decided(here: Campaign) -> None:
    panel = here.panel()
    graded_by(panel, here.experts[0], 3)
    page = text_of(browser(here.experts[0]).get(rate_address(panel)))
    assert "Thank you. You are done." in page
    assert "You graded 4 answers" in page


def test_somebody_who_is_no_rater_is_told_so_and_cannot_grade(here: Campaign) -> None:
    panel, stranger = here.panel(), browser(here.manager)
    assert "You are not one of its raters." in text_of(stranger.get(rate_address(panel)))
    task = own(panel, here.experts[0]).earliest("place")
    for sent in ({"act": "grade", "task": task.pk, "grade": 4}, {"act": "skip", "task": task.pk, "reason": "No."}):
        assert stranger.post(rate_address(panel), sent).status_code == 403
    task.refresh_from_db()
    assert task.state == "waiting"


def test_no_rater_ever_sees_a_grade_of_another(here: Campaign) -> None:
    panel = here.panel(raters_per_answer=3)
    first, second, _ = here.experts
    for number, task in enumerate(own(panel, first)):
        browser(first).post(rate_address(panel), {"act": "grade", "task": task.pk, "grade": 1 + number % 5})
    seen = browser(second)
    pages = [PANELS, f"{PANELS}{panel.pk}/", rate_address(panel), "/o/northgate/suites/legal-v3/"]
    for path in pages:
        page = text_of(seen.get(path))
        assert here.emails[0] not in page
        assert "ada" not in page
    assert seen.get(f"{PANELS}{panel.pk}/disagreements/").status_code == 403
    assert "progress" not in seen.get(f"{PANELS}{panel.pk}/").context


def test_whoever_grades_is_not_told_where_the_answers_come_from_while_the_panel_is_open(here: Campaign) -> None:
    panel, expert = here.panel(), browser(here.experts[0])
    pages = (PANELS, f"{PANELS}{panel.pk}/", rate_address(panel))
    before = [text_of(expert.get(address)) for address in pages]
    graded_by(panel, here.experts[0], 3)
    after = [text_of(expert.get(address)) for address in pages]
    assert not [page for page in before + after if here.suite.name in page]
    assert here.suite.name in text_of(browser(here.manager).get(f"{PANELS}{panel.pk}/"))


def test_a_grade_is_bounded_in_queries(here: Campaign) -> None:
    panel, client = here.panel(), browser(here.experts[0])
    task = own(panel, here.experts[0]).earliest("place")
    sent = {"act": "grade", "task": task.pk, "grade": "4"}
    with CaptureQueriesContext(connection) as captured:
        client.post(rate_address(panel), sent, headers={"HX-Request": "true"})
    assert len(captured) <= QUERIES_OF_A_GRADE


# ---- making


def fields(here: Campaign, **changes: Any) -> dict[str, Any]:
    given = {
        "name": "Legal answers",
        "source": "suite",
        "suite": here.suite.name,
        "count": 6,
        "raters": here.emails,
        "raters_per_answer": 2,
        "scale": "1-5",
        "rubric": "5: right. 1: wrong.",
    }
    return {**given, **changes}


def test_a_panel_is_made_with_the_form(here: Campaign) -> None:
    client = browser(here.manager)
    assert text_of(client.get(f"{PANELS}new/"))
    answer = client.post(f"{PANELS}new/", fields(here))
    made = Panel.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{PANELS}{made.pk}/")
    assert (made.name, made.suite, made.scale, made.raters_per_answer) == ("Legal answers", here.suite, [1, 5], 2)
    assert made.items.count() == 6


def test_answers_of_a_gate_run_are_graded_and_its_panel_says_so(here: Campaign) -> None:
    run = with_answers(gate_run(here.organization))
    client = browser(here.manager)
    sent = fields(here, source="run", run=run.pk)
    assert "3 raters, 3 answers, 2 grades each" in text_of(client.post(f"{PANELS}preview/", sent))
    page = text_of(client.get(client.post(f"{PANELS}new/", sent).headers["Location"]))
    assert f"/o/northgate/gate/{run.pk}/" in page
    assert Panel.objects.get().items.count() == 3


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"suite": ""}, "Choose one: that is where the answers come from."),
        ({"source": "run"}, "Choose one: that is where the answers come from."),
        ({"source": "traces"}, "</svg> <span>There is no live answer"),
        ({"raters": []}, "This field is required."),
        ({"raters_per_answer": 4}, "4 grades for an answer take 4"),
        ({"scale": "0-100"}, "give the panel the same scale"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_made(
    here: Campaign, changes: dict[str, Any], said: str
) -> None:
    assert said in text_of(browser(here.manager).post(f"{PANELS}new/", fields(here, **changes)), 422)
    assert not Panel.objects.exists()


def test_the_sentence_beside_the_form_says_how_much_work_it_is(here: Campaign) -> None:
    page = text_of(browser(here.manager).post(f"{PANELS}preview/", fields(here)))
    assert "3 raters, 6 answers, 2 grades each: 4 answers a person, about 4 minutes." in page


def test_who_may_not_make_panels_reads_why_and_cannot(here: Campaign) -> None:
    viewer = browser(here.experts[0])
    assert "To define slices and suites one must be" in text_of(viewer.get(f"{PANELS}new/"))
    assert viewer.post(f"{PANELS}new/", fields(here)).status_code == 403
    assert viewer.post(f"{PANELS}preview/", fields(here)).status_code == 403


# ---- looking after a panel


def test_a_manager_sees_how_far_each_rater_is_and_no_grade(here: Campaign) -> None:
    panel = here.panel()
    graded_by(panel, here.experts[0], 1, 2, 4, 5)
    page = browser(here.manager).get(f"{PANELS}{panel.pk}/")
    tallies = {rater.label: rater.tally.rated for rater in page.context["progress"].raters}
    assert sorted(tallies.values()) == [0, 0, 4]
    assert "Nobody sees a grade before everybody has decided" in text_of(page)


def test_closing_with_grades_missing_takes_a_word_for_it(here: Campaign) -> None:
    panel = here.panel()
    graded_by(panel, here.experts[0], 4)
    client, address = browser(here.manager), f"{PANELS}{panel.pk}/"
    assert "grades are missing" in text_of(client.post(address, {"act": "close"}), 409)
    assert not here.ratings().exists()
    assert client.post(address, {"act": "close", "anyway": "on"}).status_code == 302
    assert here.ratings().count() == 4


def test_a_panel_is_cancelled_with_its_name_typed(here: Campaign) -> None:
    panel, client = here.panel(), browser(here.manager)
    address = f"{PANELS}{panel.pk}/"
    assert "exactly as it stands here" in text_of(client.post(address, {"act": "cancel", "typed": "something"}), 422)
    assert client.post(address, {"act": "cancel", "typed": panel.name}).status_code == 302
    panel.refresh_from_db()
    assert panel.state == "cancelled"


def test_who_only_looks_can_do_nothing_to_a_panel(here: Campaign) -> None:
    panel = here.panel()
    for sent in ({"act": "close", "anyway": "on"}, {"act": "cancel", "typed": panel.name}):
        assert browser(here.experts[0]).post(f"{PANELS}{panel.pk}/", sent).status_code == 403
    panel.refresh_from_db()
    assert panel.state == "open"


def test_grades_of_a_file_come_in_and_wrong_rows_are_named(here: Campaign) -> None:
    panel, client = here.panel(), browser(here.manager)
    address, header = f"{PANELS}{panel.pk}/", "case_id,answer_id,rater,grade\n"
    wrong = SimpleUploadedFile("grades.csv", f"{header}c0,r127-0,dora,9\n".encode())
    page = client.post(address, {"act": "import", "file": wrong})
    assert [row for row, _ in page.context["errors"]] == ["2"]
    right = SimpleUploadedFile("grades.csv", f"{header}c0,r127-0,dora,4\n".encode())
    assert client.post(address, {"act": "import", "file": right}).status_code == 302
    assert PanelTask.objects.get(panel=panel, rater="dora").grade == 4


# ---- disagreements and agreement


def test_disagreements_are_shown_without_names_once_everybody_has_decided(here: Campaign) -> None:
    panel = here.panel(raters_per_answer=3)
    address = f"{PANELS}{panel.pk}/disagreements/"
    graded_by(panel, here.experts[0], 1)
    assert "until then nobody sees a grade" in text_of(browser(here.manager).get(address))
    all_graded(here, panel, 1, 3, 5)
    page = browser(here.manager).get(address)
    assert page.context["answers"].total == 6
    assert [each.spread for each, *_ in page.context["rows"]] == [4] * 6
    shown = re.sub(r"<option.*?</option>", "", text_of(page))  # anybody may be asked for one more grade
    assert all(email not in shown and f">{email[:3]}<" not in shown for email in here.emails)


def test_a_disagreement_is_decided_with_a_reason(here: Campaign) -> None:
    panel = here.panel(raters_per_answer=3)
    all_graded(here, panel, 1, 3, 5)
    item, client = panel.items.earliest("pk"), browser(here.manager)
    address = f"{PANELS}{panel.pk}/disagreements/"
    sent = {"item": item.pk, "decision": "set_aside", "rater": "B", "reason": ""}
    assert "Say why" in text_of(client.post(address, sent), 422)
    assert client.post(address, {**sent, "reason": "Took 1 for the best."}).status_code == 302
    assert item.tasks.filter(set_aside=True).count() == 1
    assert "One grade set aside" in text_of(client.get(address))


def test_after_closing_it_says_in_words_how_well_experts_agree(here: Campaign) -> None:
    panel = here.panel(raters_per_answer=3)
    for each in here.experts:
        for number, task in enumerate(own(panel, each).order_by("item_id")):
            sent = {"act": "grade", "task": task.pk, "grade": 1 + number % 5}
            browser(each).post(rate_address(panel), sent)
    close_panel(actor=here.manager, panel=panel)
    page = browser(here.manager).get(f"{PANELS}{panel.pk}/")
    assert "Your experts agree well: α 1.00." in text_of(page)
    assert [(count, rho) for _, count, rho in page.context["rater_lines"]] == [(6, "1.00")] * 3


def test_after_closing_a_rater_reads_her_own_grades_again_and_nobody_elses(here: Campaign) -> None:
    panel = here.panel(raters_per_answer=3)
    all_graded(here, panel, 1, 3, 5)
    client, address = browser(here.experts[0]), f"{PANELS}{panel.pk}/"
    assert "own_grades" not in client.get(address).context
    close_panel(actor=here.manager, panel=panel)
    page = client.get(address)
    assert [task.grade for task, _ in page.context["own_grades"]] == [1] * 6
    assert "reliability" not in page.context
    assert "own_grades" not in browser(here.manager).get(address).context


def test_another_organizations_panel_is_not_there(here: Campaign) -> None:
    other = campaign(scene("eastgate"))
    panel = other.panel()
    client = browser(here.manager)
    for path in ("", "rate/", "disagreements/"):
        assert client.get(f"{PANELS}{panel.pk}/{path}").status_code == 404
        assert client.post(f"{PANELS}{panel.pk}/{path}", {"act": "undo"}).status_code == 404
