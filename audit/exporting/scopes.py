"""What an export holds: the scope as it is asked for, checked, and the receipts that lie in it."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from audit.exporting.document import Scope
from audit.models import Export, Receipt
from audit.names import ids_named
from audit.selectors import manifest_of_release
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Organization
from relcontrol.accounts.selectors import application_named
from relcontrol.errors import Invalid, invalid

LONGEST_NAME = 320


def checked_scope(actor: Actor, scope: dict[str, Any]) -> dict[str, Any]:
    """One kind of scope, with what it names found in the actor's organization. Raises `Invalid`.

    `{"organization": True}`, `{"application": slug}`, `{"release": id or SHA-256}` or `{"person": id, name, address}`.
    """
    match scope:
        case {"organization": True, **rest} if not rest:
            return {"organization": True}
        case {"application": str(slug), **rest} if slug and not rest:
            return {"application": application_named(actor.organization, slug).slug}
        case {"release": str(text), **rest} if text and not rest:
            return {"release": manifest_of_release(actor.organization, text)}
        case {"person": str(text), **rest} if text and not rest:
            return {"person": _person_named(actor.organization, text)}
    raise Invalid(
        'Give one scope: {"organization": true}, {"application": "slug"}, {"release": "rel_… or manifest SHA-256"} '
        'or {"person": "id, name or e-mail address"}.',
        code="scope",
    )


def _person_named(organization: Organization, text: str) -> str:
    """The id that receipts carry, of whoever has this id, or alone has this in a name or an address."""
    mine = Receipt.objects.filter(organization=organization)
    if mine.filter(actor=text[:LONGEST_NAME]).exists():
        return text
    found = ids_named(organization, text[:LONGEST_NAME])
    if len(found) > 1:
        raise invalid("scope.person", f"{len(found)} people or tokens have {text[:80]} in their names; give the id.")
    if not found:
        raise invalid("scope.person", f"There is nobody named {text[:80]} here, and no receipt is by that id.")
    if not mine.filter(actor=found[0]).exists():
        raise invalid("scope.person", f"No receipt is by {text[:80]}: there is nothing to export.")
    return found[0]


def receipts_in(export: Export) -> QuerySet[Receipt]:
    """The receipts in scope, up to the head of the moment when it was asked for."""
    rows = Receipt.objects.filter(organization=export.organization_id, seq__lte=export.upto)
    scope = export.scope
    if application := scope.get("application"):
        rows = rows.filter(application=application)
    if release := scope.get("release"):
        rows = rows.filter(manifest_sha256=release)
    if person := scope.get("person"):
        rows = rows.filter(actor=person)
    if scope["from"]:
        rows = rows.filter(issued_at__gte=datetime.fromisoformat(scope["from"]))
    if scope["to"]:
        rows = rows.filter(issued_at__lt=datetime.fromisoformat(scope["to"]))
    return rows


def is_whole(export: Export) -> bool:
    """Every receipt of the chain up to its head: whoever has them all needs no proof."""
    return bool(export.scope.get("organization")) and not export.scope["from"] and not export.scope["to"]


def document_scope(export: Export) -> Scope:
    """The scope as the document has it."""
    scope = export.scope
    return Scope(
        organization=bool(scope.get("organization")),
        application=scope.get("application"),
        release=scope.get("release"),
        person=scope.get("person"),
        start=scope["from"],
        end=scope["to"],
    )
