"""Bodies that are wrong in every way that we know: always a problem that says so, never a 500, never a part written."""

import json
from io import BytesIO
from typing import Any

import pytest
from django.core.wsgi import get_wsgi_application

from tests.api.addresses import Address, calls
from tests.api.bodies import (
    BODILESS,
    COMMANDS,
    FILES,
    VALUES,
    accepted,
    dealt,
    fields_of,
    with_each_value_replaced,
)
from tests.api.world import World, connection_kept, nothing_written, undone_if_accepted

BY_COMMAND = [pytest.param(address, method, id=f"{method} {address}") for address, method in COMMANDS]
# One parser reads all bodies: each call is sent every bad value, each place of its body a few of them, and of the
# bodies that cannot be read each call is sent every twelfth.
HANDS = 12
DOCUMENTED = {200, 201, 202, 400, 404, 409, 422}
MEGABYTE = 1024 * 1024
UNREADABLE = {
    "empty": b"",
    "blank": b" \n",
    "cut short": b'{"slug": "x"',
    "no quotes": b"{slug: 1}",
    "trailing comma": b'{"slug": "x",}',
    "two values": b'{"slug": "x"} {"slug": "y"}',
    "a form": b"slug=x&name=y",
    "NaN": b'{"n_min": NaN}',
    "Infinity": b'{"n_min": -Infinity}',
    "beyond a double": b'{"threshold": 1e999}',
    "a key twice": b'{"slug": "x", "slug": "y"}',
    "a key twice, escaped": b'{"slug": "x", "\\u0073lug": "y"}',
    "a key twice, deep": b'{"routing": {"domain": "a", "domain": "b"}}',
    "NUL": b'{"slug": "a\\u0000b"}',
    "a raw NUL": b'{"slug": "a\x00b"}',
    "NUL in a key": b'{"a\\u0000b": 1}',
    "half a surrogate pair": b'{"slug": "\\ud800"}',
    "the other half": b'{"routing": {"domain": ["\\udfff"]}}',
    "no UTF-8": b'{"slug": "\xff\xfe"}',
    "overlong UTF-8": b'{"slug": "\xc0\xaf"}',
    "UTF-16": '{"slug": "x"}'.encode("utf-16"),
    "a list": b"[]",
    "a string": b'"slug"',
    "null": b"null",
    "a number": b"1",
    "deep lists": b'{"routing": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep objects": b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    "a huge integer": b'{"n_min": ' + b"9" * 5_000 + b"}",
    "XML": b'<?xml version="1.0"?><slug>x</slug>',
}


def _send(here: World, address: Address, method: str, body: bytes | dict[str, Any]) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    with undone_if_accepted() as statuses:
        answer = here.everything.client.generic(method, here.path(address), content, content_type="application/json")
        statuses.append(answer.status_code)
    return answer


def _is_a_problem(answer: Any) -> bool:
    members = {"type", "title", "status", "code", "detail", "request_id"}
    document = answer.json()
    sentence = document["detail"].strip()
    return (
        answer.headers["Content-Type"] == "application/problem+json"
        and members <= set(document)
        and document["status"] == answer.status_code
        and len(sentence) > 10
    )


@pytest.mark.parametrize(("address", "method"), BY_COMMAND)
def test_the_accepted_body_is_accepted_so_that_the_others_are_refused_for_their_faults(
    northgate: World, address: Address, method: str
) -> None:
    answer = _send(northgate, address, method, accepted(address))
    not_yet = address.name == "api-release-roll" and answer.json()["code"] == "not_deployable"
    assert answer.status_code in {200, 201, 202} or not_yet, answer.content


@pytest.mark.parametrize(("address", "method"), BY_COMMAND)
def test_a_body_that_cannot_be_read_is_a_400_and_changes_nothing(
    northgate: World, address: Address, method: str
) -> None:
    wrong = {}
    with nothing_written():
        for name, body in dealt(list(UNREADABLE.items()), COMMANDS.index((address, method)), HANDS):
            if name == "empty" and address.name in BODILESS:
                continue
            answer = _send(northgate, address, method, body)
            if answer.status_code != 400 or not _is_a_problem(answer):
                wrong[name] = (answer.status_code, answer.content[:200])
    assert wrong == {}


@pytest.mark.parametrize(("address", "method"), BY_COMMAND)
def test_any_value_in_any_place_is_taken_or_refused_whole(northgate: World, address: Address, method: str) -> None:
    wrong, first = {}, COMMANDS.index((address, method))
    unset = set(fields_of(address, method)) - set(accepted(address))
    with nothing_written():
        for turn, value in enumerate(VALUES, first):
            bodies = [*with_each_value_replaced(accepted(address), value)]
            bodies += [(name, accepted(address) | {name: value}) for name in unset]
            for place, body in dealt(bodies, turn, min(HANDS, len(bodies))):
                answer = _send(northgate, address, method, body)
                if answer.status_code not in DOCUMENTED or not (answer.status_code < 400 or _is_a_problem(answer)):
                    wrong[place, repr(value)] = (answer.status_code, answer.content[:200])
    assert wrong == {}


def _of_other_types(schema: dict[str, Any]) -> list[Any]:
    """Values that the schema of a field does not allow; a decimal may be written as a number too."""
    kinds = schema.get("type", [])
    allowed = {kinds} if isinstance(kinds, str) else set(kinds)
    if schema.get("format") == "decimal" or "number" in allowed:
        allowed |= {"integer"}
    examples = {"boolean": True, "integer": 7, "string": "x", "array": ["x"], "object": {"x": "y"}}
    return [value for kind, value in examples.items() if allowed and kind not in allowed - {"null"}]


@pytest.mark.parametrize(("address", "method"), BY_COMMAND)
def test_a_value_of_the_wrong_type_is_refused_naming_its_field(northgate: World, address: Address, method: str) -> None:
    taken = []
    for name, schema in fields_of(address, method).items():
        for value in _of_other_types(schema):
            answer = _send(northgate, address, method, accepted(address) | {name: value})
            named = [item["field"] for item in answer.json().get("errors", [])]
            if answer.status_code != 422 or not any(field.startswith(name) for field in named):
                taken.append((name, value, answer.status_code, named))
    assert taken == []


@pytest.mark.parametrize(("address", "method"), BY_COMMAND)
def test_a_field_that_is_not_known_is_refused_and_the_known_ones_are_named(
    northgate: World, address: Address, method: str
) -> None:
    with nothing_written():
        answer = _send(northgate, address, method, accepted(address) | {"slugg": "x"})
    assert answer.status_code == 422
    assert [item["field"] for item in answer.json()["errors"]] == ["slugg"]
    assert all(name in answer.json()["errors"][0]["message"] for name in fields_of(address, method))


class Unread(BytesIO):
    """A body that notes how much of it was read."""

    taken = 0

    def read(self, size: int | None = -1) -> bytes:
        """Bytes, as many as are asked for."""
        content = b"x" * (MEGABYTE if size is None or size < 0 else size)
        self.taken += len(content)
        return content


@pytest.mark.parametrize(
    "address", [pytest.param(a, id=str(a)) for a in calls() if a.call and "POST" in a.call.permissions]
)
def test_a_body_of_50_megabytes_is_refused_unread(northgate: World, address: Address) -> None:
    body, statuses = Unread(), []
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": northgate.path(address),
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "wsgi.input": body,
        "wsgi.url_scheme": "http",
        "CONTENT_TYPE": "multipart/form-data; boundary=x" if address.name in FILES else "application/json",
        "CONTENT_LENGTH": str(50 * MEGABYTE),
        "HTTP_AUTHORIZATION": northgate.everything.client.defaults["HTTP_AUTHORIZATION"],
    }
    handler: Any = get_wsgi_application()
    with connection_kept():
        answer = handler(environ, lambda status, *_: statuses.append(status))
    assert statuses == ["413 Request Entity Too Large"]
    assert json.loads(b"".join(answer))["code"] == "too_large"
    assert body.taken == 0


def test_a_body_without_a_length_is_refused(northgate: World) -> None:
    client = northgate.everything.client
    answer = client.post("/v1/slices", b"{}", content_type="application/json", headers={"Transfer-Encoding": "chunked"})
    assert answer.status_code == 400
    assert "Content-Length" in answer.json()["detail"]


def test_names_that_nobody_has_given_are_said_to_be_missing(northgate: World) -> None:
    unknown = {
        "prompt_template_ref": "templates/nobody@v9",
        "preprocessing_ref": "preprocessing/nobody@v9",
        "dataset_version": "nobody-v9",
        "previous_release": "rel_00000000000000000000000000",
        "application": "nobody",
        "routing": {"domain": "nobody"},
    }
    for field, value in unknown.items():
        body = accepted(next(a for a in calls() if a.name == "api-releases")) | {field: value}
        with nothing_written():
            answer = northgate.everything.post("releases", body)
        assert answer.status_code in {404, 422}, (field, answer.content)
        assert "nobody" in answer.json()["detail"] or "rel_0000" in answer.json()["detail"]
