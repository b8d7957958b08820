"""Pure decisions about a request: who asks, which arm answers, what is recorded."""

from dataclasses import replace
from typing import Any

import pytest

from releases.bucketing import Arm
from releases.gateway.admission import Admission
from releases.gateway.control.snapshot import Snapshot
from releases.gateway.control.trust import trust_of
from releases.gateway.control.verification import verified
from releases.gateway.errors import GatewayError
from releases.gateway.headers import Headers
from releases.gateway.orders import Order, assignment, shadow_of, subject_for
from releases.gateway.rendering import rendered
from releases.gateway.tracing import metadata_of
from tests.releases.gateway.control.signed import NOW, envelope, trust_file
from tests.releases.gateway.scene import snapshot_payload


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    trust = trust_of(trust_file())
    signed = envelope(snapshot_payload("http://127.0.0.1:9"))
    return verified(signed, keys=trust.keys, organization=trust.served, newest=None, now=NOW)


def order(snapshot: Snapshot, route: str, request_id: str) -> Order:
    chosen = snapshot.route(f"rte_{route}")
    assert chosen is not None
    release, arm = assignment(snapshot, chosen, "user-1")
    application = snapshot.application("app_1")
    assert application is not None
    body = {"messages": [{"role": "user", "content": "Hi"}]}
    return Order(snapshot, application, chosen, release, arm, "user-1", request_id, body, 10, chat=True)


def test_the_same_key_and_first_message_are_the_same_subject_and_another_key_is_another() -> None:
    body = {"messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "Hi"}]}
    mine = subject_for(header=None, body=body, key="a", request_id="r1")
    assert mine == subject_for(header=" ", body=body, key="a", request_id="r2")
    assert mine != subject_for(header=None, body=body, key="b", request_id="r1")


def test_a_request_is_shadowed_as_its_id_falls_and_only_where_stable_answered(snapshot: Snapshot) -> None:
    answered = order(snapshot, "shadowed", "r1")
    shadow = shadow_of(answered)
    assert shadow is not None
    assert (shadow.arm, shadow.release.model, shadow.request_id) == (Arm.SHADOW, "other", "r1")
    assert shadow_of(replace(answered, arm=Arm.CANDIDATE)) is None
    assert shadow_of(order(snapshot, "halves", "r1")) is None
    candidate = answered.route.candidate
    assert candidate is not None
    tenth = replace(answered.route, candidate=replace(candidate, shadow_basis_points=1_000))
    sampled = [shadow_of(replace(answered, route=tenth, request_id=f"r{n}")) for n in range(2_000)]
    assert 150 < sum(one is not None for one in sampled) < 250


def test_a_stream_is_asked_for_its_usage_and_a_whole_answer_is_not(snapshot: Snapshot) -> None:
    asked = order(snapshot, "default", "r1")
    body = {**asked.body, "stream": True, "stream_options": {"extra": 1}}
    streamed = rendered(asked.release, asked.application, body).body
    assert streamed["stream_options"] == {"extra": 1, "include_usage": True}
    whole = rendered(asked.release, asked.application, {**asked.body, "stream_options": {}}).body
    assert "stream_options" not in whole


@pytest.mark.parametrize(("store", "sent"), [(True, True), (False, False)])
def test_metadata_goes_on_only_where_the_model_server_is_to_store_it(
    snapshot: Snapshot, store: bool, sent: bool
) -> None:
    asked = order(snapshot, "default", "r1")
    body = {**asked.body, "metadata": {"a": "b"}, "store": store}
    assert ("metadata" in rendered(asked.release, asked.application, body).body) is sent


def test_an_allowed_setting_is_allowed_in_place_of_the_newer_name_in_the_manifest(snapshot: Snapshot) -> None:
    asked = order(snapshot, "default", "r1")
    allowed = replace(asked.application, client_settings=frozenset({"max_tokens"}))
    limited = replace(asked.release, manifest={**asked.release.manifest, "generation": {"max_completion_tokens": 64}})
    made = rendered(limited, allowed, {**asked.body, "max_tokens": 9})
    assert made.body["max_tokens"] == 9
    assert "max_completion_tokens" not in made.body


def test_a_newer_name_of_an_allowed_setting_is_allowed_as_well(snapshot: Snapshot) -> None:
    asked = order(snapshot, "default", "r1")
    allowed = replace(asked.application, client_settings=frozenset({"max_tokens"}))
    made = rendered(asked.release, allowed, {**asked.body, "max_completion_tokens": 9})
    assert made.client_settings == {"max_tokens": 9}
    assert made.body["max_completion_tokens"] == 9
    assert "max_tokens" not in made.body


@pytest.mark.parametrize(
    "value", [b"", b"Basic abc", b"Bearer", b"Bearer a b", b"Bearer \xe9", b"Bearer " + b"x" * 999]
)
def test_what_is_no_bearer_token_is_an_unknown_key(value: bytes) -> None:
    with pytest.raises(GatewayError) as refused:
        Headers([(b"authorization", value)]).bearer()
    assert refused.value.status == 401


@pytest.mark.parametrize("value", [b"a" * 101, b"-a", b"a b", b"a\tb", b"\xe9", b""])
def test_an_id_that_could_hurt_a_log_is_replaced(value: bytes) -> None:
    assert Headers([(b"x-request-id", value)]).request_id().startswith("req_")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (None, {}),
        ([], {}),
        ({"a": "b", "n": 1, "t": True}, {"a": "b", "n": 1, "t": True}),
        ({"long": "x" * 513, "k" * 65: "x", "list": [], "null": None}, {}),
    ],
)
def test_metadata_keeps_short_plain_values(given: Any, kept: dict[str, Any]) -> None:
    assert metadata_of({"metadata": given}) == kept


def test_no_more_than_sixty_four_entries_of_metadata_are_kept() -> None:
    assert len(metadata_of({"metadata": {f"k{n}": "v" for n in range(1_000)}})) == 64


def test_a_place_is_free_again_however_its_request_ended() -> None:
    admission = Admission(1)
    with pytest.raises(ZeroDivisionError), admission.admitted("app_1"):
        _ = 1 / 0
    with admission.admitted("app_1"), admission.admitted("app_2"):
        with pytest.raises(GatewayError) as refused, admission.admitted("app_1"):
            pass
        assert refused.value.status == 429
