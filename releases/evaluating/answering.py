"""Having a release answer the cases of an evaluation: a few calls in flight, each answer written once.

What the release, its server or the case's text cannot bring about is a missing answer with the sentence that says why,
never an empty one. A server that does not answer at all ends the answering: thousands of time-outs tell nobody more.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from typing import Any, Final

from gates.evaluating.known_answers import answer_key
from gates.evaluating.progress import Evaluation
from gates.known_calls import known_calls, remember_calls
from gates.rule_judge.judging import text_of
from gates.run_models import EvaluatedCase
from gates.runs.results import MAX_LATENCY_MS
from gates.scoring.bills import expected, spent_on
from gates.suite_files.cases import MAX_TEXT
from relcontrol.bundle.reading import Reader
from relcontrol.model_servers.calls import Calls
from relcontrol.model_servers.client import Answer
from relcontrol.model_servers.spending import Spent
from releases.evaluating.material import Material
from releases.replays.rendering import NotReplayableError

CALL_SECONDS: Final = 90.0
ATTEMPTS: Final = 3
LOOK_SECONDS: Final = 1.0
LOOKED_UP: Final = 200
WRITTEN_AT_ONCE: Final = 50
IN_A_ROW: Final = 12
LIKELY_TOKENS: Final = 1_000  # of an answer, where the release sets no limit
TOOLS: Final = "The answer calls tools and says nothing; tools are not run in an evaluation."
State = EvaluatedCase.State


@dataclass(frozen=True, slots=True)
class Asked:
    """An answer that is wanted, by which body, what it is known by, and what it may cost."""

    row: EvaluatedCase
    body: Mapping[str, Any]
    key: str
    reserved: Spent


@dataclass(slots=True)
class Answering:
    """The answering of one evaluation."""

    evaluation: Evaluation
    material: Material
    calls: Calls
    _flying: dict[Future[Answer], Asked] = field(default_factory=dict)
    _written: list[EvaluatedCase] = field(default_factory=list)
    _documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    _failed_in_a_row: int = 0

    def answer_all(self, rows: Sequence[EvaluatedCase]) -> None:
        """Answer these rows until all are, or there is a reason to stop; what is left stays as it is."""
        waiting, more = self._begun(rows), True
        while more or self._flying:
            while more and len(self._flying) < self.evaluation.concurrency and not self._may_be_used_up():
                more = self.evaluation.reason_to_stop() is None and next(waiting, None) is not None
                if len(self._written) >= WRITTEN_AT_ONCE:
                    self._write()
            done, _ = wait(self._flying, timeout=LOOK_SECONDS, return_when=FIRST_COMPLETED)
            for future in done:
                self._take(self._flying.pop(future), future.result())
            self._write()
            self.evaluation.keep()

    def _begun(self, rows: Sequence[EvaluatedCase]) -> Iterator[EvaluatedCase]:
        """Each row in turn: its call is in flight then, or it needs none and waits to be written."""
        for start in range(0, len(rows), LOOKED_UP):
            asked = [found for row in rows[start : start + LOOKED_UP] if (found := self._asked(row))]
            known = {} if self.evaluation.fresh else known_calls(self.evaluation.run.organization, _keys(asked))
            for each in asked:
                if each.key in known:
                    self._settle(each.row, known[each.key].document, Spent(cached=1))
                else:
                    call = self.calls.ask(self.material.base_url, self.material.secret, each.body)
                    self._flying[call] = each
                yield each.row

    def _may_be_used_up(self) -> bool:
        """Whether the calls in flight may use up the budget: then the next one waits for them."""
        if not self._flying:
            return False
        reserved = sum((asked.reserved for asked in self._flying.values()), self.evaluation.spent)
        return self.evaluation.budget.reason_to_stop(reserved) is not None

    def _asked(self, row: EvaluatedCase) -> Asked | None:
        """None where the release cannot take the case, which is written."""
        try:
            body = self.material.body_for(row.case.input)
        except NotReplayableError as error:
            self._fail(row, str(error), Spent())
            return None
        key = answer_key(model=self.material.model, base_url=self.material.base_url, body=body, sample=row.sample)
        limit = body.get("max_tokens") or body.get("max_completion_tokens") or LIKELY_TOKENS
        reserved = expected(body, limit, self.material.prices)
        return Asked(row, body, key, reserved)

    def _take(self, asked: Asked, answer: Answer) -> None:
        """What came back, or why nothing did."""
        spent = spent_on(answer, self.material.prices)
        if answer.output is None:
            self._failed_in_a_row += 1
            self._fail(asked.row, _said(answer), spent)
            if self._failed_in_a_row >= max(IN_A_ROW, self.evaluation.concurrency):
                self.evaluation.stop(_given_up(answer, self._failed_in_a_row))
            return
        self._failed_in_a_row = 0
        text, problem = _text_of(answer.output)
        if text is None:
            self._fail(asked.row, problem, spent)
            return
        document = {
            "output": text,
            "latency_ms": min(answer.latency_ms, MAX_LATENCY_MS),
            "input_tokens": answer.input_tokens,
            "output_tokens": answer.output_tokens,
        }
        self._documents[asked.key] = document
        self._settle(asked.row, document, spent)

    def _settle(self, row: EvaluatedCase, document: Mapping[str, Any], spent: Spent) -> None:
        row.state, row.output = State.ANSWERED, document["output"]
        row.latency_ms = document["latency_ms"]
        row.input_tokens, row.output_tokens = document["input_tokens"], document["output_tokens"]
        self._note(row, spent)

    def _fail(self, row: EvaluatedCase, problem: str, spent: Spent) -> None:
        row.state, row.problem = State.FAILED, problem
        self._note(row, spent)

    def _note(self, row: EvaluatedCase, spent: Spent) -> None:
        row.spent = spent.as_json()
        self.evaluation.answers += spent
        self._written.append(row)

    def _write(self) -> None:
        """Everything that is known by now, under the fence."""
        if not self._written:
            return
        # What has no answer will have no score either: both steps are done.
        steps = len(self._written) + sum(row.state == State.FAILED for row in self._written)
        with self.evaluation.writing(steps=len(self._written), overall=steps):
            for row in self._written:
                EvaluatedCase.objects.filter(pk=row.pk, state=State.WAITING).update(**_columns(row))
            remember_calls(self.evaluation.run.organization, self._documents)
        self._written, self._documents = [], {}


def _columns(row: EvaluatedCase) -> dict[str, Any]:
    names = ("state", "output", "latency_ms", "input_tokens", "output_tokens", "problem", "spent")
    return {name: getattr(row, name) for name in names}


def _keys(asked: Iterable[Asked]) -> list[str]:
    return [each.key for each in asked]


def _text_of(output: Mapping[str, Any]) -> tuple[str | None, str]:
    """What the answer says, and else why it says nothing that can be judged. A refusal is an answer."""
    said = text_of(output) or (output.get("refusal") if isinstance(output.get("refusal"), str) else "") or ""
    if not said.strip() and output.get("tool_calls"):
        return None, TOOLS
    reader = Reader()
    text = reader.text(said, "", at_most=MAX_TEXT, empty=True)
    if reader.problems:
        return None, f"The answer cannot be judged: {reader.problems[0].message}"
    return text, ""


def _said(answer: Answer) -> str:
    status = f" ({answer.status})" if answer.status else ""
    attempts = f" after {answer.attempts} attempts" if answer.attempts > 1 else ""
    return f"The model server did not answer{attempts}: {answer.error}{status}."


def _given_up(answer: Answer, times: int) -> str:
    status = f" ({answer.status})" if answer.status else ""
    return (
        f"The model server has not answered {times} cases in a row: {answer.error}{status}. See that it answers, "
        "then ask for the run again: what was answered is not asked for twice."
    )
