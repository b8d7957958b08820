"""The keyring: which key signs for a purpose. Public halves are in the database, private ones in audit/keys/private.py.

One key for each purpose at a time, so that a key that signs exports can sign no receipt (receipts.md "Keys"). A missing
private half of a key that is in use is an error, never a reason to make a new key in silence. Rotations and revocations
are in audit/keys/rotation.py and audit/keys/revocation.py.
"""

from datetime import datetime

from django.db.models import QuerySet

from audit.chain import timestamp
from audit.keys.private import first_key, private_key
from audit.keys.signing import PublicKey, SigningKey
from audit.models import KeyringEntry
from relcontrol.clock import now


def signer(purpose: str, *, keyid: str = "") -> SigningKey:
    """The key that signs for a purpose at present; the first one is made when it is first asked for.

    `keyid` names a key that is on the keyring for certain, as a chain's head does, which saves looking. Raises
    `MisconfiguredError` where this machine does not hold the private half.
    """
    if wanted := keyid or _current_id(purpose):
        return private_key(purpose, wanted)
    key = first_key(purpose)
    entry = KeyringEntry(keyid=key.keyid, purpose=purpose, public_key=key.public, valid_from=now())
    KeyringEntry.objects.bulk_create([entry], ignore_conflicts=True)
    return key


def current(purpose: str) -> KeyringEntry | None:
    """The entry of the key that signs at present; `None` before the first."""
    return _current(purpose).first()


def not_before(key: SigningKey, moment: datetime) -> datetime:
    """`moment`, or the beginning of the key's period where that is later.

    What was asked for before a rotation and is signed after it cannot carry the time of the asking.
    """
    return max(moment, KeyringEntry.objects.values_list("valid_from", flat=True).get(keyid=key.keyid))


def public_keys() -> list[PublicKey]:
    """Every key that ever signed here, oldest first."""
    return [public_key(entry) for entry in KeyringEntry.objects.order_by("valid_from", "keyid")]


def public_key(entry: KeyringEntry) -> PublicKey:
    """A row as trust files and exports list it."""
    return PublicKey(
        public=bytes(entry.public_key),
        purpose=entry.purpose,
        start=timestamp(entry.valid_from),
        end=timestamp(entry.valid_to) if entry.valid_to else None,
        revoked_at=timestamp(entry.revoked_at) if entry.revoked_at else None,
        reason=entry.revocation_reason or None,
    )


def _current(purpose: str) -> QuerySet[KeyringEntry]:
    rows = KeyringEntry.objects.filter(purpose=purpose, valid_to=None, revoked_at=None)
    return rows.order_by("-valid_from", "keyid")


def _current_id(purpose: str) -> str:
    return _current(purpose).values_list("keyid", flat=True).first() or ""
