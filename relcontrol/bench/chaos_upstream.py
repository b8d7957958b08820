"""The model server of the benches `chaos` and `rollback`: `python -m relcontrol.bench.chaos_upstream PORT`. No Django.

A question carries its number (`Question 17: …`). A model whose name begins with `failing` answers every third number
with status 500 and all others well; `hedging` sends everybody to an attorney, `dates` names days that there are not;
every other model answers well.
"""

import asyncio
import json
import re
import sys
from typing import Any, Final

from aiohttp import web

HOST: Final = "127.0.0.1"
PAUSE_S: Final = 0.02
BACKLOG: Final = 4096
FAILING: Final = "failing"
ONE_OF: Final = 3
WORDS: Final = ("The licence names ", "its affiliates, so ", "they may use it.")
BAD_WORDS: Final = {
    "hedging": ("This depends on the circumstances, ", "and you should consult ", "an attorney."),
    "dates": ("The licence of ", "Thursday March 32nd ", "names its affiliates."),
}
_NUMBER: Final = re.compile(r"Question (\d+):")


def fails(model: str, number: int) -> bool:
    """Whether this model refuses this question: what the evidence of a rollout is made of."""
    return model.startswith(FAILING) and number % ONE_OF == 0


def words_of(model: str) -> tuple[str, ...]:
    """What a model answers to every question."""
    return BAD_WORDS.get(model, WORDS)


async def chat(request: web.Request) -> web.StreamResponse:
    """POST /v1/chat/completions."""
    body = await request.json()
    await asyncio.sleep(PAUSE_S)
    found = _NUMBER.search(json.dumps(body["messages"][-1]))
    if found and fails(body["model"], int(found[1])):
        return web.json_response({"error": {"message": "overloaded", "type": "server_error"}}, status=500)
    return await _streamed(request, body) if body.get("stream") else web.json_response(_whole(body["model"]))


async def healthy(_: web.Request) -> web.Response:
    """GET /healthz."""
    return web.json_response({"status": "ok"})


def _whole(model: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": "".join(words_of(model))}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    return {"id": "c", "object": "chat.completion", "created": 0, "model": model, "choices": choices, "usage": _usage()}


def _usage() -> dict[str, int]:
    return {"prompt_tokens": 12, "completion_tokens": 9, "total_tokens": 21}


async def _streamed(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    answer = web.StreamResponse(headers={"content-type": "text/event-stream"})
    await answer.prepare(request)
    for words in words_of(body["model"]):
        await answer.write(_event(body["model"], [{"index": 0, "delta": {"content": words}, "finish_reason": None}]))
    await answer.write(_event(body["model"], [{"index": 0, "delta": {}, "finish_reason": "stop"}]))
    await answer.write(_event(body["model"], [], usage=_usage()))
    await answer.write(b"data: [DONE]\n\n")
    return answer


def _event(model: str, choices: list[dict[str, Any]], **more: Any) -> bytes:
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": model, "choices": choices, **more}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def main(arguments: list[str]) -> None:
    """Serve until SIGTERM."""
    app = web.Application(client_max_size=1024 * 1024)
    app.add_routes([web.post("/v1/chat/completions", chat), web.get("/healthz", healthy)])
    web.run_app(app, host=HOST, port=int(arguments[0]), backlog=BACKLOG, print=None, access_log=None)


if __name__ == "__main__":
    main(sys.argv[1:])
