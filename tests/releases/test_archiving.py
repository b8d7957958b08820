"""Archiving: a person's last word on a release that was halted or rolled back."""

from typing import Any

import pytest
from django.test import Client

from audit.models import Receipt
from gates.run_models import GateRun
from relcontrol.errors import Conflict, Forbidden, Invalid, NotFound
from relcontrol.web.signin import PROVED_AT
from releases.archiving import archive
from releases.models import Release
from releases.selectors import state_of
from tests.releases.canary import Canary, canary
from tests.releases.page_visitors import visitor
from tests.releases.pages_roll.conftest import proved

WHY = "It invents periods of notice; nothing can mend that."
STOPPED = [Release.Delivery.HALTED, Release.Delivery.ROLLED_BACK]


@pytest.fixture
def here(db: None) -> Canary:
    """Its candidate was halted."""
    made = canary()
    return put(made, Release.Delivery.HALTED)


def put(here: Canary, delivery: str) -> Canary:
    Release.objects.filter(pk=here.candidate.pk).update(delivery=delivery)
    return here


def act(here: Canary, **values: Any) -> Release:
    order: dict[str, Any] = {"actor": here.manager, "release": here.candidate, "reason": WHY}
    return archive(**(order | values))


def delivery(here: Canary) -> str:
    return here.fresh(here.candidate).delivery


def sent(here: Canary, by: Any, **body: Any) -> Any:
    return by.post(f"releases/{here.candidate.pk}/archive", body or {"reason": WHY})


def browser(here: Canary, role: str = "release-manager") -> Client:
    """A browser that has just proved who looks, for a release that no gate has judged."""
    GateRun.objects.filter(manifest_sha256=here.candidate.manifest_sha256).delete()
    return proved(visitor(here.organization, role, email=f"{role}@browser.example"))


def url(here: Canary, end: str = "") -> str:
    return f"/o/{here.organization.slug}/releases/{here.candidate.pk}{end}"


@pytest.mark.parametrize("stopped", STOPPED)
def test_what_was_stopped_is_archived_with_a_receipt(here: Canary, stopped: str) -> None:
    put(here, stopped)
    act(here)
    said = here.last_statement()
    assert delivery(here) == "archived"
    assert (said["event"], said["delivery"]) == ("release.archived", {"from": stopped, "to": "archived"})
    assert said["release"]["manifest_sha256"] == here.candidate.manifest_sha256
    assert said["actor"]["signature_meaning"] == "decided"


def test_archived_is_final(here: Canary) -> None:
    act(here)
    assert "A person has archived it, which is final." in state_of(here.fresh(here.candidate)).why_not
    with pytest.raises(Conflict):
        act(here)
    with pytest.raises(Conflict):
        here.start()


@pytest.mark.parametrize("other", ["registered", "rolling", "superseded", "archived"])
def test_nothing_else_is_archived(here: Canary, other: str) -> None:
    put(here, other)
    before = Receipt.objects.count()
    with pytest.raises(Conflict) as refusal:
        act(here)
    assert (refusal.value.code, delivery(here), Receipt.objects.count()) == ("delivery", other, before)


def test_what_serves_is_not_archived(here: Canary) -> None:
    with pytest.raises(Conflict, match="A release that is stable cannot be archived"):
        act(here, release=here.stable)
    assert here.fresh(here.stable).delivery == "stable"


@pytest.mark.parametrize("reason", ["", "bad", None, 7])
def test_it_takes_a_reason(here: Canary, reason: Any) -> None:
    with pytest.raises(Invalid, match="reason"):
        act(here, reason=reason)
    assert delivery(here) == "halted"


def test_no_gateway_hears_of_it(here: Canary) -> None:
    before = here.generation()
    act(here)
    assert here.generation() == before


def test_a_release_of_another_organization_is_not_found(here: Canary) -> None:
    with pytest.raises(NotFound):
        act(canary("eastgate"), release=here.candidate)


def test_the_call_answers_with_the_release_as_it_is_then(here: Canary) -> None:
    answer = sent(here, here.client("release-manager"))
    assert answer.status_code == 200, answer.content
    assert (answer.json()["delivery"], answer.json()["deployable"]) == ("archived", False)


def test_a_service_may_not_whatever_its_scope(here: Canary) -> None:
    answer = sent(here, here.service("rollouts:write"))
    assert (answer.status_code, answer.json()["code"]) == (403, "person_needed")
    assert delivery(here) == "halted"


def test_the_call_refuses_other_roles_methods_organizations_and_bodies(here: Canary) -> None:
    manager = here.client("release-manager")
    outsider = canary("eastgate").client("release-manager", "viewer")
    refused = [
        sent(here, here.client("viewer", "auditor")),
        manager.get(f"releases/{here.candidate.pk}/archive"),
        sent(here, outsider),
        sent(here, manager, reason="bad"),
        sent(here, manager, why=WHY),
    ]
    assert [each.status_code for each in refused] == [403, 405, 404, 422, 422]
    assert delivery(here) == "halted"


def test_the_page_of_a_stopped_release_has_the_form(here: Canary) -> None:
    client = browser(here)
    assert url(here, "/archive") in client.get(url(here)).text
    answer = client.post(url(here, "/archive"), {"reason": WHY}, follow=True)
    assert "is archived. It never rolls again." in answer.text
    assert url(here, "/archive") not in answer.text
    assert delivery(here) == "archived"


def test_it_is_not_offered_to_those_who_may_not_or_where_it_cannot_be(here: Canary) -> None:
    assert "Archive it" not in browser(here, "viewer").get(url(here)).text
    assert "Archive it" not in browser(here).get(url(put(here, "registered"))).text


def test_a_viewer_cannot_send_it_either(here: Canary) -> None:
    assert browser(here, "viewer").post(url(here, "/archive"), {"reason": WHY}).status_code == 403
    assert delivery(here) == "halted"


def test_a_reason_that_says_too_little_is_refused_on_the_page(here: Canary) -> None:
    answer = browser(here).post(url(here, "/archive"), {"reason": "bad"}, follow=True)
    assert "at least 5 characters" in answer.text
    assert delivery(here) == "halted"


def test_an_old_proof_leads_to_the_sign_in_and_keeps_the_reason(here: Canary) -> None:
    client = browser(here)
    session = client.session
    session[PROVED_AT] -= 601
    session.save()
    assert client.post(url(here, "/archive"), {"reason": WHY})["Location"] == "/step-up"
    assert delivery(here) == "halted"
    assert WHY in client.get(url(here)).text


def test_only_persons_archive(here: Canary) -> None:
    with pytest.raises(Forbidden):
        act(here, actor=here.scene.actor)
