"""The share that no slice takes: as a sentence with a status for each route, and as a need of domain owners."""

from datetime import timedelta

import pytest
from django.test import Client

from relcontrol.clock import now
from releases.traces import unassigned
from releases.traces.slicing import Unassigned
from releases.traces.unassigned import shares_of_unassigned
from tests import factories
from tests.releases.page_visitors import visitor
from tests.releases.pages_roll.test_rollout_page import text_of
from tests.releases.pages_traces.requests import many, told
from tests.releases.scene import Scene

pytestmark = pytest.mark.django_db
URL = "/o/northgate/traces/"
NEED = "Say which slice 61 of 200 requests of legal-assistant, domain legal belong to"


def overview(here: Scene, role: str) -> str:
    return visitor(here.organization, role, email=f"{role}@visitor.example").get("/o/northgate/").text


def test_each_route_with_requests_has_its_share(northgate: Scene) -> None:
    factories.route(northgate.application, domain="silent")
    legal = northgate.application.routes.get(routing={"domain": "legal"})
    other = factories.organization("southgate")
    told(northgate, 1, route=legal.pk)
    told(northgate, 2, route=legal.pk, arm=None)
    told(northgate, 3, route=legal.pk, arm="shadow")  # its request is counted already
    told(northgate, 4, route=legal.pk, ago=timedelta(minutes=61))
    (share,) = shares_of_unassigned(northgate.organization, now())
    assert (share.route, share.unassigned) == (legal, Unassigned(2, 2))
    assert shares_of_unassigned(northgate.organization, now(), route="rte_none") == []
    assert shares_of_unassigned(other, now(), route=legal.pk) == []


def test_of_a_busy_route_only_the_newest_are_counted(northgate: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unassigned, "MOST_COUNTED", 2)
    for number in range(5):
        told(northgate, number, ago=timedelta(minutes=number))
    (share,) = shares_of_unassigned(northgate.organization, now())
    assert share.unassigned == Unassigned(2, 2)


@pytest.mark.parametrize(
    ("count", "none", "word", "sentence"),
    [
        (200, 61, "Too many unassigned", "61 of its 200 requests of the last hour (30 %) belong to no slice."),
        (200, 60, "Assigned", "60 of its 200 requests of the last hour (30 %) belong to no slice."),
        (199, 199, "Too few to tell", "199 of its 199 requests of the last hour (100 %) belong to no slice."),
        (1, 0, "Too few to tell", "Its one request of the last hour belongs to a slice."),
    ],
)
def test_the_share_is_a_sentence_with_a_status(
    viewer: Client, northgate: Scene, count: int, none: int, word: str, sentence: str
) -> None:
    many(northgate, count, unassigned=none)
    route = northgate.application.routes.get().pk
    for url in (URL, f"/o/northgate/routes/{route}/"):
        text = text_of(viewer.get(url))
        assert word in text
        assert sentence in text


def test_too_many_of_them_ask_a_domain_owner_to_say_where_they_belong(northgate: Scene) -> None:
    many(northgate, 200, unassigned=61)
    page = overview(northgate, "domain-owner")
    assert NEED in page
    route = northgate.application.routes.get().pk
    assert f"{URL}?route={route}&amp;slice=-" in page
    assert NEED not in overview(northgate, "auditor")


def test_a_share_that_is_no_alarm_asks_nobody(northgate: Scene) -> None:
    many(northgate, 200, unassigned=60)
    assert "Say which slice" not in overview(northgate, "domain-owner")


def test_the_traces_are_a_click_from_the_rollouts(viewer: Client, northgate: Scene) -> None:
    assert f'href="{URL}"' in viewer.get("/o/northgate/rollouts/").text
