"""Documents and server-sent events of the OpenAI protocol. Bytes depend on the reply alone: there is no clock."""

import json
from collections.abc import Iterator
from typing import Any, Final

from relcontrol.demo_models.behaviours import NAMES
from relcontrol.demo_models.draws import key_of
from relcontrol.demo_models.orders import Order
from relcontrol.demo_models.replies import Reply, model_that_answers

CREATED: Final = 1_767_225_600  # the first second of 2026
OWNER: Final = "relcontrol-demo"
DONE: Final = b"data: [DONE]\n\n"


def encoded(document: Any) -> bytes:
    """Compact JSON in UTF-8; half a surrogate pair, which JSON can escape and UTF-8 cannot say, becomes `?`."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def event(document: Any) -> bytes:
    """One server-sent event."""
    return b"data: " + encoded(document) + b"\n\n"


def model(name: str) -> dict[str, Any]:
    """A model of the list."""
    return {"id": name, "object": "model", "created": CREATED, "owned_by": OWNER}


def models() -> dict[str, Any]:
    """All models."""
    return {"object": "list", "data": [model(name) for name in NAMES]}


def completion(order: Order, reply: Reply) -> dict[str, Any]:
    """The answer to a request without `stream`."""
    said, refused = (None, reply.text()) if reply.refuses else (reply.text(), None)
    message: dict[str, Any] = {"role": "assistant", "content": said, "refusal": refused, "annotations": []}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": reply.finish_reason}
    return {**_head(order, reply, "chat.completion"), "choices": [choice], "usage": _usage(reply)}


def opening(order: Order, reply: Reply) -> bytes:
    """The first event: who speaks, and nothing said yet."""
    return _chunk(order, reply, {"role": "assistant", "content": "", "refusal": None})


def contents(order: Order, reply: Reply) -> Iterator[bytes]:
    """An event for each piece of the answer."""
    member = "refusal" if reply.refuses else "content"
    return (_chunk(order, reply, {member: piece}) for piece in reply.chunks)


def closing(order: Order, reply: Reply) -> bytes:
    """The last events: why it ended, the usage where it was asked for, and the mark of the end."""
    last = _chunk(order, reply, {}, reply.finish_reason)
    if order.include_usage:
        last += event({**_head(order, reply, "chat.completion.chunk"), "choices": [], "usage": _usage(reply)})
    return last + DONE


def _chunk(order: Order, reply: Reply, delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    usage = {"usage": None} if order.include_usage else {}
    return event({**_head(order, reply, "chat.completion.chunk"), "choices": [choice], **usage})


def _head(order: Order, reply: Reply, kind: str) -> dict[str, Any]:
    name = model_that_answers(order, reply)
    return {
        "id": f"chatcmpl-{reply.key.hex()[:29]}",
        "object": kind,
        "created": CREATED,
        "model": name,
        "service_tier": "default",
        "system_fingerprint": f"fp_{key_of('fingerprint', name).hex()[:10]}",
    }


def _usage(reply: Reply) -> dict[str, int]:
    return {
        "prompt_tokens": reply.prompt_tokens,
        "completion_tokens": reply.completion_tokens,
        "total_tokens": reply.prompt_tokens + reply.completion_tokens,
    }
