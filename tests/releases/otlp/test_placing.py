"""Releases by what spans call them, and the arm of the open rollout that follows from the release."""

import json
from typing import Any

import pytest

from releases.otlp.placing import place
from releases.otlp.receiving import drafted
from releases.otlp.replies import Reply
from releases.rollout_models import Rollout
from releases.trace_models import Trace
from tests.factories import application, route
from tests.releases.measuring.rows import new_rollout, registered
from tests.releases.otlp.made import as_json, numbered, span
from tests.releases.otlp.receiver import JSON, Receiver
from tests.releases.scene import Scene


def stored(receiver: Receiver, **attributes: Any) -> Trace:
    """The row of a span that says this; `__` in names stands for a dot."""
    told = {name.replace("__", "."): value for name, value in attributes.items()}
    reply = receiver.takes(span(told))
    assert (reply.status, reply.body) == (200, b"")
    (row,) = receiver.rows()
    return row


def why(reply: Reply) -> str:
    """The reason of the one span that was rejected."""
    partial = json.loads(reply.body)["partialSuccess"]
    assert partial["rejectedSpans"] == "1"
    return str(partial["errorMessage"])


@pytest.fixture
def release(northgate: Scene) -> Any:
    """A release that serves, without a rollout."""
    return registered(northgate)


def test_a_release_is_named_in_every_way_of_the_api(receiver: Receiver, release: Any) -> None:
    sha256 = release.manifest_sha256
    names = [sha256, f"sha256:{sha256}", sha256[:12], sha256[:40].upper(), release.pk, release.name]
    receiver.takes(
        *(span({"relcontrol.release": name}, span_id=numbered(at)) for at, name in enumerate(names, start=1))
    )
    assert [row.release for row in receiver.rows()] == [sha256] * len(names)


def test_the_route_is_that_of_the_release(receiver: Receiver, release: Any) -> None:
    row = stored(receiver, relcontrol__release=release.name)
    assert (row.route_id, row.arm, row.rollout_id) == (release.route_id, None, None)


@pytest.mark.parametrize("name", ["service__version", "feature_flag__result__variant"])
def test_a_version_that_names_a_release_is_one(receiver: Receiver, release: Any, name: str) -> None:
    assert stored(receiver, **{name: release.manifest_sha256[:16]}).release == release.manifest_sha256


def test_the_version_of_the_service_may_come_with_the_resource(receiver: Receiver, release: Any) -> None:
    receiver.takes(span(), service__version=release.name)
    assert [row.release for row in receiver.rows()] == [release.manifest_sha256]


def test_a_version_that_names_no_release_leaves_it_to_the_variant(receiver: Receiver, release: Any) -> None:
    row = stored(receiver, service__version="0123456789abcdef", feature_flag__result__variant=release.name)
    assert row.release == release.manifest_sha256


@pytest.mark.parametrize("version", ["1.2.3", "deadbeefdeadbeef", "r999", "latest"])
def test_any_other_version_is_no_release_and_no_fault(receiver: Receiver, release: Any, version: str) -> None:
    assert stored(receiver, service__version=version).release is None


def test_relcontrol_release_must_name_a_release(receiver: Receiver, release: Any) -> None:
    reply = receiver.takes_bytes(as_json(span({"relcontrol.release": "r999"})), JSON)
    assert "'r999' names no release here: send its manifest's SHA-256" in why(reply)
    assert receiver.rows() == []


def test_releases_of_another_organization_are_unknown(receiver: Receiver, eastgate: Scene) -> None:
    theirs = registered(eastgate)
    reply = receiver.takes_bytes(as_json(span({"relcontrol.release": theirs.manifest_sha256})), JSON)
    assert "names no release here" in why(reply)


def second_application(scene: Scene) -> Any:
    """A release of another application with the number 1."""
    other = application(scene.organization, "sales-assistant")
    route(other, domain="sales")
    return registered(scene, application="sales-assistant", routing={"domain": "sales"})


def test_a_number_that_two_applications_use_needs_the_route(northgate: Scene, receiver: Receiver, release: Any) -> None:
    other = second_application(northgate)
    assert other.number == release.number
    ambiguous = receiver.takes_bytes(as_json(span({"relcontrol.release": "r1"})), JSON)
    assert "names more than one release" in why(ambiguous)
    row = stored(receiver, relcontrol__release="r1", relcontrol__route=other.route_id)
    assert row.release == other.manifest_sha256


@pytest.fixture
def rollout(northgate: Scene) -> Rollout:
    """An open rollout."""
    return new_rollout(northgate)


@pytest.mark.parametrize(("which", "arm"), [("release", "candidate"), ("previous", "stable")])
def test_a_release_in_an_open_rollout_has_its_arm(receiver: Receiver, rollout: Rollout, which: str, arm: str) -> None:
    row = stored(receiver, service__version=getattr(rollout, which).manifest_sha256)
    assert (row.arm, row.rollout_id, row.route_id, row.generation) == (arm, rollout.pk, rollout.route_id, None)


def test_an_arm_that_was_told_stays(receiver: Receiver, rollout: Rollout) -> None:
    row = stored(receiver, relcontrol__release=rollout.release.name, relcontrol__arm="shadow")
    assert (row.arm, row.rollout_id) == ("shadow", None)


def test_a_rollout_that_was_told_is_not_replaced(receiver: Receiver, rollout: Rollout) -> None:
    row = stored(receiver, relcontrol__release=rollout.release.name, relcontrol__rollout="rol_other")
    assert (row.arm, row.rollout_id) == (None, "rol_other")


def test_a_rollout_that_is_over_gives_no_arm(receiver: Receiver, rollout: Rollout) -> None:
    rollout.state = Rollout.State.COMPLETED
    rollout.save(update_fields=["state"])
    row = stored(receiver, relcontrol__release=rollout.release.name)
    assert (row.arm, row.rollout_id) == (None, None)


def test_a_batch_costs_two_queries(receiver: Receiver, rollout: Rollout, django_assert_num_queries: Any) -> None:
    assert rollout.previous is not None
    names = [rollout.release.name, rollout.previous.name, "0123456789ab", rollout.release.manifest_sha256[:20]]
    drafts, _ = drafted(
        [span({"service.version": names[at % 4]}, span_id=numbered(at)) for at in range(1, 101)],
    )
    with django_assert_num_queries(2):
        rows, reasons = place(receiver.organization, drafts)
    assert (len(rows), reasons) == (100, [])


def test_spans_that_name_nothing_cost_no_query(receiver: Receiver, django_assert_num_queries: Any) -> None:
    drafts, _ = drafted([span({"service.version": "1.2.3"})])
    with django_assert_num_queries(0):
        place(receiver.organization, drafts)


def test_more_names_than_a_batch_may_use_are_refused(receiver: Receiver) -> None:
    spans = [span({"service.version": f"r{at}"}, span_id=numbered(at)) for at in range(1, 1002)]
    reply = receiver.takes_bytes(as_json(*spans), JSON)
    assert (reply.status, json.loads(reply.body)["code"]) == (400, 3)
    assert "send at most 1000" in json.loads(reply.body)["message"]
