"""Below which quality a release is taken back: .85 of what it was let out with, by a gate or by an override."""

from typing import Any

import pytest

from gates.run_models import GateRun
from relcontrol.accounts.models import Organization
from releases.models import Release
from releases.observing.floors import Floor, floor_of, floors_of
from tests.factories import organization
from tests.gates.runs.documents import document, quality, slice_part
from tests.gates.runs.factory import gate_run, legal
from tests.gates.test_standing import overridden

MANIFEST = "a" * 64
PASSED = ("IP licensing", 0.71, 84, 0.65, 0.68, 0.84)


@pytest.fixture
def owner(db: None) -> Organization:
    made = organization("northgate")
    legal(made)
    return made


def _release(owner: Organization, manifest: str = MANIFEST) -> Release:
    return Release(organization=owner, manifest_sha256=manifest)


def _run(owner: Organization, *slugs: str, graded: int = 84, **found: Any) -> GateRun:
    parts = [slice_part(slug, PASSED) | {"quality": quality(84, **found)} for slug in slugs or ("ip-licensing",)]
    for part in parts:
        part["agreement"]["graded"] = graded
    return gate_run(owner, document(parts))


def test_the_floor_is_85_hundredths_of_the_one_that_the_gate_held_it_to(owner: Organization) -> None:
    _run(owner, floor=0.8, mean=0.9)
    floor = floor_of(_release(owner), "ip-licensing")
    assert floor == Floor(value=0.85 * 0.8, source="gate", healthy_mean=0.9, rho_floor=0.85 * 0.65)
    assert floor.rho_floor == pytest.approx(0.5525)


def test_without_graded_answers_there_is_no_floor_of_agreement(owner: Organization) -> None:
    _run(owner, graded=0)
    assert floor_of(_release(owner), "ip-licensing").rho_floor is None


@pytest.mark.parametrize("state", ["active", "used"])
def test_an_accepted_level_takes_the_place_of_the_gates_floor_in_its_slice_only(
    owner: Organization, state: str
) -> None:
    run = _run(owner, "ip-licensing", "contract-drafting", floor=0.8, mean=0.7)
    overridden(run, state=state, accepted_levels={"ip-licensing": "0.65"})
    floors = floors_of(_release(owner))
    assert [floors[slug].source for slug in ("ip-licensing", "contract-drafting")] == ["override", "gate"]
    assert floors["ip-licensing"].value == pytest.approx(0.5525)
    assert floors["contract-drafting"].value == pytest.approx(0.68)


def test_a_level_that_was_not_measured_leaves_no_floor(owner: Organization) -> None:
    overridden(_run(owner, floor=0.8), state="used", accepted_levels={"ip-licensing": None})
    assert floor_of(_release(owner), "ip-licensing") == Floor(healthy_mean=0.71, rho_floor=0.85 * 0.65)


def test_an_override_that_let_nothing_out_changes_no_floor(owner: Organization) -> None:
    run = _run(owner, floor=0.8)
    for state in ("rejected", "expired", "pending_approval"):
        overridden(run, state=state, accepted_levels={"ip-licensing": "0.2"})
    assert floor_of(_release(owner), "ip-licensing").value == pytest.approx(0.68)


def test_a_slice_without_a_quality_floor_has_none_here(owner: Organization) -> None:
    _run(owner, floor=None)
    assert floor_of(_release(owner), "ip-licensing").value is None
    assert floor_of(_release(owner), "contract-drafting") == Floor()


def test_the_newest_run_that_decided_holds(owner: Organization) -> None:
    _run(owner, floor=0.6)
    _run(owner, floor=0.8)
    gate_run(owner, state="running")
    assert floor_of(_release(owner), "ip-licensing").value == pytest.approx(0.68)


def test_a_release_without_a_gate_run_has_no_floors(owner: Organization) -> None:
    assert floors_of(_release(owner, "b" * 64)) == {}


def test_a_slice_that_the_run_had_nothing_of_has_no_floor(owner: Organization) -> None:
    empty = slice_part("ip-licensing", PASSED) | {"quality": None, "agreement": None, "change": None}
    gate_run(owner, document([empty | {"verdict": "insufficient"}]))
    assert floor_of(_release(owner), "ip-licensing") == Floor()
