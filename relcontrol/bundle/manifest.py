"""The manifest: a release's exact content, and the bundle: the part of it that serves (contracts.md).

Both are plain JSON objects, every key always there, so that their canonical bytes are the contract. References are
already resolved: artifacts, suite and judge come in by digest, the previous release by its manifest SHA.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from relcontrol.bundle.artifacts import IDENTITY_PREPROCESSING
from relcontrol.bundle.canonical import sha256_hex, sha256_ref
from relcontrol.bundle.components import MEASURING_COMPONENTS, SERVING, component_name
from relcontrol.bundle.errors import item, under
from relcontrol.bundle.generation import normalise_generation
from relcontrol.bundle.reading import Reader
from relcontrol.bundle.refs import (
    MODEL_KINDS,
    default_model_kind,
    parse_digest,
    parse_hex64,
    parse_model_ref,
    parse_weights_sha256,
)

MANIFEST_SCHEMA: Final = "relcontrol/manifest/v1"
BUNDLE_SCHEMA: Final = "relcontrol/bundle/v1"
COMPONENTS: Final = (
    "guardrail_policy",
    "tool_schemas",
    "feature_view",
    "feature_snapshot",
    "index",
    "few_shot",
    "judge",
    "serving_image",
    "git_commit",
)
DIGEST_COMPONENTS: Final = ("guardrail_policy", "tool_schemas", "few_shot", "judge")
MAX_TEXT: Final = 500
MAX_ROUTING_KEYS: Final = 16

_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_ROUTING_KEY = re.compile(r"[a-z][a-z0-9_.-]{0,63}")


def build_manifest(
    *,
    application: object,
    model_ref: object,
    model_kind: object = None,
    weights: object = None,
    adapter: object = None,
    prompt_template: object,
    preprocessing: object = None,
    routing: object,
    dataset: object,
    generation: object = None,
    components: object = None,
    previous_release: object = None,
    acknowledged_changes: object = (),
) -> dict[str, Any]:
    """The manifest of these parts; `BundleError` with every problem of every part.

    `preprocessing` None is the identity; `model_kind` None follows from the reference.
    """
    reader = Reader()
    if preprocessing is None:
        preprocessing = sha256_ref(IDENTITY_PREPROCESSING)
    unset: dict[str, Any] = {}
    manifest = {
        "schema": MANIFEST_SCHEMA,
        "application": reader.text(application, "application", at_most=MAX_TEXT),
        "model": _model(model_ref, model_kind, weights, adapter, reader),
        "prompt_template": reader.attempt(parse_digest, prompt_template, "prompt_template", ""),
        "preprocessing": reader.attempt(parse_digest, preprocessing, "preprocessing", ""),
        "routing": _routing(routing, reader),
        "dataset": reader.attempt(parse_digest, dataset, "dataset", ""),
        "generation": reader.attempt(normalise_generation, generation, "generation", unset),
        "components": _components(unset if components is None else components, reader),
        "previous_release": _optional(parse_hex64, previous_release, "previous_release", reader),
        "acknowledged_changes": _acknowledged(acknowledged_changes, reader),
    }
    reader.close()
    return manifest


def manifest_sha256(manifest: Mapping[str, Any]) -> str:
    """The bare SHA-256 that addresses a release everywhere."""
    return sha256_hex(dict(manifest))


def bundle_of(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What serves: the manifest without what only measures it or says where it came from."""
    left_out = ("dataset", "previous_release", "acknowledged_changes")
    bundle = {key: value for key, value in manifest.items() if key not in left_out}
    components = {key: value for key, value in manifest["components"].items() if key not in MEASURING_COMPONENTS}
    return {**bundle, "schema": BUNDLE_SCHEMA, "components": components}


def bundle_sha256(manifest: Mapping[str, Any]) -> str:
    """The serving fingerprint that gateways and evaluation report, bare."""
    return sha256_hex(bundle_of(manifest))


def _optional(read: Any, value: object, field: str, reader: Reader) -> Any:
    return None if value is None else reader.attempt(read, value, field, None)


def _model(ref: object, kind: object, weights: object, adapter: object, reader: Reader) -> dict[str, Any]:
    model = reader.attempt(parse_model_ref, ref, "model_ref", None)
    if kind is not None:
        kind = reader.choice(kind, "model_kind", MODEL_KINDS)
    elif model is not None:
        kind = default_model_kind(model)
    adapter_ref = _optional(parse_model_ref, adapter, "adapter_ref", reader)
    return {
        "ref": str(model),
        "kind": kind,
        "weights": _optional(parse_weights_sha256, weights, "weights_sha256", reader),
        "adapter": None if adapter_ref is None else str(adapter_ref),
    }


def normalise_routing(value: object) -> dict[str, str]:
    """Routing as manifests hold it; `BundleError` with every problem. Routes are checked by the same rule."""
    reader = Reader()
    routing = _routing(value, reader)
    reader.close()
    return routing


def _routing(value: object, reader: Reader) -> dict[str, str]:
    entries = reader.mapping(value, "routing")
    if len(entries) > MAX_ROUTING_KEYS:
        reader.refuse("routing", f"At most {MAX_ROUTING_KEYS} keys describe a traffic class.", "too_many")
    for key in entries:
        if not _ROUTING_KEY.fullmatch(key):
            message = "A routing key is made of small letters, digits, '_', '.', '-' and begins with a letter."
            reader.refuse(under("routing", key), message, "bad_name")
    return {key: reader.text(entry, under("routing", key), at_most=MAX_TEXT) for key, entry in sorted(entries.items())}


def _components(value: object, reader: Reader) -> dict[str, Any]:
    entries = reader.closed(value, "components", COMPONENTS)
    return {
        key: _optional(_component_reader(key), entries.get(key), under("components", key), reader) for key in COMPONENTS
    }


def _component_reader(key: str) -> Any:
    if key in DIGEST_COMPONENTS:
        return parse_digest
    return _commit if key == "git_commit" else _name


def _name(value: object, field: str) -> str:
    reader = Reader()
    text = reader.text(value, field, at_most=MAX_TEXT)
    if text and (not text.isprintable() or text != text.strip()):
        reader.refuse(field, "Has invisible characters or blanks around it; remove them.", "bad_name")
    reader.close()
    return text


def _commit(value: object, field: str) -> str:
    reader = Reader()
    text = reader.text(value, field, at_most=MAX_TEXT).lower()
    if text and not _COMMIT.fullmatch(text):
        reader.refuse(field, "Must be a commit's hash: 7 to 64 hexadecimal digits.", "bad_digest")
    reader.close()
    return text


def _acknowledged(value: object, reader: Reader) -> list[str]:
    field = "acknowledged_changes"
    names: set[str] = set()
    for index, entry in enumerate(reader.items(value, field, at_most=2 * len(SERVING))):
        name = component_name(entry)
        if name is None:
            message = f"Names no serving component; known: {', '.join(SERVING)}."
            reader.refuse(item(field, index), message, "unknown_component")
        else:
            names.add(name)
    return sorted(names)
