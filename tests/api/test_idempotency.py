"""`Idempotency-Key`: one effect for a key, its answer again for a day, and nothing kept that should not be."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from audit.models import Receipt
from relcontrol.accounts.models import Application
from relcontrol.api import calls, idempotency
from relcontrol.api.models import IdempotencyRecord
from relcontrol.clock import now
from tests.factories import Api, api, organization, person, person_token

KEY = {"Idempotency_Key": "release-42"}
AT_ONCE = 6


@pytest.fixture
def admin(transactional_db: None) -> Api:
    """An administrator whose calls other threads see."""
    owner = organization()
    return api(person_token(owner, person(owner, "admin")))


def _make(by: Api, slug: str = "assistant", **headers: str) -> Any:
    return by.post("applications", {"slug": slug}, **headers)


def test_the_same_key_and_body_get_the_first_answer_and_no_second_effect(admin: Api) -> None:
    first, receipts = _make(admin, **KEY), Receipt.objects.count()
    second = _make(admin, **KEY)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert (first.get("Idempotent-Replayed"), second["Idempotent-Replayed"]) == (None, "true")
    assert (Application.objects.count(), Receipt.objects.count() - receipts) == (1, 0)


def test_the_same_key_with_another_body_or_path_is_refused(admin: Api) -> None:
    _make(admin, **KEY)
    for answer in (_make(admin, "other", **KEY), admin.post("endpoints", {"slug": "assistant"}, **KEY)):
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert Application.objects.count() == 1


def test_the_same_request_several_times_at_once_has_one_effect(admin: Api) -> None:
    def send(_: int) -> Any:
        try:
            return _make(admin, **KEY)
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(send, range(AT_ONCE)))
    assert {answer.status_code for answer in answers} == {201}
    assert all(answer.json() == answers[0].json() for answer in answers)
    assert sum("Idempotent-Replayed" in answer.headers for answer in answers) == AT_ONCE - 1
    assert (Application.objects.count(), IdempotencyRecord.objects.count()) == (1, 1)


def test_a_key_belongs_to_its_token(admin: Api) -> None:
    owner = Application.objects.create(
        organization=organization("eastgate"), slug="assistant", name="x", created_at=now()
    ).organization
    neighbour = api(person_token(owner, person(owner, "admin")))
    _make(admin, "first", **KEY)
    answer = _make(neighbour, "second", **KEY)
    assert (answer.status_code, answer.json()["slug"]) == (201, "second")


def test_a_key_lapses_after_a_day(admin: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    _make(admin, **KEY)
    for late, status in (
        (idempotency.KEPT - timedelta(minutes=1), 422),
        (idempotency.KEPT + timedelta(minutes=1), 201),
    ):
        moment = now() + late
        with monkeypatch.context() as patch:
            patch.setattr(calls, "now", lambda moment=moment: moment)
            assert _make(admin, "other", **KEY).status_code == status


def test_a_command_that_failed_leaves_its_key_free(admin: Api) -> None:
    assert _make(admin, "Not A Slug", **KEY).status_code == 422
    assert not IdempotencyRecord.objects.exists()
    assert _make(admin, "assistant", **KEY).status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "\x7f"])
def test_a_key_that_is_no_key_is_refused(admin: Api, key: str) -> None:
    answer = _make(admin, Idempotency_Key=key)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    assert not Application.objects.exists()


def test_what_is_kept_holds_neither_the_token_nor_the_body(admin: Api) -> None:
    _make(admin, "assistant", **KEY)
    row = IdempotencyRecord.objects.values().get()
    kept = json.dumps(row, default=str)
    secret = str(admin.client.defaults["HTTP_AUTHORIZATION"]).partition(".")[2]
    assert len(secret) == 43
    assert secret not in kept
    assert set(row) == {"id", "token_id", "key", "request_sha256", "status", "answer", "created_at"}
