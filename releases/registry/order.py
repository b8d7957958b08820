"""What a registration asks for: the body of `POST /v1/releases`, typed; pages and tests make the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The parts of a release by the names that people use for them; nothing is resolved or normalised yet."""

    model_ref: str
    prompt_template_ref: str
    routing: Mapping[str, Any]
    dataset_version: str
    application: str | None = None
    model_kind: str | None = None
    weights_sha256: str | None = None
    adapter_ref: str | None = None
    preprocessing_ref: str | None = None
    previous_release: str | None = None
    generation: Mapping[str, Any] | None = None
    components: Mapping[str, Any] | None = None
    acknowledged_changes: Sequence[str] | None = None
    rebase: bool | None = None
    expected_manifest_sha256: str | None = None
    artifacts: Sequence[Mapping[str, Any]] | None = None
