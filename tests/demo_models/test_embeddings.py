"""Embeddings: unit vectors that are the same for the same text."""

import base64
from typing import Any

import numpy as np
import pytest

from relcontrol.demo_models.embeddings import unit_vector
from tests.demo_models.client import Client


def embed(client: Client, **members: object) -> Any:
    answer = client.ask("POST", "/v1/embeddings", {"model": "demo-embedding", "input": "x", **members})
    assert answer.status == 200
    return answer.json()


def test_each_input_gets_its_vector_in_order(client: Client) -> None:
    document = embed(client, input=["a lease", "a licence"])
    assert [item["index"] for item in document["data"]] == [0, 1]
    assert document["model"] == "demo-embedding"
    assert document["usage"] == {"prompt_tokens": 5, "total_tokens": 5}  # a, lease; a, licenc, e
    assert document["data"][0]["embedding"] == unit_vector("a lease", 0).tolist()


def test_base64_holds_the_same_numbers(client: Client) -> None:
    [item] = embed(client, encoding_format="base64")["data"]
    numbers = np.frombuffer(base64.b64decode(item["embedding"]), dtype="<f4")
    assert numbers.tolist() == unit_vector("x", 0).tolist()


@pytest.mark.parametrize("dimensions", [1, 2, 64, 256])
@pytest.mark.parametrize("text", ["", "x", "a licence to print", "word " * 1_000])
def test_a_vector_has_length_one(text: str, dimensions: int) -> None:
    vector = unit_vector(text, 0, dimensions)
    assert vector.shape == (dimensions,)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)


def test_vectors_depend_on_text_and_seed_alone() -> None:
    assert unit_vector("a lease", 0).tolist() == unit_vector("a lease", 0).tolist()
    assert unit_vector("a lease", 0).tolist() != unit_vector("a lease", 1).tolist()


def test_texts_that_share_words_are_nearer_than_others() -> None:
    lease, other = unit_vector("a lease of office space", 0), unit_vector("a lease of a workshop", 0)
    assert lease @ other > lease @ unit_vector("software licence royalties end", 0) + 0.2
