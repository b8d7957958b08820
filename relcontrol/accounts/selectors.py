"""Reading accounts: an organization's rows for those who may see them, 404 for everybody else."""

from typing import TypeVar

from django.db.models import Model, QuerySet

from relcontrol.accounts.models import Application, Endpoint, Membership, Organization, Person, Route, Token
from relcontrol.errors import NotFound

Row = TypeVar("Row", bound=Model)


def found(rows: QuerySet[Row], what: str, **conditions: object) -> Row:
    """The one row, or `NotFound` naming what was looked for. Other organizations' rows are not in `rows`."""
    row = rows.filter(**conditions).first()
    if row is None:
        wanted = ", ".join(str(value) for value in conditions.values())
        raise NotFound(f"There is no {what} {wanted} here. Check the id and which organization your token is for.")
    return row


def memberships_of(person: Person) -> QuerySet[Membership]:
    """Where a person is a member, by name."""
    return Membership.objects.filter(person=person).select_related("organization").order_by("organization__name")


def applications_of(organization: Organization) -> QuerySet[Application]:
    """Applications of an organization, by slug."""
    return Application.objects.filter(organization=organization).order_by("slug")


def application_named(organization: Organization, slug: str | None) -> Application:
    """The application with this slug (or id); the only one where none is named (api.md)."""
    rows = applications_of(organization)
    if slug:
        key = "pk" if slug.startswith("app_") else "slug"
        return found(rows, "application", **{key: slug})
    first_two = list(rows[:2])
    if len(first_two) == 1:
        return first_two[0]
    if first_two:
        names = ", ".join(rows.values_list("slug", flat=True)[:20])
        raise NotFound(f"This organization has several applications; name one in `application`: {names}.")
    raise NotFound("This organization has no application yet; an administrator makes one with POST /v1/applications.")


def routes_of(organization: Organization) -> QuerySet[Route]:
    """Routes of an organization, by application and name."""
    rows = Route.objects.filter(organization=organization).select_related("application")
    return rows.order_by("application__slug", "name")


def endpoints_of(organization: Organization) -> QuerySet[Endpoint]:
    """Endpoints of an organization, by name."""
    return Endpoint.objects.filter(organization=organization).order_by("name")


def members_of(organization: Organization) -> QuerySet[Membership]:
    """Memberships of an organization with their people, by address."""
    return Membership.objects.filter(organization=organization).select_related("person").order_by("person__email")


def tokens_of(organization: Organization) -> QuerySet[Token]:
    """Tokens of an organization, newest first, without anything secret to show."""
    return Token.objects.filter(organization=organization).select_related("person").order_by("-pk")
