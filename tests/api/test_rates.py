"""The rate limit: so many requests in a minute and token, then 429 until the next minute."""

from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import Settings

from relcontrol.api import calls
from relcontrol.api.models import RateWindow
from tests.api.world import World

AT = datetime(2036, 11, 21, 12, 0, 13, tzinfo=UTC)


def test_the_limit_is_kept_per_token_and_the_next_minute_is_a_new_one(
    northgate: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.RATE_LIMIT_PER_MINUTE = 3
    monkeypatch.setattr(calls, "now", lambda: AT)
    visitor, other = northgate.roles["viewer"], northgate.scopes["audit:read"]
    assert [visitor.get("me").status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = visitor.get("me")
    assert (refused.headers["Retry-After"], refused.json()["code"]) == ("47", "rate_limited")
    assert "47 s" in refused.json()["detail"]
    assert other.get("me").status_code == 200
    monkeypatch.setattr(calls, "now", lambda: AT + timedelta(seconds=int(refused.headers["Retry-After"])))
    assert visitor.get("me").status_code == 200


def test_refused_calls_count_too(northgate: World, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.RATE_LIMIT_PER_MINUTE = 2
    monkeypatch.setattr(calls, "now", lambda: AT)
    visitor = northgate.roles["viewer"]
    assert [visitor.post("applications", {}).status_code for _ in range(3)] == [403, 403, 429]
    assert RateWindow.objects.get(minute=int(AT.timestamp()) // 60).requests == 3
