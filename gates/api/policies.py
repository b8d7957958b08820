"""REST: gate policies, of the organization and of its applications."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, extend_schema_view, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from gates.policies.definition import NOT_CLAIMED
from gates.policies.rules import MAX_OVERRIDE_HOURS
from gates.policies.selectors import Pinned, effective_policies
from gates.policies.services import set_policy
from relcontrol.accounts.models import Application
from relcontrol.accounts.permissions import ADMINISTER, VIEW, Permission
from relcontrol.accounts.selectors import application_named, applications_of
from relcontrol.api.calls import CommandCall
from relcontrol.api.inputs import Input, Text, Truth, Whole

KINDS = ("gate",)
POLICY = inline_serializer(
    "Policy",
    {
        "policy_id": serializers.CharField(),
        "kind": serializers.ChoiceField(KINDS),
        "application": serializers.CharField(allow_null=True),
        "source": serializers.ChoiceField(("application", "organization", "product")),
        "revision": serializers.IntegerField(),
        "sha256": serializers.CharField(),
        "max_per_case_regression": serializers.FloatField(),
        "small_drops_need_review": serializers.BooleanField(),
        "parity_not_claimed": serializers.ChoiceField(NOT_CLAIMED),
        "floors": serializers.DictField(child=serializers.FloatField()),
        "tokens_review_percent": serializers.FloatField(allow_null=True),
        "tokens_fail_percent": serializers.FloatField(allow_null=True),
        "latency_p95_ms": serializers.FloatField(allow_null=True),
        "latency_p95_ratio": serializers.FloatField(allow_null=True),
        "second_person": serializers.BooleanField(),
        "override_hours": serializers.IntegerField(),
    },
)
POLICIES = inline_serializer(
    "PolicyList", {"results": serializers.ListField(child=POLICY), "next": serializers.CharField(allow_null=True)}
)


class Number(serializers.DecimalField):
    """A JSON number or a decimal string, kept as a decimal; the service knows its range."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=20, decimal_places=10, **options)

    def to_internal_value(self, data: Any) -> Decimal:
        """The decimal; a boolean or a list is none."""
        if not isinstance(data, (int, float, str)) or isinstance(data, bool):
            self.fail("invalid")
        return super().to_internal_value(data)


class Floors(serializers.DictField):
    """Names of scores with their lowest means."""

    child = Number()


class PolicyInput(Input):
    """Fields of a policy; those left out stay as it has them. Without `application` it is the organization's.

    `expected_version` is the revision last seen, 0 where there was none.
    """

    kind = serializers.ChoiceField(KINDS)
    application = Text(max_length=63, required=False, allow_null=True)
    max_per_case_regression = Number(required=False)
    small_drops_need_review = Truth(required=False)
    parity_not_claimed = serializers.ChoiceField(NOT_CLAIMED, required=False)
    floors = Floors(required=False)
    tokens_review_percent = Number(required=False, allow_null=True)
    tokens_fail_percent = Number(required=False, allow_null=True)
    latency_p95_ms = Number(required=False, allow_null=True)
    latency_p95_ratio = Number(required=False, allow_null=True)
    second_person = Truth(required=False)
    override_hours = Whole(min_value=1, max_value=MAX_OVERRIDE_HOURS, required=False)
    expected_version = Whole(min_value=0, required=False)


@extend_schema_view(
    get=extend_schema(
        summary="The policies that hold: the organization's, then each application's", responses=POLICIES
    ),
    post=extend_schema(summary="Set a policy: a new revision", request=PolicyInput, responses=POLICY),
)
class Policies(CommandCall):
    """Gate policies of this organization."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW, "POST": ADMINISTER}

    def get(self, request: Request) -> Response:
        """All that hold; `source` says whose each is."""
        organization = self.actor.organization
        held = effective_policies(organization, applications_of(organization))
        results = [policy_as_json(application, pinned) for application, pinned in held]
        return Response({"results": results, "next": None})

    def command(self, request: Request, **kwargs: str) -> Response:
        """Set one."""
        body = self.read(PolicyInput)
        del body["kind"]
        slug, expected = body.pop("application", None), body.pop("expected_version", None)
        application = application_named(self.actor.organization, slug) if slug else None
        pinned = set_policy(actor=self.actor, application=application, expected_revision=expected, **body)
        return Response(policy_as_json(application, pinned))


def policy_as_json(application: Application | None, pinned: Pinned) -> dict[str, Any]:
    """The policy that holds for an application. Numbers are JSON numbers here and decimal strings in receipts."""
    fields = pinned.definition.as_json()
    numbers = ("max_per_case_regression", "tokens_review_percent", "tokens_fail_percent")
    limits = (*numbers, "latency_p95_ms", "latency_p95_ratio")
    return {
        "policy_id": pinned.id,
        "kind": "gate",
        "application": application.slug if application else None,
        "source": pinned.source,
        "revision": pinned.revision,
        "sha256": pinned.sha256,
        **fields,
        **{name: None if fields[name] is None else float(fields[name]) for name in limits},
        "floors": {name: float(low) for name, low in fields["floors"].items()},
    }
