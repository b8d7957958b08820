"""Which gate policy holds: an application's own, else the organization's, else the product's defaults.

A policy is whole: an application with its own takes no field of it from the organization's.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from django.db.models import Q, QuerySet

from gates.models import GatePolicy
from gates.policies.definition import Definition, definition_from
from relcontrol.accounts.models import Application, Organization

PRODUCT_ID: Final = "gate-policy"
Source = Literal["application", "organization", "product"]


@dataclass(frozen=True, slots=True)
class Pinned:
    """A policy as it is now. `row` is None for the product's defaults, which are revision 0 of `gate-policy`."""

    definition: Definition
    row: GatePolicy | None = None

    @property
    def id(self) -> str:
        """What receipts call the policy."""
        return self.row.pk if self.row else PRODUCT_ID

    @property
    def revision(self) -> int:
        """How often it was set; 0 where nobody ever did."""
        return self.row.revision if self.row else 0

    @property
    def source(self) -> Source:
        """Whose it is."""
        if self.row is None:
            return "product"
        return "application" if self.row.application_id else "organization"

    @property
    def sha256(self) -> str:
        """The digest of what it says."""
        return self.definition.sha256()

    def as_json(self) -> dict[str, Any]:
        """What a gate run keeps of it."""
        return {
            "id": self.id,
            "revision": self.revision,
            "sha256": self.sha256,
            "definition": self.definition.as_json(),
        }


def policies_of(organization: Organization) -> QuerySet[GatePolicy]:
    """The policies that were set in an organization."""
    return GatePolicy.objects.filter(organization=organization).select_related("application")


def policy_for(organization: Organization, application: Application | None) -> Pinned:
    """The policy that holds for an application, or without one for the organization."""
    rows = policies_of(organization).filter(Q(application=application) | Q(application=None))
    return _effective({row.application_id: row for row in rows}, application)


def effective_policies(
    organization: Organization, applications: Iterable[Application]
) -> list[tuple[Application | None, Pinned]]:
    """The organization's policy and then each application's, in one query."""
    rows: dict[str | None, GatePolicy] = {row.application_id: row for row in policies_of(organization)}
    return [(application, _effective(rows, application)) for application in (None, *applications)]


def _effective(rows: Mapping[str | None, GatePolicy], application: Application | None) -> Pinned:
    row = rows.get(application.pk if application else None) or rows.get(None)
    return Pinned(definition_from(row.definition), row) if row else Pinned(Definition())
