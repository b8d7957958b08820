"""Behind HTTPS, Django's own deployment checks find nothing."""

import subprocess
import sys

import pytest
from django.core.checks import run_checks

from relcontrol.runtime.folders import CHECKOUT


@pytest.mark.django_db
def test_behind_https_the_deployment_checks_find_nothing(process_environment: dict[str, str]) -> None:
    command = [sys.executable, str(CHECKOUT / "manage.py"), "check", "--deploy", "--fail-level", "WARNING"]
    environment = process_environment | {"RELCONTROL_HTTPS": "1"}
    done = subprocess.run(
        command, env=environment, cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout.strip()) == (0, "System check identified no issues (0 silenced).")


def test_without_https_they_say_what_is_missing() -> None:
    found = run_checks(tags=["security"], include_deployment_checks=True)
    assert any("SECURE_SSL_REDIRECT" in message.msg for message in found)
