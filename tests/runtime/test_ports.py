"""Ports are looked at before anything starts."""

import argparse
import socket
from collections.abc import Iterator

import pytest

from relcontrol.environment import MisconfiguredError
from relcontrol.runtime.ports import first_port_number, port_number, ports_in_use, require_free_ports
from relcontrol.runtime.services import base_url


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_port_with_a_listener_is_in_use(taken_port: int) -> None:
    assert ports_in_use("127.0.0.1", [taken_port]) == [taken_port]


def test_a_port_is_free_after_its_listener_has_gone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert ports_in_use("127.0.0.1", [port]) == []


def test_a_taken_port_is_refused_by_its_number(taken_port: int) -> None:
    with pytest.raises(MisconfiguredError, match=f"port {taken_port}"):
        require_free_ports("127.0.0.1", taken_port)


@pytest.mark.parametrize("offset", [1, 2])
def test_a_taken_port_of_the_gateway_or_the_edge_is_refused_too(taken_port: int, offset: int) -> None:
    with pytest.raises(MisconfiguredError, match=f"port {taken_port}"):
        require_free_ports("127.0.0.1", taken_port - offset)


@pytest.mark.parametrize("text", ["0", "65536", "-1", "8000.5", "http", "", "٣"])
def test_what_is_no_port_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        port_number(text)


@pytest.mark.parametrize("offset", [3, 4])
def test_with_the_demo_a_taken_port_of_its_models_or_its_witness_is_refused_too(taken_port: int, offset: int) -> None:
    with pytest.raises(MisconfiguredError, match=f"port {taken_port}"):
        require_free_ports("127.0.0.1", taken_port - offset, with_demo=True)


def test_the_first_port_leaves_room_for_four_more() -> None:
    assert first_port_number("65531") == 65531
    with pytest.raises(argparse.ArgumentTypeError):
        first_port_number("65532")


@pytest.mark.parametrize(
    ("host", "url"),
    [("127.0.0.1", "http://127.0.0.1:80"), ("0.0.0.0", "http://127.0.0.1:80"), ("::1", "http://[::1]:80")],  # noqa: S104 - what somebody asks for
)
def test_the_address_shown_is_one_that_a_browser_here_can_open(host: str, url: str) -> None:
    assert base_url(host, 80) == url
