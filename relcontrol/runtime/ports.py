"""The ports of one `up`: the web on P, P+1 kept for the gateway, the edge on P+2."""

import argparse
import socket
from collections.abc import Iterable

from relcontrol.environment import MisconfiguredError

PORT = 8000
EDGE_OFFSET = 2
LAST_PORT = 65535


def port_number(text: str) -> int:
    """A port from the command line."""
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= LAST_PORT):
        raise argparse.ArgumentTypeError(f"a port is a number from 1 to {LAST_PORT}, not {text!r}")
    return int(text)


def first_port_number(text: str) -> int:
    """The port of the web, which leaves room for the two above it."""
    port = port_number(text)
    if port > LAST_PORT - EDGE_OFFSET:
        raise argparse.ArgumentTypeError(f"two more ports are used above this one: {LAST_PORT - EDGE_OFFSET} at most")
    return port


def require_free_ports(host: str, port: int) -> None:
    """Refuse to start where the web or the edge could not listen."""
    if taken := ports_in_use(host, (port, port + EDGE_OFFSET)):
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
