"""People: accounts and their roles in an organization."""

from collections.abc import Collection

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from audit.administration.rules import checked_name
from audit.events import Event
from audit.receipts import Record, append
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Membership, Person, Role
from relcontrol.accounts.permissions import ADMINISTER
from relcontrol.clock import now
from relcontrol.errors import Conflict, FieldError, Invalid, invalid


@transaction.atomic
def add_person(
    *, actor: Actor, email: str, roles: Collection[str], name: str = "", password: str | None = None
) -> Membership:
    """Make somebody a member. A new address makes a person; a known one keeps her name and password."""
    actor.require(ADMINISTER)
    known = Person.objects.filter(email__iexact=checked_email(email)).first()
    person = known or _new_person(email, name, password)
    membership = Membership(
        organization=actor.organization, person=person, roles=checked_roles(roles), created_at=now()
    )
    if Membership.objects.filter(organization=actor.organization, person=person).exists():
        raise Conflict(f"{email} is a member already; change the roles instead.", code="member_exists")
    membership.save(force_insert=True)
    _append(actor, membership, "added")
    return membership


@transaction.atomic
def change_roles(*, actor: Actor, membership: Membership, roles: Collection[str]) -> Membership:
    """Give a member other roles. Nobody takes the last administrator away."""
    actor.require(ADMINISTER)
    row = Membership.objects.select_for_update(of=("self",)).select_related("person").get(pk=membership.pk)
    row.roles = checked_roles(roles)
    others = Membership.objects.filter(organization=actor.organization, roles__contains=[Role.ADMIN]).exclude(pk=row.pk)
    if Role.ADMIN not in row.roles and Role.ADMIN in membership.roles and not others.exists():
        raise Conflict("This is the last administrator. Make somebody else one first.", code="last_administrator")
    row.save(update_fields=["roles"])
    _append(actor, row, "roles_changed")
    return row


def checked_email(email: str) -> str:
    """The address, or `Invalid`."""
    try:
        validate_email(email)
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
    append(
        actor,
        Record(
            event=Event.MEMBER_CHANGED,
            outcome=outcome,
            kind="person",
            name=person.pk,
            state={"id": person.pk, "email": person.email, "name": person.name, "roles": list(membership.roles)},
        ),
    )
