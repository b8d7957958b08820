"""Static checks run side by side and report what is needed to repeat them."""

import sys

from relcontrol.runtime.checks import Check, run_checks, static_checks


def test_a_check_passes_or_fails_by_its_exit_code() -> None:
    good = Check("good", [sys.executable, "-c", ""])
    bad = Check("bad", [sys.executable, "-c", "import sys; print('why'); sys.exit(2)"])
    outcomes = {outcome.check.name: outcome for outcome in run_checks([good, bad])}
    assert outcomes["good"].passed
    assert outcomes["good"].line().startswith("passed  good")
    assert not outcomes["bad"].passed
    assert outcomes["bad"].line().startswith("FAILED  bad")
    assert outcomes["bad"].report().endswith("why")


def test_every_kind_of_check_is_among_them() -> None:
    names = {check.name for check in static_checks()}
    assert names >= {"ruff", "ruff format", "mypy", "templates", "imports", "migrations", "api schema"}
