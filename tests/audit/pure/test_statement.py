"""The closed schema of a receipt."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from audit.chain import next_link
from audit.events import Event
from audit.statement import (
    Actor,
    AttestedWeights,
    Build,
    ClosedApiWeights,
    Decision,
    DecisionInput,
    Delivery,
    Disclosure,
    NoWeights,
    Override,
    Policy,
    ReleaseRef,
    StatementError,
    Subject,
    build_statement,
    payload_bytes,
    validate_statement,
)
from relcontrol.bundle.canonical import sha256_hex
from tests.audit.pure.chains import APPLICATION, MANIFEST, ORIGIN, RECEIPT_KEY, SALT

NOW = "2026-03-15T14:03:00.000000Z"
OBSERVED = {"observed_at": NOW, "observer_keyid": "0" * 64}


def statement(**changed: Any) -> dict[str, Any]:
    about = changed.pop("about", ReleaseRef(MANIFEST, "rel_one", "rte_legal"))
    arguments: dict[str, Any] = {
        "event": Event.ROLLOUT_STARTED,
        "event_id": "rcp_" + "0" * 26,
        "issued_at": NOW,
        "occurred_at": NOW,
        "origin": ORIGIN,
        "link": next_link(origin=ORIGIN, head=None, has_release=isinstance(about, ReleaseRef)),
        "signer_keyid": RECEIPT_KEY.keyid,
        "actor": Actor("person", "per_1"),
        "about": about,
        "build": Build("0.1.0"),
        "weights": AttestedWeights(),
        "application": APPLICATION if isinstance(about, ReleaseRef) else None,
        "delivery": Delivery("registered", "rolling"),
    }
    return build_statement(**(arguments | changed))


def without_release(**changed: Any) -> dict[str, Any]:
    subject = Subject("slice", "ip-licensing", {"threshold": "0.65"})
    defaults = {"event": Event.POLICY_CHANGED, "about": subject, "weights": NoWeights(), "delivery": None}
    return statement(**(defaults | changed))


def of_gate(**changed: Any) -> dict[str, Any]:
    return statement(**({"event": Event.GATE_FAILED, "about": ReleaseRef(MANIFEST), "delivery": None} | changed))


def test_a_release_is_the_subject_by_its_manifest() -> None:
    assert statement()["subject"] == [{"name": "manifest", "digest": {"sha256": MANIFEST}}]


def test_without_a_release_the_recorded_state_is_the_subject() -> None:
    found = without_release()
    digest = sha256_hex({"threshold": "0.65"})
    assert found["subject"] == [{"name": "slice:ip-licensing", "digest": {"sha256": digest}}]
    assert found["predicate"]["release"] == {"manifest_sha256": None, "id": None, "route": None}


def test_the_predicate_has_exactly_the_fields_of_the_design() -> None:
    fields = (
        "spec event event_id issued_at occurred_at chain signer actor application release delivery decision weights "
        "commitments retention build"
    )
    assert set(statement()["predicate"]) == set(fields.split())


def test_delivery_is_absent_where_nothing_is_delivered() -> None:
    assert "delivery" not in without_release()["predicate"]


def test_a_disclosed_value_is_not_in_the_receipt() -> None:
    payload = payload_bytes(statement(disclosures=[Disclosure("actor.name", "Ada Lovelace", SALT)]))
    assert b"Lovelace" not in payload
    assert SALT.encode() not in payload


def test_a_decision_carries_policy_inputs_and_override() -> None:
    measured = DecisionInput("agreement", "fail", "ip-licensing", "0.41", "0.65", ">=", "27 below", 40, "1" * 64)
    override = Override("2" * 64, ["ip-licensing"], {"ip-licensing": None}, "the old one is worse", "per_1")
    found = of_gate(
        decision=Decision("failed", policy=Policy("legal", 3, "3" * 64), inputs=[measured], override=override)
    )
    decision = found["predicate"]["decision"]
    assert decision["inputs"][0]["threshold"] == "0.65"
    assert decision["override"]["reason"] == "the old one is worse"


def test_a_closed_api_is_said_not_to_be_claimed() -> None:
    assert of_gate(weights=ClosedApiWeights("openai", "gpt-5"))["predicate"]["weights"] == {
        "provenance": "not-claimed",
        "reason": "closed-api",
        "provider": "openai",
        "model": "gpt-5",
        "assurance": "none",
    }


@pytest.mark.parametrize(
    "weights",
    [
        AttestedWeights("files-at-load", MANIFEST, MANIFEST, MANIFEST, NOW, None),
        AttestedWeights("files-sampled", MANIFEST),
        AttestedWeights("declared", MANIFEST, observed_manifest_sha256=MANIFEST, **OBSERVED),
        AttestedWeights("files-at-load", MANIFEST, observed_manifest_sha256="4" * 64, **OBSERVED),
        AttestedWeights("files-at-load", None, observed_manifest_sha256=MANIFEST, **OBSERVED),
        AttestedWeights("sworn", MANIFEST),
        NoWeights(),
    ],
)
def test_assurance_that_nobody_observed_is_refused(weights: Any) -> None:
    with pytest.raises(StatementError, match=r"predicate\.weights"):
        statement(weights=weights)


def test_drifted_weights_are_recorded_as_they_were_seen() -> None:
    seen = AttestedWeights("files-at-load", MANIFEST, observed_manifest_sha256="4" * 64, **OBSERVED)
    assert statement(event=Event.WEIGHTS_DRIFTED, weights=seen, delivery=None)


def test_an_event_without_a_release_makes_no_claim_about_weights() -> None:
    with pytest.raises(StatementError, match=r"weights\.provenance"):
        without_release(weights=ClosedApiWeights("openai", "gpt-5"))


REFUSED_ARGUMENTS: list[tuple[str, Callable[[], object]]] = [
    ("predicate.delivery", lambda: statement(delivery=None)),
    ("predicate.delivery", lambda: of_gate(delivery=Delivery(None, "rolling"))),
    ("predicate.release", lambda: of_gate(about=ReleaseRef(MANIFEST, "rel_one"))),
    ("predicate.application", lambda: of_gate(application=None)),
    ("predicate.application", lambda: statement(application="Legal Assistant")),
    ("predicate.application", lambda: without_release(event=Event.ROUTE_CHANGED)),
    ("predicate.release.manifest_sha256", lambda: without_release(event=Event.GATE_PASSED)),
    ("predicate.delivery.to", lambda: statement(delivery=Delivery("registered", "shipped"))),
    ("predicate.issued_at", lambda: statement(issued_at="2026-03-15T14:03:00Z")),
    ("predicate.issued_at", lambda: statement(issued_at="2026-02-30T14:03:00.000000Z")),
    ("predicate.event_id", lambda: statement(event_id="rcp_1")),
    ("predicate.chain.customer", lambda: statement(origin="")),
    ("predicate.actor.kind", lambda: statement(actor=Actor("robot", "x"))),
    ("predicate.actor.id", lambda: statement(actor=Actor("person", ""))),
    ("predicate.decision.outcome", lambda: statement(decision=Decision("All Good"))),
    (
        "predicate.decision.inputs[0].value",
        lambda: statement(decision=Decision(inputs=[DecisionInput("quality", "pass", value="1e3")])),
    ),
    (
        "predicate.commitments",
        lambda: statement(disclosures=[Disclosure("a", 1, SALT), Disclosure("a", 2, SALT)]),
    ),
]


@pytest.mark.parametrize(
    ("path", "make"), REFUSED_ARGUMENTS, ids=[f"{i}-{p}" for i, (p, _) in enumerate(REFUSED_ARGUMENTS)]
)
def test_what_is_outside_the_schema_is_refused_with_its_path(path: str, make: Callable[[], object]) -> None:
    with pytest.raises(StatementError) as caught:
        make()
    assert caught.value.path == path


def all_paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] * bool(path) + [found for name, child in entries for found in all_paths(child, (*path, name))]


FULL = of_gate(
    decision=Decision(
        "failed",
        policy=Policy("legal", 3, "3" * 64),
        inputs=[DecisionInput("agreement", "fail")],
        override=Override("2" * 64, ["s"], {}, "why", "per_1"),
    ),
    disclosures=[Disclosure("a", 1, SALT)],
)
OBJECTS = [path for path in all_paths(FULL) if path[-1] != "accepted_levels"]


def inside(value: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


@pytest.mark.parametrize("path", [p for p in OBJECTS if isinstance(inside(FULL, p), dict)], ids=str)
def test_an_unknown_field_is_refused_everywhere(path: tuple[str | int, ...]) -> None:
    changed = copy.deepcopy(FULL)
    inside(changed, path)["extra"] = None
    with pytest.raises(StatementError, match="extra"):
        validate_statement(changed)


@pytest.mark.parametrize(
    "path", [p for p in OBJECTS if isinstance(p[-1], str) and p != ("predicate", "application")], ids=str
)
def test_a_missing_field_is_refused_everywhere(path: tuple[str | int, ...]) -> None:
    changed = copy.deepcopy(FULL)
    del inside(changed, path[:-1])[path[-1]]
    with pytest.raises(StatementError, match=str(path[-1])):
        validate_statement(changed)


@pytest.mark.parametrize("path", OBJECTS, ids=str)
@pytest.mark.parametrize("wrong", [0.5, True, {"x": 1}, 2**60, "", "two\nlines\x00"], ids=repr)
def test_a_value_of_another_kind_is_refused_everywhere(path: tuple[str | int, ...], wrong: Any) -> None:
    if path[-1] in ("reason", "evidence") and isinstance(wrong, str):
        wrong = "x" * 8001
    changed = copy.deepcopy(FULL)
    inside(changed, path[:-1])[path[-1]] = wrong
    with pytest.raises(StatementError):
        validate_statement(changed)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("subject", 0, "name"), "policy:legal"),
        (("subject", 0, "digest", "sha256"), "0" * 64),
        (("predicate", "chain", "release_seq"), None),
        (("predicate", "chain", "release_seq"), 2),
        (("predicate", "chain", "release_prev"), "0" * 64),
    ],
    ids=str,
)
def test_fields_that_contradict_each_other_are_refused(path: tuple[str | int, ...], value: Any) -> None:
    changed = copy.deepcopy(FULL)
    inside(changed, path[:-1])[path[-1]] = value
    with pytest.raises(StatementError, match=str(path[0])):
        validate_statement(changed)


def test_a_place_in_a_release_chain_needs_a_release() -> None:
    changed = without_release()
    changed["predicate"]["chain"]["release_seq"] = 1
    with pytest.raises(StatementError, match="release_seq"):
        validate_statement(changed)


def test_a_receipt_over_256_kib_is_refused() -> None:
    inputs = [DecisionInput("quality", "pass", evidence="x" * 4000)] * 70
    with pytest.raises(StatementError, match="at most 262144 bytes"):
        payload_bytes(statement(decision=Decision(inputs=inputs)))
