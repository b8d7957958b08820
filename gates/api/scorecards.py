"""REST: the scorecard of a gate run, as Markdown for people and as JUnit XML for CI."""

from collections.abc import Mapping
from typing import ClassVar

from django.http import HttpResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request

from gates.runs.selectors import run_named
from gates.scorecards.card import Card, card_of
from gates.scorecards.junit import junit
from gates.scorecards.markdown import markdown
from relcontrol.accounts.permissions import VIEW, Permission
from relcontrol.api.calls import Call


@extend_schema_view(
    get=extend_schema(
        summary="The scorecard of a gate run in Markdown", responses={(200, "text/markdown"): OpenApiTypes.STR}
    )
)
class MarkdownScorecard(Call):
    """`gate-runs/{id}.md`."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW}

    def get(self, request: Request, run: str) -> HttpResponse:
        """409 while there is no verdict."""
        return HttpResponse(markdown(_card(self, run)), content_type="text/markdown; charset=utf-8")


@extend_schema_view(
    get=extend_schema(
        summary="The scorecard of a gate run as JUnit XML", responses={(200, "application/xml"): OpenApiTypes.STR}
    )
)
class JUnitScorecard(Call):
    """`gate-runs/{id}.xml`."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW}

    def get(self, request: Request, run: str) -> HttpResponse:
        """409 while there is no verdict."""
        return HttpResponse(junit(_card(self, run)), content_type="application/xml")


def _card(call: Call, name: str) -> Card:
    organization = call.actor.organization
    run = run_named(organization, name)
    page = reverse("gate-run", kwargs={"organization": organization.slug, "run": run.pk})
    return card_of(run, link=call.request.build_absolute_uri(page))
