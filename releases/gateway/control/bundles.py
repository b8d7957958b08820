"""Releases of a snapshot: each manifest against its own SHA and bundle digest, each artifact against its digest.

What the snapshot before held under the same digest was verified then: where the content is equal, that object serves
on, and nothing is hashed or parsed a second time.
"""

from collections.abc import Mapping
from typing import Any, Final

from relcontrol.bundle.artifacts import IDENTITY_PREPROCESSING, normalise_artifact
from relcontrol.bundle.canonical import sha256_ref
from relcontrol.bundle.errors import BundleError, under
from relcontrol.bundle.generation import normalise_generation
from relcontrol.bundle.manifest import MANIFEST_SCHEMA, bundle_sha256, manifest_sha256
from releases.gateway.control.errors import SnapshotRefusedError
from releases.gateway.control.fields import mapping, refuse, text
from releases.gateway.control.snapshot import EndpointEntry, ReleaseEntry

MANIFEST, ARTIFACT, REFERENCE = "manifest", "artifact", "reference"
ALWAYS: Final = ("prompt_template", "preprocessing")
OPTIONAL: Final = ("few_shot", "tool_schemas", "guardrail_policy")
IDENTITY: Final = sha256_ref(IDENTITY_PREPROCESSING)


def release_of(
    sha: str, value: object, endpoints: Mapping[str, EndpointEntry], known: Mapping[str, ReleaseEntry]
) -> ReleaseEntry:
    """One verified release; `known` are those of the snapshot that serves now."""
    path = under("releases", sha)
    entry, before = mapping(value, path), known.get(sha)
    manifest = _manifest(sha, entry, path, before)
    name = text(entry, "endpoint", path)
    if name not in endpoints:
        raise refuse(REFERENCE, under(path, "endpoint"), f"one of {', '.join(sorted(endpoints)) or 'none'}", name)
    named = _named_artifacts(manifest)
    listed, held = mapping(entry.get("artifacts"), under(path, "artifacts")), before.artifacts if before else {}
    by_kind = {kind: _artifact(listed, digest, kind, path, held) for kind, digest in named.items()}
    return ReleaseEntry(
        sha=sha,
        name=text(entry, "name", path),
        bundle_sha256=text(entry, "bundle_sha256", path),
        manifest=manifest,
        prompt_template=by_kind["prompt_template"],
        preprocessing_steps=tuple(by_kind["preprocessing"]["steps"]),
        few_shot=by_kind.get("few_shot"),
        tools=by_kind.get("tool_schemas"),
        guardrail_policy=by_kind.get("guardrail_policy"),
        artifacts={digest: by_kind[kind] for kind, digest in named.items()},
        model=text(entry, "model", path),
        endpoint=endpoints[name],
    )


def _named_artifacts(manifest: Mapping[str, Any]) -> dict[str, str]:
    """The digests of the artifacts that serve, by kind."""
    named = {kind: manifest[kind] for kind in ALWAYS}
    return named | {kind: digest for kind in OPTIONAL if (digest := manifest["components"].get(kind)) is not None}


def _manifest(sha: str, entry: Mapping[str, Any], path: str, before: ReleaseEntry | None) -> Mapping[str, Any]:
    manifest, digest = mapping(entry.get("manifest"), under(path, "manifest")), text(entry, "bundle_sha256", path)
    if before is not None and before.bundle_sha256 == digest and before.manifest == manifest:
        return before.manifest
    try:
        found = manifest_sha256(manifest)
        if found != sha:
            raise refuse(MANIFEST, under(path, "manifest"), f"content with the SHA-256 {sha}", found)
        _check_form(manifest, path)
        fingerprint = bundle_sha256(manifest)
    except BundleError as error:
        raise SnapshotRefusedError(MANIFEST, f"{path}: the manifest has no canonical form: {error}") from error
    if fingerprint != digest:
        raise refuse(MANIFEST, under(path, "bundle_sha256"), fingerprint, digest)
    return manifest


def _check_form(manifest: Mapping[str, Any], path: str) -> None:
    """What rendering relies on, so that no request finds it missing."""
    place = under(path, "manifest")
    if manifest.get("schema") != MANIFEST_SCHEMA:
        raise refuse(MANIFEST, under(place, "schema"), MANIFEST_SCHEMA, manifest.get("schema"))
    mapping(manifest.get("components"), under(place, "components"))
    generation = mapping(manifest.get("generation"), under(place, "generation"))
    if normalise_generation(generation) != generation:
        raise refuse(MANIFEST, under(place, "generation"), "settings in their one spelling", generation)
    for name in ALWAYS:
        text(manifest, name, place)
    for name, digest in manifest["components"].items():
        if digest is not None and not isinstance(digest, str):
            raise refuse(MANIFEST, under(under(place, "components"), name), "a string or null", digest)


def _artifact(
    artifacts: Mapping[str, Any], digest: str, kind: str, path: str, held: Mapping[str, Mapping[str, Any]]
) -> Mapping[str, Any]:
    place = under(under(path, "artifacts"), digest)
    value, before = artifacts.get(digest), held.get(digest)
    if before is not None and value == before:
        return before
    if value is None and digest == IDENTITY:
        return IDENTITY_PREPROCESSING
    if value is None:
        raise refuse(ARTIFACT, place, f"the {kind} that the manifest names", value)
    try:
        found, normal = sha256_ref(value), normalise_artifact(value)
    except BundleError as error:
        raise SnapshotRefusedError(ARTIFACT, f"{place}: no artifact: {error}") from error
    if found != digest:
        raise refuse(ARTIFACT, place, f"content with the digest {digest}", found)
    if normal != value or normal["kind"] != kind:
        raise refuse(ARTIFACT, place, f"a normalised artifact of the kind {kind}", value)
    return normal
