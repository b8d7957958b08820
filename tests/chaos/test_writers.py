"""Eight writers with mixed decisions in two organizations: no deadlock, no gap, no fork. Longer: `bench receipts`."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from django.db import connection

from audit.administration.applications import create_application, create_endpoint, create_route
from audit.administration.tokens import create_token, revoke_token
from gates.slices.services import change_slice, create_slice
from gates.suites import carry_out, request_import
from relcontrol.accounts.actors import Actor
from releases.artifacts import create_artifact
from releases.registry.order import Order
from releases.registry.registration import register
from tests.chaos.evidence import receipts_verified
from tests.releases.scene import PROMPT_VALUE, Scene, body, scene

WRITERS, ROUNDS = 8, 6
CASE = b'{"case_id": "c", "slice": "ip-licensing", "input": "%s"}'


def _suite(here: Scene, name: str) -> None:
    case = CASE % name.encode()
    row = carry_out(request_import(actor=here.actor, name=f"suite-{name}", body=case, file_format="jsonl"))
    assert row.suite


def _token(actor: Actor, name: str) -> None:
    row, _ = create_token(actor=actor, name=name, scopes=["audit:read"])
    revoke_token(actor=actor, token=row)


def _slice(actor: Actor, name: str) -> None:
    row = create_slice(actor=actor, slug=name, parent="ip-licensing")
    change_slice(actor=actor, target=row, name=f"{name}, renamed")


def _route(here: Scene, name: str) -> None:
    made = create_application(actor=here.actor, slug=name)
    create_route(actor=here.actor, application=made, routing={"domain": name})


def _release(here: Scene, name: str, seed: int) -> None:
    enclosed = [{"ref": f"templates/{name}@v1", "value": PROMPT_VALUE | {"system": name}}]
    register(
        actor=here.actor,
        order=Order(**body(generation={"seed": seed}, artifacts=enclosed, application="legal-assistant")),
    )


def _decisions(here: Scene, writer: int) -> list[Callable[[], Any]]:
    """What one writer does; writers begin at different places."""
    found: list[Callable[[], Any]] = []
    for number in range(ROUNDS):
        name = f"w{writer}-{number}"
        value = PROMPT_VALUE | {"system": f"Artifact {name}."}
        address = f"http://127.0.0.1:{10_000 + number}"
        kinds: list[Callable[[], Any]] = [
            partial(_slice, here.actor, name),
            partial(_route, here, name),
            partial(_token, here.actor, name),
            partial(create_endpoint, actor=here.actor, name=name, base_url=address),
            partial(create_artifact, actor=here.actor, ref=f"a/{name}@v1", value=value),
            partial(_release, here, name, writer * ROUNDS + number),
            partial(_suite, here, name),
        ]
        turn = (writer + number) % len(kinds)
        found += kinds[turn:] + kinds[:turn]
    return found


def _carry_out(decisions: list[Callable[[], Any]]) -> int:
    try:
        for decision in decisions:
            decision()
    finally:
        connection.close()
    return len(decisions)


@pytest.mark.django_db(transaction=True)
def test_eight_writers_leave_one_unbroken_chain_in_each_organization() -> None:
    both = [scene("northgate"), scene("eastgate")]
    before = [len(receipts_verified(here.organization)) for here in both]
    with ThreadPoolExecutor(WRITERS) as pool:
        done = list(pool.map(_carry_out, [_decisions(both[writer % 2], writer) for writer in range(WRITERS)]))
    assert done == [7 * ROUNDS] * WRITERS
    # A slice, a route, a token and a release with its enclosed artifact leave two receipts each, the others one.
    expected = WRITERS // 2 * ROUNDS * 11
    after = [len(receipts_verified(here.organization)) for here in both]
    assert [last - first for first, last in zip(before, after, strict=True)] == [expected, expected]
