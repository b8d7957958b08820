"""The demo content: made once, whole or not at all, and never in an installation that is in use."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import authenticate

from audit.models import Receipt
from relcontrol.accounts.models import Organization
from relcontrol.demo import making as demo
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def without_decisions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gate runs take seconds, and these tests are about what stands before them; test_demo_content.py has them."""
    monkeypatch.setattr(demo, "make_decisions", lambda *_args, **_kwargs: None)


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path


def password() -> str:
    return (demo.sign_ins()[0]).split()[2]


def test_a_second_start_makes_nothing_more() -> None:
    demo.ensure()
    before, lines = Receipt.objects.count(), demo.sign_ins()
    demo.ensure()
    assert Receipt.objects.count() == before
    assert demo.sign_ins() == lines


def test_an_installation_in_use_is_left_alone() -> None:
    factories.organization()
    demo.ensure()
    assert Organization.objects.count() == 1
    assert demo.sign_ins() == []


def test_everybody_of_the_demo_can_prove_who_she_is() -> None:
    demo.ensure()
    for email in ("owner@demo", "manager@demo", "approver@demo", "auditor@demo", "admin@demo"):
        assert authenticate(username=email, password=password()) is not None


def test_the_password_is_for_its_owner_only_and_random(folder: Path, settings: Any) -> None:
    demo.ensure()
    file, first = folder / "demo-password", password()
    assert file.stat().st_mode & 0o777 == 0o600
    file.unlink()
    assert demo._password() != first


def test_a_password_that_does_not_open_is_not_printed(folder: Path) -> None:
    demo.ensure()
    (folder / "demo-password").write_text("of another database")
    assert demo.sign_ins() == []


def test_a_start_that_fails_half_way_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_args: object, **_kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "register", killed)
    with pytest.raises(KeyboardInterrupt):
        demo.ensure()
    assert not Organization.objects.exists()
    assert not Receipt.objects.exists()
