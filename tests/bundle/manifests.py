"""A manifest to change one thing of."""

from typing import Any

from relcontrol.bundle.manifest import build_manifest
from tests.bundle.golden import own_vectors

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def parts(**changes: Any) -> dict[str, Any]:
    """What `build_manifest` is called with for the golden manifest, with changes."""
    vectors = own_vectors()
    return {
        "application": "legal-assistant",
        "model_ref": "Divinci-AI/gemma-4-e2b@a7c91f",
        "prompt_template": vectors["artifacts"]["prompt_template"]["digest"],
        "preprocessing": vectors["artifacts"]["preprocessing"]["digest"],
        "routing": {"domain": "legal"},
        "dataset": vectors["suite"]["digest"],
        "generation": {"temperature": 0.20, "max_tokens": "800", "seed": None},
        **changes,
    }


def manifest(**changes: Any) -> dict[str, Any]:
    return build_manifest(**parts(**changes))


def digest(letter: str) -> str:
    return "sha256:" + letter * 64
