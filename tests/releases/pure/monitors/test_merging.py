"""Sums are plain numbers: any split, any order and any restart end in the same state."""

import json
from functools import reduce
from itertools import pairwise
from operator import add
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases.monitors.drift import DriftDetector
from releases.monitors.error_sums import ErrorSums
from releases.monitors.latencies import LatencySums
from releases.monitors.quality_sums import QualitySums
from tests.releases.pure.monitors.samples import DIFFERENCES, ERROR_CHUNKS, LATENCY_CHUNKS, unhurried

Item = TypeVar("Item")
CUTS = st.lists(st.integers(0, 8), max_size=3)


def _split(items: list[Item], cuts: list[int]) -> list[list[Item]]:
    places = [0, *sorted(min(cut, len(items)) for cut in cuts), len(items)]
    return [items[start:end] for start, end in pairwise(places)]


@unhurried
@given(chunks=st.lists(ERROR_CHUNKS, max_size=8), cuts=CUTS, data=st.data())
def test_errors_merge_to_the_same_sums_whatever_the_split_and_the_order(
    chunks: list[ErrorSums], cuts: list[int], data: st.DataObject
) -> None:
    parts = [reduce(add, part, ErrorSums()) for part in _split(data.draw(st.permutations(chunks)), cuts)]
    assert reduce(add, parts, ErrorSums()) == reduce(add, chunks, ErrorSums())


@unhurried
@given(chunks=st.lists(LATENCY_CHUNKS, max_size=8), cuts=CUTS, data=st.data())
def test_latencies_merge_to_the_same_sums_whatever_the_split_and_the_order(
    chunks: list[dict[str, list[float]]], cuts: list[int], data: st.DataObject
) -> None:
    sums = [LatencySums.of_chunk(chunk) for chunk in chunks]
    parts = [reduce(add, part, LatencySums()) for part in _split(data.draw(st.permutations(sums)), cuts)]
    assert reduce(add, parts, LatencySums()) == reduce(add, sums, LatencySums())


@unhurried
@given(differences=DIFFERENCES, cuts=CUTS, data=st.data())
def test_quality_merges_to_the_same_sums_whatever_the_split_and_the_order(
    differences: list[float | None], cuts: list[int], data: st.DataObject
) -> None:
    parts = [QualitySums.of(part) for part in _split(data.draw(st.permutations(differences)), cuts)]
    assert reduce(add, parts, QualitySums()) == QualitySums.of(differences)


@unhurried
@given(chunk=ERROR_CHUNKS)
def test_errors_survive_a_restart(chunk: ErrorSums) -> None:
    assert ErrorSums.from_json(json.loads(json.dumps(chunk.as_json()))) == chunk


@unhurried
@given(chunk=LATENCY_CHUNKS)
def test_latencies_survive_a_restart(chunk: dict[str, list[float]]) -> None:
    sums = LatencySums.of_chunk(chunk)
    assert LatencySums.from_json(json.loads(json.dumps(sums.as_json()))) == sums


@unhurried
@given(differences=DIFFERENCES, tolerance=st.floats(0, 0.9))
def test_quality_survives_a_restart(differences: list[float | None], tolerance: float) -> None:
    sums = QualitySums.of(differences, tolerance=tolerance)
    assert QualitySums.from_json(json.loads(json.dumps(sums.as_json()))) == sums


def test_the_drift_detector_survives_a_restart() -> None:
    detector = DriftDetector(0.7).after([0.4, 0.9, 0.1])
    assert DriftDetector.from_json(json.loads(json.dumps(detector.as_json()))) == detector


@pytest.mark.parametrize(
    "damaged",
    [
        {"likelihood": [1, 2]},
        {"likelihood": None},
        {"candidate": {"requests": -1, "errors": 0, "exposures": [0] * 256, "events": [0] * 256}},
        {"candidate": {"requests": 1.5, "errors": 0, "exposures": [0] * 256, "events": [0] * 256}},
        {"candidate": {"requests": 1, "errors": 0, "exposures": [0] * 3, "events": [0] * 256}},
    ],
)
def test_a_damaged_state_is_refused(damaged: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="rebuild it from traces"):
        ErrorSums.from_json(ErrorSums().as_json() | damaged)


def test_damaged_bins_are_refused() -> None:
    for bins in (None, {"3": "x"}, [1]):
        with pytest.raises(ValueError, match="rebuild it from traces"):
            LatencySums.from_json({"requests": 1, "bins": bins, "groups": {}})


def test_pairs_under_two_tolerances_do_not_add() -> None:
    with pytest.raises(ValueError, match="two tolerances"):
        _ = QualitySums.of([0.1]) + QualitySums.of([0.1], tolerance=0.2)
