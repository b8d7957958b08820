"""What an observer signs, and what is refused of it."""

import base64
import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from audit.envelope import pae
from audit.weights.observations import PAYLOAD_TYPE, SCHEMA, Observation, read_observation, sign_observation
from audit.weights.predicates import WeightsError
from relcontrol.bundle.canonical import canonical_bytes
from tests.audit.weights.observing import WEIGHTS, key

SEEN = Observation(
    origin="northgate/1",
    expected_sha256=WEIGHTS,
    observed_sha256=WEIGHTS,
    oms_root_sha256="4" * 64,
    depth="load",
    files=2,
    bytes=1_000,
    seed=None,
    observed_at="2026-11-22T06:00:00.000000Z",
    keyid=key().public.keyid,
)


def sealed(payload: bytes) -> dict[str, Any]:
    """Any bytes, rightly signed."""
    signed = copy.deepcopy(sign_observation(SEEN, key()))
    signed["payload"] = base64.b64encode(payload).decode()
    signed["signatures"][0]["sig"] = base64.b64encode(key().sign(pae(PAYLOAD_TYPE, payload))).decode()
    return signed


def test_an_observation_is_read_back_as_it_was_signed() -> None:
    assert read_observation(json.loads(json.dumps(sign_observation(SEEN, key()))), key().public) == SEEN


def test_another_key_does_not_verify_it() -> None:
    with pytest.raises(WeightsError, match="not by the key"):
        read_observation(sign_observation(SEEN, key()), key("gpu-2").public)


@pytest.mark.parametrize(
    "changed",
    [
        {"expected_sha256": "x"},
        {"observed_sha256": "A" * 64},
        {"oms_root_sha256": None},
        {"files": -1},
        {"bytes": True},
        {"depth": "glance"},
        {"depth": "sample"},
        {"seed": 7},
        {"depth": "sample", "seed": -7},
        {"depth": "sample", "seed": 7, "observed_sha256": "5" * 64},
        {"observed_at": "2026-11-22T06:00:00Z"},
        {"observed_at": "2026-13-22T06:00:00.000000Z"},
        {"origin": None},
        {"keyid": "6" * 64},
    ],
    ids=str,
)
def test_what_no_observer_writes_is_refused_even_if_rightly_signed(changed: dict[str, Any]) -> None:
    with pytest.raises(WeightsError):
        read_observation(sign_observation(replace(SEEN, **changed), key()), key().public)


@pytest.mark.parametrize(
    "payload",
    [
        b"{}",
        b"[]",
        b"no json",
        canonical_bytes({"schema": SCHEMA, "more": 1}),
        json.dumps({"schema": SCHEMA}).encode(),
        base64.b64decode(sign_observation(SEEN, key())["payload"]).replace(b"/v1", b"/v2"),
        base64.b64decode(sign_observation(SEEN, key())["payload"]) + b" ",
    ],
    ids=["empty", "list", "no json", "unknown field", "spaced", "another version", "a byte more"],
)
def test_a_payload_of_another_form_is_refused_even_if_rightly_signed(payload: bytes) -> None:
    with pytest.raises(WeightsError):
        read_observation(sealed(payload), key().public)


@pytest.mark.parametrize(
    "change",
    [
        lambda e: e.update(payloadType="application/vnd.in-toto+json"),
        lambda e: e.update(payload=e["payload"] + "\n"),
        lambda e: e.update(more=1),
        lambda e: e["signatures"].append(e["signatures"][0]),
        lambda e: e["signatures"][0].update(sig="AAAA"),
        lambda e: e["signatures"][0].update(keyid=None),
        lambda e: e.clear(),
    ],
)
def test_an_envelope_of_another_form_is_refused(change: Callable[[dict[str, Any]], object]) -> None:
    envelope = copy.deepcopy(sign_observation(SEEN, key()))
    change(envelope)
    with pytest.raises(WeightsError):
        read_observation(envelope, key().public)
