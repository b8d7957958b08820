"""Rotating a key: from one moment on another one signs for its purpose; what the old one signed keeps verifying.

The order makes it safe to be killed at any moment: the private half of the new key is in its file first, then one
transaction changes the keyring and every chain. The receipt `key.rotated` is the last that the old key signs, where it
is a key of receipts; each chain's head names the key of its next receipt.
"""

from django.db import transaction

from audit.chain import timestamp
from audit.events import Event
from audit.keys import keyring
from audit.keys.changes import checked_purpose, key_input, lock_every_chain, record_everywhere, required_everywhere
from audit.keys.private import next_key, unused_keys
from audit.keys.signing import PURPOSES, RECEIPTS, PublicKey, SigningKey
from audit.models import ChainHead, KeyringEntry
from relcontrol.accounts.actors import Actor
from relcontrol.clock import now
from relcontrol.environment import MisconfiguredError
from relcontrol.errors import Conflict


def prepared_key(purpose: str) -> SigningKey:
    """The key that the next rotation takes, its private half stored: to be copied to other machines before."""
    if keyring.current(checked_purpose(purpose)) is None:
        keyring.signer(purpose)
    try:
        return next_key(purpose, _used(purpose))
    except MisconfiguredError as error:
        raise Conflict(str(error), code="no_next_key") from error


def prepared_public_keys() -> list[PublicKey]:
    """The prepared keys as a trust file lists them: a gateway that has it takes the next rotation without a restart."""
    since = timestamp(now())
    following = ((purpose, unused_keys(purpose, _used(purpose))[:1]) for purpose in PURPOSES)
    return [PublicKey(key.public, purpose, since) for purpose, keys in following for key in keys]


def rotate_key(*, actor: Actor, purpose: str, keyid: str = "") -> KeyringEntry:
    """Let a new key sign from now on; returns its entry. Somebody else's rotation at the same time is a `Conflict`.

    `keyid` is the key that the person saw sign: where another one does by now, nothing is done.

    Gateways refuse a routing key that their trust file does not name: give them one with the prepared key first.
    """
    required_everywhere(actor)
    following, before = prepared_key(purpose), keyring.current(purpose)
    with transaction.atomic():
        lock_every_chain(purpose)
        old = keyring.current(purpose)
        if old is None or before is None or old.keyid != (keyid or before.keyid):
            raise Conflict("This key was rotated or revoked a moment ago. Look at the keyring.", code="key_changed")
        new = KeyringEntry(keyid=following.keyid, purpose=purpose, public_key=following.public)
        receipts = record_everywhere(
            actor,
            event=Event.KEY_ROTATED,
            entry=old,
            inputs=[key_input("retired", old), key_input("current", new)],
            state={"old": old.keyid, "new": new.keyid},
        )
        moments = [receipt.issued_at for receipt in receipts] or [now()]
        old.valid_to, new.valid_from = max(moments), min(moments)
        old.save(update_fields=["valid_to"])
        new.save(force_insert=True)
        if purpose == RECEIPTS:
            ChainHead.objects.update(keyid=new.keyid)
    return new


def _used(purpose: str) -> set[str]:
    return set(KeyringEntry.objects.filter(purpose=purpose).values_list("keyid", flat=True))
