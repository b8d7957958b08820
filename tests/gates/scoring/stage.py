"""An organization with an endpoint and a judge, and answers to be scored."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from gates.judge_making import create_judge
from gates.models import Judge
from gates.scoring.questions import Question, Scored, ScoreOrder
from gates.scoring.scoring import Scoring
from relcontrol.accounts.actors import command_actor
from relcontrol.accounts.models import Endpoint, Organization
from relcontrol.clock import now
from tests.factories import organization

PROMPT = {"system": "Judge whether the answer helps.", "user": "{{ input }}\n{{ answer }}"}
QUESTION = "When does the notice period of the licence end?"
GOOD = "The notice period of the licence ends thirty days after the notice was given in writing to the other party."


@dataclass(frozen=True)
class Stage:
    """The organization `of`, whose endpoint is called demo."""

    of: Organization

    def judge(self, name: str = "llm:demo@1", **fields: Any) -> Judge:
        """A judge, of a model at the endpoint where the name does not say otherwise."""
        if name.startswith("llm:"):
            parameters = {"seed": 7, "timeout_seconds": 20} | fields.pop("parameters", {})
            fields = {"endpoint": "demo", "model": "demo-judge", "prompt": PROMPT, "parameters": parameters} | fields
        return create_judge(actor=command_actor(self.of), name=name, fields=fields)[0]

    def endpoint(self, **fields: Any) -> None:
        """Change the endpoint."""
        Endpoint.objects.filter(organization=self.of, name="demo").update(**fields)


def stage(base_url: str, slug: str = "northgate", **fields: Any) -> Stage:
    """The stage, with prices of a millionth for a token read and two for one written."""
    prices = {"input_price": Decimal("0.000001"), "output_price": Decimal("0.000002")}
    made = organization(slug)
    Endpoint.objects.create(organization=made, name="demo", base_url=base_url, created_at=now(), **(prices | fields))
    return Stage(made)


def orders(judge: Judge, answers: Iterable[str], **fields: Any) -> Iterator[ScoreOrder]:
    """An order for each answer, known by its place."""
    for place, answer in enumerate(answers):
        reference = fields.pop("reference", None)
        yield ScoreOrder(place, judge, Question(QUESTION, answer, reference), **fields)


def answers(count: int) -> list[str]:
    """Answers that differ."""
    return [f"{GOOD} See clause {number}." for number in range(count)]


def run(scoring: Scoring, wanted: Iterable[ScoreOrder]) -> dict[Any, Scored]:
    """What comes back, by key; each key once."""
    found = [scored for scored in scoring.run(wanted) if scored is not None]
    assert len({scored.key for scored in found}) == len(found)
    return {scored.key: scored for scored in found}


def scored(at: Stage, judge: Judge, texts: Sequence[str], **fields: Any) -> list[Scored]:
    """The scores of these answers, in their order."""
    of_order = {name: fields.pop(name) for name in ("first_draw", "fresh") if name in fields}
    with Scoring(at.of, **fields) as scoring:
        found = run(scoring, orders(judge, texts, **of_order))
    return [found[place] for place in range(len(texts))]
