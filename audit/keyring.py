"""The keyring: private halves in files of mode 0600 (or the environment), public halves in the database.

One key for each purpose, so that a key that signs exports can sign no receipt (receipts.md "Keys"). A missing file for
a key that is in use is an error, never a reason to make a new key in silence.
"""

from functools import cache
from pathlib import Path

from django.conf import settings

from audit.chain import timestamp
from audit.keys import PublicKey, SigningKey, load_signing_key, new_private_pem
from audit.models import KeyringEntry
from relcontrol import environment
from relcontrol.clock import now
from relcontrol.environment import MisconfiguredError, write_once


def signer(purpose: str, *, known: str = "") -> SigningKey:
    """The key that signs for a purpose; its public half is put on the keyring when it is first asked for.

    `known`: the id of a key that is on the keyring for certain, which saves looking.
    """
    key = _private_key(purpose, settings.KEY_DIR)
    if key.keyid != known and not KeyringEntry.objects.filter(keyid=key.keyid).exists():
        entry = KeyringEntry(keyid=key.keyid, purpose=purpose, public_key=key.public, valid_from=now())
        KeyringEntry.objects.bulk_create([entry], ignore_conflicts=True)
    return key


def public_keys() -> list[PublicKey]:
    """Every key that ever signed here, oldest first."""
    return [_public(entry) for entry in KeyringEntry.objects.order_by("valid_from", "keyid")]


def _public(entry: KeyringEntry) -> PublicKey:
    return PublicKey(
        public=bytes(entry.public_key),
        purpose=entry.purpose,
        start=timestamp(entry.valid_from),
        end=timestamp(entry.valid_to) if entry.valid_to else None,
        revoked_at=timestamp(entry.revoked_at) if entry.revoked_at else None,
        reason=entry.revocation_reason or None,
    )


@cache
def _private_key(purpose: str, folder: Path) -> SigningKey:
    variable = f"RELCONTROL_KEY_{purpose.upper()}"
    if given := environment.text(variable):
        return _loaded(given.encode(), purpose, variable)
    file = folder / f"{purpose}.pem"
    if not file.exists() and KeyringEntry.objects.filter(purpose=purpose, valid_to__isnull=True).exists():
        raise MisconfiguredError(
            f"{file} is missing, but a {purpose} key is in use. Put the file back (RELCONTROL_KEYS names its folder) "
            f"or set {variable}."
        )
    if not file.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_once(file, new_private_pem())
    return _loaded(file.read_bytes(), purpose, str(file))


def _loaded(pem: bytes, purpose: str, source: str) -> SigningKey:
    try:
        return load_signing_key(pem, purpose=purpose)
    except ValueError as error:
        raise MisconfiguredError(f"{source}: {error}") from error
