"""The pure core of overrides: what must be said, the default levels, the digest."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gates.overrides import rules
from relcontrol.errors import Invalid
from tests.gates.overrides.scene import FAILING, REASON, document
from tests.gates.pure.shared_files import SHARED

DOCUMENT = document("gate_fail", FAILING)
TRUE: object = True
CHINESE = "此版本包含比利时客户在十二月一日之前需要的更正诉讼时效期限规定"


def _fields(error: Invalid) -> set[str]:
    return {wrong.field for wrong in error.errors}


def _terms(**given: Any) -> rules.Terms:
    return rules.read_terms(document=DOCUMENT, hours=24, **given)


@pytest.mark.parametrize("force", [False, None, 1, "true", "True", "yes", [], {}, [True], 1.0])
def test_only_the_json_boolean_forces(force: object) -> None:
    with pytest.raises(Invalid) as caught:
        rules.read_statement(force, REASON)
    assert _fields(caught.value) == {rules.FORCE}


@pytest.mark.parametrize(
    "reason",
    [
        *(None, "", "   ", "\n\t ", "short", "n/a", "x" * 40, "n/a n/a n/a n/a n/a n/a", "!?!?!?!?!?!?!?!?!?!?!?"),
        *("a b c d e", "lorem" + " " * 40, 7, True, ["a reason"], {"reason": REASON}, "y" * 4001),
    ],
)
def test_a_reason_that_says_nothing_is_refused(reason: object) -> None:
    with pytest.raises(Invalid) as caught:
        rules.read_statement(TRUE, reason)
    assert _fields(caught.value) == {rules.REASON}


def test_both_fields_are_named_when_both_are_wrong() -> None:
    with pytest.raises(Invalid) as caught:
        rules.read_statement(None, None)
    assert _fields(caught.value) == {rules.FORCE, rules.REASON}


@pytest.mark.parametrize("reason", [REASON, CHINESE, "Срочно: клиенты ждут исправленных сроков."])
def test_a_reason_in_any_script_is_taken(reason: str) -> None:
    assert rules.read_statement(TRUE, f"  {reason}\n") == reason


def test_a_reason_is_kept_in_nfc() -> None:
    assert rules.checked_reason("De\u0301lai imperatif avant decembre") == "Délai imperatif avant decembre"


def test_an_override_covers_what_does_not_pass() -> None:
    assert _terms().slices == ("ip-licensing",)
    assert _terms(slices=["ip-licensing"]).slices == ("ip-licensing",)


@pytest.mark.parametrize("slices", [[], ["contract-drafting"], ["ip-licensing", "nowhere"], "ip-licensing", [7], {}])
def test_other_slices_than_those_are_refused(slices: object) -> None:
    with pytest.raises(Invalid) as caught:
        _terms(slices=slices)
    assert _fields(caught.value) == {"slices"}


def test_what_is_missing_and_what_is_too_much_is_named() -> None:
    with pytest.raises(Invalid) as caught:
        _terms(slices=["contract-drafting"])
    missing, extra = [wrong.message for wrong in caught.value.errors]
    assert ("ip-licensing" in missing, "contract-drafting" in extra) == (True, True)


def test_the_accepted_level_is_the_measured_lower_bound() -> None:
    assert _terms().accepted_levels == {"ip-licensing": "0.612"}


@pytest.mark.parametrize(
    ("bound", "level"),
    [
        (0.6123456, "0.612346"),
        (0.0000005, "0"),
        (0.0000015, "0.000002"),
        (-0.03, "0"),
        (0.0, "0"),
        (1.0, "1"),
        (1, "1"),
    ],
)
def test_a_measured_bound_becomes_a_decimal(bound: float, level: str) -> None:
    assert rules.default_level({"quality": {"ci90": [bound, 1.0]}}) == level


@pytest.mark.parametrize("quality", [None, {"ci90": None}, {"ci90": [None, None]}])
def test_where_quality_was_not_measured_there_is_no_level(quality: Any) -> None:
    assert rules.default_level({"quality": quality}) is None


@pytest.mark.parametrize(
    ("level", "kept"), [(0.7, "0.7"), ("0.70", "0.7"), (1, "1"), (Decimal("0.65"), "0.65"), ("-0", "0"), (None, None)]
)
def test_an_explicit_level_replaces_the_measured_one(level: Any, kept: str | None) -> None:
    assert _terms(levels={"ip-licensing": level}).accepted_levels == {"ip-licensing": kept}


@pytest.mark.parametrize(
    "level", [1.1, -0.1, "x", "", True, [], {}, "NaN", "Infinity", float("nan"), 0.1234567, 10**40]
)
def test_a_level_that_is_no_share_is_refused(level: object) -> None:
    with pytest.raises(Invalid) as caught:
        _terms(levels={"ip-licensing": level})
    assert _fields(caught.value) == {"accepted_levels.ip-licensing"}


@pytest.mark.parametrize("levels", [["ip-licensing"], "x", {"contract-drafting": 0.5}])
def test_levels_are_of_the_covered_slices_only(levels: object) -> None:
    with pytest.raises(Invalid) as caught:
        _terms(levels=levels)
    assert _fields(caught.value) == {"accepted_levels"}


def test_it_lapses_when_the_policy_says_or_sooner() -> None:
    assert _terms().lifetime == timedelta(hours=24)
    assert _terms(seconds=60).lifetime == timedelta(minutes=1)
    assert _terms(seconds=24 * 3600).lifetime == timedelta(hours=24)


@pytest.mark.parametrize("seconds", [59, 0, -1, 24 * 3600 + 1, True, "3600", 3600.0, []])
def test_it_never_lapses_later_or_at_once(seconds: object) -> None:
    with pytest.raises(Invalid) as caught:
        _terms(seconds=seconds)
    assert _fields(caught.value) == {"expires_in_seconds"}


def test_the_digest_is_the_golden_one() -> None:
    file = SHARED / "vectors" / "digests.json"
    if not file.exists():
        pytest.skip("the shared vectors are not here")
    golden = json.loads(file.read_text("utf-8"))["override"]
    value = golden["value"]
    made = rules.override_document(
        manifest_sha256=value["manifest_sha256"],
        gate_run_sha256=value["gate_run_sha256"],
        terms=rules.Terms(("ip-licensing",), value["accepted_levels"], timedelta(hours=24)),
        reason=value["reason"],
        requested_by=value["requested_by"],
        requested_at=datetime(2026, 11, 21, 8, tzinfo=UTC),
        expires_at=datetime(2026, 11, 22, 8, tzinfo=UTC),
    )
    assert made == value
    assert rules.override_sha256(made) == golden["gate_override_sha256"]


@pytest.mark.parametrize("state", ["used", "rejected", "withdrawn"])
def test_what_has_ended_does_not_lapse(state: str) -> None:
    at = datetime(2026, 11, 21, tzinfo=UTC)
    assert rules.state_at(state, at, at) == state


@given(st.sampled_from(["pending_approval", "active"]), st.integers(-5, 5))
def test_what_is_open_lapses_at_its_hour(state: str, late: int) -> None:
    at = datetime(2026, 11, 21, tzinfo=UTC)
    assert rules.state_at(state, at, at + timedelta(seconds=late)) == ("expired" if late >= 0 else state)


@given(st.text())
def test_any_text_is_a_reason_or_is_refused_with_its_field(text: str) -> None:
    kept = ""
    with suppress(Invalid):
        kept = rules.checked_reason(text)
    assert not kept or rules.says_something(kept)
