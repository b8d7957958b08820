"""What an answer of a release is known by."""

from collections.abc import Mapping
from typing import Any, Final

from gates.known_calls import key_of

SCHEMA: Final = "relcontrol/answer-call/v1"


def answer_key(*, model: Mapping[str, Any], base_url: str, body: Mapping[str, Any], sample: int) -> str:
    """Model, server, the whole body, and which of several answers it is.

    `model` is the manifest's: its revision and weights say more than the name that the server is asked for.
    """
    return key_of({"schema": SCHEMA, "model": model, "base_url": base_url, "body": body, "sample": sample})
