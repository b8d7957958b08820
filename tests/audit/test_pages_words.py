"""Receipts in sentences: every event has one, and nothing is said that an erasure took away."""

import pytest

from audit.events import Event
from audit.words import delivery_in_words, opened_state, sentence, thing_of, weights_in_words


@pytest.mark.parametrize("event", list(Event))
def test_every_event_makes_a_sentence_about_its_thing(event: Event) -> None:
    said = sentence(event=event.value, outcome="renamed", who="Mara Lindqvist", thing="legal-assistant r128")
    assert "legal-assistant r128" in said
    assert said.endswith(".")
    assert "_" not in said
    assert "{" not in said


def test_the_verb_of_a_change_is_its_outcome() -> None:
    said = sentence(event="token.changed", outcome="revoked", who="Mara Lindqvist", thing="the token ci")
    assert said == "Mara Lindqvist revoked the token ci."


def test_a_name_keeps_its_case_at_the_beginning() -> None:
    assert sentence(event="gate.passed", outcome="pass", who="x", thing="legal r1") == "legal r1 passed its gate."
    assert sentence(event="token.changed", outcome="created", who="the x", thing="y") == "The x created y."


@pytest.mark.parametrize(
    ("subject", "application", "state", "words"),
    [
        ("release:r128", "legal-assistant", None, "legal-assistant r128"),
        ("route:rte_1", "legal-assistant", {"name": "domain legal"}, "the route domain legal of legal-assistant"),
        ("person:prn_1", "", {"name": "Jonas", "roles": ["domain-owner"]}, "Jonas as domain owner"),
        ("person:prn_1", "", {"name": "Jonas", "roles": []}, "Jonas"),
        ("person:prn_1", "", None, "prn_1"),
        ("token:tok_1", "", {"name": "ci"}, "the token ci"),
        ("application:legal", "legal", {"name": "Legal"}, "the application legal"),
        ("artifact:templates/x@v1", "", {"kind": "prompt_template"}, "the artifact templates/x@v1"),
    ],
)
def test_things_have_names_where_something_opens_them(
    subject: str, application: str, state: dict[str, object] | None, words: str
) -> None:
    assert thing_of(subject, application, state) == words


def test_what_is_personal_is_told_with_the_state_and_alone() -> None:
    openings = {"state": {"id": "prn_1", "roles": ["auditor"]}, "personal.name": "Jonas"}
    assert opened_state(openings) == {"id": "prn_1", "roles": ["auditor"], "name": "Jonas"}
    assert opened_state({"personal.name": "Jonas"}) == {"name": "Jonas"}
    assert opened_state({"state": {"name": "Jonas"}}) == {"name": "Jonas"}
    assert opened_state({}) is None


def test_weights_are_claimed_no_further_than_the_receipt_does() -> None:
    named = {"provenance": "not-claimed", "provider": "openai", "model": "gpt-5"}
    assert "behind the closed API of openai" in weights_in_words(named | {"reason": "closed-api"})
    assert "no digest" in weights_in_words(named | {"reason": "no-weights-digest"})
    assert "seen by nobody" in weights_in_words({"provenance": "attested", "assurance": "declared"})
    assert weights_in_words({"provenance": "not-applicable"}) == "no release, so no claim"


def test_a_delivery_says_where_it_came_from() -> None:
    assert delivery_in_words({"from": "rolling", "to": "rolled_back"}) == "from rolling to rolled back"
    assert delivery_in_words({"from": None, "to": "registered"}) == "registered"
