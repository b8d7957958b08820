"""The page that starts a rollout: by form as by API, tried dry first, refused with every reason."""

from typing import Any

import pytest
from django.test import Client

from audit.models import Receipt
from releases.replica_models import Replica
from releases.rollout_models import Rollout
from tests.releases.canary import Canary, canary
from tests.releases.page_visitors import visitor
from tests.releases.pages_roll.test_rollout_page import text_of
from tests.releases.scene import Scene

pytestmark = pytest.mark.django_db
REASON = "It is Monday and everybody is here."


@pytest.fixture
def here(db: None) -> Canary:
    """A stable release, and a candidate that may roll."""
    return canary()


@pytest.fixture
def browser(here: Canary) -> Client:
    """The browser of a second release manager."""
    return visitor(here.organization, "release-manager", email="second@northgate.example")


def url(here: Canary) -> str:
    return f"/o/northgate/releases/{here.candidate.pk}/roll/"


def send(client: Client, here: Canary, **sent: Any) -> Any:
    return client.post(url(here), {"strategy": "canary", "reason": REASON, "act": "start", **sent})


def test_the_form_begins_with_the_default_plan(browser: Client, here: Canary) -> None:
    page = browser.get(url(here)).text
    for value in ("240", "900", "1000", "10000"):
        assert f'value="{value}"' in page


def test_a_start_leads_to_the_page_of_the_rollout(browser: Client, here: Canary) -> None:
    answer = send(browser, here, dwell_5pct_seconds="60", requests_25pct="500")
    row = Rollout.objects.get()
    assert answer.headers["Location"] == f"/o/northgate/rollouts/{row.pk}/"
    assert [(step["dwell_seconds"], step["requests"]) for step in row.plan] == [(60, 1000), (900, 500), (240, 1000)]
    assert REASON in row.reasons[0]
    assert "The rollout of r2 has begun." in text_of(browser.get(f"/o/northgate/rollouts/{row.pk}/"))


def test_a_shadow_and_dry_monitors_are_taken_over(browser: Client, here: Canary) -> None:
    send(browser, here, strategy="shadow", dry_monitors=["quality"])
    row = Rollout.objects.get()
    assert (row.state, row.settings["dry"]) == ("shadowing", ["quality"])


def test_a_dry_run_says_what_would_happen_and_starts_nothing(browser: Client, here: Canary) -> None:
    before = Receipt.objects.count()
    text = text_of(send(browser, here, act="dry-run"))
    assert "Tried dry: nothing was changed" in text
    assert "It would begin at 5 %" in text
    assert REASON in text
    assert "by this plan about" not in text
    assert here.fresh(here.candidate).staged_at is not None  # gateways have it ready, or none would ever report it
    assert (Rollout.objects.count(), Receipt.objects.count()) == (0, before)


def test_a_plan_that_leaves_too_little_to_compare_with_at_100_percent_is_said(browser: Client, here: Canary) -> None:
    thin = {"requests_5pct": "50", "requests_25pct": "50"}
    said = "by this plan about 1,100 requests. With fewer than 1,000 they only hold"
    assert said in text_of(send(browser, here, act="dry-run", **thin))
    assert said in text_of(browser.get(send(browser, here, **thin).headers["Location"]))


def test_a_dry_run_lists_what_is_missing(browser: Client, here: Canary) -> None:
    Replica.objects.all().delete()
    text = text_of(send(browser, here, act="dry-run"))
    assert "Would not start" in text
    assert "No gateway has reported" in text


def test_a_refused_start_says_why_and_keeps_what_was_typed(browser: Client, here: Canary) -> None:
    Replica.objects.all().delete()
    before = Receipt.objects.count()
    answer = send(browser, here)
    assert answer.status_code == 409
    assert "No gateway has reported" in answer.text
    assert REASON in answer.text
    assert (Rollout.objects.count(), Receipt.objects.count()) == (0, before)


@pytest.mark.parametrize(
    "sent", [{"dwell_5pct_seconds": "0"}, {"requests_5pct": "x"}, {"strategy": "all"}, {"dry_monitors": ["all"]}]
)
def test_a_form_that_cannot_be_read_starts_nothing(browser: Client, here: Canary, sent: dict[str, Any]) -> None:
    assert send(browser, here, **sent).status_code == 422
    assert not Rollout.objects.exists()


def test_a_viewer_reads_the_reason_and_starts_nothing(here: Canary) -> None:
    looker = visitor(here.organization, "viewer")
    assert "one must be release manager" in looker.get(url(here)).text
    assert send(looker, here).status_code == 403
    assert not Rollout.objects.exists()


def test_a_release_that_may_not_roll_shows_no_form(manager: Client, northgate: Scene) -> None:
    made = northgate.registered()["release_id"]
    page = manager.get(f"/o/northgate/releases/{made}/roll/").text
    assert "may not roll out" in page
    assert "<textarea" not in page
