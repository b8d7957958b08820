"""Bearer tokens `rc_<public>.<secret>` (api.md): how one is made, read and proved.

The secret has 256 random bits, so a plain SHA-256 of it is as hard to turn back as the secret is to guess.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime

from relcontrol.accounts.models import Token
from relcontrol.errors import Unauthenticated

SHAPE = re.compile(r"rc_(?P<public>[a-z0-9]{16})\.(?P<secret>[A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class FreshToken:
    """What a new token is made of. `text` is shown once and kept nowhere."""

    public: str
    secret_sha256: str
    text: str


def fresh_token() -> FreshToken:
    """A new random token."""
    public, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
    return FreshToken(public, _digest(secret), f"rc_{public}.{secret}")


def token_of(text: str, now: datetime) -> Token:
    """The valid token that `text` is, or `Unauthenticated` with the reason."""
    match = SHAPE.fullmatch(text)
    if match is None:
        raise Unauthenticated("This is no relcontrol token. Send `Authorization: Bearer rc_<public>.<secret>`.")
    row = Token.objects.select_related("organization", "person").filter(public=match["public"]).first()
    proved = hmac.compare_digest(_digest(match["secret"]), row.secret_sha256 if row else "0" * 64)
    if row is None or not proved:
        raise Unauthenticated("This token is not known here. Make a new one with `manage.py token create`.")
    if row.revoked_at is not None:
        raise Unauthenticated("This token was revoked. Ask an administrator for a new one.")
    if row.expires_at is not None and row.expires_at <= now:
        raise Unauthenticated("This token has expired. Ask an administrator for a new one.")
    if row.person is not None and not row.person.is_active:
        raise Unauthenticated("The person this token belongs to is no longer active.")
    return row


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
