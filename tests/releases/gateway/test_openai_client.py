"""The official client, unmodified: an application changes its `base_url` and nothing else."""

import asyncio
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from tests.releases.gateway.scene import KEY, Scene

SAID = "Audits need ten days' notice."
MESSAGES: Any = [{"role": "user", "content": "May we audit?"}]


@pytest.fixture
def client(scene: Scene) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{scene.url}/v1", api_key=KEY, max_retries=0, timeout=20) as one:
        yield one


def by(route: str) -> dict[str, str]:
    return {"x-relcontrol-route": route}


def test_an_answer_is_what_the_model_said(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="any", messages=MESSAGES)
    assert answer.choices[0].message.content == SAID
    assert answer.usage is not None
    assert answer.usage.total_tokens == 16


def test_a_stream_says_the_same_and_no_usage_that_was_not_asked_for(client: openai.OpenAI) -> None:
    chunks = list(client.chat.completions.create(model="any", messages=MESSAGES, stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == SAID
    assert all(chunk.usage is None for chunk in chunks)


def test_a_stream_has_its_usage_where_the_client_asks_for_it(client: openai.OpenAI) -> None:
    asked = {"include_usage": True}
    chunks = list(
        client.chat.completions.create(model="any", messages=MESSAGES, stream=True, stream_options=asked)  # type: ignore[call-overload]  # a plain dict
    )
    assert chunks[-1].usage.total_tokens == 16
    assert chunks[-1].choices == []


def test_tokens_of_a_stream_are_in_its_trace_either_way(client: openai.OpenAI, scene: Scene) -> None:
    with client.chat.completions.with_raw_response.create(model="any", messages=MESSAGES, stream=True).parse() as all_:
        list(all_)
        row = scene.edge.row(all_.response.headers["x-request-id"])
    assert (row["input_tokens"], row["output_tokens"]) == (11, 5)
    assert 0 < row["ttft_ms"] <= row["latency_ms"]
    assert row["output"] == SAID


def test_a_stream_whose_events_are_cut_anywhere_is_the_same(client: openai.OpenAI) -> None:
    chunks = client.chat.completions.create(model="any", messages=MESSAGES, stream=True, extra_headers=by("cut"))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == SAID


def test_tool_calls_come_through_a_stream(client: openai.OpenAI) -> None:
    chunks = client.chat.completions.create(model="any", messages=MESSAGES, stream=True, extra_headers=by("tools"))
    calls = [call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or ()]
    assert calls[0].id == "call_1"
    assert "".join((call.function and call.function.arguments) or "" for call in calls) == '{"q": "audit"}'


def test_embeddings_and_models_are_there(client: openai.OpenAI) -> None:
    assert client.embeddings.create(model="e", input=["a"], encoding_format="float").data[0].embedding == [0.25, -0.5]
    assert "default" in [model.id for model in client.models.list()]
    assert client.models.retrieve("tools").id == "tools"


@pytest.mark.parametrize(
    ("route", "kind"),
    [
        ("status-429", openai.RateLimitError),
        ("status-500", openai.InternalServerError),
        ("garbage", openai.InternalServerError),
        ("nowhere", openai.NotFoundError),
        ("strict", openai.BadRequestError),
    ],
)
def test_errors_are_the_clients_own_classes(
    client: openai.OpenAI, route: str, kind: type[openai.APIStatusError]
) -> None:
    with pytest.raises(kind) as raised:
        client.chat.completions.create(model="any", messages=MESSAGES, extra_headers=by(route))
    assert isinstance(raised.value.body, dict)
    assert raised.value.body["message"]


def test_a_wrong_key_is_an_authentication_error(scene: Scene) -> None:
    with (
        openai.OpenAI(base_url=f"{scene.url}/v1", api_key="rck_wrong", max_retries=0) as stranger,
        pytest.raises(openai.AuthenticationError),
    ):
        stranger.models.list()


def test_a_broken_stream_is_an_error_and_no_short_answer(client: openai.OpenAI) -> None:
    chunks = client.chat.completions.create(model="any", messages=MESSAGES, stream=True, extra_headers=by("half"))
    with pytest.raises(openai.APIConnectionError):
        list(chunks)


def test_the_asynchronous_client_is_served_many_at_once(scene: Scene) -> None:
    async def said(client: openai.AsyncOpenAI) -> str:
        stream = await client.chat.completions.create(model="any", messages=MESSAGES, stream=True)
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    async def all_said() -> list[str]:
        async with openai.AsyncOpenAI(base_url=f"{scene.url}/v1", api_key=KEY, max_retries=0) as client:
            return list(await asyncio.gather(*(said(client) for _ in range(20))))

    assert asyncio.run(all_said()) == [SAID] * 20
