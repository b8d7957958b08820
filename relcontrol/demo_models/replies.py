"""The reply to one order: its words, its pace and where it breaks off. A function of the seed and the prompt alone.

All models answer a prompt alike but for their behaviour, so what differs between two of them is the behaviour.
"""

from dataclasses import dataclass
from typing import Final

from relcontrol.demo_models.draws import fraction, key_of
from relcontrol.demo_models.faults import DRIFTED, REFUSAL, WRONG_SHAPE, Fault, drawn_fault
from relcontrol.demo_models.judging import judgement
from relcontrol.demo_models.orders import Order
from relcontrol.demo_models.tokens import count_of, tokens_of
from relcontrol.demo_models.wording import answer, hedge

TOKENS_PER_CHUNK: Final = 8
TOKENS_PER_MESSAGE: Final = 4
FIRST_TOKEN_S: Final = (0.10, 0.25)
TOKEN_S: Final = 0.001


@dataclass(frozen=True, slots=True)
class Reply:
    """What is sent, in chunks. Seconds are those of latency 1: to the first chunk, and of all that follow.

    `breaks_after` is the number of chunks after which a stream breaks off; None where it does not. A reply that `fails`
    takes its time and is then an error.
    """

    key: bytes
    chunks: tuple[str, ...]
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    first_s: float
    rest_s: float
    breaks_after: int | None
    fails: bool
    fault: Fault | None = None

    @property
    def refuses(self) -> bool:
        """Whether the words are a refusal."""
        return self.fault is Fault.REFUSAL

    def text(self) -> str:
        """The whole answer."""
        return "".join(self.chunks)


def reply_to(order: Order, seed: int, attempt: int = 1) -> Reply:
    """The one reply that this attempt at an order gets; its own seed counts before that of the server."""
    behaviour = order.behaviour
    said_before = [part for message in order.messages for part in (message.role, message.text)]
    key = key_of(seed if order.seed is None else order.seed, *said_before)
    fault = drawn_fault(key, attempt) if behaviour.is_faulty else None
    text = _text(order, key, fault)
    tokens, finish_reason = _cut(text, order)
    awaited, most = len(tokens), behaviour.fails_above_tokens or len(tokens)
    if behaviour.hedges:  # as slow as the answer that it does not give
        tokens, finish_reason = _cut(hedge(key), order)
    chunks = tuple(
        "".join(tokens[start : start + TOKENS_PER_CHUNK]) for start in range(0, len(tokens), TOKENS_PER_CHUNK)
    )
    soonest, latest = FIRST_TOKEN_S
    return Reply(
        key=key_of(key.hex(), behaviour.name),
        chunks=chunks,
        finish_reason=finish_reason,
        prompt_tokens=sum(TOKENS_PER_MESSAGE + count_of(message.text) for message in order.messages),
        completion_tokens=len(tokens),
        first_s=behaviour.slowness * (soonest + (latest - soonest) * fraction(key, "first token")),
        rest_s=behaviour.slowness * TOKEN_S * min(awaited, most),
        breaks_after=_breaks_after(key, len(chunks), behaviour.share_of_broken_streams),
        fails=awaited > most,
        fault=fault,
    )


def _text(order: Order, key: bytes, fault: Fault | None) -> str:
    behaviour = order.behaviour
    if not behaviour.judges:
        return answer(order.question(), key, impossible_dates=behaviour.impossible_dates, most=order.most_tokens)
    said = judgement(order, key)
    match fault:
        case Fault.HALF_JSON:
            return said[: len(said) // 2]
        case Fault.REFUSAL:
            return REFUSAL
        case Fault.WRONG_SHAPE:
            return WRONG_SHAPE
    return said


def model_that_answers(order: Order, reply: Reply) -> str:
    """What the server says answered."""
    return order.behaviour.name + (DRIFTED if reply.fault is Fault.DRIFTED else "")


def _cut(text: str, order: Order) -> tuple[list[str], str]:
    ends = [place for stop in order.stops if (place := text.find(stop)) >= 0]
    tokens = tokens_of(text[: min(ends)] if ends else text)
    if order.most_tokens is not None and len(tokens) > order.most_tokens:
        return tokens[: order.most_tokens], "length"
    return tokens, "stop"


def _breaks_after(key: bytes, chunks: int, share: float) -> int | None:
    if not chunks or fraction(key, "broken stream") >= share:
        return None
    return int(fraction(key, "where it breaks") * chunks)
