"""Embeddings without a model: unit vectors of hashed words, so texts that share words lie near each other."""

import base64
import hashlib
from collections import Counter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from relcontrol.demo_models.behaviours import BEHAVIOURS, EMBEDDING
from relcontrol.demo_models.fields import Fields
from relcontrol.demo_models.refusals import RefusedError, too_many_tokens, unknown_model, wrong_type, wrong_value
from relcontrol.demo_models.tokens import count_of, has_more_than

DIMENSIONS: Final = 256  # one for each bit of SHA-256
MOST_INPUTS: Final = 2_048
MOST_TOKENS: Final = 8_192
MOST_TOKENS_TOGETHER: Final = 300_000
FORMATS: Final = ("float", "base64")


def embeddings(fields: Fields, seed: int) -> dict[str, Any]:
    """The answer to a request for embeddings, or a refusal."""
    _check_model(fields.text("model"))
    inputs = _inputs(fields.required("input"))
    dimensions = fields.whole("dimensions", least=1, most=DIMENSIONS) or DIMENSIONS
    form = fields.value("encoding_format") or FORMATS[0]
    if form not in FORMATS:
        raise wrong_value("encoding_format", f"one of {', '.join(FORMATS)}")
    vectors = [_written(unit_vector(text, seed, dimensions), form) for text in inputs]
    items = [{"object": "embedding", "index": place, "embedding": vector} for place, vector in enumerate(vectors)]
    tokens = sum(count_of(text) for text in inputs)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "data": items, "model": EMBEDDING, "usage": usage}


def unit_vector(text: str, seed: int, dimensions: int = DIMENSIONS) -> NDArray[np.float32]:
    """A vector of length one, shape (dimensions,): the sum of a ±1 vector for each word, and half of one for the text.

    The half keeps the sum away from zero, as whole numbers and a half never cancel out.
    """
    words = Counter(text.lower().split())
    total = 0.5 * _signs(f"{seed} text {text}")
    for word, times in words.items():
        total += times * _signs(f"{seed} word {word}")
    kept = total[:dimensions]
    return (kept / np.linalg.norm(kept)).astype(np.float32)


def _signs(text: str) -> NDArray[np.float64]:
    digest = hashlib.sha256(text.encode(errors="replace")).digest()
    return 2.0 * np.unpackbits(np.frombuffer(digest, dtype=np.uint8)).astype(np.float64) - 1.0


def _written(vector: NDArray[np.float32], form: str) -> list[float] | str:
    if form == "base64":
        return base64.b64encode(vector.astype("<f4").tobytes()).decode()
    return [float(number) for number in vector]


def _check_model(name: str) -> None:
    if name in BEHAVIOURS:
        raise RefusedError(403, "You are not allowed to generate embeddings from this model.", param="model")
    if name != EMBEDDING:
        raise unknown_model(name)


def _inputs(value: Any) -> list[str]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise wrong_type("input", "a string or an array of strings", value)
    if not 1 <= len(texts) <= MOST_INPUTS or not all(texts):
        raise wrong_value("input", f"1 to {MOST_INPUTS} strings, none of them empty")
    if any(has_more_than(text, MOST_TOKENS) for text in texts):
        raise too_many_tokens(MOST_TOKENS, "input")
    if has_more_than(" ".join(texts), MOST_TOKENS_TOGETHER):
        raise too_many_tokens(MOST_TOKENS_TOGETHER, "input")
    return texts
