"""Signed snapshots as the edge makes them, built by hand: what is in them, and every way to spoil them."""

import copy
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.envelope import pae, wrap
from audit.keys.signing import ROUTING, PublicKey, SigningKey
from relcontrol.bundle.artifacts import IDENTITY_PREPROCESSING, normalise_artifact
from relcontrol.bundle.canonical import canonical_bytes, sha256_ref
from relcontrol.bundle.manifest import build_manifest, bundle_sha256, manifest_sha256
from releases.bucketing import FUNCTION, FUNCTION_VERSION
from releases.gateway.control.snapshot import Snapshot
from releases.gateway.control.trust import trust_of
from releases.gateway.control.verification import PAYLOAD_TYPE, verified

NOW = datetime(2026, 11, 21, 16, tzinfo=UTC)
SLUG, ORIGIN = "northgate", "relcontrol.test/northgate"
KEY_TEXT = "rck_0123456789abcdef.secret-of-the-advisor"
APPLICATION, ROUTE = "app_1", "rte_1"
PROMPT = normalise_artifact(
    {"kind": "prompt_template", "system": "You are a careful solicitor 🏛.", "user": "Question: {{ input }}"}
)
STEPS = normalise_artifact(
    {"kind": "preprocessing", "steps": [{"op": "strip"}, {"op": "redact", "pattern": "[0-9]+", "with": "#"}]}
)
FEW_SHOT = normalise_artifact({"kind": "few_shot", "examples": [{"input": "Hallo", "output": "Grüß Gott"}]})

Payload = dict[str, Any]


def key_of(seed: int, purpose: str = ROUTING) -> SigningKey:
    """The same key for the same seed."""
    return SigningKey(purpose, Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32))


SIGNER = key_of(1)


def trust_file(*keys: PublicKey, slug: str = SLUG, origin: str = ORIGIN) -> dict[str, Any]:
    """As GET /v1/trust gives it."""
    listed = keys or (public(SIGNER),)
    return {"organization": slug, "origin": origin, "keys": [key.as_json() for key in listed]}


def public(key: SigningKey, *, end: str | None = None, revoked_at: str | None = None) -> PublicKey:
    """The entry of a key that began long ago."""
    return PublicKey(key.public, key.purpose, "2026-01-01T00:00:00.000000Z", end, revoked_at)


def release(name: str, model: str, *, steps: dict[str, Any] = STEPS) -> tuple[str, dict[str, Any]]:
    """A release entry with its SHA."""
    artifacts = {sha256_ref(value): value for value in (PROMPT, steps, FEW_SHOT)}
    manifest = build_manifest(
        application="advisor",
        model_ref=f"endpoint:main-llm/{model}",
        prompt_template=sha256_ref(PROMPT),
        preprocessing=sha256_ref(steps),
        routing={"tier": "free"},
        dataset=f"sha256:{'0' * 64}",
        generation={"temperature": 0.2, "max_tokens": 64},
        components={"few_shot": sha256_ref(FEW_SHOT)},
    )
    entry = {
        "name": name,
        "bundle_sha256": bundle_sha256(manifest),
        "manifest": manifest,
        "artifacts": artifacts,
        "endpoint": "main-llm",
        "model": model,
    }
    return manifest_sha256(manifest), entry


STABLE, STABLE_ENTRY = release("r11", "alpha")
CANDIDATE, CANDIDATE_ENTRY = release("r12", "beta", steps=IDENTITY_PREPROCESSING)


def payload(generation: int = 42, *, epoch: int = 1, slug: str = SLUG, origin: str = ORIGIN) -> Payload:
    """A snapshot with one application, one key, one route and a rollout at 5 %; nothing in it is shared."""
    candidate = {
        "release": CANDIDATE,
        "rollout": "rol_1",
        "salt": "rol_1",
        "basis_points": 500,
        "shadow_basis_points": 0,
    }
    return copy.deepcopy(
        {
            "schema": "relcontrol/routing/v1",
            "organization": slug,
            "origin": origin,
            "epoch": epoch,
            "generation": generation,
            "changed_at": "2026-11-21T16:00:00.000000Z",
            "assignment": {"function": FUNCTION, "version": FUNCTION_VERSION},
            "applications": [
                {
                    "id": APPLICATION,
                    "slug": "advisor",
                    "default_route": ROUTE,
                    "client_settings": ["temperature"],
                    "keys": [{"id": "apk_1", "sha256": hashlib.sha256(KEY_TEXT.encode()).hexdigest(), "route": ROUTE}],
                }
            ],
            "routes": [
                {
                    "id": ROUTE,
                    "application": APPLICATION,
                    "name": "free",
                    "routing": {"tier": "free"},
                    "stable": STABLE,
                    "candidate": candidate,
                }
            ],
            "releases": {STABLE: STABLE_ENTRY, CANDIDATE: CANDIDATE_ENTRY},
            "endpoints": {
                "main-llm": {
                    "base_url": "http://127.0.0.1:9/v1",
                    "protocol": "openai",
                    "credential": "main-llm-key",
                }
            },
        }
    )


def envelope(content: Payload | bytes, *, key: SigningKey = SIGNER, payload_type: str = PAYLOAD_TYPE) -> bytes:
    """Signed and wrapped; bytes are signed as they are."""
    signed = content if isinstance(content, bytes) else canonical_bytes(content)
    wrapped = wrap(signed, payload_type, keyid=key.keyid, signature=key.sign(pae(payload_type, signed)))
    return json.dumps(wrapped, separators=(",", ":")).encode()


def snapshot(generation: int = 42, *, epoch: int = 1) -> Snapshot:
    """As a gateway holds it."""
    return accepted(envelope(payload(generation, epoch=epoch)))


def accepted(signed: bytes, **options: Any) -> Snapshot:
    """What verification makes of these bytes, for a gateway of Northgate."""
    trust = trust_of(trust_file())
    given: dict[str, Any] = {"keys": trust.keys, "organization": trust.served, "newest": None, "now": NOW, **options}
    return verified(signed, **given)
