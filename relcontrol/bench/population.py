"""The other lists of an organization, filled by the services, so that pages have something to show beside releases."""

import json
from dataclasses import dataclass
from decimal import Decimal

from audit.administration.applications import create_endpoint
from audit.administration.people import add_person
from audit.administration.tokens import create_token
from audit.exporting.exports import make_export, request_export
from audit.models import Export
from gates.slices.services import create_slice
from gates.suites import carry_out, request_import
from relcontrol.accounts.actors import Actor, command_actor
from relcontrol.accounts.models import Organization, Person, Role
from relcontrol.jobs.running import run

EMAIL = "bench@relcontrol.example.com"
CASES_PER_SUITE = 20
SMALL_SLICE = "slice-1"


@dataclass(frozen=True, slots=True)
class Onlooker:
    """Who looks at the pages: a person with every role, and the text of her token."""

    person: Person
    token: str


def onlooker(organization: Organization) -> Onlooker:
    """The onlooker as a member of this organization."""
    actor = command_actor(organization)
    membership = add_person(actor=actor, email=EMAIL, name="Bench", roles=list(Role.values))
    _, text = create_token(actor=actor, name="bench", person=membership.person)
    return Onlooker(membership.person, text)


def populate(organization: Organization, each: int) -> None:
    """`each` people, tokens, endpoints, slices and suites, and one finished export."""
    actor = command_actor(organization)
    for number in range(1, each + 1):
        add_person(actor=actor, email=f"{organization.slug}-{number}@relcontrol.example.com", roles=["viewer"])
        create_token(actor=actor, name=f"ci {number}", scopes=["releases:write"])
        create_endpoint(actor=actor, name=f"endpoint-{number}", base_url=f"http://127.0.0.1:{9000 + number}/v1")
        parent = SMALL_SLICE if number > 1 else None
        create_slice(actor=actor, slug=f"slice-{number}", parent=parent, threshold=Decimal("0.7"))
        carry_out(request_import(actor=actor, name=f"suite-{number}", body=_cases(number), file_format="jsonl"))
    _export(actor)


def _cases(number: int) -> bytes:
    cases = (
        {"case_id": f"c{case}", "slice": SMALL_SLICE, "input": f"Question {case} of suite {number}?"}
        for case in range(CASES_PER_SUITE)
    )
    return "\n".join(map(json.dumps, cases)).encode()


def _export(actor: Actor) -> None:
    export = request_export(actor=actor, scope={"application": "assistant-1"})
    run(Export.objects.filter(pk=export.pk), make_export)
