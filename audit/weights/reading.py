"""Reading the files of a folder against a statement: all of them, or a sample, and in words what differs."""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from audit.weights.hashing import Progress, hash_files
from audit.weights.journal import Journal
from audit.weights.listing import names_in
from audit.weights.predicates import Listing, Predicate, predicate_of

SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Read:
    """What was read: the predicate, how many files and bytes, and how many files a journal had already."""

    predicate: Predicate
    files: int
    bytes: int
    resumed: int = 0


def read_all(
    folder: Path,
    listing: Listing,
    *,
    workers: int = 1,
    progress: Progress | None = None,
    journal: Journal | None = None,
) -> Read:
    """Every file of the folder."""
    names = names_in(folder, listing)
    found = hash_files(folder, names, workers=workers, progress=progress, journal=journal)
    return Read(predicate_of(found.digests, listing), len(names), found.bytes, found.resumed)


def sample_of(predicate: Predicate, fraction: float, seed: int) -> list[str]:
    """The names of a random part of the files, at least one; the same for the same seed."""
    count = max(1, math.ceil(len(predicate.files) * fraction))
    return random.Random(seed).sample(list(predicate.files), count)  # noqa: S311 - a draw, no secret


def read_sample(
    folder: Path, expected: Predicate, names: list[str], *, workers: int = 1, progress: Progress | None = None
) -> Read | None:
    """These files again; None where one differs or the folder has other files than expected: then read all."""
    if names_in(folder, expected.listing) != list(expected.files):
        return None
    found = hash_files(folder, names, workers=workers, progress=progress)
    if any(expected.files[name] != digest for name, digest in found.digests.items()):
        return None
    return Read(expected, len(names), found.bytes)


def differences(expected: Predicate, found: Predicate) -> list[str]:
    """What differs, file by file; the first of them where there are many."""
    lines = list(_differences(expected, found))
    return [*lines[:SHOWN], f"and {len(lines) - SHOWN:,} more"] if len(lines) > SHOWN else lines


def _differences(expected: Predicate, found: Predicate) -> Iterator[str]:
    for name, digest in expected.files.items():
        seen = found.files.get(name)
        if seen is None:
            yield f"{name} is missing"
        elif seen != digest:
            yield f"{name} has SHA-256 {seen[:16]}…, expected {digest[:16]}…"
    yield from (f"{name} is not among the registered files" for name in found.files if name not in expected.files)
    if expected.listing != found.listing:
        yield "the files were listed in another way (links followed, paths left out)"
