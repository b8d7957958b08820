"""Reading weight files: what is listed, what is refused, and going on after an interruption."""

import hashlib
import os
from pathlib import Path

import pytest

from audit.weights.hashing import hash_files
from audit.weights.journal import Journal
from audit.weights.listing import names_in
from audit.weights.predicates import Listing, WeightsError
from audit.weights.reading import differences, read_all, read_sample, sample_of
from tests.audit.weights.files import CONTENT, tiny_model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny_model(tmp_path)


def test_files_stand_in_the_order_of_their_parts_without_what_is_left_out(folder: Path) -> None:
    (folder / ".git").mkdir()
    (folder / ".git" / "HEAD").write_text("ref")
    (folder / ".gitignored").write_text("kept")
    names = names_in(folder, Listing())
    assert names[:3] == [".gitignored", "a/b", "a-b"]
    assert set(names) == {".gitignored", *CONTENT}


def test_every_file_has_its_sha256_however_many_are_read_at_once(folder: Path) -> None:
    told: list[tuple[int, int]] = []
    names = names_in(folder, Listing())
    found = hash_files(folder, names, workers=3, progress=lambda done, of: told.append((done, of)))
    size = sum(len(text) for text in CONTENT.values())
    assert found.digests == {name: hashlib.sha256(CONTENT[name].encode()).hexdigest() for name in names}
    assert (found.bytes, told[-1], sorted(told)) == (size, (size, size), told)


def test_a_large_file_is_read_in_parts(tmp_path: Path) -> None:
    content = os.urandom(3_000_001)
    (tmp_path / "large").write_bytes(content)
    assert hash_files(tmp_path, ["large"]).digests["large"] == hashlib.sha256(content).hexdigest()


def test_links_are_refused_unless_they_are_followed_and_those_to_folders_always(folder: Path) -> None:
    (folder / "link").symlink_to("config.json")
    with pytest.raises(WeightsError, match="--follow-links"):
        names_in(folder, Listing())
    assert "link" in names_in(folder, Listing(allow_symlinks=True))
    (folder / "deep").symlink_to("a")
    with pytest.raises(WeightsError, match="link to a folder"):
        names_in(folder, Listing(allow_symlinks=True))


def test_a_link_to_nothing_is_refused(folder: Path) -> None:
    (folder / "gone").symlink_to("nowhere")
    with pytest.raises(WeightsError, match="link to nothing"):
        names_in(folder, Listing(allow_symlinks=True))


def test_what_is_no_file_is_refused(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    with pytest.raises(WeightsError, match="neither a file nor a folder"):
        names_in(folder, Listing())


def test_a_name_that_is_no_text_is_refused(folder: Path) -> None:
    (folder / os.fsdecode(b"bad\xff")).write_text("x")
    with pytest.raises(WeightsError, match="UTF-8"):
        names_in(folder, Listing())


def test_an_empty_folder_and_none_at_all_are_refused(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "none"):
        with pytest.raises(WeightsError):
            names_in(place, Listing())


def test_a_file_that_changes_while_it_is_read_has_no_digest(folder: Path) -> None:
    file = folder / "config.json"
    with pytest.raises(WeightsError, match="changed while it was read"):
        hash_files(folder, ["config.json"], progress=lambda done, of: rewrite(file))


def test_a_file_that_grows_is_not_followed_for_ever(folder: Path) -> None:
    told: list[int] = []

    def grow(done: int, of: int) -> None:
        told.append(done)
        assert len(told) < 5, "it is still read"
        with (folder / "config.json").open("ab") as stream:
            stream.write(b"more")

    with pytest.raises(WeightsError, match="changed while it was read"):
        hash_files(folder, ["config.json"], progress=grow)
    assert told == [len(CONTENT["config.json"])]


def test_a_file_that_is_gone_is_said_by_name(folder: Path) -> None:
    with pytest.raises(WeightsError, match="missing-file"):
        hash_files(folder, ["config.json", "missing-file"])


def rewrite(file: Path) -> None:
    file.write_text("{ }")


class KilledError(Exception):
    """As if the process had been killed."""


def interrupted(folder: Path, journal: Path) -> None:
    """Read until the last file is being read."""

    def kill(done: int, of: int) -> None:
        if done == of:
            raise KilledError

    with pytest.raises(KilledError):
        read_all(folder, Listing(), progress=kill, journal=Journal(journal, folder))


def test_an_interrupted_reading_goes_on_where_it_left_off(folder: Path, tmp_path: Path) -> None:
    journal, alone = tmp_path / "journal", read_all(folder, Listing())
    interrupted(folder, journal)
    assert journal.stat().st_mode & 0o777 == 0o600
    again = read_all(folder, Listing(), journal=Journal(journal, folder))
    assert (again.predicate, again.bytes) == (alone.predicate, alone.bytes)
    assert again.resumed > 0
    assert not journal.exists()


def test_a_line_that_was_cut_is_read_again(folder: Path, tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    interrupted(folder, journal)
    whole = journal.read_bytes()
    lines = whole.count(b"\n")
    journal.write_bytes(whole[:-10])
    again = read_all(folder, Listing(), journal=Journal(journal, folder))
    assert (again.resumed, again.predicate) == (lines - 2, read_all(folder, Listing()).predicate)


def test_a_file_that_was_written_since_is_read_again_even_with_its_old_time(folder: Path, tmp_path: Path) -> None:
    journal, file = tmp_path / "journal", folder / "model-00001-of-00002.safetensors"
    interrupted(folder, journal)
    before = file.stat()
    file.write_text("other shard")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    again = read_all(folder, Listing(), journal=Journal(journal, folder))
    assert again.predicate.files[file.name] == hashlib.sha256(b"other shard").hexdigest()


def test_the_journal_of_another_folder_counts_for_nothing(folder: Path, tmp_path: Path) -> None:
    journal, other = tmp_path / "journal", tiny_model(tmp_path / "other")
    interrupted(other, journal)
    assert read_all(folder, Listing(), journal=Journal(journal, folder)).resumed == 0


def test_a_journal_that_others_could_have_written_is_neither_read_nor_overwritten(folder: Path, tmp_path: Path) -> None:
    journal, other = tmp_path / "journal", tmp_path / "other"
    interrupted(folder, other)
    before = other.read_bytes()
    journal.symlink_to(other)
    with pytest.raises(WeightsError, match="may be written by others"):
        read_all(folder, Listing(), journal=Journal(journal, folder))
    journal.unlink()
    other.rename(journal).chmod(0o666)
    with pytest.raises(WeightsError, match="may be written by others"):
        read_all(folder, Listing(), journal=Journal(journal, folder))
    assert journal.read_bytes() == before


def test_a_journal_that_cannot_be_written_is_said_with_another_place(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="--key names another place"):
        read_all(folder, Listing(), journal=Journal(tmp_path / "none" / "journal", folder))


def test_a_sample_is_drawn_by_its_seed(folder: Path) -> None:
    predicate = read_all(folder, Listing()).predicate
    draws = {seed: sample_of(predicate, 0.4, seed) for seed in range(8)}
    assert sample_of(predicate, 0.4, 3) == draws[3]
    assert {len(names) for names in draws.values()} == {3}
    assert len({tuple(names) for names in draws.values()}) > 1
    assert len(sample_of(predicate, 0.0001, 1)) == 1


def test_a_sample_tells_the_expected_files_from_others(folder: Path) -> None:
    predicate = read_all(folder, Listing()).predicate
    read = read_sample(folder, predicate, ["config.json", "a/b"])
    assert read is not None
    assert (read.files, read.bytes) == (2, len(CONTENT["config.json"]) + len(CONTENT["a/b"]))
    (folder / "config.json").write_text("{}")
    assert read_sample(folder, predicate, ["a/b"]) is not None  # not among those that were drawn
    assert read_sample(folder, predicate, ["config.json"]) is None
    (folder / "more").write_text("x")
    assert read_sample(folder, predicate, ["a/b"]) is None


def test_what_differs_is_said_file_by_file(folder: Path) -> None:
    before = read_all(folder, Listing()).predicate
    (folder / "config.json").write_text("{}")
    (folder / "more").write_text("x")
    (folder / "a-b").unlink()
    said = " / ".join(differences(before, read_all(folder, Listing()).predicate))
    assert "config.json has SHA-256" in said
    assert "a-b is missing" in said
    assert "more is not among the registered files" in said
    assert differences(before, before) == []
