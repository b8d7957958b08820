"""Who a request was for, as a keyed HMAC; and the secret that this and the wrapping of keys are derived from.

The secret is not in the database: it is `subjects.key` in settings.KEY_DIR (0600), or RELCONTROL_KEY_SUBJECTS
(base64), so that a copy of the database alone says neither who a subject is nor what she wrote (domain.md "Lineage and
privacy"). Each organization and each use has a key of its own, derived by HKDF (RFC 5869).
"""

import base64
import binascii
import hmac
import secrets
from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from relcontrol import environment
from relcontrol.environment import MisconfiguredError, write_once
from releases.trace_models import SubjectKey

SUBJECT_BYTES: Final = 16
SECRET_BYTES: Final = 32
VARIABLE: Final = "RELCONTROL_KEY_SUBJECTS"
FILE: Final = "subjects.key"


def subject_digest(organization_id: str, text: str) -> bytes:
    """What the database calls a subject: the first 16 bytes of an HMAC-SHA256 of what the client called it."""
    return hmac.digest(derived_key(organization_id, "digest"), text.encode(), "sha256")[:SUBJECT_BYTES]


def subject_digests(organization_id: str, texts: Iterable[str]) -> dict[str, bytes]:
    """The same for many: the key is derived and set up once."""
    keyed = hmac.new(derived_key(organization_id, "digest"), digestmod="sha256")
    return {text: _digest(keyed.copy(), text) for text in texts}


def derived_key(organization_id: str, use: str) -> bytes:
    """The 32 bytes that serve one use in one organization."""
    return _derived(_secret(settings.KEY_DIR), f"relcontrol/subjects/v1/{use}/{organization_id}")


def _digest(keyed: hmac.HMAC, text: str) -> bytes:
    keyed.update(text.encode())
    return keyed.digest()[:SUBJECT_BYTES]


@lru_cache(maxsize=4096)
def _derived(secret: bytes, info: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=SECRET_BYTES, salt=None, info=info.encode()).derive(secret)


@cache
def _secret(folder: Path) -> bytes:
    if given := environment.text(VARIABLE):
        return _decoded(given, VARIABLE)
    file = folder / FILE
    if not file.exists():
        if SubjectKey.objects.exists():
            raise MisconfiguredError(
                f"{file} is missing, but bodies of traces are encrypted with keys that it unwraps. Put the file back "
                f"(RELCONTROL_KEYS names its folder) or set {VARIABLE}."
            )
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_once(file, base64.b64encode(secrets.token_bytes(SECRET_BYTES)))
    return _decoded(file.read_text().strip(), str(file))


def _decoded(text: str, source: str) -> bytes:
    try:
        secret = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise MisconfiguredError(f"{source} must be base64 of {SECRET_BYTES} random bytes: {error}.") from error
    if len(secret) != SECRET_BYTES:
        raise MisconfiguredError(f"{source} must be base64 of {SECRET_BYTES} random bytes, not of {len(secret)}.")
    return secret
