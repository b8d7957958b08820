"""Scoring both answers of a pair (statistics.md R15): by the slice's judge where relcontrol can ask it, else by rules.

A judge that is a model, or a composition with one, is asked in `judging`; one that compares with a reference cannot
judge live answers, as they have none: the default rules do. Rules score here.
Scores of a judge that works elsewhere come in later (`external_scores`) and take the place of the rules' scores, but
where a rule has found something against an answer its 0 stands: rules veto.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from gates.judges import EXTERNAL, children_of, judge_named
from gates.llm_judge.definition import KIND as LLM
from gates.models import Judge, Slice
from gates.rule_judge.judging import Finding, score, text_of
from gates.rule_judges import NamedRules, rules_for
from relcontrol.accounts.models import Organization
from releases.replays.rendering import client_body
from releases.rollout_models import ReplayPair

SIDES: Final = ("candidate", "stable")
GONE: Final = "The prompt was erased, or is older than traces are kept."
TOOLS: Final = "An answer calls tools; tools with side effects are not replayed."


def judge_of_slice(organization: Organization, slug: str) -> str:
    """What a slice's judge is called, empty where it has none or there is no such slice any more."""
    rows = Slice.objects.filter(organization=organization, slug=slug)
    return rows.values_list("judge", flat=True).first() or ""


def rules_of_slice(organization: Organization, slug: str) -> NamedRules:
    """The rules that score live answers of a slice."""
    return rules_for(organization, judge_of_slice(organization, slug))


def model_of_slice(organization: Organization, slug: str) -> Judge | None:
    """The judge of a slice that asks a model and needs no reference; None where rules are to score."""
    name = judge_of_slice(organization, slug)
    if not name or name.startswith(EXTERNAL):
        return None
    judge = judge_named(organization, name)
    members = children_of(judge) or [judge]
    models = [each for each in members if each.definition["kind"] == LLM]
    return judge if models and not any(each.definition["reference"] for each in models) else None


def score_pair(
    pair: ReplayPair, named: NamedRules, traced: Mapping[str, Any], answers: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    """Score a pair in place; what is to be sealed as its answers, which holds the quotes of what was found.

    Rows name the rule and the reason in clear, never words of an answer: those are personal data.
    """
    asked = prompt_text(traced)
    scored = {side: score(named.rules, input_text=asked, output=answers[side]) for side in SIDES}
    candidate, stable = scored["candidate"], scored["stable"]
    if candidate is None or stable is None:
        return unusable(pair, TOOLS, answers, now)
    found = [(side, finding) for side in SIDES if (of := scored[side]) is not None for finding in of.findings]
    pair.state, pair.source, pair.problem, pair.scored_at = ReplayPair.State.SCORED, named.name, "", now
    pair.candidate_score, pair.stable_score = candidate.score, stable.score
    pair.findings = [_in_clear(side, finding) for side, finding in found]
    return {side: answers[side] for side in SIDES} | {"quotes": [finding.quote for _, finding in found]}


def unusable(pair: ReplayPair, problem: str, answers: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Mark a pair as missing, with the sentence that says why."""
    pair.state, pair.problem, pair.scored_at = ReplayPair.State.UNUSABLE, problem[:300], now
    return dict(answers)


def prompt_text(traced: Mapping[str, Any]) -> str:
    """Everything that was said before the answer."""
    messages = client_body(traced)["messages"]
    return "\n".join(text_of(message) for message in messages if isinstance(message, Mapping))


def _in_clear(side: str, finding: Finding) -> dict[str, str]:
    return {"side": side, "rule": finding.rule, "detail": finding.detail}
