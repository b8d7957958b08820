"""Statements about weights that were handed in: checked, kept as they were signed, one for each digest and signer."""

from typing import Any

from django.db import transaction

from audit.events import Event
from audit.evidence_models import WeightsStatement
from audit.receipts import Record, append
from audit.weights.oms import SignedStatement, read_bundle
from audit.weights.predicates import WeightsError
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Organization
from relcontrol.accounts.permissions import WRITE_RELEASES
from relcontrol.clock import now
from relcontrol.errors import invalid


def statements_of(organization: Organization, weights_sha256: str) -> list[WeightsStatement]:
    """The statements about one digest, oldest first."""
    rows = WeightsStatement.objects.filter(organization=organization, weights_sha256=weights_sha256)
    return list(rows.order_by("pk"))


def checked_bundle(bundle: Any, public_key: str | None = None) -> SignedStatement:
    """A bundle whose form, signature and root hold, or `Invalid` that says what does not."""
    try:
        return read_bundle(bundle, public_key.encode() if public_key else None)
    except WeightsError as error:
        raise invalid("bundle", str(error)) from error


@transaction.atomic
def add_statement(*, actor: Actor, bundle: Any, public_key: str | None = None) -> tuple[WeightsStatement, bool]:
    """Keep a statement; the row, and whether this call made it. That a key signed it does not say whose key it is."""
    actor.require(WRITE_RELEASES)
    return store_statement(actor, checked_bundle(bundle, public_key))


def store_statement(actor: Actor, signed: SignedStatement, *, size: int = 0) -> tuple[WeightsStatement, bool]:
    """The same for one that was checked, in the caller's transaction; `size` in bytes, 0 where it is not known.

    ECDSA signs differently each time: the first stays. Two at once wait for each other at the unique index.
    """
    predicate = signed.statement.predicate
    row = WeightsStatement(
        organization=actor.organization,
        weights_sha256=predicate.weights_sha256,
        root_sha256=predicate.root_sha256,
        bundle=signed.bundle,
        keyid=signed.key.keyid,
        model=signed.statement.model,
        files=len(predicate.files),
        bytes=size,
        created_at=now(),
    )
    WeightsStatement.objects.bulk_create([row], ignore_conflicts=True)
    kept = WeightsStatement.objects.get(
        organization=actor.organization, weights_sha256=row.weights_sha256, keyid=row.keyid
    )
    if kept.pk == row.pk:
        _append(actor, kept)
    return kept, kept.pk == row.pk


def _append(actor: Actor, row: WeightsStatement) -> None:
    state = {
        "id": row.pk,
        "model": row.model,
        "weights_sha256": row.weights_sha256,
        "root_sha256": row.root_sha256,
        "keyid": row.keyid,
        "files": row.files,
    }
    append(
        actor,
        Record(
            event=Event.ARTIFACT_CREATED,
            outcome="created",
            kind="weights-statement",
            name=f"{row.model}@{row.weights_sha256[:12]}",
            state=state,
        ),
    )
