"""Whom a probe asks: what answers for the release in the routing, also after a second endpoint was made."""

from datetime import timedelta
from typing import Any

import pytest

from relcontrol.accounts.models import Endpoint
from relcontrol.clock import now
from relcontrol.model_servers.client import Answer
from releases.replica_models import Warmth
from releases.rolling import warmth
from releases.rolling.warmth import coldness, probe_all
from tests.releases.canary import Canary

FIRST, SECOND = "http://127.0.0.1:9/v1", "http://127.0.0.1:10/v1"
ANSWER = Answer(
    output={"content": "p"}, status=200, error=None, ttft_ms=1.0, latency_ms=2.0, input_tokens=1, output_tokens=1
)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that are asked; each of them answers."""
    addresses: list[str] = []

    async def answered(base_url: str, *_: Any) -> Answer:
        addresses.append(base_url)
        return ANSWER

    monkeypatch.setattr(warmth, "answer", answered)
    return addresses


def second_endpoint(here: Canary) -> Endpoint:
    at = now() + timedelta(seconds=1)
    return Endpoint.objects.create(organization=here.organization, name="another", base_url=SECOND, created_at=at)


def test_a_second_endpoint_does_not_make_a_serving_release_cold(here: Canary, asked: list[str]) -> None:
    second_endpoint(here)
    Warmth.objects.all().delete()
    probe_all(now())
    assert asked == [FIRST]
    assert coldness(here.stable, now()) is None


def test_an_endpoint_that_lists_the_model_is_asked(here: Canary, asked: list[str]) -> None:
    row = second_endpoint(here)
    row.serves = [here.stable.model_ref]
    row.save(update_fields=["serves"])
    probe_all(now())
    assert asked == [SECOND]


def test_where_no_endpoint_is_left_the_probe_says_so(here: Canary, asked: list[str]) -> None:
    Endpoint.objects.filter(organization=here.organization).delete()
    probe_all(now())
    assert asked == []
    assert "No endpoint serves" in str(coldness(here.stable, now()))
