"""What becomes of a model server's failure: its status passed on, in OpenAI's shape, without anything secret in it."""

import json
import re
from typing import Any, Final

import aiohttp

from relcontrol.model_servers import outcomes
from releases.gateway.errors import UPSTREAM, GatewayError

LARGEST_ERROR: Final = 64 * 1024
LONGEST_MESSAGE: Final = 2_000
_OWN_CREDENTIAL: Final = (401, 403)
_WHEN: Final = ("retry-after", "retry-after-ms")  # the only headers that are passed on: clients wait by them
_A_MOMENT: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z ,:.]{0,63}")


async def failure_of(response: aiohttp.ClientResponse, secret: str) -> GatewayError:
    """The error for an answer that is no 200."""
    status = response.status
    if not 400 <= status <= 599:
        return garbage(f"status {status}")
    said = {} if status in _OWN_CREDENTIAL else _error_object(await _start_of(response))
    message = _text(said.get("message"), secret) or _plain(status)
    return GatewayError(
        status,
        message,
        kind=_text(said.get("type"), secret) or UPSTREAM,
        param=_text(said.get("param"), secret),
        code=_text(said.get("code"), secret),
        outcome=outcomes.outcome_of(status),
        headers={name: when for name in _WHEN if _A_MOMENT.fullmatch(when := response.headers.get(name, ""))},
    )


def garbage(what: str) -> GatewayError:
    """An answer that is none of the protocol."""
    message = f"The model server's answer could not be understood ({what})."
    return GatewayError(502, message, code="bad_upstream_answer", kind=UPSTREAM, outcome=outcomes.UPSTREAM_5XX)


def unreachable() -> GatewayError:
    """No connection, or one that broke before the answer."""
    message = "The model server could not be reached, or broke off before its answer was here."
    return GatewayError(502, message, code="upstream_unreachable", kind=UPSTREAM, outcome=outcomes.CONNECTION_FAILED)


def too_late() -> GatewayError:
    """No answer in time."""
    message = "The model server did not answer in time."
    return GatewayError(504, message, code="upstream_timeout", kind=UPSTREAM, outcome=outcomes.TIMEOUT)


def _plain(status: int) -> str:
    if status in _OWN_CREDENTIAL:
        return f"The model server refused this gateway's own credential (status {status})."
    return f"The model server answered with status {status}."


async def _start_of(response: aiohttp.ClientResponse) -> bytes:
    pieces = bytearray()
    try:
        async for piece in response.content.iter_any():
            pieces += piece
            if len(pieces) > LARGEST_ERROR:
                break
    except aiohttp.ClientError:
        return b""
    return bytes(pieces[:LARGEST_ERROR])


def _error_object(body: bytes) -> dict[str, Any]:
    """What stands in OpenAI's `error`, in vLLM's older object without it, or in FastAPI's `detail`."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    if isinstance(document, list) and document:  # Gemini's
        document = document[0]
    if not isinstance(document, dict):
        return {}
    error = document.get("error") or document
    if isinstance(error, dict):
        return {"message": _detail(error.get("detail")), **error}
    return {"message": error}


def _detail(detail: object) -> object:
    """FastAPI's sentence, or what it found wrong and where; not the input that it repeats, which holds our prompt."""
    if not isinstance(detail, list):
        return detail
    problems = [one for one in detail if isinstance(one, dict) and isinstance(one.get("msg"), str)]
    return "; ".join(f"{one['msg']} ({'.'.join(map(str, _listed(one.get('loc'))))})" for one in problems)


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _text(value: object, secret: str) -> str | None:
    """A string of the model server's, bounded, with our secret taken out should it repeat it."""
    if not isinstance(value, str):
        return None
    return (value.replace(secret, "[secret]") if secret else value)[:LONGEST_MESSAGE]
