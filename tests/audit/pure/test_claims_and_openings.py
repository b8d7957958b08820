"""Claims about weights, and openings of commitments.

`ledger` holds five receipts: 1 registered and 2 gate passed (release one), 3 a person, 4 registered (release two),
5 gate passed (release one). A mutation by somebody without keys changes the document; one by a holder of the export
key makes a new, rightly signed document of changed receipts.
"""

from collections.abc import Callable
from typing import Any

import pytest

from audit.exporting.document import Opening
from audit.statement import disclosures_of
from audit.verify import AUTHENTICITY, COVERAGE, HOLDS, NOT_CHECKED, WEIGHTS
from tests.audit.pure.chains import (
    SALT,
    Ledger,
    document,
)
from tests.audit.pure.chains import ledger as new_ledger
from tests.audit.pure.expectations import refused, report_of
from tests.audit.pure.forgeries import SECOND, Statement, claim_attestation, with_payload


@pytest.mark.parametrize(
    "weights",
    [
        {"provenance": "not-applicable", "reason": "no-release", "assurance": "none"},
        {"provenance": "not-claimed", "reason": "closed-api", "provider": "p", "model": "m", "assurance": "declared"},
        {"provenance": "sworn"},
        {},
    ],
    ids=str,
)
def test_an_inconsistent_claim_about_weights_fails_even_if_rightly_signed(weights: dict[str, str]) -> None:
    chain = new_ledger()
    chain.gate(change=lambda statement: statement["predicate"].update(weights=weights))
    refused(chain.export(), WEIGHTS, seq=6)


def test_observed_weights_must_be_the_registered_ones() -> None:
    def observe_others(statement: Statement) -> None:
        claim_attestation(statement)
        seen = {"observed_manifest_sha256": "1" * 64, "observed_at": SECOND, "observer_keyid": "2" * 64}
        statement["predicate"]["weights"].update(assurance="files-at-load", manifest_sha256="0" * 64, **seen)

    chain = new_ledger()
    chain.gate(change=observe_others)
    failure = refused(chain.export(), WEIGHTS, seq=6)[0]
    assert ("0" * 64 in failure.expected, "1" * 64 in failure.got) == (True, True)


def test_the_claims_are_counted_by_assurance(ledger: Ledger) -> None:
    proves = next(one.proves for one in report_of(ledger.export()).verdicts if one.check == WEIGHTS)
    assert "2 closed API, not claimed; 2 open weights, declared; 1 without a release" in proves


def opened(ledger: Ledger, **changed: Any) -> bytes:
    opening = {"receipt_hash": ledger.hashes[0], "field": "actor.name", "salt": SALT, "value": "Ada"} | changed
    return document(ledger.envelopes, openings=[Opening(**opening)])


@pytest.mark.parametrize("changed", [{"value": "Eve"}, {"value": None}, {"salt": SALT[::-1]}], ids=str)
def test_a_wrong_opening_is_refused_with_seq_and_digests(ledger: Ledger, changed: dict[str, Any]) -> None:
    failure = refused(opened(ledger, **changed), COVERAGE, seq=1)[0]
    assert len(failure.expected) == len(failure.got) == 64


@pytest.mark.parametrize("changed", [{"field": "actor.mail"}, {"receipt_hash": "0" * 64}, {"salt": "00" * 15}], ids=str)
def test_an_opening_of_nothing_is_refused(ledger: Ledger, changed: dict[str, Any]) -> None:
    refused(opened(ledger, **changed), COVERAGE)


def test_a_commitment_moved_to_another_field_is_refused() -> None:
    def move(statement: Statement) -> None:
        statement["predicate"]["commitments"][0]["field"] = "approver.name"

    chain = Ledger()
    chain.register(change=move)
    opening = Opening(chain.hashes[0], "approver.name", SALT, "Ada")
    refused(document(chain.envelopes, openings=[opening]), COVERAGE, seq=1)


PERSONAL = {"email": "ada@acme.test", "name": "Ada"}


def with_person(change: Callable[[Statement], None] | None = None) -> tuple[Ledger, list[Opening]]:
    """One receipt about a person, and what opens it: the state, her address and her name, each with its own salt."""
    salts = iter(["1" * 32, "2" * 32, "3" * 32])
    disclosures = disclosures_of({"roles": ["auditor"]}, PERSONAL, lambda: next(salts))
    chain = Ledger()
    chain.settle(disclosures=disclosures, change=change)
    return chain, [Opening(chain.hashes[0], one.field, one.salt, one.value) for one in disclosures]


def test_personal_details_are_committed_to_apart_from_the_state() -> None:
    chain, openings = with_person()
    assert [(one.field, one.value) for one in openings] == [
        ("state", {"roles": ["auditor"]}),
        ("personal.email", "ada@acme.test"),
        ("personal.name", "Ada"),
    ]
    assert len({one.salt for one in openings}) == 3
    report = report_of(document(chain.envelopes, openings=openings))
    assert next(one.outcome for one in report.verdicts if one.check == COVERAGE) == HOLDS


def test_an_erased_personal_detail_leaves_the_rest_open() -> None:
    chain, openings = with_person()
    report = report_of(document(chain.envelopes, openings=[openings[0], openings[2]]))
    assert next(one for one in report.verdicts if one.check == COVERAGE).proves.startswith("2 of 3 commitments")


def test_an_address_cannot_be_passed_off_as_a_name() -> None:
    def swap(statement: Statement) -> None:
        _, address, name = statement["predicate"]["commitments"]
        address["field"], name["field"] = name["field"], address["field"]

    chain, openings = with_person(swap)
    assert len(refused(document(chain.envelopes, openings=openings), COVERAGE, seq=1)) == 2


def test_a_dropped_commitment_of_a_personal_detail_opens_nothing() -> None:
    chain, openings = with_person(drop_last)
    failure = refused(document(chain.envelopes, openings=openings), COVERAGE)[0]
    assert "opens nothing" in failure.detail


def drop_last(statement: Statement) -> None:
    statement["predicate"]["commitments"].pop()


def move_second(statement: Statement) -> None:
    statement["predicate"]["commitments"][1]["field"] = "personal.alias"


@pytest.mark.parametrize("change", [drop_last, move_second])
def test_a_commitment_moved_or_dropped_without_the_key_is_refused(
    change: Callable[[Statement], None],
) -> None:
    chain, _ = with_person()
    changed = with_payload(chain.envelopes[0], change)
    refused(document([changed]), AUTHENTICITY, seq=1)


def test_an_opening_twice_is_refused(ledger: Ledger) -> None:
    text = document(ledger.envelopes, openings=[ledger.openings[0], ledger.openings[0]])
    refused(text, COVERAGE, seq=1)


def test_an_opening_that_is_too_deep_is_refused_without_a_crash(ledger: Ledger) -> None:
    value: Any = "x"
    for _ in range(40):
        value = [value]
    refused(opened(ledger, value=value), COVERAGE, seq=1)


def test_closed_commitments_are_counted_and_not_said_to_hold(ledger: Ledger) -> None:
    report = report_of(document(ledger.envelopes, openings=ledger.openings[:1]))
    coverage = next(one for one in report.verdicts if one.check == COVERAGE)
    assert coverage.outcome == NOT_CHECKED
    assert "1 of 2 commitments are opened" in coverage.proves
