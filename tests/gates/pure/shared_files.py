"""The shared vectors and real data, where they are; tests that need them skip where they are not."""

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(os.environ.get("RELCONTROL_SHARED") or Path(__file__).resolve().parents[4] / "shared")


def _present(path: Path) -> Path:
    if not path.exists():
        pytest.skip(f"{path} is not here; set RELCONTROL_SHARED to the folder that holds vectors/ and data/")
    return path


@cache
def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def vectors(name: str) -> Any:
    """Return one section of the statistical vectors."""
    return json.loads(_read(_present(SHARED / "vectors" / "statistics.json")))[name]


def expected(dataset: str) -> Any:
    """Return what is known of a data set of real judges and human grades."""
    return json.loads(_read(_present(SHARED / "data" / "expected.json")))[dataset]


def cases(dataset: str) -> list[dict[str, Any]]:
    """Return a data set's rows; its texts may hold U+2028, so only a line feed ends a row."""
    return _rows(f"{dataset}.cases.jsonl")


def traces(name: str) -> list[dict[str, Any]]:
    """Return the rows of a file of answers to prompts, with the draws of a judge where it has some."""
    return _rows(f"{name}.jsonl")


def _rows(name: str) -> list[dict[str, Any]]:
    text = _read(_present(SHARED / "data" / name))
    return [json.loads(line) for line in text.split("\n") if line]
