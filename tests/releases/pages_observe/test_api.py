"""The observer over the API: quality windows page by page, alarms and their decisions, worst answers in clear."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from relcontrol.clock import now
from relcontrol.web.words import iso_time
from releases.observer_models import DriftAlarm, Observer
from releases.rollout_models import Serving
from tests.factories import Api, api, service_token
from tests.releases.observing import factory
from tests.releases.scene import Scene

pytestmark = pytest.mark.django_db
COMMENT = "We read fifty of them: they are right."
QUERIES = 30


def client(of: Scene | Observer, *scopes: str) -> Api:
    """A pipeline with these scopes, or one that lets it do nothing here but look."""
    return api(service_token(of.organization, *(scopes or ("traces:write",))))


def quality(of: Observer, **query: Any) -> Any:
    return client(of).get(f"routes/{of.route_id}/quality", **query)


def test_each_slice_stands_there_with_its_last_window_and_what_watching_costs(watched: Observer) -> None:
    factory.breached(watched.slices.get(slice="ip-licensing"), means=(0.4, 0.3))
    found = quality(watched).json()
    assert (found["watching"], found["release_id"]) == (True, watched.release_id)
    assert found["cost"]["calls_per_day"] == 0
    drafting, licensing = found["slices"]
    assert (drafting["slice"], drafting["armed"], drafting["streak"]) == ("contract-drafting", True, 0)
    assert licensing["streak"] == 2
    assert licensing["last_window"]["verdict"] == "below"
    assert licensing["last_window"]["mean"] == 0.3


def test_windows_come_newest_first_and_every_one_once(watched: Observer) -> None:
    first = quality(watched, limit="100").json()
    second = quality(watched, limit="100", cursor=first["next"]).json()
    assert (len(first["results"]), len(second["results"]), second["next"]) == (100, 80, None)
    seen = [(each["started_at"], each["slice"]) for each in (*first["results"], *second["results"])]
    assert len(set(seen)) == 180
    assert [at for at, _ in seen] == sorted((at for at, _ in seen), reverse=True)


def test_windows_of_one_slice_and_of_a_time(watched: Observer) -> None:
    since, until = now() - timedelta(minutes=30), now() - timedelta(minutes=10)
    found = quality(watched, slice="ip-licensing", since=iso_time(since), until=iso_time(until)).json()["results"]
    assert len(found) == 20
    assert {each["slice"] for each in found} == {"ip-licensing"}


def test_what_cannot_be_read_is_refused(watched: Observer) -> None:
    asking = client(watched)
    for query, status in (
        ({"slice": "elsewhere"}, 422),
        ({"since": "yesterday"}, 400),
        ({"cursor": "MjAyNg"}, 400),
        ({"cursor": "MjAyNi0xMS0yMlQwMDowMDowMCAx"}, 400),
        ({"limit": "0"}, 400),
    ):
        assert asking.get(f"routes/{watched.route_id}/quality", **query).status_code == status, query


def test_a_route_that_nothing_watches_says_so(northgate: Scene) -> None:
    route = northgate.application.routes.get()
    found = client(northgate).get(f"routes/{route.pk}/quality").json()
    assert (found["watching"], found["observer_id"], found["slices"], found["results"]) == (False, None, [], [])


def test_other_organizations_find_no_route_alarm_or_answers(watched: Observer, eastgate: Scene) -> None:
    row, other = factory.alarm(watched), client(eastgate, "rollouts:write", "audit:read")
    assert other.get(f"routes/{watched.route_id}/quality").status_code == 404
    assert other.get(f"drift-alarms/{row.pk}").status_code == 404
    assert other.post(f"drift-alarms/{row.pk}/decide", {"decision": "keep", "comment": COMMENT}).status_code == 404
    assert other.get(f"worst-answers/{factory.worst(row).pk}").status_code == 404
    assert other.get("drift-alarms").json()["results"] == []


def test_alarms_are_listed_by_state_and_route(watched: Observer) -> None:
    factory.alarm(watched, decision="keep", decided_at=now(), decided_receipt_hash="a" * 64)
    waiting, any_ = factory.alarm(watched), client(watched)
    assert [each["alarm_id"] for each in any_.get("drift-alarms", state="open").json()["results"]] == [waiting.pk]
    assert len(any_.get("drift-alarms", route=watched.route_id).json()["results"]) == 2
    assert any_.get("drift-alarms", route="rte_none").json()["results"] == []
    assert any_.get("drift-alarms", state="closed").status_code == 422


def test_a_decision_is_written_down_once(watched: Observer) -> None:
    row, manager = factory.alarm(watched), client(watched, "rollouts:write")
    worst = factory.worst(row)
    made = manager.post(f"drift-alarms/{row.pk}/decide", {"decision": "keep", "comment": COMMENT})
    assert made.status_code == 200
    shown = manager.get(f"drift-alarms/{row.pk}").json()
    assert made.json() == shown
    assert (shown["decision"], shown["comment"], shown["worst_answers"]) == ("keep", COMMENT, worst.pk)
    again = manager.post(f"drift-alarms/{row.pk}/decide", {"decision": "keep", "comment": COMMENT})
    assert (again.status_code, again.json()["state"]) == (409, {"decision": "keep"})


def test_a_wrong_decision_changes_nothing(watched: Observer) -> None:
    row, manager = factory.alarm(watched), client(watched, "rollouts:write")
    for said, status in (
        ({"decision": "forget", "comment": COMMENT}, 422),
        ({"decision": "keep", "comment": "ok"}, 422),
        ({"decision": "keep"}, 422),
        ({"decision": "rolled_back", "comment": COMMENT}, 409),
    ):
        assert manager.post(f"drift-alarms/{row.pk}/decide", said).status_code == status, said
    assert DriftAlarm.objects.get(pk=row.pk).decided_at is None


def test_an_alarm_is_closed_once_the_release_serves_no_longer(watched: Observer) -> None:
    row = factory.alarm(watched)
    Serving.objects.filter(pk=watched.serving_id).update(until=now())
    said = {"decision": "rolled_back", "comment": COMMENT}
    made = client(watched, "rollouts:write").post(f"drift-alarms/{row.pk}/decide", said)
    assert made.json()["decision"] == "rolled_back"


def test_only_who_may_roll_decides(watched: Observer) -> None:
    row, said = factory.alarm(watched), {"decision": "keep", "comment": COMMENT}
    assert client(watched, "audit:read").post(f"drift-alarms/{row.pk}/decide", said).status_code == 403


def test_worst_answers_are_in_clear_for_the_audit_only(watched: Observer) -> None:
    row = factory.worst(factory.alarm(watched), kept=watched.release.previous_release, count=2)
    row.answers.filter(place=2).update(sealed=None)
    assert client(watched, "rollouts:write").get(f"worst-answers/{row.pk}").status_code == 403
    found = client(watched, "audit:read").get(f"worst-answers/{row.pk}").json()
    first, second = found["answers"]
    assert (first["place"], first["state"], first["after"]) == (1, "open", "You should consult an attorney.")
    assert first["reason_after"] == "Refuses to answer."
    assert (second["state"], second["messages"], second["before"]) == ("gone", None, None)
    assert (found["left"], found["kept"]) == (row.left.manifest_sha256, row.kept.manifest_sha256 if row.kept else "")


def test_more_windows_slices_and_alarms_cost_no_more_queries(watched: Observer) -> None:
    asking = client(watched)

    def queries(path: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert asking.get(path).status_code == 200
        return len(captured)

    paths = (f"routes/{watched.route_id}/quality", "drift-alarms")
    factory.alarm(watched)
    few = [queries(path) for path in paths]
    assert max(few) <= QUERIES
    for number in range(8):
        factory.history(factory.observed(watched, f"slice-{number}"), count=20)
        factory.worst(factory.alarm(watched, f"slice-{number}"))
    assert all(queries(path) <= before for path, before in zip(paths, few, strict=True))
