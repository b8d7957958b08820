"""`manage.py bench` at its smallest: the rows are there, and nothing is left behind.

One bench runs as users start it. The others run in this process, on copies of one migrated database.
"""

import io
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import DjangoDbBlocker

from relcontrol.bench import appends, gate_processes, gate_runs, gateway_litellm, pages, surroundings
from relcontrol.bench.addresses import addresses
from relcontrol.management.commands.bench import Command
from relcontrol.runtime.folders import CHECKOUT
from relcontrol.runtime.services import Service, services
from tests.template import template_database

Environment = dict[str, str]
Bench = Callable[..., str]
# manage.py, with a database that is migrated already: migrating one takes as much processor as all else that it does.
MANAGE = """
import sys
from relcontrol.bench import surroundings
from relcontrol.runtime.bootstrap import main
surroundings.TEMPLATE = sys.argv.pop(1)
main(["manage.py", *sys.argv[1:]])
"""


@pytest.fixture
def bench(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Bench]:
    """Run a bench in this process, without its start and the migrations; what it prints. Its database is gone."""
    monkeypatch.setattr(surroundings, "TEMPLATE", template_database())
    monkeypatch.setattr(gate_processes, "services", with_one_worker)
    monkeypatch.setattr(appends, "MANY", 2)

    def measure(*arguments: str) -> str:
        out, err = io.StringIO(), io.StringIO()
        call_command("bench", *arguments, stdout=out, stderr=err)
        assert named(err.getvalue()) not in databases_of_benches()
        return out.getvalue()

    with django_db_blocker.unblock():
        yield measure
        connection.close()


def with_one_worker(*args: Any, **options: Any) -> list[Service]:
    """The processes of `up`, the web with one worker: each takes a second of processor to start."""
    return [replace(each, command=_with_one_worker(each.command)) for each in services(*args, **options)]


def _with_one_worker(command: Sequence[str]) -> list[str]:
    return ["1" if before == "--workers" else word for before, word in pairwise(["", *command])]


def named(said: str) -> str:
    """The throw-away database of a run, from its first line on stderr."""
    return next(line.split()[-1] for line in said.splitlines() if "throw-away database" in line)


def databases_of_benches() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE 'relcontrol_bench_%%'")
        return {name for (name,) in cursor.fetchall()}


@pytest.mark.django_db
def test_a_bench_runs_as_users_start_it(process_environment: Environment) -> None:
    command = [sys.executable, "-c", MANAGE, template_database(), "bench", "receipts", "--mixed", "0.5"]
    finished = subprocess.run(
        command, cwd=CHECKOUT, env=process_environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert finished.returncode == 0, finished.stderr
    assert "deadlocks counted by PostgreSQL: 0" in finished.stdout
    assert finished.stdout.count("gaps 0, forks 0, verifies to #") == 2
    assert "\nregister a release " in finished.stdout
    assert named(finished.stderr) not in databases_of_benches()


def test_receipts_are_measured_beside_their_peers(bench: Bench) -> None:
    shown = bench("receipts", "--size", "60", "--seconds", "0.1", "--runs", "1")

    assert shown.count("\nappend ") == 4
    assert shown.count("\nplain INSERT ") == 2
    for row in ("generator", "export", "peer: bare reading", "verify.py with cryptography", "verify.py in pure Python"):
        assert f"\n{row}" in shown
    for row in ("cores", "PostgreSQL", "load average before", "processor: others"):
        assert f"\n{row}" in shown


def test_pages_are_measured_in_a_large_and_a_small_organization(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    named = {"api-receipts", "api-releases", "suites", "slices"}
    monkeypatch.setattr(pages, "addresses", lambda values: [one for one in addresses(values) if one.name in named])
    shown = bench("pages", "--size", "100", "--runs", "1")

    for name in named:
        assert f"\n{name} " in shown
    assert "10 releases, 100 receipts" in shown


def test_a_gate_run_is_judged_over_http_and_agreement_beside_scipy(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate_runs, "WARM_UP", 1)
    shown = bench("gate", "--size", "400", "--runs", "1")

    assert "\ntimes as fast " in shown
    for row in ("cold start ", "with a previous release "):
        assert f"\n{row}" in shown
    assert shown.count("0.1 MiB sent, gate_") == 2


def test_a_suite_is_answered_and_judged_and_the_books_are_those_of_the_server(bench: Bench) -> None:
    shown = bench("judge", "--size", "48")

    for row in ("answered and judged ", "  of it answers ", "  of it scores ", "peer: a bare asyncio loop "):
        assert f"\n{row}" in shown
    again = next(line.split() for line in shown.splitlines() if line.startswith("the same again"))
    assert (again[5], again[7]) == ("0", "96"), again
    assert "\nlimit: calls" in shown


def test_the_api_answers_what_its_schema_promises(bench: Bench) -> None:
    shown = bench("api", "--size", "40", "--seconds", "1")

    assert "\nall " in shown


def test_the_gateway_is_measured_beside_the_bare_model_server(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bench-litellm").touch()  # where LiteLLM is installed: no folder can be made
    monkeypatch.setattr(gateway_litellm, "ensure_data_folder", lambda: tmp_path)
    shown = bench("gateway", "--size", "40", "--seconds", "0.3", "--runs", "1")

    for row in ("direct ", "gateway, 1 worker ", "gateway, 2 workers ", "throughput, 2 workers "):
        assert f"\n{row}" in shown
    assert "LiteLLM could not be installed, so it is not compared" in shown


def test_propagation_is_measured_with_and_without_the_event_stream(bench: Bench) -> None:
    shown = bench("propagation", "--size", "40", "--runs", "1")

    assert shown.count("\nevent stream ") == shown.count("\npoll only ") == 1


def test_ingest_is_measured_by_every_way_beside_copy(bench: Bench) -> None:
    shown = bench("ingest", "--size", "500", "--runs", "1")

    for row in ("POST /v1/traces", "store, one", "store, two", "POST /v1/otlp", "peer: COPY of the same rows"):
        assert f"\n{row}" in shown


def test_a_size_that_is_too_small_is_refused() -> None:
    with pytest.raises(CommandError, match="--size is 40 or more") as refused:
        call_command("bench", "pages", "--size", "3")

    assert refused.value.returncode == 1


def test_help_shows_an_example() -> None:
    assert "manage.py bench receipts --mixed 60" in Command().create_parser("manage.py", "bench").format_help()
