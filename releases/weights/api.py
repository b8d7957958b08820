"""REST: what an observer of weights saw, and which releases that concerns."""

from collections.abc import Mapping
from typing import ClassVar

from drf_spectacular.utils import extend_schema, extend_schema_view, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit.weights.api import observation_as_json
from relcontrol.accounts.permissions import REPORT_AS_GATEWAY, Permission
from relcontrol.api.calls import CommandCall
from relcontrol.api.inputs import Input, Structure
from releases.weights.recording import record_observation

RECORDED = inline_serializer(
    "WeightsObservation",
    {
        "observation_id": serializers.CharField(),
        "observer": serializers.CharField(),
        "keyid": serializers.CharField(),
        "expected_sha256": serializers.CharField(),
        "observed_sha256": serializers.CharField(),
        "depth": serializers.ChoiceField(["load", "sample"]),
        "drifted": serializers.BooleanField(),
        "observed_at": serializers.CharField(),
        "received_at": serializers.CharField(),
        "releases": serializers.ListField(child=serializers.CharField()),
        "receipts": serializers.ListField(child=serializers.CharField()),
    },
)


class ObservationInput(Input):
    """The signed envelope; with a reading of all files the bundle of the statement about them."""

    envelope = Structure()
    statement = Structure(required=False, allow_null=True)


@extend_schema_view(
    post=extend_schema(
        summary="Send what was seen of model weights",
        description=(
            "A DSSE envelope by the key of a registered observer. Other files than expected are no error of this call: "
            "201 with `drifted`; a rollout of such a release halts at its next look. 200 where it was sent before."
        ),
        request=ObservationInput,
        responses={201: RECORDED, 200: RECORDED},
    )
)
class Observations(CommandCall):
    """Observations of weights; the token's scope is that of gateways, which report from the same machines."""

    permissions: ClassVar[Mapping[str, Permission]] = {"POST": REPORT_AS_GATEWAY}

    def command(self, request: Request, **kwargs: str) -> Response:
        """Check it, store it, and say it in the chain."""
        body = self.read(ObservationInput)
        found = record_observation(actor=self.actor, envelope=body["envelope"], statement=body.get("statement"))
        concerned = {
            "releases": [row.pk for row in found.releases],
            "receipts": [receipt.receipt_hash for receipt in found.receipts],
        }
        return Response(observation_as_json(found.row) | concerned, status=201 if found.created else 200)
