"""Requests made from the committed schema, in-process: no 5xx, no status and no shape that the schema does not name.

Bounded here; `manage.py bench api` takes longer.
"""

import json
from typing import Any

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from openapi_spec_validator import validate
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from relcontrol.api.openapi import FILE
from tests.api.addresses import calls
from tests.api.world import World, connection_kept

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
DOCUMENT = json.loads(FILE.read_text("utf-8"))
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
ALL_OPERATIONS: list[Any] = list(SCHEMA.get_all_operations())
OPERATIONS = [found.ok() for found in ALL_OPERATIONS]
BOUNDED = settings(
    max_examples=3,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def test_the_schema_is_valid_openapi() -> None:
    validate(DOCUMENT)
    assert DOCUMENT["openapi"].startswith("3.1")


def test_every_method_of_every_call_is_in_the_schema() -> None:
    named = {f"{method.upper()} {path}" for path, operations in DOCUMENT["paths"].items() for method in operations}
    there = {
        f"{method} " + address.filled({part: f"{{{part}}}" for part in address.parts})
        for address in calls()
        if address.call
        for method in address.call.permissions
    }
    assert there == named, "run manage.py schema"


@pytest.mark.parametrize("operation", [pytest.param(o, id=o.label) for o in OPERATIONS])
def test_what_the_schema_allows_is_answered_as_the_schema_says(northgate: World, operation: Any) -> None:
    application = get_wsgi_application()
    visitors = [northgate.everything, *northgate.scopes.values()]

    @BOUNDED
    @given(case=operation.as_strategy(), visitor=st.sampled_from(visitors), real=st.booleans())
    def holds(case: Any, visitor: Any, real: bool) -> None:
        if real:
            case.path_parameters = {name: northgate.objects[name] for name in case.path_parameters or {}}
        headers = {"Authorization": visitor.client.defaults["HTTP_AUTHORIZATION"]}
        with transaction.atomic():
            case.call_and_validate(app=application, headers=headers, checks=CHECKS)
            transaction.set_rollback(True)

    with connection_kept():
        holds()
