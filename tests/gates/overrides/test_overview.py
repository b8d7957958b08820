"""The queue of the overview: what of the gate waits for whom."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils.html import escape

from gates.models import SuiteCase
from gates.reviews.allowlist import propose
from gates.run_models import GateRun, Override
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Person, Token
from relcontrol.clock import now
from relcontrol.jobs.heartbeats import beat
from tests.factories import person, service_token
from tests.gates.overrides.scene import REASON, Gate, gate_run, person_actor

URL = "/o/northgate/"
MAY_SHIP = "Decide whether legal-assistant r2 may ship against its gate"
MEND = "Mend legal-assistant r2, or ask for an override"


@pytest.fixture
def look(failed: Gate) -> Callable[[Person], str]:
    """What somebody sees, with every process at work."""
    beat("ticker", now())
    beat("worker", now())
    beat("replayer", now())

    def see(who: Person) -> str:
        client = Client()
        client.force_login(who)
        return client.get(URL).text

    return see


def test_a_request_waits_for_the_other_release_manager_only(failed: Gate, look: Any) -> None:
    failed.requested()
    text = look(failed.approver)
    assert MAY_SHIP in text
    assert escape(f"mara asks: {REASON}") in text
    assert "lapses" in text
    assert MAY_SHIP not in look(failed.asker)
    for role in ("viewer", "domain-owner", "auditor", "admin"):
        assert MAY_SHIP not in look(person(failed.organization, role))


def test_what_her_own_token_asked_for_does_not_wait_for_her(failed: Gate, look: Any) -> None:
    text = service_token(failed.organization, "overrides:write")
    token = Token.objects.get(public=text.removeprefix("rc_").partition(".")[0])
    Token.objects.filter(pk=token.pk).update(created_by=failed.approver.pk)
    failed.requested(actor=Actor(organization=failed.organization, kind="service", auth="token", token=token))
    assert MAY_SHIP not in look(failed.approver)
    assert MAY_SHIP in look(failed.asker)


def test_what_has_lapsed_or_was_decided_waits_for_nobody(failed: Gate, look: Any) -> None:
    row = failed.requested()
    Override.objects.filter(pk=row.pk).update(expires_at=now())
    assert MAY_SHIP not in look(failed.approver)
    Override.objects.filter(pk=row.pk).update(state="rejected", expires_at=row.expires_at)
    assert MAY_SHIP not in look(failed.approver)


def test_a_failed_gate_waits_for_release_managers_until_something_is_done(failed: Gate, look: Any) -> None:
    assert MEND in look(failed.asker)
    assert MEND not in look(person(failed.organization, "domain-owner"))
    failed.requested()
    assert MEND not in look(failed.asker)


@pytest.mark.parametrize("done", ["a pass", "a later release", "a week"])
def test_a_failed_gate_is_not_brought_up_for_ever(failed: Gate, look: Any, done: str) -> None:
    if done == "a pass":
        gate_run(failed.release, "gate_pass")
    elif done == "a later release":
        failed.another()
    else:
        GateRun.objects.update(finished_at=now() - timedelta(days=8))
    assert MEND not in look(failed.asker)


def _held(failed: Gate) -> GateRun:
    run = gate_run(failed.release, "gate_hold", requested_by=failed.asker.pk)
    document = run.document or {}
    document["slices"][0]["verdict"] = "review"
    document["slices"][0]["agreement"]["verdict"] = "pass"
    document["slices"][0]["change"] |= {"verdict": "review", "reasons": ["19 small drops."]}
    run.save(update_fields=["document"])
    return run


def test_what_a_gate_left_for_review_waits_for_who_may_sign_it_off(failed: Gate, look: Any) -> None:
    run = _held(failed)
    owner = person(failed.organization, "domain-owner")
    text = look(owner)
    assert "Look at what the gate left for review of legal-assistant r2" in text
    assert "19 small drops." in text
    assert f"/gate/{run.pk}/sign-off/" in text
    assert "left for review" not in look(failed.asker)
    run.sign_offs.create(items=["slice:ip-licensing:change"], reason=REASON, signed_by="x", signed_at=now())
    assert "left for review" not in look(owner)


def test_a_proposed_case_waits_for_a_second_reviewer(failed: Gate, look: Any) -> None:
    case = SuiteCase.objects.filter(suite__organization=failed.organization).earliest("pk")
    proposer = person_actor(failed.organization, failed.asker)
    propose(actor=proposer, suite=case.suite, case_id=case.case_id, justification=REASON)
    said = f"Review whether case {case.case_id} may drop further"
    assert said in look(failed.approver)
    assert said not in look(failed.asker)


def test_the_lists_show_verdict_stage_and_worst_slice(failed: Gate, look: Any) -> None:
    browser = Client()
    browser.force_login(failed.asker)
    for text in (look(failed.asker), browser.get("/o/northgate/releases/").text):
        for said in ("Failed", "Archived", "IP licensing", "0.41", "none judged"):
            assert said in text, said


def test_more_of_everything_costs_no_more_queries(failed: Gate, look: Any, django_assert_max_num_queries: Any) -> None:
    failed.requested()
    with django_assert_max_num_queries(46) as few:
        look(failed.approver)
    ceiling = len(few)
    for _ in range(4):
        release = failed.another()
        gate_run(release)
        failed.requested(release=release)
    with django_assert_max_num_queries(ceiling):
        look(failed.approver)
