"""People: accounts and their roles in an organization."""

from collections.abc import Collection

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from audit.administration.rules import checked_name
from audit.administration.tokens import append_token_changed
from audit.events import Event
from audit.receipts import Record, append
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Membership, Organization, Person, Role, Token
from relcontrol.accounts.permissions import ADMINISTER
from relcontrol.accounts.selectors import found
from relcontrol.clock import now
from relcontrol.errors import Conflict, FieldError, Invalid, NotFound, invalid


@transaction.atomic
def add_person(
    *,
    actor: Actor,
    email: str,
    roles: Collection[str],
    name: str = "",
    password: str | None = None,
    domains: Collection[str] = (),
) -> Membership:
    """Make somebody a member. A new address makes a person; a known one keeps her name and password.

    `domains` are accepted although no mail could reach them; the demo content has such addresses, forms never do.
    """
    actor.require(ADMINISTER)
    known = Person.objects.filter(email__iexact=checked_email(email, domains)).first()
    checked = checked_roles(roles)
    try:
        with transaction.atomic():
            person = known or _new_person(email, name, password)
            membership = Membership(organization=actor.organization, person=person, roles=checked, created_at=now())
            membership.save(force_insert=True)
    except IntegrityError as error:
        message = f"{email} is a member already; change the roles instead."
        raise Conflict(message, code="member_exists") from error
    _append(actor, membership, "added")
    return membership


@transaction.atomic
def change_roles(*, actor: Actor, membership: Membership, roles: Collection[str]) -> Membership:
    """Give a member other roles; the same ones again change nothing. Nobody takes the last administrator away."""
    actor.require(ADMINISTER)
    members = _locked_members(actor.organization)
    row = _one_of(members, membership)
    wanted = checked_roles(roles)
    if wanted == row.roles:
        return row
    if Role.ADMIN not in wanted:
        _require_other_administrator(members, row)
    row.roles = wanted
    row.save(update_fields=["roles"])
    _append(actor, row, "roles_changed")
    return row


@transaction.atomic
def remove_person(*, actor: Actor, membership: Membership) -> None:
    """End a membership and revoke the person's own tokens here. What she decided stays in its receipts."""
    actor.require(ADMINISTER)
    members = _locked_members(actor.organization)
    row = _one_of(members, membership)
    _require_other_administrator(members, row)
    tokens = list(_usable_tokens(row).select_for_update(of=("self",), no_key=True).order_by("pk"))
    at = now()
    for token in tokens:
        token.revoked_at = at
        token.save(update_fields=["revoked_at"])
    row.delete()
    for token in tokens:
        append_token_changed(actor, token, "revoked")
    _append(actor, row, "removed")


def _locked_members(organization: Organization) -> list[Membership]:
    """Every membership, locked in one order: two administrators cannot remove each other at the same time."""
    rows = Membership.objects.filter(organization=organization).select_related("person")
    return list(rows.select_for_update(of=("self",), no_key=True).order_by("pk"))


def _one_of(members: list[Membership], wanted: Membership) -> Membership:
    row = next((member for member in members if member.pk == wanted.pk), None)
    if row is None:
        raise NotFound("This person is no member of the organization, or is no longer one.")
    return row


def _require_other_administrator(members: list[Membership], row: Membership) -> None:
    others = [member for member in members if Role.ADMIN in member.roles and member.pk != row.pk]
    if Role.ADMIN in row.roles and not others:
        message = "This is the last administrator. Make somebody else one first."
        raise Conflict(message, code="last_administrator")


def _usable_tokens(membership: Membership) -> QuerySet[Token]:
    return Token.objects.filter(
        organization=membership.organization_id, person=membership.person_id, revoked_at__isnull=True
    )


def member_named(organization: Organization, key: str) -> Membership:
    """The membership with this id."""
    rows = Membership.objects.filter(organization=organization).select_related("person", "organization")
    return found(rows, "member", pk=key)


def checked_email(email: str, domains: Collection[str] = ()) -> str:
    """The address, or `Invalid`. `domains` are accepted beside those that mail can reach."""
    try:
        EmailValidator(allowlist=["localhost", *domains])(email)
    except ValidationError as error:
        raise invalid("email", f"{email[:80]!r} is no e-mail address.") from error
    return email


def checked_roles(roles: Collection[str]) -> list[str]:
    """Known roles, each once, in the order of the roles' list; at least one."""
    unknown = sorted(set(roles) - set(Role.values))
    if unknown or not roles:
        raise invalid("roles", f"Give one or more of: {', '.join(Role.values)}.")
    return [role for role in Role.values if role in roles]


def _new_person(email: str, name: str, password: str | None) -> Person:
    person = Person(email=email, name=checked_name(name or email.partition("@")[0]), created_at=now())
    if password is None:
        person.set_unusable_password()
    else:
        _check_password(password, person)
        person.set_password(password)
    person.save(force_insert=True)
    return person


def _check_password(password: str, person: Person) -> None:
    try:
        validate_password(password, person)
    except ValidationError as error:
        raise Invalid(
            " ".join(error.messages), errors=[FieldError("password", message) for message in error.messages]
        ) from error


def _append(actor: Actor, membership: Membership, outcome: str) -> None:
    person = membership.person
    roles = [] if outcome == "removed" else list(membership.roles)
    append(
        actor,
        Record(
            event=Event.MEMBER_CHANGED,
            outcome=outcome,
            kind="person",
            name=person.pk,
            state={"id": person.pk, "roles": roles},
            personal={"email": person.email, "name": person.name},
        ),
    )
