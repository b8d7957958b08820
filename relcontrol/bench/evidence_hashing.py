"""Weight files hashed as the observer hashes them, beside `sha256sum` on the same files in the same minute."""

import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

from audit.weights.hashing import hash_files
from relcontrol.bench import figures
from relcontrol.bench.options import Options
from relcontrol.bench.tables import Table

FILES = 4
MOST = 1024 * figures.MEBIBYTE  # bytes in all
BLOCK = figures.MEBIBYTE
PEER = "peer: sha256sum, one process"
COLUMNS = ("what", "files", "size", "median", "rate", "beside sha256sum", "target", "result")
# What is measured, and how many times as fast as one sha256sum it should be.
TARGETS = {"hash_files, one worker": 0.9, "hash_files, two workers": 1.6}


def hashing_table(options: Options) -> Table:
    """Files of a kibibyte for each receipt that was asked for, at most 1 GiB; each is read once before."""
    size = min(MOST, options.size * figures.KIBIBYTE)
    with tempfile.TemporaryDirectory(prefix="relcontrol-bench-") as folder:
        names = _written(Path(folder), size // FILES)
        spent = _spent(options.runs, _works(Path(folder), names))
    return Table(
        "Weight files",
        COLUMNS,
        [_row(name, size, median(seconds), median(spent[PEER])) for name, seconds in spent.items()],
        [
            f"Median of {options.runs} runs in turn; the files are in the page cache, so no disk is measured.",
            "Some builds of sha256sum leave the processor's own SHA instructions unused; OpenSSL, which Python hashes",
            "with, uses them.",
        ],
    )


def _written(folder: Path, size: int) -> list[str]:
    """Files of random bytes, a block of them again and again."""
    block, names = secrets.token_bytes(BLOCK), [f"model-{number}.safetensors" for number in range(1, FILES + 1)]
    for name in names:
        with (folder / name).open("wb") as stream:
            for at in range(0, size, BLOCK):
                stream.write(block[: size - at])
    return names


def _works(folder: Path, names: list[str]) -> dict[str, Callable[[], object]]:
    works: dict[str, Callable[[], object]] = {PEER: partial(_run, folder, ["sha256sum"], [names])}
    works["peer: sha256sum, two processes"] = partial(_run, folder, ["sha256sum"], [names[::2], names[1::2]])
    if shutil.which("openssl"):
        works["peer: openssl, one process"] = partial(_run, folder, ["openssl", "dgst", "-sha256"], [names])
    for workers, name in enumerate(TARGETS, 1):
        works[name] = partial(hash_files, folder, names, workers=workers)
    return works


def _run(folder: Path, command: list[str], shares: list[list[str]]) -> None:
    """The command on each share of the files, all at once."""
    program = shutil.which(command[0])
    if program is None:
        raise RuntimeError(f"{command[0]} is not installed")
    lines = [[program, *command[1:], *names] for names in shares]
    started = [subprocess.Popen(line, cwd=folder, stdout=subprocess.DEVNULL) for line in lines]  # noqa: S603
    ended = [process.wait() for process in started]
    if any(ended):
        raise RuntimeError(f"{command[0]} failed")


def _spent(runs: int, works: dict[str, Callable[[], object]]) -> dict[str, list[float]]:
    """Seconds of each work in each run; the works take turns, so that others on the machine hit all alike."""
    spent: dict[str, list[float]] = {name: [] for name in works}
    for run in range(runs + 1):
        for name, work in works.items():
            began = time.perf_counter()
            work()
            if run:  # the first only warms up
                spent[name].append(time.perf_counter() - began)
    return spent


def _row(name: str, size: int, seconds: float, peer: float) -> tuple[str, ...]:
    times = peer / max(seconds, 1e-9)
    target = TARGETS.get(name)
    rate = size / max(seconds, 1e-9) / (1024 * figures.MEBIBYTE)
    verdict = ("-", "-") if target is None else (f"≥ {target}×", "met" if times >= target else "missed")
    return (
        name,
        str(FILES),
        figures.mebibytes(size),
        figures.seconds(seconds),
        f"{rate:.2f} GiB/s",
        f"{times:.2f}×",
        *verdict,
    )
