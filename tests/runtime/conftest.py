"""A server of its own for a test of the runtime, beside the one of the test run."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from relcontrol.runtime.embedded_postgres import temporary_data_folder
from relcontrol.runtime.postgres_cluster import ClusterFiles, cluster_files
from relcontrol.runtime.postgres_keeper import living_server
from tests.runtime.waiting import eventually


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ClusterFiles]:
    """A data folder whose server keeps nothing after its last use."""
    yield from temporary_files(tmp_path / "data", monkeypatch)


def temporary_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ClusterFiles]:
    monkeypatch.setenv("RELCONTROL_DATA", str(folder))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    folder.mkdir(mode=0o700, parents=True)
    temporary_data_folder(folder)
    found = cluster_files(folder)
    yield found
    assert eventually(lambda: living_server(found) is None and not folder.exists())
    assert found.account.uid == os.geteuid() or not found.base.exists()
