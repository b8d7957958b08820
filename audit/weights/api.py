"""REST: statements about model weights, and the observers whose observations are believed."""

from collections.abc import Mapping
from typing import Any, ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit.chain import timestamp
from audit.evidence_models import WeightsObservation, WeightsObserver, WeightsStatement
from audit.weights.observers import observers_of, register_observer
from audit.weights.predicates import DIGEST
from audit.weights.standing import drifts, seen_lately
from audit.weights.statements import add_statement, statements_of
from relcontrol.accounts.permissions import ADMINISTER, VIEW, WRITE_RELEASES, Permission
from relcontrol.api.calls import Call, CommandCall
from relcontrol.api.inputs import Input, Structure, Text
from relcontrol.api.pages import PAGED, listed
from relcontrol.clock import now
from relcontrol.errors import NotFound

OBSERVATIONS_SHOWN = 20
OBSERVER = inline_serializer(
    "WeightsObserver",
    {
        "observer_id": serializers.CharField(),
        "name": serializers.CharField(),
        "keyid": serializers.CharField(),
        "public_key": serializers.CharField(),
        "created_at": serializers.CharField(),
        "revoked_at": serializers.CharField(allow_null=True),
    },
)
STATEMENT = inline_serializer(
    "WeightsStatement",
    {
        "statement_id": serializers.CharField(),
        "weights_sha256": serializers.CharField(),
        "oms_root_sha256": serializers.CharField(),
        "model": serializers.CharField(),
        "files": serializers.IntegerField(),
        "keyid": serializers.CharField(),
        "created_at": serializers.CharField(),
    },
)


class StatementInput(Input):
    """A signed statement; the public key (PEM) where the bundle only hints at it."""

    bundle = Structure()
    public_key = Text(required=False, allow_null=True, max_length=2_000)


class ObserverInput(Input):
    """An agent's public key, and what to call it."""

    name = Text(max_length=100)
    public_key = Text(max_length=2_000)


@extend_schema_view(
    post=extend_schema(
        summary="Hand in a statement about model weights",
        description=(
            "A Sigstore bundle of OpenSSF Model Signing v1.0, signed with a plain key (P-256). The answer's "
            "`weights_sha256` is what a release names: over the statement's whole predicate, names and contents. "
            "201, or 200 where this key has said the same before."
        ),
        request=StatementInput,
        responses={201: STATEMENT, 200: STATEMENT},
    )
)
class Statements(CommandCall):
    """Statements about weights."""

    permissions: ClassVar[Mapping[str, Permission]] = {"POST": WRITE_RELEASES}

    def command(self, request: Request, **kwargs: str) -> Response:
        """Check it and keep it."""
        body = self.read(StatementInput)
        row, created = add_statement(actor=self.actor, bundle=body["bundle"], public_key=body.get("public_key"))
        return Response(statement_as_json(row), status=201 if created else 200)


@extend_schema_view(
    get=extend_schema(summary="Observers of weights, newest first", parameters=PAGED, responses=OpenApiTypes.OBJECT),
    post=extend_schema(
        summary="Believe an observer",
        description="A person registers the public key (PEM) that `manage.py attest-weights --print-key` prints.",
        request=ObserverInput,
        responses={201: OBSERVER},
    ),
)
class Observers(CommandCall):
    """Agents beside model servers."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW, "POST": ADMINISTER}

    def get(self, request: Request) -> Response:
        """A page of observers."""
        return Response(listed(request, observers_of(self.actor.organization), observer_as_json))

    def command(self, request: Request, **kwargs: str) -> Response:
        """Register one."""
        return Response(observer_as_json(register_observer(actor=self.actor, **self.read(ObserverInput))), status=201)


@extend_schema_view(get=extend_schema(summary="What is known of weights", responses=OpenApiTypes.OBJECT))
class OneDigest(Call):
    """Weights by their digest."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW}

    def get(self, request: Request, weights: str) -> Response:
        """Statements with their bundles, the newest observations, and what a receipt may claim now."""
        organization, digest = self.actor.organization, weights.removeprefix("sha256:")
        statements = statements_of(organization, digest) if DIGEST.fullmatch(digest) else []
        rows = WeightsObservation.objects.filter(organization=organization, expected_sha256=digest)
        shown = list(rows.select_related("observer").order_by("-observed_at")[:OBSERVATIONS_SHOWN])
        if not statements and not shown:
            raise NotFound("Nobody has stated or observed weights of this digest here. Name it by its 64 digits.")
        at = now()
        seen = seen_lately(organization, digest, at)
        return Response(
            {
                "weights_sha256": digest,
                "assurance": seen.assurance if seen else "declared",
                "drifted": bool(drifts(organization, [digest], at)),
                "statements": [statement_as_json(row) | {"bundle": row.bundle} for row in statements],
                "observations": [observation_as_json(row) for row in shown],
            }
        )


def observer_as_json(row: WeightsObserver) -> dict[str, Any]:
    """An observer."""
    return {
        "observer_id": row.pk,
        "name": row.name,
        "keyid": row.keyid,
        "public_key": bytes(row.public_key).decode(),
        "created_at": timestamp(row.created_at),
        "revoked_at": timestamp(row.revoked_at) if row.revoked_at else None,
    }


def statement_as_json(row: WeightsStatement) -> dict[str, Any]:
    """A statement without its bundle."""
    return {
        "statement_id": row.pk,
        "weights_sha256": row.weights_sha256,
        "oms_root_sha256": row.root_sha256,
        "model": row.model,
        "files": row.files,
        "keyid": row.keyid,
        "created_at": timestamp(row.created_at),
    }


def observation_as_json(row: WeightsObservation) -> dict[str, Any]:
    """An observation without its envelope."""
    return {
        "observation_id": row.pk,
        "observer": row.observer.name,
        "keyid": row.observer.keyid,
        "expected_sha256": row.expected_sha256,
        "observed_sha256": row.observed_sha256,
        "depth": row.depth,
        "drifted": row.drifted,
        "observed_at": timestamp(row.observed_at),
        "received_at": timestamp(row.received_at),
    }
