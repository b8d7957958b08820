"""REST: signing off what a gate left for review, and the allowlist of tolerated cases."""

from collections.abc import Mapping
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, extend_schema_view, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from gates.overrides.rules import MAX_COMMENT, MAX_REASON
from gates.reviews.allowlist import approve, entries_of, entry_named, propose, reject, withdraw
from gates.reviews.items import blocks_in
from gates.reviews.sign_offs import everything_signed, open_reviews, sign_off
from gates.run_models import AllowlistEntry, SignOff
from gates.runs.selectors import run_named
from gates.suites import suite_named
from relcontrol.accounts.permissions import REVIEW_GATES, VIEW, WRITE_GATES, Permission
from relcontrol.api.calls import CommandCall
from relcontrol.api.inputs import Input, Text
from relcontrol.api.pages import PAGED, listed

SIGN_OFF = inline_serializer(
    "SignOff",
    {
        "gate_run_id": serializers.CharField(),
        "signed": serializers.ListField(child=serializers.CharField()),
        "open": serializers.ListField(child=serializers.CharField()),
        "not_lifted": serializers.ListField(child=serializers.CharField()),
        "passes": serializers.BooleanField(),
        "reason": serializers.CharField(),
        "signed_by": serializers.CharField(),
        "signed_at": serializers.DateTimeField(),
    },
)
ENTRY = inline_serializer(
    "AllowlistEntry",
    {
        "allowlist_id": serializers.CharField(),
        "suite": serializers.CharField(),
        "case_id": serializers.CharField(),
        "slice": serializers.CharField(),
        "state": serializers.ChoiceField(AllowlistEntry.State.values),
        "justification": serializers.CharField(),
        "until": serializers.DateTimeField(allow_null=True),
        "proposed_by": serializers.CharField(),
        "proposed_at": serializers.DateTimeField(),
        "reviewed_by": serializers.CharField(allow_null=True),
        "reviewed_at": serializers.DateTimeField(allow_null=True),
        "comment": serializers.CharField(allow_null=True),
    },
)
ENTRY_PAGE = inline_serializer(
    "AllowlistPage", {"results": serializers.ListField(child=ENTRY), "next": serializers.CharField(allow_null=True)}
)


class SignOffInput(Input):
    """Why it may go on, and which items; without `items` all that are open."""

    reason = Text(max_length=MAX_REASON)
    items = serializers.ListField(child=Text(max_length=300), required=False, min_length=1, max_length=500)


class ProposalInput(Input):
    """A case whose drop is to be tolerated."""

    suite = Text(max_length=200)
    case_id = Text(max_length=200)
    justification = Text(max_length=MAX_REASON)
    until = serializers.DateTimeField(required=False, allow_null=True)


class CommentInput(Input):
    """What the one who decides says."""

    comment = Text(max_length=MAX_COMMENT)


class WithdrawalInput(Input):
    """Why it is taken back, if anything is to be said."""

    comment = Text(max_length=MAX_COMMENT, required=False, allow_blank=True)


@extend_schema_view(
    post=extend_schema(
        summary="Sign off what a gate run left for review", request=SignOffInput, responses={201: SIGN_OFF}
    )
)
class RunSignOff(CommandCall):
    """A person's decision on what a run left for review; it lifts nothing that failed or is insufficient."""

    permissions: ClassVar[Mapping[str, Permission]] = {"POST": REVIEW_GATES}

    def command(self, request: Request, **kwargs: str) -> Response:
        """Sign."""
        run = run_named(self.actor.organization, kwargs["run"])
        return Response(sign_off_as_json(sign_off(actor=self.actor, run=run, **self.read(SignOffInput))), 201)


@extend_schema_view(
    get=extend_schema(summary="Allowlist entries, newest first", parameters=PAGED, responses=ENTRY_PAGE),
    post=extend_schema(summary="Propose to tolerate a case's drop", request=ProposalInput, responses={201: ENTRY}),
)
class Allowlist(CommandCall):
    """Tolerated cases of this organization's suites."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW, "POST": WRITE_GATES}

    def get(self, request: Request) -> Response:
        """A page."""
        return Response(listed(request, entries_of(self.actor.organization), entry_as_json))

    def command(self, request: Request, **kwargs: str) -> Response:
        """Propose one."""
        body = self.read(ProposalInput)
        suite = suite_named(self.actor.organization, body.pop("suite"))
        return Response(entry_as_json(propose(actor=self.actor, suite=suite, **body)), 201)


@extend_schema_view(post=extend_schema(summary="Approve an allowlist entry", request=CommentInput, responses=ENTRY))
class AllowlistApproval(CommandCall):
    """The second person says yes."""

    permissions: ClassVar[Mapping[str, Permission]] = {"POST": REVIEW_GATES}

    def command(self, request: Request, **kwargs: str) -> Response:
        """Put it in force."""
        entry = entry_named(self.actor.organization, kwargs["entry"])
        return Response(entry_as_json(approve(actor=self.actor, entry=entry, **self.read(CommentInput))))


@extend_schema_view(post=extend_schema(summary="Reject an allowlist entry", request=CommentInput, responses=ENTRY))
class AllowlistRejection(CommandCall):
    """The second person says no."""

    permissions: ClassVar[Mapping[str, Permission]] = {"POST": REVIEW_GATES}

    def command(self, request: Request, **kwargs: str) -> Response:
        """Refuse it."""
        entry = entry_named(self.actor.organization, kwargs["entry"])
        return Response(entry_as_json(reject(actor=self.actor, entry=entry, **self.read(CommentInput))))


@extend_schema_view(post=extend_schema(summary="Withdraw an allowlist entry", request=WithdrawalInput, responses=ENTRY))
class AllowlistWithdrawal(CommandCall):
    """The case is held to the limit again."""

    permissions: ClassVar[Mapping[str, Permission]] = {"POST": WRITE_GATES}

    def command(self, request: Request, **kwargs: str) -> Response:
        """Take it back."""
        entry = entry_named(self.actor.organization, kwargs["entry"])
        return Response(entry_as_json(withdraw(actor=self.actor, entry=entry, **self.read(WithdrawalInput))))


def sign_off_as_json(row: SignOff) -> dict[str, Any]:
    """A sign-off, with what is still open and what it does not lift."""
    return {
        "gate_run_id": row.run_id,
        "signed": row.items,
        "open": open_reviews(row.run),
        "not_lifted": [finding.item for finding in blocks_in(row.run.document)],
        "passes": everything_signed(row.run),
        "reason": row.reason,
        "signed_by": row.signed_by_label,
        "signed_at": row.signed_at,
    }


def entry_as_json(row: AllowlistEntry) -> dict[str, Any]:
    """An allowlist entry."""
    return {
        "allowlist_id": row.pk,
        "suite": row.case.suite.name,
        "case_id": row.case.case_id,
        "slice": row.case.slice.slug,
        "state": row.state,
        "justification": row.justification,
        "until": row.until,
        "proposed_by": row.proposed_by_label,
        "proposed_at": row.proposed_at,
        "reviewed_by": row.reviewed_by_label or None,
        "reviewed_at": row.reviewed_at,
        "comment": row.comment or None,
    }
