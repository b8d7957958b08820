"""The demo content: made once, whole or not at all, and never in an installation that is in use."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import authenticate

from audit.models import Receipt
from relcontrol.accounts.models import ApplicationKey, Endpoint, Organization
from relcontrol.clock import now
from relcontrol.demo import making as demo
from tests import factories

pytestmark = pytest.mark.django_db

MODELS = "http://127.0.0.1:8003/v1"


@pytest.fixture(autouse=True)
def without_decisions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gate runs take seconds, and these tests are about what stands before them; test_demo_content.py has them."""
    for name in ("make_decisions", "make_panels"):
        monkeypatch.setattr(demo, name, lambda *_args, **_kwargs: None)


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path


def password() -> str:
    return (demo.sign_ins()[0]).split()[2]


def test_a_second_start_makes_nothing_more() -> None:
    demo.ensure(MODELS)
    before, lines = Receipt.objects.count(), demo.sign_ins()
    demo.ensure(MODELS)
    assert Receipt.objects.count() == before
    assert demo.sign_ins() == lines


def test_an_installation_in_use_is_left_alone() -> None:
    factories.organization()
    demo.ensure(MODELS)
    assert Organization.objects.count() == 1
    assert demo.sign_ins() == []


def test_everybody_of_the_demo_can_prove_who_she_is() -> None:
    demo.ensure(MODELS)
    for email in ("owner@demo", "manager@demo", "approver@demo", "auditor@demo", "admin@demo"):
        assert authenticate(username=email, password=password()) is not None


def test_the_password_is_for_its_owner_only_and_random(folder: Path, settings: Any) -> None:
    demo.ensure(MODELS)
    file, first = folder / "demo-password", password()
    assert file.stat().st_mode & 0o777 == 0o600
    file.unlink()
    assert demo._password() != first


def test_a_password_that_does_not_open_is_not_printed(folder: Path) -> None:
    demo.ensure(MODELS)
    (folder / "demo-password").write_text("of another database")
    assert demo.sign_ins() == []


def test_a_start_that_fails_half_way_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_args: object, **_kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "make_ready", killed)
    with pytest.raises(KeyboardInterrupt):
        demo.ensure(MODELS)
    assert not Organization.objects.exists()
    assert not Receipt.objects.exists()


def endpoint() -> Endpoint:
    return Endpoint.objects.get(name="main-llm")


def test_the_endpoint_follows_the_demo_models_to_another_port() -> None:
    demo.ensure(MODELS)
    assert endpoint().base_url == MODELS
    demo.ensure("http://127.0.0.1:9003/v1")
    assert endpoint().base_url == "http://127.0.0.1:9003/v1"


def test_a_model_server_that_somebody_named_is_kept() -> None:
    demo.ensure(MODELS)
    Endpoint.objects.update(base_url="http://127.0.0.1:11434/v1")
    demo.ensure("http://127.0.0.1:9003/v1")
    assert endpoint().base_url == "http://127.0.0.1:11434/v1"


def test_the_traffic_has_a_key_that_only_its_owner_reads(folder: Path) -> None:
    demo.ensure(MODELS)
    file = folder / "demo-application-key"
    assert file.stat().st_mode & 0o777 == 0o600
    assert ApplicationKey.objects.get().key_sha256 == hashlib.sha256(file.read_bytes()).hexdigest()


def test_a_key_that_was_revoked_or_lost_is_made_anew_and_one_that_works_is_kept(folder: Path) -> None:
    demo.ensure(MODELS)
    demo.ensure(MODELS)
    assert ApplicationKey.objects.count() == 1
    ApplicationKey.objects.update(revoked_at=now())
    demo.ensure(MODELS)
    (folder / "demo-application-key").unlink()
    demo.ensure(MODELS)
    assert ApplicationKey.objects.count() == 3
