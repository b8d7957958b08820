"""What a release's receipt claims of its model weights: never more than was said and seen (receipts.md "Weights").

Pure.
"""

from dataclasses import dataclass
from typing import Any, Final

from audit.statement import AttestedWeights, ClosedApiWeights, UnnamedWeights, Weights
from relcontrol.bundle.refs import OPEN_WEIGHTS, parse_model_ref

DECLARED, AT_LOAD, SAMPLED = "declared", "files-at-load", "files-sampled"
PREFIX: Final = "sha256:"


@dataclass(frozen=True, slots=True)
class Seen:
    """Somebody whose key is registered saw the registered files, lately enough: to which degree, when, and who."""

    assurance: str
    observed_at: str
    observer_keyid: str
    oms_root_sha256: str | None


def weights_of(manifest: dict[str, Any]) -> str | None:
    """The digest of the open weights that a manifest names, in hex; None where there is none to observe."""
    model = manifest["model"]
    if model["kind"] != OPEN_WEIGHTS or model["weights"] is None:
        return None
    return str(model["weights"]).removeprefix(PREFIX)


def weights_claim(manifest: dict[str, Any], seen: Seen | None = None) -> Weights:
    """What may be claimed. `seen` is of the digest that the manifest names (`audit.weights.standing`)."""
    digest = weights_of(manifest)
    if digest is None:
        return _not_claimed(manifest["model"])
    if seen is None:
        return AttestedWeights(assurance=DECLARED, manifest_sha256=digest)
    return AttestedWeights(
        assurance=seen.assurance,
        manifest_sha256=digest,
        oms_root_sha256=seen.oms_root_sha256,
        observed_manifest_sha256=digest,
        observed_at=seen.observed_at,
        observer_keyid=seen.observer_keyid,
    )


def _not_claimed(model: dict[str, Any]) -> Weights:
    """Nobody can see what is behind a closed API; of open weights without a digest nobody said what to compare with."""
    ref = parse_model_ref(model["ref"])
    provider = ref.endpoint or ref.scheme
    closed = model["kind"] != OPEN_WEIGHTS
    return (ClosedApiWeights if closed else UnnamedWeights)(provider=provider, model=ref.name)
