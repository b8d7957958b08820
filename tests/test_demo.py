"""The demo content: made once, whole or not at all, and never in an installation that is in use."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import authenticate

from audit.chain_checks import check_all_chains
from audit.models import ChainCheck, Receipt
from gates.models import Slice, Suite
from relcontrol import demo
from relcontrol.accounts.models import Membership, Organization
from relcontrol.clock import now
from releases.models import Release
from tests import factories

pytestmark = pytest.mark.django_db


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


def test_each_release_after_the_first_changes_one_thing() -> None:
    demo.ensure()
    changed = [[change["component"] for change in row.changes] for row in Release.objects.order_by("number")]
    assert changed == [[], ["prompt_template"], ["generation"]]


def test_every_slice_has_cases_an_owner_and_a_threshold() -> None:
    demo.ensure()
    owner = Membership.objects.get(person__email="owner@demo").person
    counts = Suite.objects.get().slice_counts
    for row in Slice.objects.all():
        assert counts[row.slug] == 3
        assert row.owner == owner
        assert row.threshold is not None


def test_the_chain_of_the_demo_verifies() -> None:
    demo.ensure()
    check_all_chains(now())
    check = ChainCheck.objects.get()
    assert check.problem == ""
    assert check.seq == Receipt.objects.count()


def test_a_start_that_fails_half_way_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_args: object, **_kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "register", killed)
    with pytest.raises(KeyboardInterrupt):
        demo.ensure()
    assert not Organization.objects.exists()
    assert not Receipt.objects.exists()
