"""Registering at the same time: one release per manifest, no gap in the numbers, one unbroken chain."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection

from audit.models import Receipt
from relcontrol.accounts.models import Route
from relcontrol.errors import Conflict
from releases.artifacts import create_artifact
from releases.models import ArtifactVersion, Release
from releases.registry.order import Order
from releases.registry.registration import register
from tests.factories import route
from tests.releases.scene import PROMPT_VALUE, Scene, body, scene

WRITERS = 6


@pytest.fixture
def committed(transactional_db: None) -> Scene:
    """A scene that other connections see."""
    return scene()


def _at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    def closing(call: Callable[[], Any]) -> Any:
        try:
            return call()
        except Conflict as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(WRITERS) as pool:
        return list(pool.map(closing, calls))


def _registering(by: Scene, **changes: Any) -> Callable[[], Any]:
    return lambda: register(actor=by.actor, order=Order(**body(**changes)))


def _chain_is_unbroken(by: Scene) -> bool:
    rows = list(Receipt.objects.filter(organization=by.organization).order_by("seq"))
    links = all(row.prev == before.receipt_hash for before, row in pairwise(rows))
    return links and [row.seq for row in rows] == list(range(1, len(rows) + 1))


def test_the_same_manifest_at_once_becomes_one_release(committed: Scene) -> None:
    done = _at_once([_registering(committed) for _ in range(WRITERS)])
    assert sorted(result.created for result in done) == [False] * (WRITERS - 1) + [True]
    assert len({result.release.pk for result in done}) == 1
    assert Receipt.objects.filter(event="release.registered").count() == 1


def test_different_manifests_at_once_leave_no_gap_in_the_numbers(committed: Scene) -> None:
    made: Route = route(committed.application, domain="medical")
    calls = [
        _registering(committed, generation={"seed": number}, routing=routing)
        for number in range(WRITERS)
        for routing in ({"domain": "legal"}, made.routing)
    ]
    assert all(result.created for result in _at_once(calls))
    numbers = Release.objects.order_by("number").values_list("number", flat=True)
    assert list(numbers) == list(range(1, len(calls) + 1))
    assert _chain_is_unbroken(committed)


def test_enclosing_the_same_artifacts_in_other_orders_at_once_makes_each_once(committed: Scene) -> None:
    values = [
        {"ref": f"templates/p{number}@v1", "value": PROMPT_VALUE | {"system": f"Prompt {number}."}}
        for number in range(WRITERS)
    ]
    routes = [{"domain": "legal"}, route(committed.application, domain="medical").routing]
    calls = [
        _registering(
            committed,
            artifacts=values[number:] + values[:number],
            prompt_template_ref=f"templates/p{number}@v1",
            routing=routes[number % 2],
        )
        for number in range(WRITERS)
    ]
    assert all(result.created for result in _at_once(calls))
    assert ArtifactVersion.objects.filter(name__startswith="templates/p").count() == WRITERS
    assert Receipt.objects.filter(subject__startswith="artifact:templates/p").count() == WRITERS
    assert _chain_is_unbroken(committed)


def test_one_name_for_several_contents_at_once_goes_to_one_of_them(committed: Scene) -> None:
    def naming(number: int) -> Callable[[], Any]:
        value = PROMPT_VALUE | {"system": f"Candidate {number}."}
        return lambda: create_artifact(actor=committed.actor, ref="templates/race@v1", value=value)

    done = _at_once([naming(number) for number in range(WRITERS)])
    assert sum(isinstance(result, Conflict) for result in done) == WRITERS - 1
    assert Receipt.objects.filter(subject="artifact:templates/race@v1").count() == 1
