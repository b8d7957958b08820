"""The list of rollouts, the page of a route, and rolling a route back."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from audit.models import Receipt
from releases.models import Release
from releases.replica_models import Warmth
from releases.rolling.following import follow_rollbacks
from releases.rollout_models import Rollback, Rollout
from tests import factories
from tests.releases.page_visitors import visitor
from tests.releases.pages_roll import scene as roll
from tests.releases.pages_roll.test_rollout_page import text_of
from tests.releases.scene import Scene

pytestmark = pytest.mark.django_db
LIST = "/o/northgate/rollouts/"
REASON = "Answers on licences got worse since noon."


@pytest.fixture
def pair(northgate: Scene) -> tuple[Release, Release]:
    """What was stable before, and what serves now."""
    row = roll.rollout(northgate, state="completed", look=roll.look())
    assert row.previous
    roll.served(row.previous, since=timedelta(days=3), until=timedelta(minutes=2))
    roll.served(row.release, since=timedelta(minutes=2), reason="All checkpoints were within their limits.")
    return row.previous, row.release


def route_url(row: Release) -> str:
    return f"/o/northgate/routes/{row.route_id}/"


def send(client: Client, row: Release, act: str = "roll-back", **sent: Any) -> Any:
    before = row.route.releases.order_by("number").first()
    assert before
    body = {"to": before.pk, "reason": REASON, "typed": row.route.name, "act": act, **sent}
    return client.post(route_url(row) + "rollback", body)


def untouched() -> tuple[int, int, list[str]]:
    deliveries = list(Release.objects.order_by("number").values_list("delivery", flat=True))
    return Receipt.objects.count(), Rollback.objects.count(), deliveries


def test_without_rollouts_the_list_says_how_one_begins(viewer: Client, northgate: Scene) -> None:
    text = text_of(viewer.get(LIST))
    assert "No rollout is running." in text
    assert "relctl roll MANIFEST_SHA256" in text
    assert "nothing: 503" in text


def test_running_rollouts_stand_before_those_that_are_over(viewer: Client, northgate: Scene) -> None:
    first, second = roll.releases(northgate)
    roll.rollout(northgate, releases=(first, second), state="halted")
    roll.rollout(northgate, releases=(first, second))
    text = text_of(viewer.get(LIST))
    assert "One rollout is running." in text
    assert text.index("Canary running") < text.index("Halted")


def test_the_list_costs_the_same_at_any_length(
    viewer: Client, northgate: Scene, django_assert_max_num_queries: Any
) -> None:
    both = roll.releases(northgate)
    for _ in range(3):
        roll.rollout(northgate, releases=both, state="halted")
    with django_assert_max_num_queries(14) as few:
        viewer.get(LIST)
    for _ in range(27):
        roll.rollout(northgate, releases=both, state="halted")
    with django_assert_max_num_queries(len(few)):
        viewer.get(LIST)


def test_the_tab_of_a_release_shows_its_rollouts(viewer: Client, northgate: Scene) -> None:
    row = roll.rollout(northgate)
    page = viewer.get(f"/o/northgate/releases/{row.release_id}?tab=rollout").text
    assert f"/o/northgate/rollouts/{row.pk}/" in page
    other = viewer.get(f"/o/northgate/releases/{row.previous_id}?tab=rollout").text
    assert "It has not rolled out yet" in other


def test_a_route_says_what_serves_it_since_when_and_why(viewer: Client, pair: tuple[Release, Release]) -> None:
    text = text_of(viewer.get(route_url(pair[1])))
    assert "r2 serves domain legal." in text
    assert "Rollout completed 2 min ago , by rule: All checkpoints were within their limits." in text
    assert "r1 3 d ago 2 min ago" in text


def test_a_route_that_serves_nothing_says_what_gateways_answer(viewer: Client, northgate: Scene) -> None:
    route = northgate.application.routes.get()
    text = text_of(viewer.get(f"/o/northgate/routes/{route.pk}/"))
    assert "Nothing serves domain legal." in text
    assert "503" in text


def test_a_route_shows_the_rollout_that_runs_on_it(viewer: Client, northgate: Scene) -> None:
    row = roll.rollout(northgate)
    assert f"/o/northgate/rollouts/{row.pk}/" in viewer.get(route_url(row.release)).text


def test_a_route_of_another_organization_is_not_there(pair: tuple[Release, Release]) -> None:
    outsider = visitor(factories.organization("southgate"), "release-manager")
    assert outsider.get(route_url(pair[1])).status_code == 404
    assert outsider.get(f"/o/southgate/routes/{pair[1].route_id}/").status_code == 404
    before = untouched()
    assert send(outsider, pair[1]).status_code == 404
    assert untouched() == before


@pytest.mark.parametrize("path", ["", "rollback"])
def test_pages_of_a_route_take_no_other_method(manager: Client, pair: tuple[Release, Release], path: str) -> None:
    assert manager.delete(route_url(pair[1]) + path).status_code == 405


def test_a_route_costs_the_same_however_long_its_history(
    viewer: Client, pair: tuple[Release, Release], django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(24) as few:
        viewer.get(route_url(pair[1]))
    for number in range(30):
        roll.served(pair[0], since=timedelta(days=9 + number), until=timedelta(days=8 + number))
    with django_assert_max_num_queries(len(few)):
        viewer.get(route_url(pair[1]))


def test_rolling_back_takes_the_typed_name_and_leads_to_the_route(
    manager: Client, pair: tuple[Release, Release]
) -> None:
    answer = send(manager, pair[1])
    assert answer.headers["Location"] == route_url(pair[1])
    assert untouched()[2] == ["stable", "rolled_back"]
    row = Rollback.objects.get()
    assert (row.reason, row.rehearsed, row.target) == (REASON, False, pair[0])
    text = text_of(manager.get(route_url(pair[1])))
    assert "r2 to r1" in text
    assert REASON in text


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"typed": "legal"}, "exactly as it stands here; nothing was done"),
        ({"reason": ""}, "This field is required"),
        ({"to": "rel_none"}, "not one of the available choices"),
    ],
)
def test_what_is_not_right_rolls_nothing_back_and_keeps_what_was_typed(
    manager: Client, pair: tuple[Release, Release], sent: dict[str, str], said: str
) -> None:
    before = untouched()
    answer = send(manager, pair[1], **sent)
    assert answer.status_code == 422
    assert said in answer.text
    assert sent.get("reason", REASON) in answer.text
    assert untouched() == before


def test_rolling_back_asks_again_who_acts(pair: tuple[Release, Release]) -> None:
    browser = visitor(pair[1].organization, "release-manager")
    before = untouched()
    assert send(browser, pair[1]).headers["Location"] == "/step-up"
    assert untouched() == before


def test_a_rehearsal_needs_no_typed_name_and_changes_nothing_but_the_chain(
    manager: Client, pair: tuple[Release, Release], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("releases.rolling.rolling_back.ensure_warm", _warm)
    before = untouched()
    assert send(manager, pair[1], "rehearse", typed="").status_code == 302
    assert untouched()[2] == before[2]
    assert Rollback.objects.get().rehearsed
    assert "Rehearsed: nothing was changed" in text_of(manager.get(route_url(pair[1])))


def _warm(release: Release, at: Any) -> Warmth:
    return Warmth.objects.create(release=release, warm=True, probed_at=at)


def test_a_viewer_reads_the_reason_in_place_of_the_form(viewer: Client, pair: tuple[Release, Release]) -> None:
    before = untouched()
    page = viewer.get(route_url(pair[1]) + "rollback").text
    assert "one must be release manager" in page
    assert "<textarea" not in page
    assert send(viewer, pair[1]).status_code == 403
    assert untouched() == before


def test_without_live_gateways_nobody_claims_that_a_rollback_came_through(
    manager: Client, pair: tuple[Release, Release]
) -> None:
    send(manager, pair[1])
    assert "it is not known who has it" in text_of(manager.get(route_url(pair[1])))
    roll.gateway(pair[1].organization, "gw-1", in_flight={pair[1].manifest_sha256: 2})
    text = text_of(manager.get(route_url(pair[1])))
    assert "1 of 1 live gateways have it; 2 requests of r2 are being finished" in text


def test_a_rollback_shows_its_moments_one_after_the_other(manager: Client, pair: tuple[Release, Release]) -> None:
    roll.gateway(pair[1].organization, "gw-1", in_flight={pair[1].manifest_sha256: 2})
    send(manager, pair[1])
    row = Rollback.objects.get()
    url = route_url(pair[1])
    assert "Acknowledged not yet Gateways have not reported yet." in text_of(manager.get(url))
    follow_rollbacks(row.decided_at)
    text = text_of(manager.get(url))
    assert "Decided" in text
    assert "0 of 1 gateways have it." in text
    assert "Drained not yet 2 requests of r2 are being finished." in text
    follow_rollbacks(row.decided_at + timedelta(minutes=15))
    assert "Not confirmed by every gateway" in text_of(manager.get(url))


def test_a_rollback_aborts_the_rollout_that_runs(manager: Client, pair: tuple[Release, Release]) -> None:
    before, serving = pair
    running = Rollout.objects.get()
    again = roll.rollout(_scene(running), releases=(serving, _third(serving)), state="checkpoint")
    assert "is aborted" in text_of(manager.get(route_url(serving) + "rollback"))
    send(manager, serving, to=before.pk)
    again.refresh_from_db()
    assert again.state == "aborted"


def _scene(row: Rollout) -> Any:
    class Owner:
        organization, application = row.organization, row.application

    return Owner()


def _third(of: Release) -> Release:
    of.refresh_from_db()
    row = Release.objects.get(pk=of.pk)
    row.pk, row.number, row.delivery = "rel_third", 3, Release.Delivery.REGISTERED
    row.manifest_sha256, row.previous_release = "3" * 64, of
    row.save(force_insert=True)
    return row


def test_a_route_and_the_traces_lie_below_roll_in_the_menu(pair: tuple[Release, Release]) -> None:
    _, now = pair
    client = visitor(now.organization, "viewer")
    for url in (route_url(now), "/o/northgate/traces/", LIST):
        (marked,) = re.findall(r'href="([^"]+)"\s+data-go="."\s+aria-current="page"', client.get(url).text)
        assert marked == LIST
