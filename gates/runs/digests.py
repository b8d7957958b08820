"""Digests of results and of a gate run (contracts.md), and numbers as the decimal strings that stand in them.

Pure. Numbers of a verdict are rounded to six places before they are hashed: the last bits of a float differ between
processors, the verdict does not.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from gates.runs.results import Result
from gates.suite_files.cases import answer_id_of
from gates.suite_files.digests import canonical_list_digest, decimal_text
from relcontrol.bundle.canonical import sha256_hex

RUN_SCHEMA: Final = "relcontrol/gate-run/v1"
RESULTS_SCHEMA: Final = "relcontrol/results/v1"
PLACES: Final = 6


def results_digest(results: Iterable[Result]) -> str:
    """The digest of the results, sorted by case and answer; texts are in it by their digest."""
    return canonical_list_digest("results", _entries(results), RESULTS_SCHEMA)


def _entries(results: Iterable[Result]) -> Iterator[dict[str, Any]]:
    for result in sorted(results, key=lambda result: (result.case_id, result.answer_id)):
        yield {
            "case_id": result.case_id,
            "answer_id": result.answer_id,
            "output": None if result.output is None else answer_id_of(result.output),
            "score": _exact(result.score),
            "scores": None if result.scores is None else {name: _exact(v) for name, v in result.scores.items()},
            "rescores": [_exact(score) for score in result.rescores],
            "previous_rescores": [_exact(score) for score in result.previous_rescores],
            "latency_ms": _exact(result.latency_ms),
            "input_tokens": result.input_tokens,
            "output_tokens": result.output_tokens,
            "error": result.error,
        }


def gate_run_digest(
    *,
    manifest_sha256: str,
    previous_release: str | None,
    suite: str,
    ratings: str,
    slice_set: str,
    judges: Mapping[str, str],
    results: str,
    parity: str,
    policy: str,
    verdicts: Mapping[str, Any],
) -> str:
    """What identifies a gate run: what went in, by which rules, and what came out."""
    return sha256_hex(
        {
            "schema": RUN_SCHEMA,
            "manifest_sha256": manifest_sha256,
            "previous_release": previous_release,
            "suite": suite,
            "ratings": ratings,
            "slice_set": slice_set,
            "judges": dict(judges),
            "results": results,
            "parity": parity,
            "policy": policy,
            "verdicts": dict(verdicts),
        }
    )


def shown_number(value: float) -> str:
    """A number as a decimal string with at most six places."""
    return decimal_text(round(value, PLACES) + 0.0)


def without_floats(value: Any) -> Any:
    """The same structure with every float as a decimal string: what may stand in receipts and digests."""
    if isinstance(value, float):
        return shown_number(value)
    if isinstance(value, Mapping):
        return {name: without_floats(inner) for name, inner in value.items()}
    return [without_floats(inner) for inner in value] if isinstance(value, list | tuple) else value


def _exact(value: float | None) -> str | None:
    return None if value is None else decimal_text(value)
