"""Texts that try to be something else, in every field, path and query: kept as text, shown as text, or refused."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from relcontrol.api.openapi import FILE
from tests.api.addresses import Address, calls, pages
from tests.api.bodies import COMMANDS, HOSTILE, accepted, with_each_value_replaced
from tests.api.world import World, browser, nothing_written, undone_if_accepted

SCRIPT = HOSTILE["script"]
PATH_TRICKS = (
    "..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e%2f",
    "..",
    "%00",
    "a%00b",
    "%ff%fe",
    "%ed%a0%80",
    "%25s%25n",
    "%3Cscript%3E",
    "%E2%80%AE",
    "'%20OR%201=1--",
    "a" * 3000,
    "%F0%9F%98%80",
    "%0d%0aSet-Cookie:%20x=1",
    "rel_" + "0" * 26,
    "rcp_%25",
    "#99999999999",
    "99999999999999999999",
    "sha256:" + "0" * 64,
    "f" * 64,
)
QUERY_TRICKS = (
    "",
    " ",
    "\x00",
    "a\x00b",
    "é",
    "\udcff",
    "0",
    "-1",
    "9" * 30,
    "NaN",
    "%",
    "'",
    "x" * 5000,
    SCRIPT,
    "AA==",
)
WITH_PARTS = [pytest.param(a, id=str(a)) for a in calls() if a.parts and a.call and "GET" in a.call.permissions]
READS = [pytest.param(a, id=str(a)) for a in calls() if a.call and "GET" in a.call.permissions]


@pytest.mark.parametrize(("address", "method"), [pytest.param(a, m, id=f"{m} {a}") for a, m in COMMANDS])
def test_a_hostile_text_in_any_place_is_taken_or_refused_whole(northgate: World, address: Address, method: str) -> None:
    wrong, client, path = {}, northgate.everything.client, northgate.path(address)
    with nothing_written():
        for name, text in HOSTILE.items():
            for place, body in with_each_value_replaced(accepted(address), text):
                with undone_if_accepted() as statuses:
                    answer = client.generic(method, path, json.dumps(body), content_type="application/json")
                    statuses.append(answer.status_code)
                if answer.status_code not in {200, 201, 202, 400, 404, 409, 422}:
                    wrong[place, name] = answer.status_code
    assert wrong == {}


@pytest.mark.parametrize("address", WITH_PARTS)
def test_a_trick_in_a_path_finds_nothing(northgate: World, address: Address) -> None:
    wrong = {}
    for trick in PATH_TRICKS:
        path = address.filled({part: trick.replace("#", "%23") for part in address.parts})
        answer = northgate.everything.client.get(path)
        if answer.status_code != 404 or answer.headers["Content-Type"] != "application/problem+json":
            wrong[trick[:40]] = (answer.status_code, answer.content[:120])
    assert wrong == {}


@pytest.mark.parametrize("address", READS)
def test_any_text_in_a_query_is_answered_or_refused(northgate: World, address: Address) -> None:
    wrong = {}
    for name in _query_names(address):
        for text in QUERY_TRICKS:
            value = quote(text, errors="surrogateescape")
            answer = northgate.everything.client.get(f"{northgate.path(address)}?{name}={value}")
            if answer.status_code not in {200, 400, 404, 409, 422}:
                wrong[name, text[:40]] = answer.status_code
    assert wrong == {}


def _query_names(address: Address) -> list[str]:
    document = json.loads(FILE.read_text("utf-8"))
    for path, operations in document["paths"].items():
        if path.replace("{", "").replace("}", "") == "/" + str(address).replace("{", "").replace("}", "").replace(
            "str:", ""
        ).replace("path:", ""):
            parameters = operations["get"].get("parameters", [])
            return [item["name"] for item in parameters if item["in"] == "query"] + ["nobody"]
    raise AssertionError(f"{address} is not in the schema; run manage.py schema")


@pytest.mark.parametrize("address", [pytest.param(a, id=str(a)) for a in pages()])
def test_what_was_stored_is_shown_as_text_on_every_page(northgate: World, address: Address) -> None:
    stored = _store_scripts(northgate)
    assert stored >= 5
    answer = browser(northgate.people["all"]).get(northgate.path(address))
    assert answer.status_code in {200, 302, 405, 422}
    if answer.headers.get("Content-Type", "").startswith("text/html"):
        assert SCRIPT not in answer.content.decode()
        assert "onmouseover='alert" not in answer.content.decode()


def _store_scripts(here: World) -> int:
    """Put the script into every text that takes it; how many did."""
    texts = f"{SCRIPT} {HOSTILE['attribute and SQL']}"
    sent = [
        ("applications", {"slug": "hostile", "name": texts[:200]}),
        ("routes", {"application": "legal-assistant", "routing": {SCRIPT: SCRIPT}, "name": texts}),
        ("slices", {"slug": "hostile", "name": texts, "description": texts}),
        ("artifacts", {"ref": "templates/hostile@v1", "value": _prompt(texts)}),
        ("artifacts", {"ref": here.objects["artifact"].replace("@v1", "@v2"), "value": _prompt(texts + "!")}),
    ]
    answers = [here.everything.post(path, body).status_code for path, body in sent]
    row = json.dumps({"case_id": SCRIPT, "slice": "ip-licensing", "input": texts, "reference": texts})
    answers.append(here.everything.client.post("/v1/suites?name=hostile", row, "application/x-ndjson").status_code)
    row = json.dumps({"case_id": SCRIPT, "slice": SCRIPT, "input": texts})
    here.everything.client.post("/v1/suites?name=refused", row, "application/x-ndjson")
    here.everything.client.patch(
        f"/v1/slices/{here.objects['slug']}", json.dumps({"name": texts, "description": texts}), "application/json"
    )
    return sum(status == 201 for status in answers)


def _prompt(text: str) -> dict[str, Any]:
    return {"kind": "prompt_template", "system": text, "user": "{{ input }}"}


def test_a_script_in_a_search_is_shown_as_text(northgate: World) -> None:
    visitor = browser(northgate.people["all"])
    for address in pages():
        if address.parts == ["organization"]:
            answer = visitor.get(northgate.path(address), {"q": SCRIPT, "release": SCRIPT, "event": SCRIPT})
            assert answer.status_code < 500, address
            assert SCRIPT not in answer.content.decode(), address
