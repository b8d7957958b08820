"""The list of observed routes: who is armed, who is not and why, who is below the floor; and the other empty states."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from relcontrol.clock import now
from releases.observer_models import Observer
from releases.rollout_models import Rollback
from tests import factories
from tests.releases.canary import serving
from tests.releases.observing import factory
from tests.releases.page_visitors import visitor
from tests.releases.pages_observe.reading import text_of
from tests.releases.scene import OTHER_MODEL, Scene, stable

pytestmark = pytest.mark.django_db
URL = "/o/northgate/observe/"
QUERIES = 25


def test_a_route_shows_what_it_serves_and_that_it_is_armed(viewer: Client, watched: Observer) -> None:
    answer = viewer.get(URL)
    text = text_of(answer)
    assert "Automatic rollback is armed on the route that serves." in text
    assert "Armed on 2 slices" in text
    assert f'href="/o/northgate/observe/{watched.route_id}/"' in answer.text


def test_judged_answers_a_day_are_those_of_the_last_hour(viewer: Client, watched: Observer) -> None:
    text = text_of(viewer.get(URL))
    hour = now() - timedelta(hours=1)
    asked = sum(row.windows.filter(started_at__gte=hour).count() for row in watched.slices.all()) * 20
    assert f"{asked * 24:,}" in text


def test_a_route_that_is_not_armed_says_why(viewer: Client, watched: Observer) -> None:
    watched.slices.update(armed=False, why="Not armed: there is no release to go back to.")
    text = text_of(viewer.get(URL))
    assert "Automatic rollback is armed nowhere." in text
    assert "there is no release to go back to" in text


def test_a_route_below_its_floor_comes_first_and_in_the_title(viewer: Client, watched: Observer) -> None:
    factory.breached(watched.slices.get(slice="ip-licensing"), means=(0.4,))
    text = text_of(viewer.get(URL))
    assert "One route answers below its floor." in text
    assert "Below, 1 of 3" in text


def test_choices_narrow_the_list_and_can_be_left(viewer: Client, watched: Observer) -> None:
    for show, there in (("armed", True), ("below", False), ("not-armed", False), ("", True)):
        answer = viewer.get(URL, {"show": show})
        assert (f"/observe/{watched.route_id}/" in answer.text) is there
        assert ('data-empty="no-match"' in answer.text) is not there


def test_the_last_rollback_of_a_route_is_there_and_a_rehearsal_is_none(viewer: Client, watched: Observer) -> None:
    row = factory.rollback(watched, watched.release.previous_release, rehearsed=True)
    assert "1 min ago" not in text_of(viewer.get(URL))
    Rollback.objects.filter(pk=row.pk).update(rehearsed=False)
    assert "1 min ago" in text_of(viewer.get(URL))


def test_before_anything_was_watched_it_says_what_watching_is_and_what_to_run(viewer: Client, northgate: Scene) -> None:
    text = text_of(viewer.get(URL))
    assert "No route serves anything, so nothing is watched." in text
    assert "Nothing has been watched yet" in text
    assert "relctl roll" in text


def test_the_menu_has_the_screen(viewer: Client, northgate: Scene) -> None:
    assert f'href="{URL}"' in viewer.get("/o/northgate/").text


def test_an_outsider_finds_nothing(watched: Observer) -> None:
    outsider = visitor(factories.organization("southgate"), "release-manager")
    assert outsider.get(URL).status_code == 404
    assert str(watched.route_id) not in outsider.get("/o/southgate/observe/").text


def test_the_release_has_a_tab_that_says_where_it_is_watched(viewer: Client, watched: Observer) -> None:
    text = text_of(viewer.get(f"/o/northgate/releases/{watched.release_id}", {"tab": "observe"}))
    assert "domain legal, armed on 2 of 2 slices" in text
    assert "Automatic rollback is armed on 2 of 2 slices of domain legal." in text
    Observer.objects.filter(pk=watched.pk).update(ended_at=now())
    text = text_of(viewer.get(f"/o/northgate/releases/{watched.release_id}", {"tab": "observe"}))
    assert "It was watched on domain legal until another release took its place." in text


def test_a_release_that_was_never_watched_says_when_that_begins(viewer: Client, northgate: Scene) -> None:
    made = northgate.registered()["release_id"]
    text = text_of(viewer.get(f"/o/northgate/releases/{made}", {"tab": "observe"}))
    assert "It has not been watched yet" in text
    assert "Begins when a release answers all traffic of its route." in text


def test_more_routes_cost_no_more_queries(
    viewer: Client, northgate: Scene, watched: Observer, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(QUERIES) as few:
        viewer.get(URL)
    ceiling = len(few)
    for number in range(5):
        beside = factories.route(northgate.application, domain=f"d{number}")
        release = stable(northgate.registered(routing=beside.routing, model_ref=OTHER_MODEL)["release_id"])
        serving(release)
        factory.history(factory.observed(factory.observer(release)), count=5)
    with django_assert_max_num_queries(ceiling):
        assert "Armed on 1 slice" in text_of(viewer.get(URL))
