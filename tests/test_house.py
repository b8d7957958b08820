"""The rules of the house that no linter knows: sizes, docstrings, names, and nothing left lying about."""

import ast
import re
import statistics
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
PACKAGES = ("relcontrol", "audit", "gates", "releases")
LONGEST_FILE, MEDIAN_FILE, LONGEST_FUNCTION, MEDIAN_FUNCTION = 400, 90, 50, 10
# Files that are given away as one file, for a machine that has nothing else.
WHOLE_PROGRAMS = {"audit/verify.py", "relcontrol/relctl.py"}
VAGUE = {"utils", "util", "helpers", "helper", "manager", "managers", "data", "process", "misc", "common"}


@cache
def sources() -> list[Path]:
    """Every Python file of the product."""
    files = (path for package in PACKAGES for path in sorted((CHECKOUT / package).rglob("*.py")))
    return [path for path in files if "migrations" not in path.parts]


def _name(path: Path) -> str:
    return path.relative_to(CHECKOUT).as_posix()


def _functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield f"{_name(path)}:{node.name}", (node.end_lineno or node.lineno) - node.lineno + 1


def _lines(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())


def test_no_file_is_too_long_and_most_are_short() -> None:
    written = [path for path in sources() if path.stat().st_size and _name(path) not in WHOLE_PROGRAMS]
    sizes = {_name(path): _lines(path) for path in written}
    assert {name: size for name, size in sizes.items() if size > LONGEST_FILE} == {}
    assert statistics.median(sizes.values()) <= MEDIAN_FILE


def test_no_function_is_too_long_and_most_are_short() -> None:
    sizes = dict(found for path in sources() if _name(path) not in WHOLE_PROGRAMS for found in _functions(path))
    assert {name: size for name, size in sizes.items() if size > LONGEST_FUNCTION} == {}
    assert statistics.median(sizes.values()) <= MEDIAN_FUNCTION


def test_every_module_says_what_lives_in_it_and_packages_are_empty() -> None:
    silent = [
        _name(path)
        for path in sources()
        if path.name != "__init__.py" and not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]
    assert silent == []
    assert [_name(path) for path in sources() if path.name == "__init__.py" and path.stat().st_size] == []


def test_names_are_those_of_the_field() -> None:
    assert [_name(path) for path in sources() if path.stem in VAGUE or path.parent.name in VAGUE] == []


@pytest.mark.parametrize("mark", ["TO" + "DO", "FIX" + "ME", "X" * 3, "HA" + "CK"])
def test_nothing_is_left_for_later(mark: str) -> None:
    word = re.compile(rf"\b{mark}\b")
    assert [_name(path) for path in sources() if word.search(path.read_text("utf-8"))] == []


def test_no_module_prints_but_the_programs_that_people_run() -> None:
    programs = {*WHOLE_PROGRAMS, "relcontrol/runtime/console.py"}
    printing = {
        _name(path)
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    }
    assert printing - programs == set()
