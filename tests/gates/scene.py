"""An organization with two slices, clients of the API, and suite files."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from audit import verify
from audit.models import Receipt
from audit.selectors import envelope_of
from audit.trust import trust_document
from gates.slices.services import create_slice
from relcontrol.accounts.actors import Actor, command_actor
from relcontrol.accounts.models import Organization
from tests.factories import Api, api, organization, person, person_token, service_token

CASES: Sequence[dict[str, Any]] = (
    {"case_id": "c1", "slice": "ip-licensing", "input": "May affiliates use the licence?"},
    {
        "case_id": "c2",
        "slice": "contract-drafting",
        "input": "Draft a termination clause.",
        "reference": "…",
        "cluster_id": "doc-7",
    },
)
ANSWER: Mapping[str, Any] = {"answer_id": "a1", "output": "Yes.", "system": "r127", "human_scores": [4, 5, 4]}


@dataclass(frozen=True)
class Scene:
    """What a test needs of one organization. `ci` holds gates:write, `reader` another scope."""

    organization: Organization
    actor: Actor
    ci: Api
    reader: Api

    def upload(self, body: bytes, *, client: Api | None = None, **query: str) -> Any:
        """POST /v1/suites with a raw body."""
        return post_suite(client or self.ci, body, **query)

    def person(self, role: str) -> Api:
        """A client with the token of a person of one role."""
        return api(person_token(self.organization, person(self.organization, role)))

    def receipts(self) -> list[Receipt]:
        """All receipts, in order."""
        return list(Receipt.objects.filter(organization=self.organization).order_by("seq"))

    def last_statement(self) -> dict[str, Any]:
        """The predicate of the newest receipt, accepted by the auditor's verifier and linked to the one before."""
        trust = trust_document(self.organization)
        before, last = [verify.verify_envelope(envelope_of(row), trust) for row in self.receipts()[-2:]]
        verify.check_link(before, last)
        return last.predicate


def scene(slug: str = "northgate") -> Scene:
    """The organization, with the slices that CASES name."""
    made = organization(slug)
    actor = command_actor(made)
    for name in ("ip-licensing", "contract-drafting"):
        create_slice(actor=actor, slug=name)
    ci, reader = service_token(made, "gates:write"), service_token(made, "audit:read")
    return Scene(made, actor, api(ci), api(reader))


def post_suite(client: Api, body: bytes, content_type: str = "application/x-ndjson", **query: str) -> Any:
    """POST /v1/suites as curl --data-binary does."""
    return client.client.post(f"/v1/suites?{urlencode(query)}", body, content_type=content_type)


def lines(rows: Sequence[Any]) -> bytes:
    """JSON lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
