"""The keyrings that the root signed, and the way to the next one: what is asked of it, and what is taken from it.

Nothing here leaves a receipt: a signed keyring is evidence by itself, and every change of a key has its receipt.
"""

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from audit.chain import timestamp
from audit.evidence_models import SignedKeyring
from audit.keys.keyring import public_keys
from audit.keys.signing import PublicKey
from audit.root.document import Keyring, KeyringError, payload_of, read_payload
from audit.root.signing import Signed, public_json, read_file
from relcontrol.accounts.models import Organization
from relcontrol.clock import now
from relcontrol.errors import Conflict, invalid


def newest() -> SignedKeyring | None:
    """The keyring that counts."""
    return SignedKeyring.objects.order_by("-sequence").first()


def root_of(row: SignedKeyring) -> dict[str, Any]:
    """The root that signed it, as trust files name it."""
    return public_json(bytes(row.root_public_key))


def request() -> bytes:
    """The next keyring, unsigned: the present keys of all organizations here, for the root to look at and sign."""
    row = newest()
    origins = Organization.objects.order_by("origin").values_list("origin", flat=True)
    return payload_of(
        Keyring(
            sequence=row.sequence + 1 if row else 1,
            issued_at=timestamp(now()),
            origins=tuple(origins),
            keys=tuple(public_keys()),
        )
    )


def unsigned(row: SignedKeyring | None, keys: Sequence[PublicKey]) -> dict[str, str]:
    """What the root has not signed yet, in words by key id: new keys, and old ones that ended or were revoked since."""
    signed = {key.keyid: key for key in _content(row).keys} if row else {}
    return {key.keyid: _difference(signed.get(key.keyid), key) for key in keys if signed.get(key.keyid) != key}


@transaction.atomic
def import_keyring(*, text: bytes, new_root: bool = False) -> SignedKeyring:
    """Take what `keyring sign` wrote. Its sequence must grow, its root stay, unless `new_root`, and its keys be ours.

    Raises `Invalid` for what is no signed keyring of this installation, `Conflict` for an old one or another root.
    """
    try:
        signed = read_file(text)
    except KeyringError as error:
        raise invalid("file", f"This is no signed keyring: {error}.") from error
    _check_is_ours(signed.keyring)
    last = SignedKeyring.objects.select_for_update().order_by("-sequence").first()
    if last is not None:
        _check_follows(signed, last, new_root=new_root)
    return SignedKeyring.objects.create(
        sequence=signed.keyring.sequence,
        envelope=signed.envelope,
        root_keyid=signed.root_keyid,
        root_public_key=signed.root,
        issued_at=datetime.fromisoformat(signed.keyring.issued_at),
        imported_at=now(),
    )


def _check_is_ours(keyring: Keyring) -> None:
    known = {key.keyid: key for key in public_keys()}
    strange = [key.keyid for key in keyring.keys if not _same_key(known, key)]
    if strange:
        raise invalid("file", f"It names keys that never signed here: {', '.join(strange)}.")
    foreign = set(keyring.origins) - set(Organization.objects.values_list("origin", flat=True))
    if foreign:
        raise invalid("file", f"It names organizations that are not here: {', '.join(sorted(foreign))}.")


def _same_key(known: Mapping[str, PublicKey], key: PublicKey) -> bool:
    ours = known.get(key.keyid)
    return ours is not None and (ours.purpose, ours.start) == (key.purpose, key.start)


def _check_follows(signed: Signed, last: SignedKeyring, *, new_root: bool) -> None:
    if signed.keyring.sequence <= last.sequence:
        raise Conflict(
            f"Keyring {last.sequence} is here already; this one is {signed.keyring.sequence}. Sign a new request.",
            code="old_keyring",
        )
    if signed.root != bytes(last.root_public_key) and not new_root:
        raise Conflict(
            f"This keyring is signed by the root {signed.root_keyid}, the last one by {last.root_keyid}. If the root "
            "was changed on purpose, give --new-root, and hand every auditor the new trust file.",
            code="other_root",
        )


def _difference(signed: PublicKey | None, key: PublicKey) -> str:
    if signed is None:
        return "not signed by the root yet"
    if signed.revoked_at != key.revoked_at:
        return "revoked since the root signed"
    return f"{'retired' if signed.end != key.end else 'changed'} since the root signed"


def _content(row: SignedKeyring) -> Keyring:
    return read_payload(base64.b64decode(row.envelope["payload"]))
