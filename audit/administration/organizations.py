"""Organizations, and the start of their receipt chains."""

from django.conf import settings
from django.db import IntegrityError, transaction

from audit.administration.rules import checked_name, checked_slug
from audit.chain import genesis_prev
from audit.events import Event
from audit.models import ChainCheck, ChainHead
from audit.receipts import Record, append
from relcontrol.accounts.actors import command_actor
from relcontrol.accounts.models import Organization
from relcontrol.clock import now
from relcontrol.errors import Conflict


@transaction.atomic
def create_organization(*, slug: str, name: str = "") -> Organization:
    """Make an organization with an empty chain; only a shell on the machine can. Its first receipt says so."""
    organization = Organization(
        slug=checked_slug(slug),
        name=checked_name(name or slug),
        origin=f"{settings.ORIGIN_HOST}/{slug}",
        created_at=now(),
    )
    try:
        with transaction.atomic():
            organization.save(force_insert=True)
    except IntegrityError as error:
        raise Conflict(f"There is an organization {slug} already.", code="organization_exists") from error
    ChainHead.objects.create(organization=organization, receipt_hash=genesis_prev(organization.origin))
    ChainCheck.objects.create(organization=organization)
    append(
        command_actor(organization),
        Record(
            event=Event.ORGANIZATION_CHANGED,
            outcome="created",
            kind="organization",
            name=slug,
            state={"slug": slug, "name": organization.name},
        ),
    )
    return organization
