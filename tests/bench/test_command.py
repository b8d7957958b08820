"""`manage.py bench` at its smallest: the rows are there, and nothing is left behind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from relcontrol.runtime.folders import CHECKOUT

pytestmark = pytest.mark.django_db(transaction=True)

Environment = dict[str, str]


def bench(environment: Environment, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(Path(CHECKOUT) / "manage.py"), "bench", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)


def databases_of_benches() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE 'relcontrol_bench_%%'")
        return {name for (name,) in cursor.fetchall()}


def named(finished: subprocess.CompletedProcess[str]) -> str:
    """The throw-away database of a run, from its first line on stderr."""
    return next(line.split()[-1] for line in finished.stderr.splitlines() if "throw-away database" in line)


def rows(finished: subprocess.CompletedProcess[str]) -> str:
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def test_receipts_are_measured_beside_their_peers(process_environment: Environment) -> None:
    finished = bench(process_environment, "receipts", "--size", "60", "--seconds", "0.2", "--runs", "1")
    shown = rows(finished)

    assert shown.count("\nappend ") == 4
    assert shown.count("\nplain INSERT ") == 2
    for row in ("generator", "export", "peer: bare reading", "verify.py with cryptography", "verify.py in pure Python"):
        assert f"\n{row}" in shown
    for row in ("cores", "PostgreSQL", "load average before", "processor: others"):
        assert f"\n{row}" in shown
    assert named(finished) not in databases_of_benches()


def test_mixed_decisions_report_deadlocks_gaps_and_forks(process_environment: Environment) -> None:
    shown = rows(bench(process_environment, "receipts", "--mixed", "1"))

    assert "deadlocks counted by PostgreSQL: 0" in shown
    assert shown.count("gaps 0, forks 0, verifies to #") == 2
    assert "\nregister a release " in shown


def test_pages_are_measured_in_a_large_and_a_small_organization(process_environment: Environment) -> None:
    shown = rows(bench(process_environment, "pages", "--size", "100", "--runs", "1"))

    for name in ("api-receipts", "api-releases", "suites", "slices"):
        assert f"\n{name} " in shown
    assert "10 releases, 100 receipts" in shown


def test_a_gate_run_is_judged_over_http_and_agreement_beside_scipy(process_environment: Environment) -> None:
    finished = bench(process_environment, "gate", "--size", "400", "--runs", "1")
    shown = rows(finished)

    assert "\ntimes as fast " in shown
    for row in ("cold start ", "with a previous release "):
        assert f"\n{row}" in shown
    assert shown.count("0.1 MiB sent, gate_") == 2
    assert named(finished) not in databases_of_benches()


def test_the_api_answers_what_its_schema_promises(process_environment: Environment) -> None:
    shown = rows(bench(process_environment, "api", "--size", "40", "--seconds", "2"))

    assert "\nall " in shown


def test_the_gateway_is_measured_beside_the_bare_model_server(process_environment: Environment) -> None:
    environment = {**process_environment, "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": ""}
    shown = rows(bench(environment, "gateway", "--size", "40", "--seconds", "0.3", "--runs", "1"))

    for row in ("direct ", "gateway, 1 worker ", "gateway, 2 workers ", "throughput, 2 workers "):
        assert f"\n{row}" in shown
    assert "LiteLLM could not be installed, so it is not compared" in shown


def test_propagation_is_measured_with_and_without_the_event_stream(process_environment: Environment) -> None:
    shown = rows(bench(process_environment, "propagation", "--size", "40", "--runs", "1"))

    assert shown.count("\nevent stream ") == shown.count("\npoll only ") == 1


def test_ingest_is_measured_by_every_way_beside_copy(process_environment: Environment) -> None:
    shown = rows(bench(process_environment, "ingest", "--size", "500", "--runs", "1"))

    for row in ("POST /v1/traces", "store, one", "store, two", "POST /v1/otlp", "peer: COPY of the same rows"):
        assert f"\n{row}" in shown


def test_a_size_that_is_too_small_is_refused(process_environment: Environment) -> None:
    finished = bench(process_environment, "pages", "--size", "3")

    assert finished.returncode == 1
    assert "--size is 40 or more" in finished.stderr


def test_help_shows_an_example(process_environment: Environment) -> None:
    shown = rows(bench(process_environment, "--help"))

    assert "manage.py bench receipts --mixed 60" in shown
