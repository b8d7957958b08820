"""Deciding an alarm: what it says, what may be chosen, and that a decision is written down once."""

from typing import Any

import pytest
from django.test import Client

from audit.models import Receipt
from relcontrol.clock import now
from releases.observer_models import DriftAlarm, Observer
from releases.rollout_models import Serving
from tests import factories
from tests.releases.observing import factory
from tests.releases.page_visitors import visitor
from tests.releases.pages_observe.reading import text_of
from tests.releases.scene import Scene

pytestmark = pytest.mark.django_db
COMMENT = "We read fifty of them: they are right."
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def drifting(northgate: Scene) -> DriftAlarm:
    """An alarm of a slice that has been scored of late."""
    return factory.alarm(factory.watched(northgate, "ip-licensing", minutes=5))


def url(row: DriftAlarm) -> str:
    return f"/o/{row.organization.slug}/observe/alarms/{row.pk}/"


def test_it_says_what_was_found_and_what_follows(manager: Client, drifting: DriftAlarm) -> None:
    text = text_of(manager.get(url(drifting)))
    assert "Quality of ip-licensing of r2 drifts. Somebody has to decide." in text
    assert drifting.reason in text
    assert "no rollout starts on this route" in text
    assert "Evidence 900,000" in text
    assert "Alarms at 432,000" in text


def test_each_cause_has_its_own_words(manager: Client, drifting: DriftAlarm) -> None:
    for cause, said, rebases in (
        ("drift", "Quality of ip-licensing of r2 drifts.", True),
        ("breach", "ip-licensing of r2 is below its floor, and nothing took it back.", False),
        ("agreement", "The judge of ip-licensing has left the experts.", False),
    ):
        DriftAlarm.objects.filter(pk=drifting.pk).update(facts={"cause": cause, "value": 0.4, "limit": 0.5, "n": 22})
        answer = manager.get(url(drifting))
        assert said in text_of(answer)
        assert ('value="rebase_level"' in answer.text) is rebases


def test_a_policy_s_alarm_names_the_policy(manager: Client, watched: Observer) -> None:
    row = factory.alarm(watched, "Toxicity", kind="policy", facts={"metric": "score:toxicity", "value": 0.2})
    assert "r2 violates the policy Toxicity." in text_of(manager.get(url(row)))


@pytest.mark.parametrize("decision", ["keep", "rebase_level"])
def test_a_decision_is_kept_with_its_comment_and_receipt(
    manager: Client, viewer: Client, drifting: DriftAlarm, decision: str
) -> None:
    answer = manager.post(url(drifting), {"decision": decision, "comment": COMMENT}, follow=True)
    text = text_of(answer)
    assert "Decided. Rollouts may start on this route again" in text
    assert COMMENT in text
    drifting.refresh_from_db()
    assert drifting.decision == decision
    receipt = Receipt.objects.filter(organization=drifting.organization).latest("seq")
    assert (receipt.event, receipt.receipt_hash) == ("drift.alarmed", drifting.decided_receipt_hash)
    assert COMMENT in text_of(viewer.get(url(drifting)))


def test_what_is_missing_is_said_and_nothing_is_decided(manager: Client, drifting: DriftAlarm) -> None:
    for sent, said in (
        ({"decision": "keep", "comment": ""}, "This field is required."),
        ({"decision": "keep", "comment": "ok"}, "at least 5 characters"),
        ({"decision": "", "comment": COMMENT}, "This field is required."),
        ({"decision": "rolled_back", "comment": COMMENT}, "Select a valid choice"),
    ):
        assert said in text_of(manager.post(url(drifting), sent), status=422)
    drifting.refresh_from_db()
    assert drifting.decided_at is None


def test_a_second_decision_is_refused_and_shows_the_first(manager: Client, drifting: DriftAlarm) -> None:
    manager.post(url(drifting), {"decision": "keep", "comment": COMMENT})
    text = text_of(manager.post(url(drifting), {"decision": "keep", "comment": "Another word."}), status=409)
    assert COMMENT in text
    drifting.refresh_from_db()
    assert drifting.comment == COMMENT


def test_of_a_release_that_serves_no_longer_it_can_only_be_closed(manager: Client, drifting: DriftAlarm) -> None:
    Serving.objects.filter(pk=drifting.observer.serving_id).update(until=now())
    page = manager.get(url(drifting)).text
    assert 'value="rolled_back"' in page
    assert 'value="keep"' not in page
    manager.post(url(drifting), {"decision": "rolled_back", "comment": COMMENT})
    drifting.refresh_from_db()
    assert drifting.decision == "rolled_back"


def test_who_may_not_decide_reads_why_and_changes_nothing(viewer: Client, drifting: DriftAlarm) -> None:
    answer = viewer.get(url(drifting))
    assert "To roll releases one must be release manager" in text_of(answer)
    assert '<form class="c-body"' not in answer.text
    assert viewer.post(url(drifting), {"decision": "keep", "comment": COMMENT}).status_code == 403
    drifting.refresh_from_db()
    assert drifting.decided_at is None


def test_an_outsider_finds_no_alarm(drifting: DriftAlarm) -> None:
    outsider = visitor(factories.organization("southgate"), "release-manager")
    assert outsider.get(url(drifting)).status_code == 404
    assert outsider.get(f"/o/southgate/observe/alarms/{drifting.pk}/").status_code == 404


def test_the_page_takes_no_other_method(manager: Client, drifting: DriftAlarm) -> None:
    for ask in (manager.put, manager.patch, manager.delete):
        assert ask(url(drifting)).status_code == 405


def test_texts_with_tags_are_escaped(manager: Client, watched: Observer) -> None:
    row = factory.alarm(watched, SCRIPT, kind="policy", reason=SCRIPT, facts={"metric": SCRIPT})
    assert SCRIPT not in manager.get(url(row)).text


def test_the_overview_has_what_somebody_must_decide_or_see(
    manager: Client, viewer: Client, northgate: Scene, drifting: DriftAlarm
) -> None:
    factory.rollback(drifting.observer, drifting.observer.release.previous_release)
    drifting.observer.slices.update(empty_streak=10, paged_at=now())
    text = text_of(manager.get("/o/northgate/"))
    first = text.index("See why legal-assistant r2 was rolled back")
    second = text.index("Decide: Quality of ip-licensing of legal-assistant r2 drifts")
    third = text.index("Find out why nobody knows how ip-licensing of legal-assistant answer")
    assert first < second < third
    assert "was rolled back" not in text_of(viewer.get("/o/northgate/"))


def test_the_overview_forgets_a_rollback_once_something_new_serves(
    manager: Client, drifting: DriftAlarm, northgate: Scene, monkeypatch: Any
) -> None:
    factory.rollback(drifting.observer, drifting.observer.release.previous_release)
    assert "was rolled back" in text_of(manager.get("/o/northgate/"))
    Serving.objects.filter(pk=drifting.observer.serving_id).update(since=now())
    assert "was rolled back" not in text_of(manager.get("/o/northgate/"))
