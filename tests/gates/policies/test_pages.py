"""Pages of gate policies: everybody reads them, an administrator who has lately signed in changes them."""

import html
import time
from typing import Any

import pytest
from django.test import Client

from gates.models import GatePolicy
from gates.policies.services import set_policy
from relcontrol.accounts.models import Application
from relcontrol.web.signin import PROVED_AT
from tests.factories import application, person, person_actor
from tests.gates.scene import Scene

ORGANIZATION = "/o/northgate/settings/gate-policy/"
APPLICATION = "/o/northgate/settings/gate-policies/legal-assistant/"
LIST = "/o/northgate/settings/gate-policies/"
FILLED = {
    "max_per_case_regression": "2.5",
    "parity_not_claimed": "review",
    "floors": "ragas=0.78\nrubric = 0.82\n",
    "tokens_review_percent": "",
    "tokens_fail_percent": "20",
    "latency_p95_ms": "900",
    "latency_p95_ratio": "",
    "second_person": "on",
    "override_hours": "12",
}


@pytest.fixture
def legal(northgate: Scene) -> Application:
    return application(northgate.organization)


def browser(northgate: Scene, *roles: str, proved: bool = True) -> Client:
    client = Client()
    client.force_login(person(northgate.organization, *roles))
    if proved:
        session = client.session
        session[PROVED_AT] = int(time.time())
        session.save()
    return client


def text_of(answer: Any) -> str:
    return html.unescape(answer.content.decode())


def test_the_list_says_whose_policy_holds_for_each_application(northgate: Scene, legal: Application) -> None:
    set_policy(actor=person_actor(northgate.organization, "admin"), application=None, second_person=False)
    page = text_of(browser(northgate, "viewer").get(LIST))
    for shown in ("Northgate", "legal-assistant", "the organization's", "one person", "3 points"):
        assert shown in page


def test_before_anybody_sets_one_the_list_shows_the_defaults(northgate: Scene, legal: Application) -> None:
    page = text_of(browser(northgate, "viewer").get(LIST))
    assert page.count("relcontrol's defaults") == 2
    assert "relcontrol's defaults hold, as revision 0" in text_of(browser(northgate, "auditor").get(APPLICATION))


def test_the_settings_lead_to_the_policies(northgate: Scene) -> None:
    assert LIST in text_of(browser(northgate, "viewer").get("/o/northgate/settings/"))


@pytest.mark.parametrize("path", [ORGANIZATION, APPLICATION])
def test_a_filled_in_form_sets_the_policy_it_stands_for(northgate: Scene, legal: Application, path: str) -> None:
    answer = browser(northgate, "admin").post(path, FILLED)
    assert (answer.status_code, answer["Location"]) == (302, path)
    row = GatePolicy.objects.get()
    assert row.application == (legal if path == APPLICATION else None)
    assert row.definition["floors"] == {"ragas": "0.78", "rubric": "0.82"}
    assert (row.definition["small_drops_need_review"], row.definition["tokens_review_percent"]) == (False, None)
    assert northgate.last_statement()["actor"]["auth"] == "session"


def test_the_form_shows_the_policy_as_it_is_and_its_receipt(northgate: Scene, legal: Application) -> None:
    admin = browser(northgate, "admin")
    admin.post(APPLICATION, FILLED)
    page = text_of(admin.get(APPLICATION))
    for shown in ("ragas=0.78", 'value="2.5"', "revision 1", "12 hours", "its own", "Remove this policy"):
        assert shown in page
    assert northgate.receipts()[-1].receipt_hash in page


def test_a_change_waits_for_a_fresh_proof_and_keeps_what_was_entered(northgate: Scene) -> None:
    admin = browser(northgate, "admin", proved=False)
    answer = admin.post(ORGANIZATION, FILLED)
    assert (answer.status_code, answer["Location"]) == (302, "/step-up")
    assert not GatePolicy.objects.exists()
    assert 'value="2.5"' in text_of(admin.get(ORGANIZATION))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"max_per_case_regression": "0"}, "Must be above 0"),
        ({"max_per_case_regression": "many"}, "Enter a number"),
        ({"floors": "ragas"}, "is no name=number"),
        ({"floors": "ragas=1\nragas=2"}, "there twice"),
        ({"floors": "Ragas=1"}, "is no name."),
        ({"tokens_review_percent": "30"}, "comes after the failure"),
        ({"override_hours": "169"}, "from 1 to 168"),
        ({"seen": "4"}, "is at revision 0, not 4"),
    ],
)
def test_a_form_that_breaks_a_rule_comes_back_with_the_reason(northgate: Scene, wrong: Any, says: str) -> None:
    answer = browser(northgate, "admin").post(ORGANIZATION, FILLED | wrong)
    assert answer.status_code == 422
    assert says in text_of(answer)
    assert not GatePolicy.objects.exists()


@pytest.mark.parametrize("role", ["viewer", "release-manager"])
def test_who_may_not_change_it_reads_it_in_words_and_why(northgate: Scene, legal: Application, role: str) -> None:
    client = browser(northgate, role)
    page = text_of(client.get(APPLICATION))
    assert "3 points of 100" in page
    assert "To administer this organization one must be" in page
    assert "Save the policy" not in page
    assert client.post(APPLICATION, FILLED).status_code == 403
    assert client.post(f"{APPLICATION}remove").status_code == 403
    assert not GatePolicy.objects.exists()


def test_removing_goes_back_to_the_organizations_policy(northgate: Scene, legal: Application) -> None:
    admin = browser(northgate, "admin")
    admin.post(ORGANIZATION, FILLED)
    admin.post(APPLICATION, FILLED | {"override_hours": "3"})
    page = admin.post(f"{APPLICATION}remove", follow=True)
    assert "From now on the organization's hold" in text_of(page)
    assert "12 hours" in text_of(page)
    assert GatePolicy.objects.get().application is None
    assert "relcontrol's defaults" in text_of(admin.post(f"{ORGANIZATION}remove", follow=True))
    assert "there is none to remove" in text_of(admin.post(f"{ORGANIZATION}remove", follow=True))


@pytest.mark.parametrize("path", [LIST, ORGANIZATION, APPLICATION])
def test_pages_are_not_found_by_outsiders(northgate: Scene, eastgate: Scene, legal: Application, path: str) -> None:
    outsider = Client()
    outsider.force_login(person(eastgate.organization, "admin"))
    assert outsider.get(path).status_code == 404
    assert browser(northgate, "viewer").get("/o/northgate/settings/gate-policies/nowhere/").status_code == 404
