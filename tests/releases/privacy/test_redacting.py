"""Redactions of an organization: set by administrators with a receipt, applied before anything is stored."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from audit.administration.redactions import MAX_REDACTIONS, set_redactions
from audit.models import Receipt
from gates.slices.services import create_slice
from relcontrol.accounts.actors import command_actor
from relcontrol.accounts.models import Organization
from relcontrol.errors import Forbidden, Invalid
from releases.otlp.receiving import receive
from releases.privacy import redacting
from releases.trace_models import Trace
from releases.traces.bodies import open_body
from tests import factories
from tests.releases.otlp.made import STARTED_AT, as_json, span
from tests.releases.traces.samples import NOW, only_trace, stored, trace_row

MAIL = {"pattern": r"[\w.]+@[\w.]+", "with": "[mail]"}


@pytest.fixture
def owner(db: None) -> Organization:
    redacting._remembered.clear()
    return factories.organization()


def redact(owner: Organization, *redactions: Any) -> Organization:
    return set_redactions(actor=factories.person_actor(owner, "admin"), redactions=list(redactions))


def body_of(trace: Trace) -> Any:
    return open_body(trace.organization_id, trace.subject, trace.body)


def test_what_a_gateway_sends_is_redacted_before_it_is_stored(owner: Organization) -> None:
    redact(owner, MAIL)
    stored(owner, trace_row(input="from a@b.c", output={"content": "to a@b.c"}, metadata={"mail": "a@b.c"}))
    assert body_of(only_trace(owner)) == {
        "input": "from [mail]",
        "output": {"content": "to [mail]"},
        "metadata": {"mail": "[mail]"},
    }


def test_so_is_what_an_exporter_sends(owner: Organization) -> None:
    redact(owner, MAIL)
    chat = span({"gen_ai.prompt": "from a@b.c", "relcontrol.metadata.mail": "a@b.c"})
    at = datetime.fromisoformat(STARTED_AT) + timedelta(minutes=1)
    assert receive(owner, "application/json", as_json(chat), at).status == 200
    kept = str(body_of(only_trace(owner)))
    assert "[mail]" in kept
    assert "a@b.c" not in kept


def test_rules_of_slices_see_what_is_stored(owner: Organization) -> None:
    create_slice(actor=command_actor(owner), slug="mail", match={"pattern": "@"})
    redact(owner, MAIL)
    stored(owner, trace_row(input="from a@b.c"))
    assert only_trace(owner).slice is None


def test_a_change_reaches_who_stores_within_seconds(owner: Organization) -> None:
    stored(owner, trace_row(1, input="a@b.c"))
    redact(owner, MAIL)
    for number, seconds in ((2, 1), (3, 2)):
        stored(owner, trace_row(number, input="a@b.c"), now=NOW + timedelta(seconds=seconds))
    kept = {row.request_id: body_of(row)["input"] for row in Trace.objects.filter(organization=owner)}
    assert kept == {"req-1": "a@b.c", "req-2": "a@b.c", "req-3": "[mail]"}


def test_another_organization_is_not_redacted(owner: Organization) -> None:
    redact(owner, MAIL)
    other = factories.organization("eastgate")
    stored(other, trace_row(input="a@b.c"))
    assert body_of(only_trace(other))["input"] == "a@b.c"


def test_a_change_leaves_a_receipt_and_the_same_again_none(owner: Organization) -> None:
    redact(owner, MAIL)
    receipt = Receipt.objects.filter(organization=owner).latest("seq")
    assert (receipt.event, receipt.outcome) == ("organization.changed", "changed")
    assert receipt.openings.get().value["redactions"] == [MAIL]
    set_redactions(actor=factories.person_actor(owner, "auditor", "admin"), redactions=[MAIL])
    assert Receipt.objects.filter(organization=owner, event="organization.changed").count() == 2  # made, changed


@pytest.mark.parametrize(
    ("redactions", "field", "complaint"),
    [
        ({"pattern": "a"}, "redactions", "list"),
        (["a"], "redactions[0]", "object"),
        ([MAIL, {"pattern": "(", "with": ""}], "redactions[1].pattern", "not closed"),
        ([{"pattern": "a*", "with": ""}], "redactions[0].pattern", "empty text"),
        ([{"pattern": "(?=a)b", "with": ""}], "redactions[0].pattern", "look-around"),
        ([{"pattern": "a"}], "redactions[0].with", "string"),
        ([{"pattern": "a", "with": "", "op": "redact"}], "redactions[0].op", "Unknown"),
        ([{"pattern": "a" * 501, "with": ""}], "redactions[0].pattern", "at most 500"),
        ([MAIL] * (MAX_REDACTIONS + 1), "redactions", "at most 20"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_place(
    owner: Organization, redactions: Any, field: str, complaint: str
) -> None:
    with pytest.raises(Invalid) as refused:
        set_redactions(actor=factories.person_actor(owner, "admin"), redactions=redactions)
    assert any(error.field == field and complaint in error.message for error in refused.value.errors)
    owner.refresh_from_db()
    assert owner.redactions == []


def test_only_an_administrator_says_what_is_redacted(owner: Organization) -> None:
    with pytest.raises(Forbidden):
        set_redactions(actor=factories.person_actor(owner, "domain-owner"), redactions=[MAIL])
