"""Who is answered by the candidate: subjects, buckets and arms (gateway.md "A request", steps 3 and 4).

A subject falls into one of 10,000 buckets by a salted SHA-256; the lowest buckets belong to the candidate. The salt is
the rollout's own and stays for all its checkpoints, so that growing the share only adds subjects, and two rollouts
share subjects by chance only. Standard library only: gateways run this for every request.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

BUCKETS: Final = 10_000
BASIS_POINTS_PER_PERCENT: Final = BUCKETS // 100
FUNCTION: Final = "sha256-first8-mod10000"  # the snapshot names the function and its version
FUNCTION_VERSION: Final = 1
DIGEST_BYTES: Final = 8


class Arm(StrEnum):
    """Which release answers, or, for a shadow, answers unseen."""

    STABLE = "stable"
    CANDIDATE = "candidate"
    SHADOW = "shadow"


class Source(StrEnum):
    """Where a subject was found, strongest first."""

    HEADER = "header"
    CONVERSATION = "conversation"
    USER = "user"
    TENANT = "tenant"
    FIRST_MESSAGE = "first_message"
    REQUEST = "request"


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose request it is, as far as assignment is concerned; never the empty string."""

    value: str
    source: Source


def bucket(salt: str, subject: str) -> int:
    """The bucket of a subject, 0 to 9,999: the first eight bytes of the digest, read big-endian, modulo 10,000."""
    digest = hashlib.sha256(_bytes(salt) + b":" + _bytes(subject)).digest()
    return int.from_bytes(digest[:DIGEST_BYTES], "big") % BUCKETS


def arm_of(*, salt: str, subject: str, basis_points: int) -> Arm:
    """Which arm answers a subject while the candidate has this share, in hundredths of a percent."""
    if not 0 <= basis_points <= BUCKETS:
        raise ValueError(f"basis points go from 0 to {BUCKETS}, not {basis_points}")
    return Arm.CANDIDATE if bucket(salt, subject) < basis_points else Arm.STABLE


def subject_of(*, header: str | None, body: Mapping[str, Any], key_digest: str, request_id: str) -> Subject:
    """The subject of a request: header, conversation, user, tenant, else application key and first user message.

    The system prompt never counts: it is the same for all anonymous traffic, which would land in one bucket. A request
    that says nothing of a user at all is a subject of its own, by its id.
    """
    for source, value in _named(header, body):
        if text := _text(value):
            return Subject(text, source)
    message = _first_user_message(body)
    if message is None:
        return Subject(request_id, Source.REQUEST)
    return Subject(hashlib.sha256(_bytes(f"{key_digest}\0{message}")).hexdigest(), Source.FIRST_MESSAGE)


def _named(header: str | None, body: Mapping[str, Any]) -> Iterator[tuple[Source, object]]:
    given = body.get("metadata")
    metadata = given if isinstance(given, Mapping) else {}
    yield Source.HEADER, header
    yield Source.CONVERSATION, metadata.get("conversation_id")
    yield Source.USER, body.get("user")
    yield Source.TENANT, metadata.get("tenant")


def _text(value: object) -> str:
    """The value as it was sent, whole numbers as digits; anything else, and what is blank, names nobody."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and value.strip() else ""


def _first_user_message(body: Mapping[str, Any]) -> str | None:
    """The first message of the user that has content; of an embeddings or completions request its input."""
    messages = body.get("messages")
    said = [one.get("content") for one in messages if _is_users(one)] if isinstance(messages, list) else []
    for content in (*said, body.get("input"), body.get("prompt")):
        if isinstance(content, str) and content.strip():
            return content
        if isinstance(content, list) and content:
            return json.dumps(content, sort_keys=True)
    return None


def _is_users(message: object) -> bool:
    return isinstance(message, Mapping) and message.get("role") == "user"


def _bytes(text: str) -> bytes:
    """UTF-8, also of the lone surrogates that JSON lets a client send."""
    return text.encode("utf-8", "surrogatepass")
