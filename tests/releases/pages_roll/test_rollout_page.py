"""The page of a rollout: what it says in each state, to whom, and how often it asks the database."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from relcontrol.clock import now
from releases.models import Release
from releases.pages.rollout_wording import said_of
from releases.rollout_models import Rollout
from tests import factories
from tests.releases.page_visitors import visitor
from tests.releases.pages_roll import scene as roll
from tests.releases.scene import Scene

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
QUERIES = 45
SCRIPT = "<script>alert(1)</script>"


def url(row: Rollout) -> str:
    return f"/o/{row.organization.slug}/rollouts/{row.pk}/"


def test_what_went_well_is_told_without_its_readings() -> None:
    reasons = ["By rule: dwell 4:00, 1,000 requests, three monitors ok.", "0 of 1,000 candidate requests failed."]
    assert said_of("promoted", reasons) == reasons[0]
    assert said_of("halted", reasons) == " ".join(reasons)


def text_of(answer: Any) -> str:
    """The words of a page, without its tags."""
    assert answer.status_code == 200, answer.content
    words = re.sub(r"<[^>]+>", " ", answer.text.replace("&nbsp;", " ").replace("\N{NO-BREAK SPACE}", " "))
    return re.sub(r"\s+", " ", words)


def test_the_title_says_where_the_canary_is_and_the_steps_what_it_waits_for(viewer: Client, northgate: Scene) -> None:
    text = text_of(viewer.get(url(roll.canary(northgate))))
    assert "r2 answers 25 % of legal-assistant, domain legal." in text
    assert "11:24 of 15:00" in text
    assert "7,912 of 10,000" in text
    assert "7:12 of 4:00" not in text  # a past step shows what it took, not what was asked again
    assert "Why is it not moving?" in text


def test_a_past_checkpoint_shows_the_receipt_of_its_promotion(manager: Client, northgate: Scene) -> None:
    row = roll.canary(northgate)
    step = row.steps.get(act="promoted")
    link = reverse("receipt", kwargs={"organization": "northgate", "receipt": step.receipt_hash})
    assert f'href="{link}"' in manager.get(url(row)).text


def test_a_viewer_reads_numbers_of_receipts_but_gets_no_links_to_them(viewer: Client, northgate: Scene) -> None:
    row = roll.canary(northgate)
    page = viewer.get(url(row)).text
    assert f"#{row.steps.get(act='promoted').receipt_seq}" in page
    assert "/audit/receipts/" not in page


def test_in_shadow_the_title_says_that_nothing_is_answered_yet(viewer: Client, northgate: Scene) -> None:
    shadow = {"percent": 0, "dwell_seconds": 86400, "requests": 1000}
    row = roll.rollout(northgate, state="shadowing", checkpoint=0, shadow=shadow, due=timedelta(days=1))
    text = text_of(viewer.get(url(row)))
    assert "r2 answers copies of legal-assistant, domain legal, unseen." in text
    assert "0 % of traffic" in viewer.get(url(row)).text


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("paused", "r2 is paused at 25 % of legal-assistant, domain legal. It halts"),
        ("waiting_review", "r2 waits for a person at 25 %"),
    ],
)
def test_a_held_rollout_says_when_it_halts(viewer: Client, northgate: Scene, state: str, said: str) -> None:
    at = now() - timedelta(minutes=1)
    row = roll.rollout(northgate, state=state, stopped_at=at, first_held_at=at)
    text = text_of(viewer.get(url(row)))
    assert said in text
    assert "unless somebody decides" in text


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("completed", "r2 answers all of legal-assistant, domain legal since"),
        ("halted", "All traffic went back to r1."),
        ("aborted", "It answers nothing any more."),
    ],
)
def test_a_rollout_that_is_over_says_what_became_of_the_traffic(
    viewer: Client, northgate: Scene, state: str, said: str
) -> None:
    row = roll.rollout(northgate, state=state, look=roll.look())
    answer = viewer.get(url(row))
    text = text_of(answer)
    assert said in text
    assert "1.14×" in text
    assert "data-poll" not in answer.text
    assert "Why is it not moving?" not in text


def test_a_completed_rollout_of_a_release_that_was_replaced_claims_nothing(viewer: Client, northgate: Scene) -> None:
    row = roll.rollout(northgate, state="completed", look=roll.look())
    Release.objects.filter(pk=row.release_id).update(delivery="rolled_back")
    answer = viewer.get(url(row))
    assert "It no longer serves its route." in text_of(answer)
    assert "of traffic goes to" not in answer.text


def test_a_cold_start_that_halted_says_that_nothing_answers(viewer: Client, northgate: Scene) -> None:
    only = Release.objects.get(pk=northgate.registered()["release_id"])
    row = roll.rollout(northgate, releases=(None, only), state="halted")
    assert "gateways say 503" in text_of(viewer.get(url(row)))


def test_a_halted_candidate_shows_what_it_still_answers(viewer: Client, northgate: Scene) -> None:
    row = roll.rollout(northgate, state="halted")
    roll.gateway(northgate.organization, "gw-1", in_flight={row.release.manifest_sha256: 3})
    assert "3 requests of r2 are being finished" in text_of(viewer.get(url(row)))


def test_a_breach_and_a_dry_monitor_are_told_apart(viewer: Client, northgate: Scene) -> None:
    breach = roll.monitor(roll.verdict("errors", "breach", estimate=2.9, limit=1.5), reading="breach")
    dry = roll.monitor(roll.verdict("latency_total", "breach", estimate=1.6), reading="breach", dry=True)
    row = roll.rollout(northgate, state="halted", look=roll.look(errors=breach, latency=dry))
    text = text_of(viewer.get(url(row)))
    assert "Errors Breach" in text
    assert "Breach, dry" in text
    assert "It runs dry: shown, without effect." in text


def test_gateways_that_are_silent_or_lost_stand_first(viewer: Client, northgate: Scene) -> None:
    row = roll.rollout(northgate)
    roll.gateway(northgate.organization, "gw-a")
    roll.gateway(northgate.organization, "gw-b", behind=1)
    roll.gateway(northgate.organization, "gw-c", silent_s=50)
    text = text_of(viewer.get(url(row)))
    assert re.search(r"gw-c \d+ Lost 50 s gw-b \d+ Behind gw-a \d+ In step", text)
    assert "1 of 2 live gateways have acknowledged generation" in text


def test_without_gateways_and_readings_the_page_says_what_it_waits_for(viewer: Client, northgate: Scene) -> None:
    text = text_of(viewer.get(url(roll.rollout(northgate, looked_at=None))))
    assert "No gateway has reported" in text
    assert "not looked at yet" in text


def test_a_poll_gets_nothing_until_there_is_something_newer(viewer: Client, northgate: Scene) -> None:
    row = roll.canary(northgate)
    seq = re.search(r"\?seq=(\d+)", viewer.get(url(row)).text)
    assert seq
    assert viewer.get(url(row), {"seq": seq[1]}, headers=HTMX).status_code == 204
    Rollout.objects.filter(pk=row.pk).update(looked_at=now())
    newer = viewer.get(url(row), {"seq": seq[1]}, headers=HTMX)
    assert newer.status_code == 200
    assert "<html" not in newer.text


def test_the_last_fragment_carries_no_trigger(viewer: Client, northgate: Scene) -> None:
    row = roll.rollout(northgate, state="halted")
    assert "hx-trigger" not in viewer.get(url(row), {"seq": "0"}, headers=HTMX).text


def test_an_outsider_finds_no_rollout(northgate: Scene) -> None:
    row, southgate = roll.rollout(northgate), factories.organization("southgate")
    outsider = visitor(southgate, "release-manager")
    assert outsider.get(url(row)).status_code == 404
    assert outsider.get(f"/o/southgate/rollouts/{row.pk}/").status_code == 404


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_the_page_takes_no_other_method(manager: Client, northgate: Scene, method: str) -> None:
    assert getattr(manager, method)(url(roll.rollout(northgate))).status_code == 405


def test_texts_with_tags_are_escaped(manager: Client, northgate: Scene) -> None:
    row = roll.canary(northgate, reasons=[SCRIPT], state="paused", look=roll.look())
    row.steps.update(reasons=[SCRIPT], actor_label=SCRIPT)
    page = manager.get(url(row)).text
    assert SCRIPT not in page
    assert escape(SCRIPT) in page


def test_the_page_costs_the_same_however_much_there_is(
    manager: Client, northgate: Scene, django_assert_max_num_queries: Any
) -> None:
    row = roll.canary(northgate)
    with django_assert_max_num_queries(QUERIES) as few:
        manager.get(url(row))
    for number in range(30):
        roll.gateway(northgate.organization, f"gw-{number}")
        roll.moved(row, "extended", 10 + number, percent=25, checkpoint=2, ago=timedelta(minutes=1))
    with django_assert_max_num_queries(len(few)):
        manager.get(url(row))
