"""What is visited comes from the URL configuration."""

import re

from relcontrol.bench.addresses import QUERIES, addresses

LITERAL = re.compile(r"\{(\w+)\}")
VALUES = {
    "organization": "northgate",
    **{name: name for queries in QUERIES.values() for name in LITERAL.findall("".join(queries))},
}


def test_every_list_without_another_parameter_is_there() -> None:
    found = {address.name: address for address in addresses(VALUES)}

    assert found["api-receipts"].path == "/v1/receipts"
    assert found["suites"].path == "/o/northgate/suites/"
    assert (found["api-receipts"].is_api, found["suites"].is_api) == (True, False)


def test_a_path_with_an_unknown_parameter_is_left_out() -> None:
    assert "suite" not in {address.name for address in addresses(VALUES)}
    assert "suite" in {address.name for address in addresses({**VALUES, "suite": "suite-1"})}


def test_queries_follow_their_list() -> None:
    paths = [address.path for address in addresses({**VALUES, "application": "assistant-1"})]

    assert "/v1/receipts?application=assistant-1" in paths


def test_downloads_are_left_out() -> None:
    assert not [address for address in addresses(VALUES) if address.path.endswith((".json", ".py"))]
