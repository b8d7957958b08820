"""The demo's second application, whose release nobody has answered for: relcontrol answers and judges its suite itself.

Its only slice has no grades of its own answers. What decides it is the judge's calibration on other answers.
"""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from audit.administration.applications import create_application, create_route
from gates.slices.services import create_slice
from gates.suites import carry_out, request_import
from relcontrol.accounts.actors import Actor
from relcontrol.demo.judging import JUDGE
from relcontrol.demo.registering import ENDPOINT, HEALTHY, PREPROCESSING, PROMPT
from relcontrol.demo.topics import DESK
from relcontrol.jobs.models import LeasedJob
from releases.registry.order import Order
from releases.registry.registration import register

APPLICATION: Final = "contract-desk"
ROUTING: Final = {"domain": "contracts"}
SUITE: Final = "clause-review-v1"
# The experts graded answers to the first questions; those that are asked here come after them.
FIRST: Final = 40
MOST_TOKENS: Final = 400
FLOOR: Final = Decimal("0.15")  # the demo models know no law


def make_desk(actor: Actor, owner: str) -> None:
    """The application with its slice, its suite and its first release."""
    application = create_application(actor=actor, slug=APPLICATION, name="Contract desk")
    create_route(actor=actor, application=application, routing=ROUTING)
    create_slice(
        actor=actor,
        slug=DESK.slug,
        name=DESK.name,
        description=DESK.description,
        application=APPLICATION,
        owner=owner,
        judge=JUDGE,
        threshold=Decimal(DESK.threshold),
        quality_floor=FLOOR,
        match={"metadata": {"topic": DESK.slug}},
    )
    lines = "\n".join(json.dumps(case, ensure_ascii=False) for case in cases())
    job = carry_out(request_import(actor=actor, name=SUITE, body=lines.encode(), file_format="jsonl"))
    if job.state != LeasedJob.State.DONE:
        raise RuntimeError(f"the suite of the contract desk was not imported: {job.problem}")
    order = Order(
        application=APPLICATION,
        model_ref=f"endpoint:{ENDPOINT}/{HEALTHY}",
        prompt_template_ref=f"{PROMPT}@v14",
        preprocessing_ref=PREPROCESSING,
        routing=ROUTING,
        dataset_version=SUITE,
        generation={"temperature": "0.2", "max_tokens": MOST_TOKENS},
    )
    register(actor=actor, order=order)


def cases() -> Iterator[dict[str, str]]:
    """The suite."""
    for number, (matter, party) in enumerate(DESK.questions(), start=1):
        if number > FIRST:
            yield {
                "case_id": f"{DESK.slug}-{number:03}",
                "slice": DESK.slug,
                "input": DESK.question.format(matter=matter, party=party),
                "reference": DESK.good.format(matter=matter, party=party),
            }
