"""Behind HTTPS, Django's own deployment checks find nothing."""

import subprocess
import sys

import pytest

from relcontrol.runtime.folders import CHECKOUT


def _checked(environment: dict[str, str], **changes: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(CHECKOUT / "manage.py"), "check", "--deploy", "--fail-level", "WARNING"]
    return subprocess.run(
        command, env={**environment, **changes}, cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.django_db
def test_behind_https_the_deployment_checks_find_nothing(process_environment: dict[str, str]) -> None:
    done = _checked(process_environment, RELCONTROL_HTTPS="1")
    assert (done.returncode, done.stdout.strip()) == (0, "System check identified no issues (0 silenced).")


@pytest.mark.django_db
def test_without_https_they_say_what_is_missing(process_environment: dict[str, str]) -> None:
    done = _checked(process_environment, RELCONTROL_HTTPS="")
    assert done.returncode != 0
    assert "SECURE_SSL_REDIRECT" in done.stderr
