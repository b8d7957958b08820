"""The evidence bench at its smallest: what its tables say, and that it says so where something does not hold."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from audit.models import ChainHead
from relcontrol.accounts.models import Organization
from relcontrol.bench import evidence, evidence_chain, evidence_hashing, evidence_proofs
from relcontrol.bench.evidence_chain import Walked, chain_table
from relcontrol.bench.options import Options
from relcontrol.bench.tables import Table
from relcontrol.management.commands.bench import BENCHES, Command
from tests.audit.log.scene import organization_with

SIZE = 9
OPTIONS = Options(size=64, seconds=0.1, runs=1)


@pytest.fixture
def organization(db: None, monkeypatch: pytest.MonkeyPatch) -> Organization:
    """A small one; the check of its chain runs in this process, which alone sees it."""
    monkeypatch.setattr(evidence_chain, "in_processes", lambda works: [work() for work in works])
    return organization_with(SIZE)


def rows_of(table: Table) -> dict[str, list[str]]:
    """The figures by the name of the row."""
    return {name: list(figures) for name, *figures in table.rows}


def test_the_bench_is_known_to_the_command() -> None:
    assert "evidence: the log: appends, proofs" in Command.help
    assert BENCHES["evidence"][2] == 1_000_000


def test_everything_is_measured_and_verify_py_gets_an_export_that_it_takes(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Options] = {}

    def stand_in(name: str) -> Callable[[Options], Table]:
        return lambda options: Table(name, [], [[str(asked.setdefault(name, options))]])

    for name in ("append_table", "export_table", "hashing_table"):
        monkeypatch.setattr(evidence, name, stand_in(name))
    monkeypatch.setattr(evidence, "settle", lambda: None)
    monkeypatch.setattr(evidence, "EXPORTED", 50)
    monkeypatch.setattr(evidence_chain, "in_processes", lambda works: [work() for work in works])
    tables = list(evidence.evidence(OPTIONS))
    titles = ["append_table", "Proofs of the log", "Verification over the database", "export_table", "hashing_table"]
    assert [table.title for table in tables] == titles
    assert [asked[name].size for name in ("append_table", "export_table", "hashing_table")] == [64, 50, 64]
    assert rows_of(tables[1])["inclusion: prove"][0] == rows_of(tables[2]).popitem()[1][0] == "64"
    assert all(table.problems in ((), []) for table in tables)


def test_proofs_of_a_small_log_are_made_and_verified(organization: Organization) -> None:
    rows = rows_of(evidence_proofs.proof_table(organization, OPTIONS))
    steps = [f"{kind}: {step}" for kind in ("inclusion", "consistency") for step in ("prove", "verify")]
    assert list(rows) == ["sign the present head", *steps]
    assert {row[0] for row in rows.values()} == {str(SIZE)}
    assert all(row[-1].endswith("/s") for row in rows.values())
    assert rows["inclusion: prove"][1] in {"1", "4"}


def test_a_chain_is_walked_to_its_head(organization: Organization) -> None:
    table = chain_table(organization)
    [(name, figures)] = rows_of(table).items()
    assert "audit.chain_checks" in name
    assert (figures[0], table.problems) == (str(SIZE), [])


def test_a_chain_that_does_not_hold_makes_the_bench_fail(organization: Organization) -> None:
    ChainHead.objects.filter(organization=organization).update(frontier=b"x" * 64)
    [problem] = chain_table(organization).problems
    assert "the head of the log does not follow from the receipts" in problem
    walked = Walked(4, "", 1.0, 0, 0)
    assert list(evidence_chain._problems(walked, 5)) == ["the check of the chain stopped at #4 of 5"]


def test_weight_files_are_hashed_beside_sha256sum() -> None:
    rows = rows_of(evidence_hashing.hashing_table(OPTIONS))
    assert list(rows)[-2:] == ["hash_files, one worker", "hash_files, two workers"]
    assert [row[-2] for row in rows.values()][-3:] == ["-", "≥ 0.9×", "≥ 1.6×"]
    assert rows["peer: sha256sum, one process"][4] == "1.00×"


@pytest.mark.parametrize(("seconds", "result"), [(1.0, "met"), (1.2, "missed")])
def test_a_target_is_met_or_missed(seconds: float, result: str) -> None:
    assert evidence_hashing._row("hash_files, one worker", 1024, seconds, 1.0)[-1] == result


def test_files_have_the_size_that_was_asked_for_and_a_peer_that_fails_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence_hashing, "BLOCK", 100)
    names = evidence_hashing._written(tmp_path, 250)
    assert [(tmp_path / name).stat().st_size for name in names] == [250] * 4
    with pytest.raises(RuntimeError, match="sha256sum failed"):
        evidence_hashing._run(tmp_path, ["sha256sum"], [["not-there"]])


def test_a_run_that_warms_up_is_not_counted() -> None:
    calls: list[str] = []
    works: dict[str, Callable[[], object]] = {name: partial(calls.append, name) for name in ("a", "b")}
    spent = evidence_hashing._spent(replace(OPTIONS, runs=2).runs, works)
    assert calls == ["a", "b"] * 3
    assert [len(seconds) for seconds in spent.values()] == [2, 2]
