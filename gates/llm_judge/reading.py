"""From a model server's answer to a draw: a score on the judge's scale, or why there is none.

Pure, and never raises for what a server says. A reply that cannot be read is missing, never a low score; nothing in it
is repaired or guessed, and a score beyond the scale is none.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gates.llm_judge.definition import LlmJudge
from relcontrol.bundle.errors import BundleError
from relcontrol.bundle.strict_json import strict_loads
from relcontrol.model_servers import outcomes
from relcontrol.model_servers.client import Answer

LONGEST_REASON: Final = 2_000
SHOWN: Final = 80
_NO_TEXT: Final = re.compile("[\x00\ud800-\udfff]")
_FENCED: Final = re.compile(r"```(?:json)?\s*\n(.*)\n\s*```", re.DOTALL)
_ERRORS: Final = {
    outcomes.TIMEOUT: "The judge's server did not answer in time",
    outcomes.CONNECTION_FAILED: "The judge's server could not be reached",
    outcomes.STREAM_BROKEN: "The judge's server broke off or sent no completion",
    outcomes.UPSTREAM_5XX: "The judge's server had an error",
    outcomes.UPSTREAM_DENIED: "The judge's server does not know the model, or did not take the credential",
    outcomes.UPSTREAM_4XX: "The judge's server refused the request",
}
_SETTINGS: Final = (
    "The judge's server refused the request, perhaps for a setting of the judge: some models take no temperature, some "
    "servers no response_format (structured), and newer OpenAI models want max_completion_tokens (limit_field)"
)
_STATUSES: Final = {400: _SETTINGS, 422: _SETTINGS, 429: "The judge's server is asked too much"}


@dataclass(frozen=True, slots=True)
class Draw:
    """One reply. Without a `score`, `problem` says why in a sentence; `model` is what the server says answered."""

    score: float | None
    reason: str = ""
    problem: str = ""
    model: str | None = None
    attempts: int = 0

    def as_json(self) -> dict[str, Any]:
        """As it is stored and shown."""
        return {
            "score": self.score,
            "reason": self.reason,
            "problem": self.problem,
            "model": self.model,
            "attempts": self.attempts,
        }


def read_draw(judge: LlmJudge, answer: Answer) -> Draw:
    """What the server's answer says."""
    model = answer.model and _text(answer.model, SHOWN)
    if answer.output is None:
        return Draw(None, "", _of_the_server(answer), model, answer.attempts)
    problem = _of_the_model(judge, answer.model) or _of_the_message(answer.output)
    if problem:
        return Draw(None, "", problem, model, answer.attempts)
    score, said = _judgement(judge, str(answer.output["content"]))
    if score is None and answer.output.get("finish_reason") == "length":
        said = f"The reply was cut off at {judge.parameters.max_tokens} tokens; raise max_tokens."
    reason, problem = (said, "") if score is not None else ("", said)
    return Draw(score, reason, problem, model, answer.attempts)


def _of_the_server(answer: Answer) -> str:
    sentence = _STATUSES.get(answer.status or 0) or _ERRORS.get(answer.error or "", "The judge's server did not answer")
    status = f" ({answer.status})" if answer.status not in (None, 200) else ""
    times = f", {answer.attempts} times" if answer.attempts > 1 else ""
    return f"{sentence}{status}{times}."


def _of_the_model(judge: LlmJudge, model: str | None) -> str:
    """Another model than the judge's is another judge."""
    pinned = judge.parameters.answers_as
    if model == (pinned or judge.model) or (model is None and pinned is None):
        return ""
    said = f"{_text(model, SHOWN)} answered" if model else "The server does not say which model answered"
    return f"{said}, and the judge is {pinned or judge.model}. If that is right, make a version with answers_as."


def _of_the_message(output: Mapping[str, Any]) -> str:
    if refusal := output.get("refusal"):
        return f"The model refused to judge: {_quoted(refusal)}"
    if output.get("finish_reason") == "content_filter":
        return "The server's filter held the reply back."
    if not isinstance(output.get("content"), str) or not output["content"].strip():
        return "The reply is empty."
    return ""


def _judgement(judge: LlmJudge, content: str) -> tuple[float | None, str]:
    """The score with its reason, or None with the problem."""
    fenced = _FENCED.fullmatch(content.strip())
    try:
        reply = strict_loads((fenced[1] if fenced else content).strip())
    except BundleError:
        return None, f"The reply is no JSON object: {_quoted(content)}"
    if not isinstance(reply, dict) or set(reply) != {"reason", "score"} or not isinstance(reply["reason"], str):
        return None, f'The reply is not of the form {{"reason": text, "score": number}}: {_quoted(content)}'
    score = reply["score"]
    if isinstance(score, bool) or not isinstance(score, int | float) or not math.isfinite(score):
        return None, f"The score is no number: {_quoted(score)}"
    if not judge.lowest <= score <= judge.highest:
        return None, f"The score {_quoted(score)} is outside the scale from {judge.scale[0]} to {judge.scale[1]}."
    return float(score), _text(reply["reason"], LONGEST_REASON)


def _quoted(value: object) -> str:
    return _text(" ".join(str(value)[: 4 * SHOWN].split()), SHOWN)


def _text(value: str, most: int) -> str:
    """What a database can keep of a text, cut."""
    kept = _NO_TEXT.sub("\ufffd", value[: most + 1])
    return kept if len(kept) <= most else f"{kept[: most - 1]}…"
