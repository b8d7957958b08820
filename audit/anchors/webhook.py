"""Sinks that are webhooks of the customer, signed as Standard Webhooks has it, so that a copy is held elsewhere.

The head that the customer holds is what catches a chain that was rolled back; this sink proves nothing to others. The
time is our own clock's. The secret is named in the settings and comes from the environment, as other credentials do.
"""

import base64
import binascii
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any, Final

from audit.anchors.addresses import closed, text_of, url_of
from audit.anchors.orders import Order, Settings
from audit.anchors.sending import SinkError, posted
from relcontrol.bundle.canonical import canonical_bytes
from relcontrol.errors import invalid
from relcontrol.model_servers.credentials import MissingCredentialError, credential

PREFIX: Final = "whsec_"
CONTENT_TYPE: Final = "text/plain; charset=utf-8"
NAME_SAYS: Final = "Give the name of its secret: up to 100 letters, digits, '_', '-' and '.'."


class Webhook:
    """Addresses of the customer."""

    def checked(self, settings: Settings) -> dict[str, Any]:
        """`{url, secret_name}`."""
        closed(settings, "url", "secret_name")
        name = text_of(settings, "secret_name", NAME_SAYS, most=100)
        if not all(character.isascii() and (character.isalnum() or character in "_-.") for character in name):
            raise invalid("settings.secret_name", NAME_SAYS)
        return {"url": url_of(settings), "secret_name": name}

    def submit(self, order: Order, settings: Settings) -> bytes:
        """What it answered, when, and to what, as RFC 8785 bytes."""
        seconds = int(order.at.timestamp())
        headers = {
            "webhook-id": order.key,
            "webhook-timestamp": str(seconds),
            "webhook-signature": signature(_secret(settings), order.key, seconds, order.body),
        }
        answer = posted(settings["url"], order.body, CONTENT_TYPE, headers)
        if not 200 <= answer.status < 300:
            answer.expected()
        evidence = {
            "status": answer.status,
            "at": order.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "webhook_id": order.key,
            "body_sha256": hashlib.sha256(order.body).hexdigest(),
        }
        return canonical_bytes(evidence)

    def verify(self, body: bytes, evidence: bytes, settings: Settings) -> datetime:
        """When it took this body, by our clock."""
        known = json.loads(evidence)
        if known["body_sha256"] != hashlib.sha256(body).hexdigest():
            raise SinkError("What it took is not this checkpoint.")
        return datetime.fromisoformat(known["at"])


def signature(secret: bytes, key: str, seconds: int, body: bytes) -> str:
    """The header `webhook-signature` of version 1: HMAC-SHA256 over id, time and body."""
    signed = f"{key}.{seconds}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(secret, signed, "sha256")).decode("ascii")


def _secret(settings: Settings) -> bytes:
    try:
        text = credential(settings["secret_name"])
    except (MissingCredentialError, OSError, ValueError) as error:
        raise SinkError(f"It cannot be signed: {error}") from error
    try:
        return base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise SinkError(f"The secret {settings['secret_name']} is no {PREFIX}… with base64 behind it.") from error
