"""Shapes of the bodies that the registry takes. They are closed; what a field means is checked by the services."""

from typing import Any, Final

from rest_framework import serializers

from relcontrol.api.inputs import Input, Structure, Text, Truth, Whole
from releases.rolling.settings import MONITORS
from releases.weights.drift import ON_DRIFT

MAX_REF: Final = 300
MAX_ENCLOSED: Final = 20
MAX_CHECKPOINTS: Final = 20
MAX_DWELL_SECONDS: Final = 7 * 86_400
MAX_REQUESTS: Final = 100_000_000


def optional_text(max_length: int = MAX_REF) -> Text:
    """A string that may be left out or null."""
    return Text(required=False, allow_null=True, max_length=max_length)


class ArtifactInput(Input):
    """A name and the content that it shall name."""

    ref = Text(max_length=MAX_REF)
    value = Structure()


class RegisterInput(Input):
    """`POST /v1/releases`."""

    application = optional_text()
    model_ref = Text(max_length=MAX_REF)
    model_kind = optional_text()
    weights_sha256 = optional_text()
    adapter_ref = optional_text()
    prompt_template_ref = Text(max_length=MAX_REF)
    preprocessing_ref = optional_text()
    routing = Structure()
    dataset_version = Text(max_length=MAX_REF)
    previous_release = optional_text()
    generation = Structure(required=False, allow_null=True)
    components = Structure(required=False, allow_null=True)
    acknowledged_changes = serializers.ListField(
        child=Text(max_length=MAX_REF), required=False, allow_null=True, max_length=50
    )
    rebase = Truth(required=False, allow_null=True)
    expected_manifest_sha256 = optional_text()
    artifacts = serializers.ListField(child=ArtifactInput(), required=False, allow_null=True, max_length=MAX_ENCLOSED)


class CheckpointInput(Input):
    """One step of a rollout; `releases.checkpoints` says which percents make a plan."""

    percent = Whole()
    dwell_seconds = Whole(min_value=1, max_value=MAX_DWELL_SECONDS)
    requests = Whole(min_value=1, max_value=MAX_REQUESTS)


def _dwell() -> Whole:
    return Whole(required=False, allow_null=True, min_value=1, max_value=MAX_DWELL_SECONDS)


def _requests() -> Whole:
    return Whole(required=False, allow_null=True, min_value=1, max_value=MAX_REQUESTS)


class RollInput(Input):
    """`POST /v1/releases/{id}/roll`."""

    strategy: Any = serializers.ChoiceField(["canary", "shadow"])
    dwell_5pct_seconds = _dwell()
    requests_5pct = _requests()
    dwell_25pct_seconds = _dwell()
    requests_25pct = _requests()
    dwell_100pct_seconds = _dwell()
    requests_100pct = _requests()
    checkpoints = serializers.ListField(
        child=CheckpointInput(), required=False, allow_null=True, max_length=MAX_CHECKPOINTS
    )
    dry_run = Truth(required=False, allow_null=True)
    reason = optional_text(max_length=2_000)
    dry_monitors = serializers.ListField(
        child=serializers.ChoiceField(MONITORS), required=False, allow_null=True, max_length=len(MONITORS)
    )
    weights_drift: Any = serializers.ChoiceField(ON_DRIFT, required=False, allow_null=True)


class OrderInput(Input):
    """What a person says to a rollout, and which version of it she saw."""

    reason = Text(max_length=2_000)
    expected_version = Whole(required=False, allow_null=True, min_value=1)


class RollbackInput(Input):
    """`POST /v1/routes/{id}/rollback`. Without `to` the route goes back to its previous release."""

    reason = Text(max_length=2_000)
    to = optional_text()
    rehearse = Truth(required=False, allow_null=True)
