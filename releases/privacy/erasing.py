"""Erasing a subject: her key and every copy of what her requests said, in one transaction with the receipt.

The key's row stays, empty: while it is there no new key is made, so that what a gateway's spool still brings, or what
she asks within the next days, is stored without texts (releases.traces.keys). Erasing takes the lock that batches of
traces share, so that none is on its way in with her key. Receipts are never touched: they hold digests and salted
commitments. A backup of the database from before holds the wrapped key too: whoever restores one erases again.
"""

from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import QuerySet

from audit.events import Event
from audit.models import Receipt
from audit.receipts import Record, append
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Organization
from relcontrol.accounts.permissions import ADMINISTER
from relcontrol.clock import now
from relcontrol.errors import Conflict, NotFound, invalid
from relcontrol.ids import new_id
from releases.privacy.copies import COPIES, FEEDBACK, request_ids_of, subjects_of
from releases.privacy.sayings import erase_feedback
from releases.trace_models import Erasure, SubjectKey
from releases.traces.keys import ADVISORY
from releases.traces.subjects import SUBJECT_BYTES, subject_digest

KEYS: Final = "keys"
MAX_SUBJECT: Final = 2_000
MIN_REASON: Final = 5
MAX_REASON: Final = 1_000
SHORTEST_NAME: Final = 3


def erase(*, actor: Actor, subject: str | None = None, digest: bytes | None = None, reason: str) -> Erasure:
    """Erase a subject by the client's own word for it, or by what the database calls it.

    Raises `NotFound` where no request of the subject is known, `Invalid` for a reason that is none or that names the
    subject: it stays. Erasing again what is erased changes nothing and returns the erasure that did it.
    """
    actor.require(ADMINISTER)
    said = checked_reason(reason, subject)
    wanted = digest if digest is not None else named_digest(actor.organization, subject)
    with transaction.atomic():
        return _erased(actor, wanted, said)


def named_digest(organization: Organization, subject: str | None) -> bytes:
    """The digest of what a client called somebody: the conversation, the user, whatever `subject` the requests had."""
    if not subject or len(subject) > MAX_SUBJECT or not subject.isprintable():
        raise invalid("subject", f"Say whom, in 1 to {MAX_SUBJECT:,} printable characters, as the requests did.")
    return subject_digest(organization.pk, subject)


def digest_of_request(organization: Organization, request_id: str) -> bytes:
    """The digest of whoever asked this. Raises `NotFound`, or `Conflict` where several did under one id."""
    digests = subjects_of(organization.pk, request_id)
    if not digests:
        raise NotFound("No request with this id is known here (any more): check it, or say the subject instead.")
    if len(digests) > 1:
        message = f"{len(digests)} subjects sent a request with this id, so it does not say whom. Say the subject."
        raise Conflict(message, code="ambiguous", state={"subjects": len(digests)})
    return digests.pop()


def found_of(organization: Organization, digest: bytes) -> dict[str, int]:
    """What an erasure of this subject would take out now: how many copies of each kind. Changes nothing."""
    found = {copy.name: copy.of_subject(organization.pk, digest).count() for copy in COPIES}
    return found | {KEYS: _keys(organization.pk, digest).filter(wrapped_key__isnull=False).count()}


def is_known(organization: Organization, digest: bytes) -> bool:
    """Whether anything of this subject was ever stored and is not forgotten."""
    known = _keys(organization.pk, digest).exists()
    return known or any(copy.knows(organization.pk, digest) for copy in COPIES)


def erasures_of(organization: Organization) -> QuerySet[Erasure]:
    """Every erasure, newest first."""
    return Erasure.objects.filter(organization=organization).order_by("-pk")


def checked_reason(reason: str, subject: str | None) -> str:
    """The reason, which stays for ever; so it must not name whom it is about."""
    said = " ".join(reason.split())
    if not MIN_REASON <= len(said) <= MAX_REASON or not said.isprintable():
        raise invalid("reason", f"Say why in {MIN_REASON} to {MAX_REASON:,} printable characters.")
    if subject and len(subject) >= SHORTEST_NAME and subject.casefold() in said.casefold():
        raise invalid("reason", "Leave out whom you erase: the reason stays, and would be what is left of her.")
    return said


def _erased(actor: Actor, digest: bytes, reason: str) -> Erasure:
    organization, at = actor.organization, now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [ADVISORY, organization.pk])
    if len(digest) != SUBJECT_BYTES or not is_known(organization, digest):
        raise NotFound(
            "No request of this subject is known here: it was never seen, or everything was forgotten with its "
            "retention. Write it as the requests do, upper and lower case too."
        )
    gone = {KEYS: _destroy_key(organization, digest, at)}
    gone |= {copy.name: copy.erase(organization.pk, digest) for copy in COPIES}
    gone[FEEDBACK] = erase_feedback(organization.pk, request_ids_of(organization.pk, digest))
    if not any(gone.values()):
        before = erasures_of(organization).filter(subject=digest).first()
        if before is not None:
            return before
    return _recorded(actor, digest, reason, gone, at)


def _destroy_key(organization: Organization, digest: bytes, at: datetime) -> int:
    """Empty the key; where there is none, leave a mark in its place, so that none is made."""
    row = _keys(organization.pk, digest).select_for_update(no_key=True).first()
    if row is None:
        SubjectKey.objects.create(organization=organization, subject=digest, created_at=at, destroyed_at=at)
        return 0
    if row.wrapped_key is None:
        return 0
    row.wrapped_key, row.destroyed_at = None, at
    row.save(update_fields=["wrapped_key", "destroyed_at"])
    return 1


def _keys(organization_id: str, digest: bytes) -> QuerySet[SubjectKey]:
    return SubjectKey.objects.filter(organization_id=organization_id, subject=digest)


def _recorded(actor: Actor, digest: bytes, reason: str, gone: dict[str, int], at: datetime) -> Erasure:
    key = new_id("ers")
    receipt = _receipt(actor, key, digest, reason, gone)
    return Erasure.objects.create(
        id=key,
        organization=actor.organization,
        subject=digest,
        reason=reason,
        gone=gone,
        erased_by=actor.id,
        erased_by_label=actor.label,
        erased_at=at,
        receipt_hash=receipt.receipt_hash,
    )


def _receipt(actor: Actor, key: str, digest: bytes, reason: str, gone: dict[str, int]) -> Receipt:
    """The receipt: the keyed digest and the counts, never a name; the reason can be erased by itself."""
    state: dict[str, Any] = {"id": key, "subject": digest.hex(), "gone": gone}
    record = Record(
        event=Event.DISCLOSURE_ERASED,
        outcome="erased",
        kind="subject",
        name=digest.hex(),
        state=state,
        personal={"reason": reason},
    )
    return append(actor, record)
