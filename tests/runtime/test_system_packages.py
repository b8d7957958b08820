"""What the system lacks is installed or asked for; nothing stops the command."""

import os
import shutil

import pytest

from relcontrol.runtime import system_packages
from relcontrol.runtime.system_packages import ensure_system_packages, missing_packages


@pytest.fixture
def bare_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_packages, "pango_loads", lambda: False)
    monkeypatch.setattr(system_packages, "chromium", lambda: None)


def test_serving_needs_pango_and_testing_a_browser_too(bare_system: None) -> None:
    assert "libpango-1.0-0" in missing_packages("up")
    assert "chromium" not in missing_packages("up")
    assert "chromium" in missing_packages("test")


def test_tests_need_the_programs_that_look_at_pdfs(bare_system: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    assert {"poppler-utils", "qpdf"} <= set(missing_packages("test"))
    assert not {"poppler-utils", "qpdf"} & set(missing_packages("up"))


def test_other_commands_need_nothing_of_the_system(bare_system: None) -> None:
    assert missing_packages("token") == []


def test_without_root_the_one_command_is_printed(
    bare_system: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    ensure_system_packages("up")
    output = capsys.readouterr()
    assert "sudo apt-get install -y --no-install-recommends libpango-1.0-0" in output.err
    assert output.out == ""
