"""The ports of one `up`: the web on P, the gateway on P+1, the edge on P+2, models and witness of the demo above."""

import argparse
import socket
from collections.abc import Iterable

from relcontrol.environment import MisconfiguredError

PORT = 8000
GATEWAY_OFFSET = 1
EDGE_OFFSET = 2
DEMO_MODELS_OFFSET = 3
DEMO_WITNESS_OFFSET = 4
LAST_PORT = 65535
LOOPBACK = "127.0.0.1"  # where models and witness of the demo listen, whatever the others do: they ask for no key


def port_number(text: str) -> int:
    """A port from the command line."""
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= LAST_PORT):
        raise argparse.ArgumentTypeError(f"a port is a number from 1 to {LAST_PORT}, not {text!r}")
    return int(text)


def first_port_number(text: str) -> int:
    """The port of the web, which leaves room for the four above it."""
    port, last = port_number(text), LAST_PORT - DEMO_WITNESS_OFFSET
    if port > last:
        raise argparse.ArgumentTypeError(f"four more ports are used above this one: {last} at most")
    return port


def require_free_ports(host: str, port: int, *, with_demo: bool = False) -> None:
    """Refuse to start where the web, the gateway, the edge, or models and witness of the demo could not listen."""
    taken = ports_in_use(host, (port, port + GATEWAY_OFFSET, port + EDGE_OFFSET))
    if with_demo:
        taken += ports_in_use(LOOPBACK, (port + DEMO_MODELS_OFFSET, port + DEMO_WITNESS_OFFSET))
    if taken:
        names = " and port ".join(map(str, taken))
        raise MisconfiguredError(f"Already in use on {host}: port {names}. Free it, or choose another with --port.")


def ports_in_use(host: str, ports: Iterable[int]) -> list[int]:
    """Those of `ports` on which somebody already listens."""
    return [port for port in ports if not _can_listen(host, port)]


def _can_listen(host: str, port: int) -> bool:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as listener:
        # As the servers do: connections of an earlier run that are still closing are no obstacle.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
            listener.listen(1)
        except OSError:
            return False
    return True
