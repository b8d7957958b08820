"""Who sees what while a panel is open: an expert her own answers, a manager counts, nobody a grade of another."""

import json

import pytest

from gates.panels.agreement import reliability
from gates.panels.closing import cancel_panel, close_panel
from gates.panels.disagreements import disagreements
from gates.panels.selectors import progress
from relcontrol.errors import Conflict, Forbidden
from tests.factories import Api, api, person_token
from tests.gates.panels.scene import Campaign, all_graded, expert, graded_by, own


def client(here: Campaign, number: int) -> Api:
    """The API as this expert uses it."""
    person = here.experts[number].person
    assert person
    return api(person_token(here.organization, person))


def test_an_expert_sees_nothing_of_the_release_the_suite_the_others_or_their_grades(here: Campaign) -> None:
    panel = here.panel()
    all_graded(here, panel, 5, 4, 3)
    ada = client(here, 0)
    paths = ("panels", f"panels/{panel.pk}", f"panels/{panel.pk}/tasks")
    seen = "".join(ada.get(path).content.decode() for path in paths)
    hidden = ["r127", here.suite.name, here.suite.pk, "judge", "earlier", "slice", str(panel.seed)]
    hidden += [each.id for each in here.experts] + here.emails
    assert [word for word in hidden if word in seen.replace(panel.name, "")] == []
    grades = {task["grade"] for task in ada.get(f"panels/{panel.pk}/tasks").json()["results"]}
    assert grades == {5.0}


def test_an_expert_gets_her_own_answers_only(here: Campaign) -> None:
    panel = here.panel()
    for number in (0, 1, 2):
        shown = client(here, number).get(f"panels/{panel.pk}/tasks").json()["results"]
        mine = own(panel, here.experts[number])
        assert [task["task_id"] for task in shown] == [task.pk for task in mine]


def test_somebody_who_grades_nothing_here_gets_no_answer(here: Campaign) -> None:
    panel, dan = here.panel(), expert(here.organization, "dan")
    assert dan.person
    caller = api(person_token(here.organization, dan.person))
    assert caller.get(f"panels/{panel.pk}/tasks").json() == {"results": [], "next": None}
    assert caller.get(f"panels/{panel.pk}").json()["yours"] is None


def test_the_manager_sees_how_far_everybody_is_and_no_grade(here: Campaign) -> None:
    panel, ada = here.panel(), here.experts[0]
    graded_by(panel, ada, 1)
    found = progress(actor=here.manager, panel=panel)
    assert {each.label: each.tally.rated for each in found.raters} == {"ada": 4, "bea": 0, "cyd": 0}
    assert (found.answers, found.tally.of, found.tally.missing, found.complete) == (6, 12, 8, False)
    assert here.manager.person
    told = api(person_token(here.organization, here.manager.person)).get(f"panels/{panel.pk}").json()
    assert "grade" not in json.dumps(told)
    for look in (disagreements, reliability):
        with pytest.raises(Conflict, match="nobody sees a grade"):
            look(actor=here.manager, panel=panel)


def test_a_domain_owner_who_grades_sees_no_more_than_any_other_rater(here: Campaign) -> None:
    owner = expert(here.organization, "olga", "domain-owner")
    assert owner.person
    panel = here.panel(raters=[*here.emails[:2], owner.person.email])
    for each in (*here.experts[:2], owner):
        graded_by(panel, each, 3)
    for look in (progress, disagreements, reliability):
        with pytest.raises(Forbidden, match="somebody else looks after it"):
            look(actor=owner, panel=panel)
    for act in (close_panel, cancel_panel):
        with pytest.raises(Forbidden, match="somebody else looks after it"):
            act(actor=owner, panel=panel)
    shown = api(person_token(here.organization, owner.person)).get(f"panels/{panel.pk}").json()
    assert "suite" not in shown
    assert "raters" not in shown


def test_who_made_a_panel_and_grades_in_it_may_close_but_not_compare(here: Campaign) -> None:
    assert here.manager.person
    panel = here.panel(raters=[*here.emails[:2], here.manager.person.email])
    for each in (*here.experts[:2], here.manager):
        graded_by(panel, each, 3)
    assert progress(actor=here.manager, panel=panel).complete
    with pytest.raises(Forbidden):
        disagreements(actor=here.manager, panel=panel)
    closed = close_panel(actor=here.manager, panel=panel)
    assert disagreements(actor=here.manager, panel=closed) == []


def test_grades_of_a_cancelled_panel_are_shown_to_nobody(here: Campaign) -> None:
    panel = here.panel()
    all_graded(here, panel, 5, 4, 3)
    cancelled = cancel_panel(actor=here.manager, panel=panel)
    for look in (disagreements, reliability):
        with pytest.raises(Conflict):
            look(actor=here.manager, panel=cancelled)


def test_open_grades_stand_in_no_other_answer_of_the_api_and_in_no_receipt(here: Campaign) -> None:
    panel = here.panel()
    before = here.scene.ci.get(f"suites/{here.suite.name}").json()
    receipts = len(here.scene.receipts())
    all_graded(here, panel, 5, 4, 3)
    assert here.scene.ci.get(f"suites/{here.suite.name}").json() == before
    assert len(here.scene.receipts()) == receipts
