"""Error pages say what failed, what is safe and the request id; they need no database."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.exceptions import DisallowedHost, RequestDataTooBig, SuspiciousOperation
from django.test import Client, RequestFactory
from rest_framework.exceptions import MethodNotAllowed

from relcontrol.api.problems import exception_handler
from relcontrol.web import errors

pytestmark = pytest.mark.urls("tests.web.kitchen_sink")


@pytest.fixture
def visitor() -> Client:
    return Client(raise_request_exception=False)


@pytest.mark.parametrize("status", [400, 403, 404, 409, 413, 429, 500])
def test_every_page_says_what_failed_what_is_safe_and_what_to_do(status: int) -> None:
    answer = errors.error_page(status)
    assert answer.status_code == status
    for heading in ("What is still safe.", "What to do.", "Request id"):
        assert heading in answer.text


def test_a_status_of_no_page_of_its_own_keeps_its_number() -> None:
    assert errors.error_page(422, detail="The threshold is above 1.").status_code == 422


def test_an_unknown_address_is_a_404_page(visitor: Client) -> None:
    answer = visitor.get("/nowhere")
    assert answer.status_code == 404
    assert "There is nothing here" in answer.text


def test_a_refusal_gives_its_reason(visitor: Client) -> None:
    answer = visitor.get("/forbidden")
    assert answer.status_code == 403
    assert "You are a viewer here." in answer.text


def test_a_domain_error_that_no_view_caught_is_a_page_with_its_sentence(visitor: Client, settings: Any) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "relcontrol.web.middleware.DomainErrorMiddleware"]
    answer = visitor.get("/conflict")
    assert answer.status_code == 409
    assert "r128 is rolling already; halt it first." in answer.text


def test_a_mistake_of_ours_does_not_show_its_cause(visitor: Client) -> None:
    answer = visitor.get("/broken")
    assert answer.status_code == 500
    assert "releases keep serving" in answer.text
    assert "the cause" not in answer.text


def test_a_form_without_its_proof_says_that_it_is_out_of_date() -> None:
    answer = Client(enforce_csrf_checks=True).post("/sign-out")
    assert answer.status_code == 403
    assert "The form is out of date" in answer.text


def test_a_body_that_is_too_large_is_a_413() -> None:
    assert errors.handler400(RequestFactory().get("/"), RequestDataTooBig()).status_code == 413


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (DisallowedHost(), 400, "unknown_host"),
        (SuspiciousOperation(), 400, "malformed"),
        (RequestDataTooBig(), 413, "too_large"),
    ],
)
def test_what_fails_before_a_call_is_reached_is_a_problem_document(failure: Exception, status: int, code: str) -> None:
    answer = errors.handler400(RequestFactory().get("/v1/me"), failure)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert json.loads(answer.content)["code"] == code


def test_a_mistake_of_ours_is_a_problem_document_to_a_caller_of_the_api() -> None:
    answer = errors.handler500(RequestFactory().get("/v1/me"))
    assert (answer.status_code, json.loads(answer.content)["code"]) == (500, "internal")


def test_a_host_name_that_is_not_ours_says_how_it_becomes_ours() -> None:
    answer = errors.handler400(RequestFactory().get("/"), DisallowedHost())
    assert answer.status_code == 400
    assert "RELCONTROL_HOSTS" in answer.text


@pytest.mark.urls("relcontrol.urls")
def test_the_schema_refuses_other_methods_in_a_problem_document_and_not_for_want_of_a_form() -> None:
    answer = Client(enforce_csrf_checks=True).delete("/v1/openapi.json")
    assert (answer.status_code, answer["Content-Type"]) == (405, "application/problem+json")
    assert answer["Allow"] == "GET, HEAD"


def test_a_method_that_a_call_does_not_have_is_told_those_that_it_has() -> None:
    view = SimpleNamespace(permissions={"GET": None, "POST": None})
    answer = exception_handler(MethodNotAllowed("PUT"), {"view": view})
    assert (answer.status_code, answer.data["detail"]) == (405, 'Method "PUT" not allowed. This path takes GET, POST.')
