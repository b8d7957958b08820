"""What is appended to a log is shown once."""

from pathlib import Path

from relcontrol.runtime.log_follower import LogFollower
from relcontrol.runtime.supervisor import PrefixedLines


def test_only_what_comes_after_the_start_is_shown_and_only_once(tmp_path: Path) -> None:
    file, written = tmp_path / "server.log", list[str]()
    file.write_text("before\n")
    follower = LogFollower(file, PrefixedLines("postgres", 8, written.append))
    with file.open("a") as stream:
        stream.write("after\nhal")
    follower.read()
    follower.read()
    assert written == ["postgres | after"]


def test_a_log_that_begins_anew_is_read_from_its_beginning(tmp_path: Path) -> None:
    file, written = tmp_path / "server.log", list[str]()
    file.write_text("a long old log\n")
    follower = LogFollower(file, PrefixedLines("postgres", 8, written.append))
    file.write_text("new\n")
    follower.read()
    assert written == ["postgres | new"]


def test_a_log_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    file, written = tmp_path / "server.log", list[str]()
    follower = LogFollower(file, PrefixedLines("postgres", 8, written.append))
    follower.read()
    file.write_text("first\n")
    follower.read()
    assert written == ["postgres | first"]
