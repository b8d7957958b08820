"""Subjects are keyed digests, and the secret behind them is a private file or a variable."""

import base64
import hashlib
import stat
from pathlib import Path
from typing import Any

import pytest

from relcontrol.accounts.models import Organization
from relcontrol.environment import MisconfiguredError
from releases.traces.subjects import VARIABLE, subject_digest
from tests.releases.traces.samples import stored, trace_row

SECRET = base64.b64encode(bytes(range(32))).decode()


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    """An empty folder for keys."""
    settings.KEY_DIR = tmp_path / "keys"
    return tmp_path / "keys"


def test_a_subject_is_the_same_16_bytes_each_time(owner: Organization) -> None:
    assert subject_digest(owner.pk, "user-42") == subject_digest(owner.pk, "user-42")
    assert len(subject_digest(owner.pk, "user-42")) == 16


def test_organizations_and_names_have_digests_of_their_own(owner: Organization, other: Organization) -> None:
    made = {subject_digest(scope.pk, name) for scope in (owner, other) for name in ("user-42", "user-43")}
    assert len(made) == 4


def test_the_digest_is_keyed(owner: Organization) -> None:
    assert subject_digest(owner.pk, "user-42") != hashlib.sha256(b"user-42").digest()[:16]


def test_digests_never_change_as_rows_of_thirty_days_are_found_by_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, SECRET)
    assert subject_digest("org_01jd3v", "user-42").hex() == "94c514addfab75ae6652f7b61346f9c8"


@pytest.mark.usefixtures("db")
def test_the_secret_is_made_once_and_only_the_owner_of_the_file_reads_it(folder: Path) -> None:
    first = subject_digest("org_1", "user-42")
    file = folder / "subjects.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(base64.b64decode(file.read_text())) == 32
    assert subject_digest("org_1", "user-42") == first


def test_a_missing_file_is_no_reason_for_a_new_secret_once_bodies_are_sealed(
    owner: Organization, settings: Any, tmp_path: Path
) -> None:
    stored(owner, trace_row())
    settings.KEY_DIR = tmp_path
    with pytest.raises(MisconfiguredError, match=r"subjects\.key is missing"):
        subject_digest(owner.pk, "user-42")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("secret", "complaint"), [("???", "base64"), ("c2hvcnQ=", "not of 5")])
def test_a_secret_that_cannot_be_understood_stops_with_a_sentence(
    folder: Path, monkeypatch: pytest.MonkeyPatch, secret: str, complaint: str
) -> None:
    monkeypatch.setenv(VARIABLE, secret)
    with pytest.raises(MisconfiguredError, match=f"{VARIABLE} must be base64 .*{complaint}"):
        subject_digest("org_1", "user-42")
