"""Answers that were paid for: known by all that made them, replaced by fresh ones, and not kept for ever."""

from typing import Any

import pytest

from gates.evaluating.known_answers import answer_key
from gates.judge_models import KnownCall
from gates.known_calls import KEPT, known_calls, remember_calls
from relcontrol.clock import now
from relcontrol.ticks import tidy
from tests.factories import organization

PARTS: dict[str, Any] = {
    "model": {"ref": "hf:a/b@1", "weights": "sha256:00"},
    "base_url": "http://127.0.0.1:9/v1",
    "body": {"model": "b", "messages": [{"role": "user", "content": "May we?"}], "temperature": 0.2},
    "sample": 0,
}


@pytest.mark.parametrize(
    "change",
    [
        {"model": {"ref": "hf:a/b@2", "weights": "sha256:00"}},
        {"model": {"ref": "hf:a/b@1", "weights": "sha256:01"}},
        {"base_url": "http://127.0.0.1:8/v1"},
        {"body": PARTS["body"] | {"temperature": 0.3}},
        {"body": PARTS["body"] | {"seed": 1}},
        {"sample": 1},
    ],
    ids=str,
)
def test_whatever_makes_an_answer_makes_its_key(change: dict[str, Any]) -> None:
    assert answer_key(**PARTS | change) != answer_key(**PARTS)


def test_the_order_of_members_makes_no_other_key() -> None:
    turned = dict(reversed(PARTS["body"].items()))
    assert answer_key(**PARTS | {"body": turned}) == answer_key(**PARTS)


@pytest.mark.django_db
def test_an_answer_is_known_in_its_organization_only() -> None:
    northgate, eastgate = organization("northgate"), organization("eastgate")
    remember_calls(northgate, {"a" * 64: {"output": "Yes."}})
    known = known_calls(northgate, ["a" * 64, "b" * 64])
    assert {key: call.document for key, call in known.items()} == {"a" * 64: {"output": "Yes."}}
    assert known_calls(eastgate, ["a" * 64]) == {}


@pytest.mark.django_db
def test_a_fresh_answer_takes_the_place_of_the_one_before() -> None:
    northgate = organization("northgate")
    for text in ("Yes.", "No."):
        remember_calls(northgate, {"a" * 64: {"output": text}})
    assert known_calls(northgate, ["a" * 64])["a" * 64].document == {"output": "No."}


@pytest.mark.django_db
def test_what_is_older_than_it_is_kept_is_dropped() -> None:
    northgate = organization("northgate")
    remember_calls(northgate, {"a" * 64: {}, "b" * 64: {}})
    KnownCall.objects.filter(key_sha256="a" * 64).update(created_at=now() - KEPT * 1.01)
    tidy()
    assert set(known_calls(northgate, ["a" * 64, "b" * 64])) == {"b" * 64}
