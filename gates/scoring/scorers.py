"""How each judge scores: by rules at once, by a model with calls, by rules that veto and then by a model.

A judge that works elsewhere is none: its scores are sent.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from gates.judges import children_of, scale_of
from gates.llm_judge.definition import KIND as LLM
from gates.llm_judge.definition import LlmJudge, stored_llm_judge
from gates.llm_judge.prompting import body_of_draw, messages_of
from gates.llm_judge.reading import Draw
from gates.models import Judge
from gates.rule_judge.definition import KIND as RULES
from gates.rule_judge.definition import Rules, stored_rules
from gates.rule_judge.judging import score
from gates.scoring.questions import Question
from relcontrol.accounts.models import Endpoint
from relcontrol.accounts.selectors import endpoints_of
from relcontrol.errors import Conflict
from relcontrol.model_servers.credentials import MissingCredentialError, credential
from relcontrol.model_servers.spending import Prices

NO_REFERENCE: Final = "The judge compares with a reference, and this case has none."


@dataclass(frozen=True, slots=True)
class Server:
    """Where a model answers, what that takes and what it costs."""

    name: str
    base_url: str
    secret: str
    prices: Prices


@dataclass(frozen=True, slots=True)
class Model:
    """A judge that is a model, with its server; `judge` is the row whose digest its draws are known by."""

    judge: Judge
    definition: LlmJudge
    server: Server

    def bodies(self, question: Question, draws: Iterable[int]) -> dict[int, dict[str, Any]]:
        """The request of each of these draws."""
        messages = messages_of(
            self.definition, question=question.input, answer=question.output, reference=question.reference
        )
        return {draw: body_of_draw(self.definition, messages, draw) for draw in draws}

    def refusal(self, question: Question) -> str:
        """Why the question cannot be asked; empty where it can."""
        return NO_REFERENCE if self.definition.reference and question.reference is None else ""


@dataclass(frozen=True, slots=True)
class Scorer:
    """What scores for a judge: rules first, which veto; then the model, where there is one."""

    rules: tuple[Rules, ...]
    model: Model | None
    scale: tuple[float, float]

    def by_rules(self, question: Question) -> Draw | None:
        """The score that needs no call: the lowest where a rule is broken; None where the model is to be asked."""
        found = [
            finding
            for rules in self.rules
            if (scored := score(rules, input_text=question.input, output=question.output)) is not None
            for finding in scored.findings
        ]
        low, high = self.scale
        if found:
            return Draw(low, " ".join(dict.fromkeys(finding.detail for finding in found)))
        return None if self.model else Draw(high, "The answer breaks no rule.")


def can_score(judge: Judge) -> str | None:
    """None, or the sentence why relcontrol cannot score by this judge now, and what to do."""
    wanted = [judge] if judge.definition["kind"] in (RULES, LLM) else children_of(judge)
    if not wanted or len(wanted) < len(judge.definition["children"]):
        return f"{judge.name} scores elsewhere; send its scores, or name a judge that relcontrol runs."
    names = set(endpoints_of(judge.organization).values_list("name", flat=True))
    for each in wanted:
        if each.definition["kind"] == LLM and each.definition["endpoint"] not in names:
            return f"{each.name} asks the endpoint {each.definition['endpoint']}, which is not there. Make it again."
    return None


def scorer_of(judge: Judge) -> Scorer:
    """What scores for this judge. `Conflict` says what is missing, before anything is asked."""
    if sentence := can_score(judge):
        raise Conflict(sentence, code="judge_cannot_score")
    members = children_of(judge) or [judge]
    rules = tuple(stored_rules(each.definition) for each in members if each.definition["kind"] == RULES)
    model = next((_model(each) for each in members if each.definition["kind"] == LLM), None)
    return Scorer(rules, model, scale_of(judge))


def _model(judge: Judge) -> Model:
    definition = stored_llm_judge(judge.definition, judge.prompt or {})
    endpoint = Endpoint.objects.get(organization=judge.organization, name=definition.endpoint)
    try:
        secret = credential(endpoint.credential)
    except MissingCredentialError as error:
        raise Conflict(f"{judge.name} cannot be asked. {error}", code="missing_credential") from error
    prices = Prices(endpoint.input_price, endpoint.output_price)
    return Model(judge, definition, Server(endpoint.name, endpoint.base_url, secret, prices))
