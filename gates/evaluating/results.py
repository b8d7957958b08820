"""An evaluation's rows as the body that a pipeline would have sent: from there on it is a gate run as any other."""

import json
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from gates.evaluating.flagging import fresh_means
from gates.evaluating.progress import Evaluation
from gates.evaluating.rows import beyond, rows_of
from gates.run_models import EvaluatedCase, GateRun
from gates.runs.gathering import graded_texts
from gates.runs.reading import RESULTS
from gates.runs.results import MAX_REASON
from gates.suite_files.cases import answer_id_of
from relcontrol.bundle.canonical import SURROGATE

CHUNK = 2_000


def write_results(evaluation: Evaluation) -> None:
    """Put the results where sent ones stand; the counting of rows begins anew."""
    if evaluation.budget.cases and rows_of(evaluation.run).filter(problem=beyond(evaluation)).exists():
        evaluation.stop(beyond(evaluation))
    results = list(results_of(evaluation.run))
    body = zlib.compress(json.dumps({RESULTS: results}).encode(), 1)
    evaluation.told["phase"] = "done"
    with evaluation.writing() as run:
        run.body, run.progress_done, run.progress_of = body, 0, len(results)
        run.save(update_fields=["body"])
    evaluation.run.refresh_from_db()


def results_of(run: GateRun) -> Iterator[dict[str, Any]]:
    """A result for every answer that was wanted, case by case."""
    rows = rows_of(run).select_related("case").order_by("case__case_id", "sample")
    graded = _graded_names(run)
    names: set[tuple[int, str]] = set()
    for row in rows.iterator(CHUNK):
        name = _name_of(row, graded)
        if (row.case_id, name) in names:
            name = f"again-{row.sample}-{name}"  # the same text once more: it weighs as often as it was given
        names.add((row.case_id, name))
        yield _result(row, name)


def _graded_names(run: GateRun) -> dict[tuple[str, str], str]:
    """What the answers that people graded are called, by case and digest of the text: a text keeps its grades."""
    named = sorted(graded_texts(run.suite).items(), reverse=True)
    return {(case_id, digest): answer_id for (case_id, answer_id), digest in named}


def _name_of(row: EvaluatedCase, graded: Mapping[tuple[str, str], str]) -> str:
    if row.output is None:
        return f"failed-{row.sample}"
    digest = answer_id_of(row.output)
    return graded.get((row.case.case_id, digest), digest)


def _result(row: EvaluatedCase, name: str) -> dict[str, Any]:
    result: dict[str, Any] = {"case_id": row.case.case_id, "answer_id": name}
    if row.output is None:
        return result | {"score": None, "error": plain(row.problem) or "There is no answer."}
    rescores, previous = fresh_means(row)
    return result | {
        "output": row.output,
        "score": row.score,
        "rescores": rescores,
        "previous_rescores": previous,
        "reason": plain(row.reason or row.problem) or None,
        "latency_ms": row.latency_ms,
        "input_tokens": row.input_tokens,
        "output_tokens": row.output_tokens,
    }


def plain(text: str) -> str:
    """A text of a model server as it can be kept: without what is no text, and not without end."""
    return SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text.replace("\0", ""))[:MAX_REASON]
