"""Sinks that give RFC 3161 time stamps: a signed time over the SHA-256 of the checkpoint's note.

Only the roots in the sink's settings are trusted; certificates in the answer lead to them or to nothing. A time stamp
proves that the log existed at that time, not that nothing was left out.
"""

import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate, ObjectIdentifier, load_pem_x509_certificates
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from audit.anchors.addresses import closed, url_of
from audit.anchors.der_sets import with_ordered_certificates
from audit.anchors.orders import Order, Settings
from audit.anchors.sending import SinkError, posted
from relcontrol.errors import invalid

SHA256: Final = ObjectIdentifier("2.16.840.1.101.3.4.2.1")
OID: Final = re.compile(r"[0-2](\.(0|[1-9][0-9]{0,18})){1,30}")
MAX_ROOTS: Final = 10
MAX_PEM: Final = 20_000  # characters


class TimeStamps:
    """Authorities that answer over HTTP."""

    def checked(self, settings: Settings) -> dict[str, Any]:
        """`{url, roots, policy}`: where it answers, the PEM of each root to trust, and the policy's OID or null."""
        closed(settings, "url", "roots", "policy")
        policy = settings.get("policy") or None
        if policy is not None and not (isinstance(policy, str) and OID.fullmatch(policy)):
            raise invalid("settings.policy", "Give the policy as an OID such as 1.2.3.4.1, or nothing.")
        return {"url": url_of(settings), "roots": _checked_roots(settings.get("roots")), "policy": policy}

    def submit(self, order: Order, settings: Settings) -> bytes:
        """The DER of a TimeStampResp that answers this very request, by its nonce."""
        builder = TimestampRequestBuilder().data(order.body).hash_algorithm(HashAlgorithm.SHA256)
        request = builder.nonce(nonce=True).cert_request(cert_request=True).build()
        answer = posted(settings["url"], request.as_bytes(), "application/timestamp-query").expected(200)
        evidence = _strict(answer.content)
        response = _decoded(evidence)
        if response.status == 0 and response.tst_info.nonce != request.nonce:
            raise SinkError("Its token answers another request: the nonce is not ours.")
        return evidence

    def verify(self, body: bytes, evidence: bytes, settings: Settings) -> datetime:
        """The time in the token, once its signature leads to a trusted root and it is about this body."""
        response = _decoded(evidence)
        if response.status != 0:
            said = "; ".join(response.status_string or [])[:200]
            raise SinkError(f"It refused to stamp (status {response.status}){f': {said}' if said else ''}.")
        policy = ObjectIdentifier(settings["policy"]) if settings.get("policy") else None
        verifier = VerifierBuilder(policy_id=policy, roots=_certificates(settings["roots"])).build()
        try:
            token = response.tst_info
            if token.message_imprint.hash_algorithm != SHA256:
                raise SinkError("Its token is over another hash than SHA-256.")
            verifier.verify(response, hashlib.sha256(body).digest())
        except (VerificationError, ValueError) as error:
            raise SinkError(f"Its token does not verify: {str(error).rstrip('.')}.") from error
        at = token.gen_time
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def _strict(content: bytes) -> bytes:
    """The answer as DER; one whose certificates stand in another order than DER has them is put into it."""
    try:
        decode_timestamp_response(content)
    except ValueError:
        return with_ordered_certificates(content)
    return content


def _decoded(evidence: bytes) -> TimeStampResponse:
    try:
        response = decode_timestamp_response(evidence)
    except ValueError as error:
        raise SinkError("Its answer is no RFC 3161 time stamp.") from error
    if response.as_bytes() != evidence:
        raise SinkError("Its answer is no RFC 3161 time stamp in DER.")
    return response


def _checked_roots(given: object) -> list[str]:
    texts = given if isinstance(given, Sequence) and not isinstance(given, str) else []
    if not 1 <= len(texts) <= MAX_ROOTS or not all(isinstance(text, str) and len(text) <= MAX_PEM for text in texts):
        raise invalid("settings.roots", f"Give 1 to {MAX_ROOTS} root certificates of the authority, each as PEM.")
    roots = []
    for text in texts:
        roots += _pems_of(text)
    return list(dict.fromkeys(roots))


def _pems_of(text: str) -> list[str]:
    """One or more certificates in one text, each as a PEM of its own."""
    try:
        certificates = load_pem_x509_certificates(text.encode())
    except ValueError as error:
        raise invalid("settings.roots", "This is no certificate in PEM (-----BEGIN CERTIFICATE-----).") from error
    return [_pem(certificate) for certificate in certificates]


def _pem(certificate: Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode("ascii")


def _certificates(roots: Sequence[str]) -> list[Certificate]:
    return [certificate for text in roots for certificate in load_pem_x509_certificates(text.encode())]
