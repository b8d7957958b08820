"""Texts that try to be something else, in every field, path and query: kept as text, shown as text, or refused."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from tests.api.addresses import Address, calls, pages
from tests.api.bodies import COMMANDS, HOSTILE, accepted, dealt, schema, with_each_value_replaced
from tests.api.world import World, browser, nothing_written, undone_if_accepted

SCRIPT = HOSTILE["script"]
HANDS = 10  # each call is sent every text, each place of its body a few; each address every tenth trick
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
READ = [address for address in calls() if address.call and "GET" in address.call.permissions]
READS = [pytest.param(turn, a, id=str(a)) for turn, a in enumerate(READ)]
WITH_PARTS = [pytest.param(turn, a, id=str(a)) for turn, a in enumerate(READ) if a.parts]


@pytest.mark.parametrize(("address", "method"), [pytest.param(a, m, id=f"{m} {a}") for a, m in COMMANDS])
def test_a_hostile_text_in_any_place_is_taken_or_refused_whole(northgate: World, address: Address, method: str) -> None:
    wrong, client, path = {}, northgate.everything.client, northgate.path(address)
    first = COMMANDS.index((address, method))
    with nothing_written():
        for turn, (name, text) in enumerate(HOSTILE.items(), first):
            bodies = list(with_each_value_replaced(accepted(address), text))
            for place, body in dealt(bodies, turn, min(HANDS, len(bodies))):
                with undone_if_accepted() as statuses:
                    answer = client.generic(method, path, json.dumps(body), content_type="application/json")
                    statuses.append(answer.status_code)
                if answer.status_code not in {200, 201, 202, 400, 404, 409, 422}:
                    wrong[place, name] = answer.status_code
    assert wrong == {}


@pytest.mark.parametrize(("turn", "address"), WITH_PARTS)
def test_a_trick_in_a_path_finds_nothing(northgate: World, turn: int, address: Address) -> None:
    wrong = {}
    for trick in dealt(PATH_TRICKS, turn, HANDS):
        path = address.filled({part: trick.replace("#", "%23") for part in address.parts})
        answer = northgate.everything.client.get(path)
        if answer.status_code != 404 or answer.headers["Content-Type"] != "application/problem+json":
            wrong[trick[:40]] = (answer.status_code, answer.content[:120])
    assert wrong == {}


@pytest.mark.parametrize(("turn", "address"), READS)
def test_any_text_in_a_query_is_answered_or_refused(northgate: World, turn: int, address: Address) -> None:
    wrong = {}
    for later, name in enumerate(_query_names(address)):
        for text in dealt(QUERY_TRICKS, turn + later, HANDS):
            value = quote(text, errors="surrogateescape")
            answer = northgate.everything.client.get(f"{northgate.path(address)}?{name}={value}")
            if answer.status_code not in {200, 400, 404, 409, 422}:
                wrong[name, text[:40]] = answer.status_code
    assert wrong == {}


def _query_names(address: Address) -> list[str]:
    for path, operations in schema()["paths"].items():
        if path.replace("{", "").replace("}", "") == "/" + str(address).replace("{", "").replace("}", "").replace(
            "str:", ""
        ).replace("path:", ""):
            parameters = operations["get"].get("parameters", [])
            return [item["name"] for item in parameters if item["in"] == "query"] + ["nobody"]
    raise AssertionError(f"{address} is not in the schema; run manage.py schema")


@pytest.fixture(scope="module")
def stored(_northgate: World) -> int:
    """In how many places the script stands, from here to the end of the file."""
    return _store_scripts(_northgate)


@pytest.mark.parametrize("address", [pytest.param(a, id=str(a)) for a in pages()])
def test_what_was_stored_is_shown_as_text_on_every_page(stored: int, northgate: World, address: Address) -> None:
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
    visitor, sought = browser(northgate.people["all"]), "<script>alert(2)</script>"  # stands nowhere else
    for address in pages():
        if address.parts == ["organization"]:
            answer = visitor.get(northgate.path(address), {"q": sought, "release": sought, "event": sought})
            assert answer.status_code < 500, address
            assert sought not in answer.content.decode(), address
