"""Chat streams: the bytes that a client sees, and what is read from them, wherever the network cuts them."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases.gateway.outputs import LARGEST_OUTPUT, Output
from releases.gateway.streams import LARGEST_EVENT, ChatStream
from tests.releases.gateway.upstreams import events

USAGE = {"stream_options": {"include_usage": True}}
WHOLE = b"".join(events("healthy", USAGE))
WITHOUT_USAGE = b"".join(events("healthy", {}))


def fed(pieces: list[bytes], *, hide_usage: bool) -> tuple[bytes, ChatStream]:
    stream = ChatStream(hide_usage=hide_usage)
    shown = b"".join([stream.feed(piece) for piece in pieces] + [stream.close()])
    return shown, stream


@given(st.lists(st.integers(0, len(WHOLE)), max_size=30), st.booleans(), st.sampled_from([b"\n", b"\r\n", b"\r"]))
def test_it_does_not_matter_where_a_stream_is_cut(places: list[int], hide: bool, ending: bytes) -> None:
    source = WHOLE.replace(b"\n", ending)
    expected = WITHOUT_USAGE if hide else WHOLE
    cuts = [0, *sorted(places), len(source)]
    pieces = [source[start:end] for start, end in pairwise(cuts)]
    shown, stream = fed(pieces, hide_usage=hide)
    assert shown.replace(ending, b"\n") == expected
    assert stream.output.as_json() == "Audits need ten days' notice."
    assert (stream.output.input_tokens, stream.output.output_tokens) == (11, 5)
    assert stream.done
    assert stream.ended_well


@given(st.binary(max_size=300))
def test_any_bytes_are_read_without_an_exception(noise: bytes) -> None:
    shown, stream = fed([noise, b"\n\n"], hide_usage=False)
    assert shown == noise + b"\n\n"
    assert not stream.ended_well or b"[DONE]" in noise


@pytest.mark.parametrize(
    "event",
    [b"data: {", b"data: 7", b'data: {"choices": 7}', b'data: {"error": {"message": "overloaded"}}'],
)
def test_an_event_of_another_kind_breaks_the_stream_also_after_an_end(event: bytes) -> None:
    finished = b'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\n'
    _, stream = fed([finished, event + b"\n\n"], hide_usage=True)
    assert stream.broken
    assert not stream.ended_well


def test_a_reason_to_finish_is_an_end_also_without_the_mark() -> None:
    _, stream = fed([WHOLE.replace(b"data: [DONE]\n\n", b"")], hide_usage=True)
    assert not stream.done
    assert stream.ended_well


def test_comments_are_passed_on_and_mean_nothing() -> None:
    shown, stream = fed([b": keep-alive\n\n"], hide_usage=True)
    assert shown == b": keep-alive\n\n"
    assert not stream.broken


def test_a_proxys_comments_with_other_line_ends_do_not_join_events() -> None:
    source = WHOLE.replace(b"\n\ndata", b"\n\n: ping\r\n\r\ndata", 1)
    shown, stream = fed([source], hide_usage=False)
    assert shown == source
    assert stream.ended_well
    assert stream.output.as_json() == "Audits need ten days' notice."


@pytest.mark.parametrize("choices", [b"", b'"choices": null, '])
def test_a_chunk_without_choices_is_passed_on_and_an_error_is_none(choices: bytes) -> None:
    chunk = b'data: {%s"object": "chat.completion.chunk", "usage": null}\n\n' % choices
    shown, stream = fed([chunk, WHOLE], hide_usage=True)
    assert shown == chunk + WITHOUT_USAGE
    assert stream.ended_well
    _, stream = fed([chunk.replace(b'"usage": null', b'"error": {"code": 500}'), WHOLE], hide_usage=True)
    assert stream.broken


def test_the_role_alone_is_no_first_token() -> None:
    first, second, *_ = events("healthy", {})
    stream = ChatStream(hide_usage=True)
    stream.feed(first)
    assert not stream.spoke
    stream.feed(second)
    assert stream.spoke


def test_an_event_without_an_end_is_not_kept_for_ever() -> None:
    stream = ChatStream(hide_usage=True)
    for _ in range(LARGEST_EVENT // 65_536 + 1):
        stream.feed(b"data: " + b"x" * 65_536)
    assert stream.broken


def test_an_answer_is_kept_up_to_its_bound() -> None:
    output = Output()
    for _ in range(20):
        output.add({"content": "x" * 100_000})
    output.finish("stop")
    kept = output.as_json()
    assert isinstance(kept, str)
    assert len(kept) == LARGEST_OUTPUT


def test_an_answer_of_wide_characters_is_kept_up_to_the_same_bytes() -> None:
    output = Output()
    output.add({"content": "\N{PILE OF POO}" * LARGEST_OUTPUT})
    output.finish("stop")
    assert len(str(output.as_json()).encode()) == LARGEST_OUTPUT


def test_a_refusal_and_a_reason_to_stop_are_told_beside_the_text() -> None:
    output = Output()
    output.add({"content": None, "refusal": "No."})
    output.finish("length")
    assert output.as_json() == {"content": None, "tool_calls": [], "refusal": "No.", "finish_reason": "length"}


@pytest.mark.parametrize("calls", [7, [7], [{"index": "a"}], [{"function": 7}], [{"id": 7, "function": {"name": 7}}]])
def test_tool_calls_of_any_shape_can_be_written_as_json(calls: object) -> None:
    output = Output()
    output.add({"tool_calls": calls})
    output.finish("tool_calls")
    assert json.dumps(output.as_json())
