"""REST: the further policies of canaries."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, extend_schema_view, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from relcontrol.accounts.permissions import ADMINISTER, VIEW, Permission
from relcontrol.accounts.selectors import application_named, found
from relcontrol.api.calls import Call, CommandCall
from relcontrol.api.inputs import Input, Text, Truth, Whole
from relcontrol.api.pages import PAGED, listed
from relcontrol.errors import invalid
from releases.measuring.policy_definition import Definition
from releases.measuring.policy_presets import PRESETS
from releases.measuring.policy_rules import LONGEST_WINDOW, MAX_NAME, MOST_N_MIN, SHORTEST_WINDOW
from releases.measuring.policy_services import (
    change_policy,
    create_policy,
    policies_of,
    policy_named,
    remove_policy,
)
from releases.rollout_models import RoutePolicy

POLICY = inline_serializer(
    "RolloutPolicy",
    {
        "policy_id": serializers.CharField(),
        "application": serializers.CharField(),
        "route": serializers.CharField(allow_null=True),
        "name": serializers.CharField(),
        "metric": serializers.CharField(),
        "maximum": serializers.FloatField(allow_null=True),
        "minimum": serializers.FloatField(allow_null=True),
        "window_seconds": serializers.IntegerField(),
        "n_min": serializers.IntegerField(),
        "action": serializers.ChoiceField(RoutePolicy.Action.choices),
        "dry": serializers.BooleanField(),
        "revision": serializers.IntegerField(),
        "changed_by": serializers.CharField(),
        "changed_at": serializers.DateTimeField(),
    },
)
POLICY_PAGE = inline_serializer(
    "RolloutPolicyPage",
    {"results": serializers.ListField(child=POLICY), "next": serializers.CharField(allow_null=True)},
)
REQUIRED = ("name", "metric", "window_seconds", "action")


class Limit(serializers.FloatField):
    """A JSON number; texts and booleans are none."""

    def __init__(self) -> None:
        super().__init__(required=False, allow_null=True)

    def to_internal_value(self, data: Any) -> float:
        """The number, or an error for any other type."""
        if isinstance(data, bool) or not isinstance(data, (int, float)):
            self.fail("invalid")
        return super().to_internal_value(data)


class PolicyFields(Input):
    """What a policy says. Of `maximum` and `minimum` it has one."""

    name = Text(max_length=MAX_NAME, required=False)
    metric = Text(max_length=100, required=False)
    maximum = Limit()
    minimum = Limit()
    window_seconds = Whole(min_value=SHORTEST_WINDOW, max_value=LONGEST_WINDOW, required=False)
    n_min = Whole(min_value=1, max_value=MOST_N_MIN, required=False)
    action = serializers.ChoiceField(RoutePolicy.Action.choices, required=False)
    dry = Truth(required=False)


class RolloutPolicyInput(PolicyFields):
    """A new policy; with a preset every field has a value to start from. Without a route it is for all of them."""

    application = Text(max_length=63, required=False)
    route = Text(max_length=40, required=False, allow_null=True)
    preset = serializers.ChoiceField(sorted(PRESETS), required=False)


class RolloutPolicyChange(PolicyFields):
    """Changed fields; those left out stay. `expected_version` is the revision last seen."""

    expected_version = Whole(min_value=1, required=False)


@extend_schema_view(
    get=extend_schema(summary="Rollout policies, newest first", parameters=PAGED, responses=POLICY_PAGE),
    post=extend_schema(summary="Make a rollout policy", request=RolloutPolicyInput, responses={201: POLICY}),
)
class RolloutPolicies(CommandCall):
    """Further policies of canaries."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW, "POST": ADMINISTER}

    def get(self, request: Request) -> Response:
        """A page."""
        return Response(listed(request, policies_of(self.actor.organization), policy_as_json))

    def command(self, request: Request, **kwargs: str) -> Response:
        """Make one."""
        fields = self.read(RolloutPolicyInput)
        application = application_named(self.actor.organization, fields.pop("application", None))
        named = fields.pop("route", None)
        route = found(application.routes.all(), "route", pk=named) if named else None
        row = create_policy(actor=self.actor, application=application, definition=_definition(fields), route=route)
        return Response(policy_as_json(row), 201)


@extend_schema_view(
    get=extend_schema(summary="A rollout policy", responses=POLICY),
    patch=extend_schema(summary="Change a rollout policy", request=RolloutPolicyChange, responses=POLICY),
    delete=extend_schema(summary="Remove a rollout policy", responses={204: None}),
)
class OneRolloutPolicy(Call):
    """One policy."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW, "PATCH": ADMINISTER, "DELETE": ADMINISTER}

    def get(self, request: Request, policy: str) -> Response:
        """As it is now."""
        return Response(policy_as_json(policy_named(self.actor.organization, policy)))

    def patch(self, request: Request, policy: str) -> Response:
        """Change it, for rollouts that start from now on."""
        target = policy_named(self.actor.organization, policy)
        fields = self.read(RolloutPolicyChange)
        expected = fields.pop("expected_version", None)
        row = change_policy(actor=self.actor, target=target, expected_revision=expected, **fields)
        return Response(policy_as_json(row))

    def delete(self, request: Request, policy: str) -> Response:
        """Remove it, for rollouts that start from now on."""
        remove_policy(actor=self.actor, target=policy_named(self.actor.organization, policy))
        return Response(status=204)


def policy_as_json(row: RoutePolicy) -> dict[str, Any]:
    """A policy."""
    policy = Definition.of_row(row).as_json()
    return {
        "policy_id": policy.pop("id"),
        "application": row.application.slug,
        "route": row.route_id,
        **policy,
        "changed_by": row.changed_by_label,
        "changed_at": row.changed_at,
    }


def _definition(fields: dict[str, Any]) -> Definition:
    """The preset's definition with what was sent; one limit that was sent takes the place of both."""
    preset = PRESETS.get(fields.pop("preset", ""))
    values: dict[str, Any] = asdict(preset) | {"action": preset.action.value} if preset else {"n_min": 30}
    if preset is None or {"maximum", "minimum"} & fields.keys():
        values |= {"maximum": None, "minimum": None}
    values |= fields
    for name in REQUIRED:
        if name not in values:
            raise invalid(name, "Say it, or name a `preset`.")
    return Definition(**values)
