"""schema.json says of a receipt what the verifier's closed schema says."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it has no types of its own

from audit import verify
from audit.events import Event
from audit.schema_json import receipt_schema, schema_bytes
from audit.statement import AttestedWeights, ClosedApiWeights, Decision, DecisionInput, Override, Policy, ReleaseRef
from tests.audit.pure.chains import MANIFEST, Ledger, payload_of

VALIDATOR = Draft202012Validator(receipt_schema())
WRONG: tuple[Any, ...] = (None, 7, -1, 1.5, "", "A B", "\n", "x" * 9000, [], {}, True, [None], {"unknown": 1}, 2**53)


def statements() -> list[dict[str, Any]]:
    """With everything that a receipt may hold."""
    ledger = Ledger()
    ledger.register()
    ledger.settle()
    measured = DecisionInput("agreement", "fail", "ip", "0.41", "0.65", ">=", "proven", 84, "ab" * 32)
    override = Override("cd" * 32, ["ip"], {"ip": "0.4", "law": None}, "Because.", "prn_1", "prn_2", None)
    decision = Decision("overridden", Policy("default", 3, "9f" * 32), [measured], override)
    ledger.write(Event.GATE_OVERRIDDEN, ReleaseRef(MANIFEST), decision=decision, weights=ClosedApiWeights("a", "b"))
    ledger.write(Event.GATE_PASSED, ReleaseRef(MANIFEST), weights=AttestedWeights("declared", "ab" * 32))
    return [payload_of(envelope) for envelope in ledger.envelopes]


STATEMENTS = statements()


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of each value in a statement."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


def changed(statement: dict[str, Any], path: tuple[Any, ...], change: Callable[[Any, Any], None]) -> dict[str, Any]:
    """A copy in which the value at this path is changed in its container."""
    copied = copy.deepcopy(statement)
    inside: Any = copied
    for key in path[:-1]:
        inside = inside[key]
    change(inside, path[-1])
    return copied


def form_accepts(statement: dict[str, Any]) -> bool:
    """Whether the verifier's closed schema has nothing against the form; rules between fields are not asked."""
    try:
        verify._STATEMENT(statement, "")
    except verify.FormError:
        return False
    return True


def test_receipts_of_every_form_are_valid() -> None:
    for statement in STATEMENTS:
        assert not list(VALIDATOR.iter_errors(statement))


@pytest.mark.parametrize("number", range(len(STATEMENTS)))
def test_a_field_that_is_missing_or_unknown_is_refused_by_both(number: int) -> None:
    statement, tried = STATEMENTS[number], 0
    for path in places(statement):
        if not path or path[:2] == ("predicate", "weights") or not isinstance(path[-1], str):
            continue
        for wrong in (
            changed(statement, path, lambda inside, key: inside.pop(key)),
            changed(statement, path, lambda inside, _: inside.__setitem__("unknown", 1)),
        ):
            assert VALIDATOR.is_valid(wrong) == form_accepts(wrong), path
            tried += 1
    assert tried > 80


@pytest.mark.parametrize("number", [1, 2])
def test_a_value_of_another_form_is_refused_by_both(number: int) -> None:
    statement, refused = STATEMENTS[number], 0
    for path in places(statement):
        if not path or path[:2] == ("predicate", "weights"):
            continue
        for value in WRONG:
            wrong = changed(statement, path, lambda inside, key, value=value: inside.__setitem__(key, value))  # type: ignore[misc]
            assert VALIDATOR.is_valid(wrong) == form_accepts(wrong), (path, value)
            refused += not VALIDATOR.is_valid(wrong)
    assert refused > 300


def test_a_claim_about_weights_is_one_of_three() -> None:
    claims = [statement["predicate"]["weights"] for statement in STATEMENTS]
    assert {claim["provenance"] for claim in claims} == {"not-claimed", "attested", "not-applicable"}
    mixed = changed(
        STATEMENTS[0], ("predicate", "weights"), lambda inside, key: inside.__setitem__(key, claims[0] | claims[2])
    )
    assert not VALIDATOR.is_valid(mixed)


def test_the_file_is_the_same_at_each_making() -> None:
    assert schema_bytes() == schema_bytes()
    assert schema_bytes().startswith(b'{\n  "$schema"')
