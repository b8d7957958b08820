"""The keys of subjects: one per (organization, subject), wrapped with AES-256-GCM by a key of the organization.

Erasing somebody empties `wrapped_key`; from then on there is no key, and none is made again while the row is there, as
a gateway's spool may still bring what was written before. Nothing unwrapped outlives the call that needed it.

A key that nothing uses any more is deleted (`releases.traces.partitions`). Whoever seals holds a shared advisory lock
until its rows are committed, so that this never takes a key from under a batch on its way in.
"""

import os
import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import connection

from relcontrol.environment import MisconfiguredError
from releases.traces.subjects import FILE, SUBJECT_BYTES, VARIABLE, derived_key

Keys = Mapping[bytes, bytes | None]

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
ADVISORY: Final = 0x7472_6163  # "trac": the first half of the lock's number; the organization is the second

# The subjects are sent as one value and cut here: an array of them would be put together byte by byte in Python.
_KNOWN: Final = f"""
SELECT subject, wrapped_key FROM releases_subjectkey WHERE organization_id = %s AND subject IN (
    SELECT substring(%s::bytea FROM {SUBJECT_BYTES} * place + 1 FOR {SUBJECT_BYTES})
    FROM generate_series(0, %s - 1) AS place)
"""  # noqa: S608 - a constant
# The update changes nothing; it makes RETURNING tell the key of whoever came first.
_MAKE: Final = """
INSERT INTO releases_subjectkey (organization_id, subject, wrapped_key, created_at)
SELECT %s, made.subject, made.wrapped_key, %s FROM unnest(%s::bytea[], %s::bytea[]) AS made (subject, wrapped_key)
ON CONFLICT (organization_id, subject) DO UPDATE SET subject = EXCLUDED.subject
RETURNING subject, wrapped_key
"""


def keys_of(organization_id: str, subjects: Iterable[bytes]) -> Keys:
    """The keys that there are; None for a subject that was erased. Who was never seen is left out."""
    wrapping = AESGCM(derived_key(organization_id, "wrapping"))
    wanted = sorted(set(subjects))
    return {
        subject: None if wrapped is None else _unwrapped(wrapping, organization_id, subject, wrapped)
        for subject, wrapped in _rows(_KNOWN, [organization_id, b"".join(wanted), len(wanted)])
    }


def keys_to_seal(organization_id: str, subjects: Iterable[bytes], now: datetime) -> Keys:
    """The same, where new subjects get a key. Call it in the transaction that writes what is sealed."""
    wanted = set(subjects)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s, hashtext(%s))", [ADVISORY, organization_id])
    known = keys_of(organization_id, wanted)
    new = sorted(wanted - known.keys())  # in one order everywhere, so that two batches cannot wait for each other
    return known if not new else {**known, **_made(organization_id, new, now)}


def _made(organization_id: str, subjects: list[bytes], now: datetime) -> Keys:
    wrapping = AESGCM(derived_key(organization_id, "wrapping"))
    wrapped = [_wrapped(wrapping, organization_id, subject) for subject in subjects]
    return {
        subject: None if stored is None else _unwrapped(wrapping, organization_id, subject, stored)
        for subject, stored in _rows(_MAKE, [organization_id, now, subjects, wrapped])
    }


def _wrapped(wrapping: AESGCM, organization_id: str, subject: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + wrapping.encrypt(nonce, secrets.token_bytes(KEY_BYTES), organization_id.encode() + subject)


def _unwrapped(wrapping: AESGCM, organization_id: str, subject: bytes, wrapped: bytes) -> bytes:
    try:
        return wrapping.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], organization_id.encode() + subject)
    except InvalidTag as error:
        raise MisconfiguredError(
            f"The key of a subject does not unwrap: {FILE} (or {VARIABLE}) is not the one that wrapped it. "
            "Put the right one back; without it no body can be read."
        ) from error


def _rows(query: str, values: Sequence[Any]) -> list[tuple[bytes, bytes | None]]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return list(cursor.fetchall())
