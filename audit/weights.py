"""What a release's receipt claims of its model weights: never more than was said (receipts.md "Weights")."""

from typing import Any

from audit.statement import AttestedWeights, ClosedApiWeights, UnnamedWeights, Weights
from relcontrol.bundle.refs import OPEN_WEIGHTS, parse_model_ref


def weights_claim(manifest: dict[str, Any]) -> Weights:
    """Open weights are declared by the digest that was given, which nobody has seen yet; without one, nothing is."""
    model = manifest["model"]
    ref = parse_model_ref(model["ref"])
    provider = ref.endpoint or ref.scheme
    if model["kind"] != OPEN_WEIGHTS:
        return ClosedApiWeights(provider=provider, model=ref.name)
    if model["weights"] is None:
        return UnnamedWeights(provider=provider, model=ref.name)
    return AttestedWeights(assurance="declared", manifest_sha256=model["weights"].removeprefix("sha256:"))
