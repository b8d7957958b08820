"""Private folders are really ours, and sockets fit into the kernel's address."""

from pathlib import Path

import pytest

from relcontrol.runtime.folders import (
    UnsafeFolderError,
    ensure_data_folder,
    fits_socket,
    make_private_folder,
    short_private_folder,
)


def test_the_data_folder_is_made_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELCONTROL_DATA", str(tmp_path / "with space" / "data"))
    folder = ensure_data_folder()
    assert folder == tmp_path / "with space" / "data"
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_data_folder_that_exists_keeps_its_mode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o755)
    monkeypatch.setenv("RELCONTROL_DATA", str(tmp_path))
    assert ensure_data_folder().stat().st_mode & 0o777 == 0o755


def test_a_private_folder_of_an_earlier_run_is_accepted(tmp_path: Path) -> None:
    assert make_private_folder(tmp_path / "own") == make_private_folder(tmp_path / "own")


def test_a_folder_that_others_can_enter_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o755)
    with pytest.raises(UnsafeFolderError, match="0700"):
        make_private_folder(folder)
    assert folder.stat().st_mode & 0o777 == 0o755


def test_a_link_to_a_private_folder_is_refused(tmp_path: Path) -> None:
    make_private_folder(tmp_path / "own")
    (tmp_path / "link").symlink_to(tmp_path / "own")
    with pytest.raises(UnsafeFolderError):
        make_private_folder(tmp_path / "link")


@pytest.mark.parametrize(("length", "fits"), [(107, True), (108, False)])
def test_a_socket_path_of_107_bytes_is_the_longest_that_fits(*, length: int, fits: bool) -> None:
    folder = Path("/" + "x" * (length - len("//.s.PGSQL.5432")))
    assert len(str(folder / ".s.PGSQL.5432")) == length
    assert fits_socket(folder, ".s.PGSQL.5432") is fits


def test_bytes_count_not_characters() -> None:
    assert not fits_socket(Path("/" + "ü" * 60), ".s.PGSQL.5432")


def test_a_short_folder_is_private_new_and_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "missing"))
    first, second = short_private_folder(), short_private_folder()
    try:
        assert first != second
        assert first.stat().st_mode & 0o777 == 0o700
        assert fits_socket(first, ".s.PGSQL.5432")
    finally:
        first.rmdir()
        second.rmdir()
