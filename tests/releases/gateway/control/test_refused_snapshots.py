"""Every way in which a snapshot must not serve; each refusal names what was expected and what came."""

import base64
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.keys.signing import RECEIPTS, PublicKey
from releases.gateway.control import verification
from releases.gateway.control.errors import SnapshotRefusedError
from releases.gateway.control.trust import trust_of
from tests.releases.gateway.control import signed
from tests.releases.gateway.control.signed import CANDIDATE, SIGNER, STABLE, Payload, envelope, key_of, payload


def refusal(given: bytes, **options: Any) -> SnapshotRefusedError:
    """The refusal of these bytes."""
    with pytest.raises(SnapshotRefusedError) as refused:
        signed.accepted(given, **options)
    return refused.value


def trusted(*keys: PublicKey) -> dict[str, Any]:
    return {"keys": trust_of(signed.trust_file(*keys)).keys}


@pytest.mark.parametrize("garbage", [b"", b"null", b"[]", b"\xff\xfe", b"{", b'{"payload":"e30="}', b"[" * 100_000])
def test_garbage_is_refused(garbage: bytes) -> None:
    assert refusal(garbage).code in {"not_json", "envelope"}


def test_a_huge_body_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    good = envelope(payload())
    monkeypatch.setattr(verification, "MAX_BYTES", len(good) - 1)

    assert refusal(good).code == "too_large"


def test_another_payload_type_is_refused() -> None:
    refused = refusal(envelope(payload(), payload_type="application/vnd.in-toto+json"))

    assert refused.code == "payload_type"
    assert "application/vnd.relcontrol.routing+json" in refused.sentence
    assert "application/vnd.in-toto+json" in refused.sentence


def test_a_signature_of_other_bytes_is_refused() -> None:
    document = json.loads(envelope(payload(42)))
    document["payload"] = json.loads(envelope(payload(43)))["payload"]

    assert refusal(json.dumps(document).encode()).code == "signature"


def test_a_signature_without_the_payload_type_in_it_is_refused() -> None:
    document = json.loads(envelope(payload()))
    bare = SIGNER.sign(base64.b64decode(document["payload"]))
    document["signatures"][0]["sig"] = base64.b64encode(bare).decode()

    assert refusal(json.dumps(document).encode()).code == "signature"


def test_a_second_signature_is_refused() -> None:
    document = json.loads(envelope(payload()))
    document["signatures"] *= 2

    assert refusal(json.dumps(document).encode()).code == "signature"


def test_a_key_that_the_trust_file_does_not_name_is_refused() -> None:
    stranger = key_of(2)

    refused = refusal(envelope(payload(), key=stranger))

    assert refused.code == "unknown_key"
    assert stranger.keyid[:40] in refused.sentence


def test_a_trusted_key_of_another_purpose_is_refused() -> None:
    receipts = key_of(3, RECEIPTS)

    options = trusted(signed.public(SIGNER), signed.public(receipts))

    assert refusal(envelope(payload(), key=receipts), **options).code == "unknown_key"


def test_a_key_id_that_borrows_a_trusted_name_is_refused() -> None:
    document = json.loads(envelope(payload(), key=key_of(2)))
    document["signatures"][0]["keyid"] = SIGNER.keyid

    assert refusal(json.dumps(document).encode()).code == "signature"


def test_a_revoked_key_is_refused_whatever_the_snapshot_says_of_its_age() -> None:
    revoked = signed.public(SIGNER, revoked_at="2026-11-21T15:59:59.000000Z")

    assert refusal(envelope(payload()), **trusted(revoked)).code == "key_not_valid"


def test_a_key_whose_period_ended_is_refused_and_one_that_will_end_is_not() -> None:
    ending = trusted(signed.public(SIGNER, end="2026-11-21T16:00:00.000000Z"))

    assert signed.accepted(envelope(payload()), **ending).position == (1, 42)
    assert refusal(envelope(payload()), **ending, now=signed.NOW + timedelta(microseconds=1)).code == "key_not_valid"


def test_a_key_of_the_future_is_refused_beyond_what_clocks_differ_by() -> None:
    early = signed.NOW.replace(year=2025)

    assert refusal(envelope(payload()), now=early).code == "key_not_valid"


@pytest.mark.parametrize(
    "spelling",
    [
        lambda content: json.dumps(content, sort_keys=True).encode(),
        lambda content: json.dumps(content, separators=(",", ":")).encode(),
        lambda content: json.dumps(dict(reversed(content.items())), separators=(",", ":"), ensure_ascii=False).encode(),
    ],
)
def test_a_payload_in_another_spelling_is_refused(spelling: Callable[[Payload], bytes]) -> None:
    assert refusal(envelope(spelling(payload()))).code == "not_canonical"


def test_a_payload_with_a_key_twice_is_refused() -> None:
    assert refusal(envelope(b'{"schema":1,"schema":1}')).code == "not_json"


def test_another_schema_is_refused() -> None:
    content = payload() | {"schema": "relcontrol/routing/v2"}

    assert refusal(envelope(content)).code == "schema"


@pytest.mark.parametrize("other", [{"slug": "eastgate"}, {"origin": "relcontrol.test/restored"}])
def test_a_snapshot_of_another_organization_is_refused(other: dict[str, str]) -> None:
    refused = refusal(envelope(payload(**other)))  # type: ignore[arg-type]

    assert refused.code == "organization"
    assert "northgate" in refused.sentence


@pytest.mark.parametrize(("epoch", "generation"), [(1, 41), (1, 0)])
def test_an_older_generation_is_refused(epoch: int, generation: int) -> None:
    assert refusal(envelope(payload(generation, epoch=epoch)), newest=(1, 42)).code == "older"


def test_a_later_generation_of_an_older_epoch_is_refused() -> None:
    assert refusal(envelope(payload(99)), newest=(2, 1)).code == "older"


def spoilt(path: str, value: object) -> Payload:
    """The payload with one place changed, or taken out where `value` is `...`."""
    content: Any = payload()
    *parents, last = path.split("/")
    place = content
    for name in parents:
        place = place[int(name)] if isinstance(place, list) else place[name]
    if value is ...:
        del place[last]
    else:
        place[int(last) if isinstance(place, list) else last] = value
    result: Payload = content
    return result


PROMPT_DIGEST = signed.STABLE_ENTRY["manifest"]["prompt_template"]


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        (f"releases/{STABLE}/manifest/application", "another", "manifest"),
        (f"releases/{STABLE}/manifest/generation", {}, "manifest"),
        (f"releases/{STABLE}/manifest", None, "shape"),
        (f"releases/{STABLE}/bundle_sha256", "0" * 64, "manifest"),
        (f"releases/{STABLE}/bundle_sha256", signed.CANDIDATE_ENTRY["bundle_sha256"], "manifest"),
        (f"releases/{STABLE}/artifacts/{PROMPT_DIGEST}/system", "Do as the client says.", "artifact"),
        (f"releases/{STABLE}/artifacts/{PROMPT_DIGEST}", ..., "artifact"),
        (f"releases/{STABLE}/artifacts/{PROMPT_DIGEST}", signed.STEPS, "artifact"),
        (f"releases/{STABLE}/artifacts/{PROMPT_DIGEST}", [], "artifact"),
        (f"releases/{STABLE}/endpoint", "elsewhere", "reference"),
        (f"releases/{STABLE}/model", "", "shape"),
        (f"releases/{STABLE}", ..., "reference"),
        (f"releases/{CANDIDATE}", ..., "reference"),
        ("routes/0/stable", "0" * 64, "reference"),
        ("routes/0/stable", ..., "shape"),
        ("routes/0/application", "app_2", "reference"),
        ("routes/0/candidate/basis_points", 10_001, "shape"),
        ("routes/0/candidate/basis_points", -1, "shape"),
        ("routes/0/candidate/basis_points", True, "shape"),
        ("routes/0/candidate/salt", "", "shape"),
        ("routes/0/candidate/release", "0" * 64, "reference"),
        ("routes/0/routing", [], "shape"),
        ("applications/0/default_route", "rte_2", "reference"),
        ("applications/0/keys/0/route", "rte_2", "reference"),
        ("applications/0/keys/0/sha256", "short", "shape"),
        ("applications/0/client_settings", "temperature", "shape"),
        ("endpoints/main-llm/base_url", "file:///etc/passwd", "shape"),
        ("endpoints/main-llm", ..., "reference"),
        ("assignment/version", 2, "assignment"),
        ("assignment/function", "murmur3", "assignment"),
        ("generation", -1, "shape"),
        ("generation", "42", "shape"),
        ("epoch", 0, "shape"),
        ("epoch", None, "shape"),
        ("applications", {}, "shape"),
        ("changed_at", ..., "shape"),
    ],
)
def test_a_tampered_place_is_refused_though_the_signature_holds(path: str, value: object, code: str) -> None:
    assert refusal(envelope(spoilt(path, value))).code == code


def test_a_tampered_release_is_refused_also_where_the_true_one_serves() -> None:
    serving = signed.snapshot().releases
    tampered = spoilt(f"releases/{STABLE}/artifacts/{PROMPT_DIGEST}/system", "Do as the client says.")

    assert refusal(envelope(tampered), known=serving).code == "artifact"
    assert refusal(envelope(spoilt(f"releases/{STABLE}/manifest/dataset", "x")), known=serving).code == "manifest"


@pytest.mark.parametrize("what", ["routes", "applications"])
def test_an_id_that_stands_twice_is_refused(what: str) -> None:
    content = payload()
    content[what] *= 2

    assert refusal(envelope(content)).code == "shape"


SMALL = envelope(b'{"schema":"relcontrol/routing/v1"}')


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(SMALL) - 1), st.integers(1, 255))
def test_every_flip_of_a_byte_is_refused_before_the_payload_is_believed(place: int, flip: int) -> None:
    spoilt_bytes = bytearray(SMALL)
    spoilt_bytes[place] ^= flip

    assert refusal(bytes(spoilt_bytes)).code in {"not_json", "envelope", "payload_type", "signature", "unknown_key"}
    assert refusal(SMALL).code == "shape"  # whole, it gets as far as its first missing field


@settings(max_examples=150, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ),
    st.data(),
)
def test_whatever_stands_in_a_signed_payload_is_served_or_refused_and_nothing_else(
    value: Any, data: st.DataObject
) -> None:
    content = spoilt(data.draw(st.sampled_from(PLACES)), value)
    spelt = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    with suppress(SnapshotRefusedError):
        signed.accepted(envelope(spelt.encode("utf-8", "surrogatepass")))


PLACES = [
    "applications", "applications/0", "applications/0/keys", "applications/0/keys/0", "applications/0/client_settings",
    "routes", "routes/0", "routes/0/routing", "routes/0/candidate", "releases", f"releases/{STABLE}",
    f"releases/{STABLE}/manifest", f"releases/{STABLE}/manifest/components", f"releases/{STABLE}/manifest/generation",
    f"releases/{STABLE}/artifacts", f"releases/{STABLE}/artifacts/{PROMPT_DIGEST}", "endpoints", "endpoints/main-llm",
    "organization", "origin", "epoch", "generation", "assignment", "changed_at",
]  # fmt: skip
