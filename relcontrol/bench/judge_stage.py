"""What `manage.py bench judge` needs: six slices with a judge that is a model, a suite, and a release to evaluate."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from audit.administration.applications import create_application, create_endpoint, create_route
from gates.judge_making import create_judge
from gates.models import SuiteImport
from gates.slices.services import create_slice
from gates.suites import import_suite, request_import
from relcontrol.accounts.actors import Actor
from relcontrol.demo.topics import TOPICS, Topic
from relcontrol.jobs.running import run
from releases.models import Release
from releases.registry.order import Order
from releases.registry.registration import register

ENDPOINT: Final = "models"
JUDGE: Final = "llm:bench-rubric@1"
JUDGE_MODEL: Final = "demo-judge"
MODEL: Final = "demo-healthy"
SUITE: Final = "scored-qa-v1"
PROMPT: Final = "templates/bench@v1"
RUBRIC: Final[dict[str, Any]] = {
    "endpoint": ENDPOINT,
    "model": JUDGE_MODEL,
    "prompt": {
        "system": "You grade answers for a law firm. Hold an answer to what the reference says.",
        "user": "{{ input }}\n{{ answer }}\n{{ reference }}",
    },
    "draws": 1,
    "scale": [1, 5],
    "reference": True,
}


def release_to_evaluate(actor: Actor, base_url: str, cases: int) -> Release:
    """A release of a model at `base_url`, whose suite has so many cases in all."""
    application = create_application(actor=actor, slug="assistant")
    create_route(actor=actor, application=application, routing={"domain": "legal"})
    create_endpoint(
        actor=actor,
        name=ENDPOINT,
        base_url=base_url,
        input_price=Decimal("0.0000002"),
        output_price=Decimal("0.0000008"),
    )
    create_judge(actor=actor, name=JUDGE, fields=RUBRIC)
    for topic in TOPICS:
        create_slice(actor=actor, slug=topic.slug, name=topic.name, judge=JUDGE, threshold=Decimal("0.65"))
    body = "\n".join(json.dumps(case) for case in suite_cases(cases)).encode()
    row = request_import(actor=actor, name=SUITE, body=body, file_format="jsonl", scale=(1.0, 5.0))
    run(SuiteImport.objects.filter(pk=row.pk), import_suite)
    value = {"kind": "prompt_template", "system": "Answer questions about the law.", "user": "{{ input }}"}
    order = Order(
        model_ref=f"endpoint:{ENDPOINT}/{MODEL}",
        prompt_template_ref=PROMPT,
        routing={"domain": "legal"},
        dataset_version=SUITE,
        generation={"temperature": "0.2", "max_tokens": 400},
        artifacts=[{"ref": PROMPT, "value": value}],
    )
    return register(actor=actor, order=order).release


def suite_cases(count: int) -> Iterator[dict[str, str]]:
    """So many cases, spread evenly over the slices; no two ask the same."""
    for number in range(count):
        topic = TOPICS[number % len(TOPICS)]
        matter, party = _subject(topic, number // len(TOPICS))
        question = topic.question.format(matter=matter, party=party)
        yield {
            "case_id": f"{topic.slug}-{number:05}",
            "slice": topic.slug,
            "input": f"{question} (Matter {number}.)",
            "reference": topic.good.format(matter=matter, party=party),
        }


def _subject(topic: Topic, number: int) -> tuple[str, str]:
    parties = len(topic.parties)
    return topic.matters[number // parties % len(topic.matters)], topic.parties[number % parties]
