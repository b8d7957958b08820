"""The page of an observer: what it says in each state, to whom, and how often it asks the database."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils.html import escape

from gates.models import Slice
from gates.slices.services import create_slice
from relcontrol.clock import now
from releases.models import Release
from releases.observer_models import ObservedSlice, Observer
from releases.rollout_models import Serving
from tests import factories
from tests.releases.observing import factory
from tests.releases.page_visitors import visitor
from tests.releases.pages_observe.reading import text_of
from tests.releases.scene import Scene

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
SCRIPT = "<script>alert(1)</script>"
QUERIES = 45


def url(row: Observer) -> str:
    return f"/o/{row.organization.slug}/observe/{row.route_id}/"


def of(row: Observer, slug: str = "ip-licensing") -> ObservedSlice:
    return row.slices.get(slice=slug)


def test_the_headline_says_that_it_is_armed_and_what_that_means_and_costs(viewer: Client, watched: Observer) -> None:
    text = text_of(viewer.get(url(watched)))
    assert "r2 serves legal-assistant, domain legal. Automatic rollback is armed." in text
    assert "Three windows in a row below the floor, and traffic goes back to r1 with nobody acting." in text
    assert "Expect 0.020 rollbacks a month that nothing justified." in text
    assert "2 of 2 slices" in text
    assert "judge calls a day" in text


def test_a_slice_that_is_not_armed_says_why(viewer: Client, watched: Observer) -> None:
    why = "Not armed: there is no release to go back to."
    watched.slices.filter(slice="ip-licensing").update(armed=False, why=why, false_rollbacks_per_month=None)
    text = text_of(viewer.get(url(watched), {"slice": "ip-licensing"}))
    assert "Automatic rollback is armed on 1 of 2 slices." in text
    assert why in text
    watched.slices.update(armed=False)
    assert "Automatic rollback is not armed." in text_of(viewer.get(url(watched)))


def test_a_slice_whose_judge_works_elsewhere_says_what_that_takes_from_the_watch(
    viewer: Client, watched: Observer
) -> None:
    Slice.objects.filter(organization=watched.organization, slug="ip-licensing").update(judge="external:acme-scores")
    text = text_of(viewer.get(url(watched), {"slice": "ip-licensing"}))
    assert "acme-scores works elsewhere and cannot score what serves" in text
    other = text_of(viewer.get(url(watched), {"slice": "contract-drafting"}))
    assert "works elsewhere" not in other


def test_a_computed_floor_is_written_with_no_more_digits_than_it_takes_beside_the_usual_quality(
    viewer: Client, watched: Observer
) -> None:
    watched.slices.filter(slice="ip-licensing").update(floor=0.5916392, floor_source="override", healthy_mean=0.7)
    text = text_of(viewer.get(url(watched), {"slice": "ip-licensing"}))
    assert "0.59, " in text
    assert "0.591639" not in text


def test_a_slice_below_its_floor_stands_first_with_its_streak(viewer: Client, watched: Observer) -> None:
    factory.breached(of(watched), means=(0.4, 0.3))
    text = text_of(viewer.get(url(watched)))
    assert "ip-licensing of r2 is below its floor, for the second window in a row. One more rolls it back." in text
    assert "Below, 2 of 3" in text
    assert text.index("Below, 2 of 3") < text.index("contract-drafting")


def test_below_the_floor_and_not_armed_it_says_that_nothing_follows(viewer: Client, watched: Observer) -> None:
    watched.slices.update(armed=False)
    factory.breached(of(watched))
    assert "No rollback follows: it is not armed there." in text_of(viewer.get(url(watched)))


def test_the_chart_says_its_finding_and_has_the_same_rows_as_a_table(viewer: Client, watched: Observer) -> None:
    factory.window(of(watched), mean=0.4, streak=1, ago=timedelta(minutes=-2), late=3)
    answer = viewer.get(url(watched), {"slice": "ip-licensing"})
    text = text_of(answer)
    assert "Quality of ip-licensing is 0.40, its floor is 0.55." in text
    assert "1 of 91 windows lay below it; 3 answers came too late to count. A point is one window." in text
    assert "The same as a table" in text
    assert 'data-figure="quality-data"' in answer.text


def test_a_longer_time_has_points_of_many_windows_and_says_so(viewer: Client, watched: Observer) -> None:
    for period, said in (("24h", "15 minutes"), ("7d", "2 hours"), ("", "one window")):
        text = text_of(viewer.get(url(watched), {"period": period, "slice": "ip-licensing"}))
        assert said in text.partition("A point is")[2][:40]
        assert "none of 90 windows lay below it" in text


def test_no_data_is_said_in_words(viewer: Client, watched: Observer) -> None:
    factory.window(of(watched), mean=None, ago=timedelta(minutes=-2), asked=6)
    watched.slices.filter(slice="ip-licensing").update(empty_streak=1)
    text = text_of(viewer.get(url(watched), {"slice": "ip-licensing"}))
    assert "4 scored answers where 10 are needed, 2 could not be scored" in text
    assert "1 had too few answers" in text


def test_ten_windows_without_data_are_silence(viewer: Client, watched: Observer) -> None:
    watched.slices.filter(slice="ip-licensing").update(empty_streak=10, paged_at=now())
    assert "Silent" in text_of(viewer.get(url(watched)))


def test_the_drift_detector_stands_beside_its_alarm(viewer: Client, watched: Observer) -> None:
    since = (now() - timedelta(minutes=100)).isoformat()
    detector = {"level": 0.75, "count": 1800, "sums": [77_760.0] * 5, "known": True, "since": since}
    watched.slices.filter(slice="ip-licensing").update(detector={**detector, "until": now().isoformat()})
    text = text_of(viewer.get(url(watched), {"slice": "ip-licensing"}))
    assert "evidence that quality is below 0.75" in text
    assert re.search(r"77,760 of 777,\d\d\d", text)
    assert "10 %" in text
    assert "Drifts" not in text
    full = {**detector, "sums": [900_000.0] * 5, "until": now().isoformat()}
    watched.slices.filter(slice="ip-licensing").update(detector=full)
    text = text_of(viewer.get(url(watched)))
    assert text.index("ip-licensing Drifts") < text.index("contract-drafting Above")


def test_agreement_on_graded_answers_stands_beside_its_floor(viewer: Client, watched: Observer) -> None:
    watched.slices.filter(slice="ip-licensing").update(rho_floor=0.5525)
    text = text_of(viewer.get(url(watched), {"slice": "ip-licensing"}))
    assert "not measured yet; its floor is 0.5525" in text
    factory.window(of(watched), ago=timedelta(minutes=-2), agreement=0.61, agreement_n=15)
    text = text_of(viewer.get(url(watched), {"slice": "ip-licensing"}))
    assert "0.61 over 15 graded answers" in text


def test_policies_show_their_sentences(viewer: Client, watched: Observer) -> None:
    policies = [
        {
            "name": "Toxicity",
            "sentence": "Too high: 0.2.",
            "violated": True,
            "action": "pause_for_review",
            "dry": False,
        },
        {"name": "Cost", "sentence": "Cheap.", "violated": False, "action": "rollback", "dry": True},
    ]
    Observer.objects.filter(pk=watched.pk).update(policies=policies)
    text = text_of(viewer.get(url(watched)))
    assert "Violated Toxicity Too high: 0.2." in text
    assert "Met Cost, dry: without effect Cheap." in text


def test_a_rollback_shows_how_far_it_has_come(viewer: Client, watched: Observer) -> None:
    row = factory.rollback(watched, watched.release.previous_release)
    text = text_of(viewer.get(url(watched)))
    assert "r2 to r1" in text
    assert "Triggered" in text
    assert re.search(r"Decided [\d:]+ UTC, after 240\.0 s", text)
    assert "Drained not yet" in text
    type(row).objects.filter(pk=row.pk).update(acknowledged_at=now(), drained_at=now())
    assert "Through" in text_of(viewer.get(url(watched)))


def test_waiting_alarms_stand_above_with_the_way_to_decide_them(
    manager: Client, viewer: Client, watched: Observer
) -> None:
    row = factory.alarm(watched)
    page = manager.get(url(watched))
    assert "Waiting for a decision" in text_of(page)
    assert f'href="/o/northgate/observe/alarms/{row.pk}/"' in page.text
    assert "Decide…" in text_of(page)
    assert "Decide…" not in text_of(viewer.get(url(watched)))


def test_worst_answers_are_linked_from_the_route(viewer: Client, watched: Observer) -> None:
    row = factory.worst(factory.alarm(watched))
    assert f'href="/o/northgate/observe/worst/{row.pk}/"' in viewer.get(url(watched)).text


def test_closed_windows_are_read_page_by_page(viewer: Client, watched: Observer) -> None:
    first = viewer.get(url(watched), {"slice": "ip-licensing", "windows": "1"})
    assert "50 windows on this page" in text_of(first)
    older = re.search(r'rel="next"\s+href="([^"]+)"', first.text)
    assert older
    second = viewer.get(url(watched) + older[1].replace("&amp;", "&"))
    assert "40 windows on this page" in text_of(second)
    assert "windows on this page" not in text_of(viewer.get(url(watched), {"slice": "ip-licensing"}))


def test_a_foreign_cursor_is_refused(viewer: Client, watched: Observer) -> None:
    for cursor in ("x", "%00", "MjAyNg", "MjAyNi0xMS0yMlQwMDowMDowMCAx", "99999999999999999999"):
        path = f"{url(watched)}?slice=ip-licensing&windows=1&cursor={cursor}"
        assert viewer.get(path).status_code == 400, cursor


def test_a_slice_that_is_not_watched_is_said_and_left_again(viewer: Client, watched: Observer) -> None:
    answer = viewer.get(url(watched), {"slice": "elsewhere"})
    assert "No such slice is watched here" in text_of(answer)
    assert f'href="{url(watched)}"' in answer.text


def test_a_release_without_watchable_slices_says_what_makes_one(viewer: Client, northgate: Scene) -> None:
    row = factory.observer(factory.served(northgate))
    text = text_of(viewer.get(url(row)))
    assert "nothing watches its quality" in text
    assert "No slice is watched here" in text


def test_before_the_first_window_is_closed_it_says_what_is_waited_for(viewer: Client, northgate: Scene) -> None:
    row = factory.observer(factory.served(northgate))
    factory.observed(row, armed=False, why="", decided_at=None, healthy_mean=None)
    text = text_of(viewer.get(url(row)))
    assert "No window was closed in that time" in text
    assert "Not decided yet" in text


def test_a_route_without_an_observer_says_what_brings_one(viewer: Client, northgate: Scene) -> None:
    route = northgate.application.routes.get()
    text = text_of(viewer.get(f"/o/northgate/observe/{route.pk}/"))
    assert "domain legal serves nothing, so nothing is watched." in text
    assert "relctl roll" in text
    factory.served(northgate)
    assert "Its observer begins" in text_of(viewer.get(f"/o/northgate/observe/{route.pk}/"))


def test_an_observer_that_has_ended_claims_nothing_of_now(viewer: Client, watched: Observer) -> None:
    Serving.objects.filter(pk=watched.serving_id).update(until=now())
    Observer.objects.filter(pk=watched.pk).update(ended_at=now())
    Release.objects.filter(pk=watched.release_id).update(delivery="rolled_back")
    text = text_of(viewer.get(url(watched)))
    assert "r2 no longer serves domain legal, and is not watched any more." in text
    assert "judge calls a day" not in text


def test_who_may_roll_gets_the_way_back_and_the_rehearsal(manager: Client, viewer: Client, watched: Observer) -> None:
    assert f"/routes/{watched.route_id}/rollback" in manager.get(url(watched)).text
    page = viewer.get(url(watched))
    assert f"/routes/{watched.route_id}/rollback" not in page.text
    assert "To roll releases one must be release manager" in text_of(page)


def test_a_poll_gets_nothing_until_there_is_something_newer(viewer: Client, watched: Observer) -> None:
    seq = re.search(r"\?seq=(\d+)", viewer.get(url(watched)).text)
    assert seq
    assert viewer.get(url(watched), {"seq": seq[1]}, headers=HTMX).status_code == 204
    watched.slices.update(next_from=now() + timedelta(minutes=1))
    newer = viewer.get(url(watched), {"seq": seq[1]}, headers=HTMX)
    assert newer.status_code == 200
    assert "<html" not in newer.text


def test_a_poll_keeps_what_was_chosen(viewer: Client, watched: Observer) -> None:
    page = viewer.get(url(watched), {"slice": "ip-licensing", "period": "24h"}).text
    assert "?slice=ip-licensing&amp;period=24h&amp;seq=" in page


def test_an_outsider_finds_no_observer(watched: Observer) -> None:
    outsider = visitor(factories.organization("southgate"), "release-manager")
    assert outsider.get(url(watched)).status_code == 404
    assert outsider.get(f"/o/southgate/observe/{watched.route_id}/").status_code == 404


def test_the_page_takes_no_other_method(manager: Client, watched: Observer) -> None:
    for ask in (manager.post, manager.put, manager.patch, manager.delete):
        assert ask(url(watched)).status_code == 405


def test_texts_with_tags_are_escaped(manager: Client, watched: Observer) -> None:
    factory.alarm(watched, subject=SCRIPT, kind="policy", reason=SCRIPT)
    watched.slices.update(why=SCRIPT)
    page = manager.get(url(watched)).text
    assert SCRIPT not in page
    assert escape(SCRIPT) in page


def test_the_page_costs_the_same_however_many_slices_there_are(
    manager: Client, northgate: Scene, watched: Observer, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(QUERIES) as few:
        manager.get(url(watched))
    ceiling = len(few)
    for number in range(10):
        create_slice(actor=northgate.actor, slug=f"slice-{number}")
        factory.history(factory.observed(watched, f"slice-{number}"), count=20)
        factory.alarm(watched, subject=f"slice-{number}")
    with django_assert_max_num_queries(ceiling):
        manager.get(url(watched))
