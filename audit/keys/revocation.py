"""Revoking a key that may be in wrong hands: from `revoked_at` on nothing that it signed is believed.

A key that signs at present is replaced in the same transaction and signs nothing more: `key.revoked` is signed by the
key that takes its place, and no `key.rotated` is written, because the signature under it would be worth nothing. A
moment in the past takes the receipts that were signed since then with it: the chain does not verify there any more,
and cannot, as nobody could tell them from forged ones. `signed_since` says beforehand how many they are.
"""

from datetime import datetime, timedelta

from django.db import transaction

from audit.anchors.checkpoints import give_up_waiting
from audit.chain import timestamp
from audit.events import Event
from audit.keys import keyring
from audit.keys.changes import key_input, last_issued, lock_every_chain, record_everywhere, required_everywhere
from audit.keys.rotation import prepared_key
from audit.keys.signing import LOG, RECEIPTS, SigningKey
from audit.models import ChainHead, KeyringEntry, Receipt
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.selectors import found
from relcontrol.clock import now
from relcontrol.errors import Conflict, invalid

MAX_REASON = 500
LEAST = timedelta(microseconds=1)


def signed_since(keyid: str, moment: datetime) -> int:
    """How many receipts of all organizations a revocation from `moment` on would take with it."""
    return Receipt.objects.filter(keyid=keyid, issued_at__gte=moment).count()


def revoke_key(*, actor: Actor, keyid: str, reason: str, at: datetime | None = None) -> KeyringEntry:
    """Believe a key no more from `at` on, or from now on; returns its entry. May be repeated with an earlier moment."""
    required_everywhere(actor)
    said = _checked_reason(reason)
    entry = found(KeyringEntry.objects.all(), "key", keyid=keyid)
    if at is not None and at > now():
        raise invalid("at", "A key is revoked from now on or from a moment in the past.")
    following = prepared_key(entry.purpose) if _signs(entry) else None
    with transaction.atomic():
        if entry.purpose == LOG:
            give_up_waiting(now())  # before the chains: who makes an anchor holds its row when it appends
        lock_every_chain(entry.purpose)
        row = KeyringEntry.objects.get(pk=entry.pk)
        if _signs(row) != _signs(entry):
            raise Conflict("This key was rotated or revoked a moment ago. Look at the keyring.", code="key_changed")
        _require_earlier(row, at)
        row.revoked_at, row.revocation_reason = at or _after_everything(), said
        new = _replace(row, following) if following else None
        row.save(update_fields=["valid_to", "revoked_at", "revocation_reason"])
        _record(actor, row, new)
    return row


def _signs(entry: KeyringEntry) -> bool:
    present = keyring.current(entry.purpose)
    return present is not None and present.keyid == entry.keyid


def _require_earlier(row: KeyringEntry, at: datetime | None) -> None:
    if row.revoked_at is not None and (at is None or at >= row.revoked_at):
        raise Conflict(
            f"This key is revoked since {timestamp(row.revoked_at)}; only an earlier moment would change that.",
            code="key_revoked",
        )


def _after_everything() -> datetime:
    """Later than every receipt that there is, whatever the clock says, so that they all keep verifying."""
    newest = last_issued()
    return max(now(), newest + LEAST) if newest else now()


def _replace(row: KeyringEntry, following: SigningKey) -> KeyringEntry:
    moment = now()
    row.valid_to = max(moment, last_issued() or moment)
    new = KeyringEntry.objects.create(
        keyid=following.keyid, purpose=row.purpose, public_key=following.public, valid_from=moment
    )
    if row.purpose == RECEIPTS:
        ChainHead.objects.update(keyid=new.keyid)
    return new


def _record(actor: Actor, row: KeyringEntry, new: KeyringEntry | None) -> None:
    since = timestamp(row.revoked_at) if row.revoked_at else ""
    record_everywhere(
        actor,
        event=Event.KEY_REVOKED,
        entry=row,
        inputs=[key_input("revoked", row, since), *([key_input("current", new)] if new else [])],
        state={
            "keyid": row.keyid,
            "revoked_at": since,
            "reason": row.revocation_reason,
            "new": new.keyid if new else None,
        },
    )


def _checked_reason(reason: str) -> str:
    said = " ".join(reason.split())
    if not said or len(said) > MAX_REASON or not said.isprintable():
        raise invalid("reason", f"Say why in 1 to {MAX_REASON} characters; it stands in every trust file from now on.")
    return said
