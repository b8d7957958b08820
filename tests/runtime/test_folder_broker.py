"""The folder as a broker: a message is there whole or not at all, and what is none ends no worker."""

from pathlib import Path
from typing import Any

import pytest
from kombu import Connection

import relcontrol.celery
from relcontrol.jobs import folder_broker

NAME = "work-{}"  # kombu keeps which queues there are for the whole process: each test has one of its own


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("messages", "control", "processed"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.fixture
def queue(folder: Path) -> Any:
    options = {
        "data_folder_in": str(folder / "messages"),
        "data_folder_out": str(folder / "messages"),
        "control_folder": str(folder / "control"),
        "processed_folder": str(folder / "processed"),
        "polling_interval": 0.02,
    }
    with Connection("filesystem://", transport_options=options) as connection:
        yield connection.SimpleQueue(NAME.format(folder.name))


def test_celery_sends_its_messages_through_it() -> None:
    with relcontrol.celery.app.connection_for_write("filesystem://") as connection:
        assert isinstance(connection.transport, folder_broker.Transport)


def test_what_is_put_in_comes_out_once(queue: Any, folder: Path) -> None:
    queue.put({"kind": "replay"})
    assert queue.get(timeout=1).payload == {"kind": "replay"}
    assert list((folder / "messages").iterdir()) == []


def test_a_message_that_is_being_written_is_not_taken(
    queue: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file exists, and is empty, at the moment at which the other side looks."""
    seen: list[list[str]] = []
    write = Path.write_text

    def slowly(path: Path, text: str, **how: Any) -> int:
        path.touch()
        seen.append([each.name for each in (folder / "messages").iterdir() if each.name.endswith(".msg")])
        return write(path, text, **how)

    monkeypatch.setattr(Path, "write_text", slowly)
    queue.put("whole")
    assert seen == [[]]
    assert queue.get(timeout=1).payload == "whole"


def test_an_empty_file_is_dropped_and_the_next_message_comes(queue: Any, folder: Path) -> None:
    (folder / "messages" / f"0_left-by-a-killed-process.{NAME.format(folder.name)}.msg").touch()
    queue.put("next")
    assert queue.get(timeout=2).payload == "next"
